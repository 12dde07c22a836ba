/** A cluster with one real node, on which a test starts aerial itself. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, openCluster } from "../cluster.ts";
import { openControlPlane } from "../control-plane.ts";
import { installBase } from "../install-base.ts";
import { type KubeNode, type KubeNodeOptions, openKubeNode } from "./kube-node.ts";
import { keepPodsAway } from "./node-aerial.ts";

export interface OneNode extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly node: KubeNode;
  /**
   * Milliseconds until `isSo`, which is asked every 20. Rejects after `timeoutMs` with what cluster and node say, and the end of
   * what `daemon` wrote.
   */
  until(what: string, isSo: () => Promise<boolean> | boolean, patience: Patience): Promise<number>;
}

interface Patience {
  readonly timeoutMs: number;
  readonly daemon: { readonly output: string };
}

interface OneNodeOptions extends Partial<KubeNodeOptions> {
  /** Default: the shipped base. */
  readonly install?: (cluster: Cluster) => Promise<void>;
}

/**
 * `node-1`, beside an API server, a scheduler and controllers, with aerial's rights installed. Unless told otherwise its kubelet
 * writes the Node's status every second: a new resource is known to the scheduler no sooner.
 */
export async function openOneNode({ install = installBase, ...options }: OneNodeOptions = {}): Promise<OneNode> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await openCluster());
  await install(cluster);
  await keepPodsAway(cluster);
  stack.use(await openControlPlane(cluster));
  const node = stack.use(await openKubeNode(cluster, { name: "node-1", kubelet: { nodeStatusUpdateFrequency: "1s" }, ...options }));
  const lifetime = stack.move();
  return {
    cluster,
    node,
    async until(what, isSo, { timeoutMs, daemon }) {
      const began = performance.now();
      while (!(await isSo())) {
        if (performance.now() - began > timeoutMs) {
          const told = await cluster.kubectl(["describe", "pods,resourceclaims,resourceslices"]).catch(String);
          throw new Error(`not in ${timeoutMs} ms: ${what}\n${told}\n${daemon.output.slice(-3_000)}\n${await node.logs()}`);
        }
        await sleep(20);
      }
      return Math.round(performance.now() - began);
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}
