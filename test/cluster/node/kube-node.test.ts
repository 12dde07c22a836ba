/** That the node which other tests lean on is a real one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCluster, type Cluster } from "../cluster.ts";
import { openControlPlane } from "../control-plane.ts";
import { busyboxImage, openKubeNode, type KubeNode } from "./kube-node.ts";

interface PodOptions {
  readonly name: string;
  readonly script: string;
}

let lifetime: AsyncDisposableStack;
let cluster: Cluster;
let node: KubeNode;

beforeAll(async () => {
  lifetime = new AsyncDisposableStack();
  cluster = lifetime.use(await openCluster());
  lifetime.use(await openControlPlane(cluster));
  node = lifetime.use(await openKubeNode(cluster, { name: "node-1" }));
});
afterAll(() => lifetime.disposeAsync());

const pod = ({ name, script }: PodOptions): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: busyboxImage, imagePullPolicy: "Never", command: ["sh", "-c", script] }],
  },
});

async function startPod(options: PodOptions): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(pod(options)) });
  await waitForPod(options.name);
}

async function waitForPod(name: string): Promise<void> {
  try {
    await cluster.kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=20s"]);
  } catch (error) {
    const description = await cluster.kubectl(["describe", "pod", name]);
    throw new Error(`${String(error)}\n${description}\n${await node.logs()}`, { cause: error });
  }
}

describe("a node", () => {
  it("runs a pod, whose output and shell can be reached through the API server", async () => {
    const startedAt = performance.now();
    await startPod({ name: "first", script: "echo hello; sleep 1000" });
    const readyMs = Math.round(performance.now() - startedAt);
    console.log(`cluster in ${cluster.startedInMs} ms, node Ready in ${node.readyInMs} ms, pod Ready in ${readyMs} ms`);
    expect(await cluster.kubectl(["logs", "first"])).toBe("hello\n");
    expect(await cluster.kubectl(["exec", "first", "--", "echo", "over", "here"])).toBe("over here\n");
  });
});
