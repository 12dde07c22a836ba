/** aerial on a lab's node, against a real API server, with the account and the rights that daemonset/base gives it. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiObject } from "../cluster/api-client.ts";
import { isWrite } from "../cluster/audit.ts";
import { openCluster, type Cluster } from "../cluster/cluster.ts";
import { aerialAccount, aerialUser, installBase } from "../cluster/install-base.ts";
import { aerialCommand, builtCommand, getFromNode } from "../lab/aerial-command.ts";
import type { CommandResult, Lab, LabProcess } from "../lab/lab.ts";

export const prefix = "radio.mi.house";

export interface AerialNode extends AsyncDisposable {
  readonly name: string;
  readonly cluster: Cluster;
  readonly lab: Lab;
  /** Path of aerial's unix socket on the node. */
  readonly socket: string;
  /** Starts the daemon on the node and waits until it is up. Only one runs at a time. */
  start(): Promise<LabProcess>;
  /** Runs another command of aerial on the node, with the same configuration. */
  cli(...parameters: readonly string[]): Promise<CommandResult>;
  /** What aerial's API answers at a path. */
  get<Answer>(path: string): Promise<Answer>;
  /** Our labels on the Node now. */
  labels(): Promise<Readonly<Record<string, string>>>;
  /** Resolves with our labels once they are right; rejects at the deadline with what was there. */
  waitForLabels(
    isRight: (labels: Readonly<Record<string, string>>) => boolean,
    timeoutMs?: number,
  ): Promise<Readonly<Record<string, string>>>;
  /** How many writes aerial has sent to the API server since it was first started. */
  writes(): Promise<number>;
}

export interface AerialNodeOptions {
  readonly lab: Lab;
  /** Runs a fresh build also where the sources would do. */
  readonly build?: boolean;
  /** Further settings, as environment: `AERIAL__LABELS__GRACESECONDS`. */
  readonly environment?: Readonly<Record<string, string>>;
}

const upTimeoutMs = 60_000;

/** Starts a cluster with the shipped base and a Node object; aerial itself is started by the caller. */
export async function openAerialNode({ lab, build = false, environment = {} }: AerialNodeOptions): Promise<AerialNode> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await openCluster());
  await installBase(cluster, { aliases: ["radio", "zigbee"] });
  const name = "lab-node";
  await cluster.createNode(name);
  const address = await lab.reach(cluster.port);
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: name, server: `https://${address}:${cluster.port}` });
  const directory = await mkdtemp(join(tmpdir(), "aerial-node-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const settings: Record<string, string> = {
    AERIAL__NODE__NAME: name,
    AERIAL__KUBERNETES__KUBECONFIG: await place(lab, { from: kubeconfig, to: join(directory, "kubeconfig") }),
    AERIAL__STATE__DIRECTORY: join(directory, "state"),
    AERIAL__API__SOCKET: join(directory, "aerial.sock"),
    AERIAL__LOG__FORMAT: "json",
    ...environment,
  };
  const command = await (build ? builtCommand() : aerialCommand(lab));

  const socket = settings["AERIAL__API__SOCKET"] ?? "";
  const countWrites = async (): Promise<number> => (await cluster.requestsBy(aerialUser)).filter(isWrite).length;
  const writesBefore = await countWrites();
  const labels = async (): Promise<Readonly<Record<string, string>>> => ours(await cluster.getNode(name));
  const lifetime = stack.move();
  return {
    name,
    cluster,
    lab,
    socket,
    async start() {
      const daemon = await lab.start([...command, "run"], { environment: settings });
      await daemon.waitForLine(/aerial is up/, upTimeoutMs);
      return daemon;
    },
    cli: (...parameters) => lab.run([...command, ...parameters], { environment: settings }),
    get: async <Answer>(path: string) => (await getFromNode(lab, socket, path)) as Answer,
    labels,
    async waitForLabels(isRight, timeoutMs = 30_000) {
      return ours(await cluster.waitForNode(name, (node) => isRight(ours(node)), timeoutMs));
    },
    writes: async () => (await countWrites()) - writesBefore,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

function ours({ metadata }: ApiObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => key.startsWith(`${prefix}/`)));
}

/** A guest shows this machine's files as they were when it first looked, so what is made later has to be put there. */
async function place(lab: Lab, { from, to }: { readonly from: string; readonly to: string }): Promise<string> {
  const contents = await readFile(from, "utf8");
  if (lab.writeFile) await lab.writeFile(to, contents, { mode: 0o600 });
  else await writeFile(to, contents, { mode: 0o600 });
  return to;
}
