/** kube-scheduler and kube-controller-manager: what makes pods of Deployments and puts them on nodes. */
import { join } from "node:path";
import { findNodeBinaries } from "./binaries.ts";
import { openChild } from "./child.ts";
import type { Cluster } from "./cluster.ts";

export interface ControlPlaneOptions {
  /** How long a node may be silent before it is NotReady and its pods are to go; Kubernetes' own default is 40 s. */
  readonly nodeGraceSeconds?: number;
}

export interface ControlPlane extends AsyncDisposable {
  /** Names and contents' ends of both logs, for when something went wrong. */
  logs(): Promise<string>;
}

const logLines = 30;
const patienceMs = 60_000;

/**
 * Starts both for a cluster, with all of their controllers, and waits until namespace `default` has its service account,
 * without which no pod is admitted. Logs are in the cluster's directory.
 */
export async function openControlPlane(cluster: Cluster, { nodeGraceSeconds = 40 }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await findNodeBinaries();
  await using opening = new AsyncDisposableStack();
  // No port: nobody asks them anything. No leases: they are the only ones.
  const common = [`--kubeconfig=${cluster.kubeconfig}`, "--leader-elect=false", "--secure-port=0"];
  const start = async (command: string, name: string, args: readonly string[]) =>
    opening.use(await openChild({ command, args: [...common, ...args], logFile: join(cluster.directory, `${name}.log`) }));
  const children = await Promise.all([
    start(binaries.kubeControllerManager, "kube-controller-manager", [
      `--root-ca-file=${cluster.caFile}`,
      `--node-monitor-grace-period=${nodeGraceSeconds}s`,
      "--node-monitor-period=2s",
    ]),
    start(binaries.kubeScheduler, "kube-scheduler", []),
  ]);
  const logs = async (): Promise<string> => {
    const ends = children.map(async (child) => `${child.name}:\n${(await child.log()).trimEnd().split("\n").slice(-logLines).join("\n")}`);
    return (await Promise.all(ends)).join("\n\n");
  };
  await waitForServiceAccount(cluster, logs);
  const lifetime = opening.move();
  return { logs, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

async function waitForServiceAccount({ api }: Cluster, logs: () => Promise<string>): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    for await (const { object } of api.watch("/api/v1/namespaces/default/serviceaccounts", signal)) {
      if (object.metadata.name === "default") return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new Error(`namespace default has no service account after ${patienceMs} ms\n${await logs()}`);
}
