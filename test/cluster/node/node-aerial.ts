/** aerial as a program on a real node, with the account and the rights that daemonset/base gives it. */
import { join } from "node:path";
import type { CommandResult, LabProcess } from "../../lab/lab.ts";
import { getOverSocket } from "../../lab/aerial-command.ts";
import type { Cluster } from "../cluster.ts";
import { aerialAccount } from "../install-base.ts";
import type { KubeNode } from "./kube-node.ts";

const upTimeoutMs = 30_000;
const command = [process.execPath, "--conditions=source", join(import.meta.dirname, "../../../src/main.ts")];

export interface NodeAerial {
  /** Starts the daemon and waits until it is up. Only one runs at a time; a reboot kills it. */
  start(): Promise<LabProcess>;
  /** Runs another command of aerial on the node, with the same configuration. */
  cli(...parameters: readonly string[]): Promise<CommandResult>;
  /** What its API answers at a path. */
  get<Answer>(path: string): Promise<Answer>;
}

/**
 * Prepares aerial for a node of a cluster with the shipped base; started by the caller. Its state is in the node's /var, its
 * socket in the node's /run. No pods of the base's DaemonSet may be on the node: see `keepPodsAway`.
 */
export async function prepareAerial(
  cluster: Cluster,
  node: KubeNode,
  environment: Readonly<Record<string, string>> = {},
): Promise<NodeAerial> {
  const settings = {
    AERIAL__NODE__NAME: node.name,
    AERIAL__KUBERNETES__KUBECONFIG: await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: node.name }),
    AERIAL__HOST__SYS: node.paths.sys,
    AERIAL__API__PORT: "false",
    AERIAL__RELAY__ENABLED: "false",
    AERIAL__LOG__FORMAT: "json",
    ...environment,
  };
  const socket = join(node.paths.run, "aerial/aerial.sock");
  return {
    async start() {
      const daemon = await node.start([...command, "run"], { environment: settings });
      await daemon.waitForLine(/aerial is up/u, upTimeoutMs);
      return daemon;
    },
    cli: (...parameters) => node.run([...command, ...parameters], { environment: settings }),
    get: async <Answer>(path: string) => JSON.parse(await getOverSocket(socket, path)) as Answer,
  };
}

/** There is no image of aerial for the base's DaemonSet here: its pods are to be nowhere. */
export async function keepPodsAway({ kubectl }: Cluster): Promise<void> {
  const patch = { spec: { template: { spec: { nodeSelector: { "test/nowhere": "true" } } } } };
  await kubectl(["patch", "daemonset", "aerial", "--namespace=aerial", `--patch=${JSON.stringify(patch)}`]);
}
