/** That the nodes which other tests lean on are real ones. */
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sonoffDonglePlus } from "../../lab/sticks.ts";
import { openCluster, type Cluster } from "../cluster.ts";
import { openControlPlane } from "../control-plane.ts";
import { openKubeNode, type KubeNode } from "./kube-node.ts";
import { startPod } from "./pods.ts";

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

const podField = (pod: string, path: string): Promise<string> => cluster.kubectl(["get", "pod", pod, "--output", `jsonpath={${path}}`]);
const restartCount = (pod: string): Promise<string> => podField(pod, ".status.containerStatuses[0].restartCount");

async function waitFor(what: string, isSo: () => Promise<boolean>, timeoutMs = 30_000): Promise<number> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > timeoutMs) throw new Error(`not in ${timeoutMs} ms: ${what}\n${await node.logs()}`);
    await sleep(50);
  }
  return Math.round(performance.now() - startedAt);
}

describe("a node", () => {
  it("runs a pod, whose output and shell can be reached through the API server", async () => {
    const startedAt = performance.now();
    await startPod(cluster, { name: "first", script: "echo hello; sleep 1000" });
    const readyMs = Math.round(performance.now() - startedAt);
    console.log(`cluster in ${cluster.startedInMs} ms, node Ready in ${node.readyInMs} ms, pod Ready in ${readyMs} ms`);
    expect(await cluster.kubectl(["logs", "first"])).toBe("hello\n");
    expect(await cluster.kubectl(["exec", "first", "--", "echo", "over", "here"])).toBe("over here\n");
  });

  it("is held to its own Node by the API server", async () => {
    const kubeconfig = `${node.paths.root}/kubelet.kubeconfig`;
    await cluster.createNode("another");
    await expect(cluster.kubectl(["label", "node", "another", "a=b"], { kubeconfig })).rejects.toThrow("forbidden");
    await cluster.kubectl(["delete", "node", "another"]);
  });

  it("shares a stick's line with a pod: bytes go both ways, and end when it is unplugged", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    const script = "exec 3<>/dev/ttyUSB0; echo here >&3; while read line <&3; do echo got $line >&3; done; echo gone; sleep 1000";
    expect(stick.nodes).toEqual(["/dev/ttyUSB0"]);
    await startPod(cluster, { name: "radio", namespace: "kube-system", script, container: { securityContext: { privileged: true } } });
    await stick.line.waitForWritten(/^here$/mu);
    stick.line.send("question\n");
    await stick.line.waitForWritten(/^got question$/mu);

    const again = await node.replug(stick);
    expect(again.nodes).toEqual(["/dev/ttyUSB1"]);
    expect(again.line.minor).not.toBe(stick.line.minor);
    await waitFor("the pod hears the end", async () => (await cluster.kubectl(["logs", "--namespace=kube-system", "radio"])) === "gone\n");
    expect((await node.run(["stat", "--format=%F %Hr:%Lr %G", "/dev/ttyUSB1"])).stdout).toBe(
      `character special file 4:${again.line.minor} dialout\n`,
    );
    await again.unplug();
    expect((await node.run(["ls", "/dev/ttyUSB1"])).exitCode).not.toBe(0);
  });

  it("keeps its pods when the kubelet and containerd are restarted", async () => {
    await startPod(cluster, { name: "lasting", script: "sleep 1000" });
    const container = await podField("lasting", ".status.containerStatuses[0].containerID");
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await node.killKubelet(signal);
      await node.startKubelet();
    }
    await node.stopContainerd();
    await node.startContainerd();
    await node.restartKubelet();
    await startPod(cluster, { name: "later", script: "sleep 1000" });
    expect(await podField("lasting", ".status.containerStatuses[0].containerID")).toBe(container);
    expect(await restartCount("lasting")).toBe("0");
  });

  it("boots: pods start anew, /run is empty, radios and /var/lib are as they were", async () => {
    await startPod(cluster, { name: "rebooted", script: "sleep 1000" });
    await node.run(["sh", "-c", "mkdir -p /var/run/cdi /var/lib/kubelet/kept && touch /var/run/cdi/gone.json"]);
    await using daemon = await node.start(["sh", "-c", "echo up; sleep 1000"]);
    await daemon.waitForLine(/up/, 5000);
    const stick = await node.plug(sonoffDonglePlus);
    let files: readonly string[] = ["not asked"];
    await node.reboot(async () => {
      files = readdirSync(node.paths.run);
    });
    expect(files).toEqual([]);
    await daemon.exited;
    const inMs = await waitFor("the pod runs again", async () => (await restartCount("rebooted")) === "1");
    console.log(`pod restarted ${inMs} ms after the kubelet`);
    expect((await node.run(["ls", "/var/lib/kubelet"])).stdout).toMatch(/^kept$/mu);
    expect((await node.run(["ls", "/var/run/cdi"])).stdout).toBe("");
    expect((await node.run(["ls", ...stick.nodes])).exitCode).toBe(0);
    await stick.unplug();
  });

  it("has another beside it, and leaves nothing when closed", async () => {
    const other = await openKubeNode(cluster, { name: "node-2", labels: { "test/second": "yes" } });
    try {
      await startPod(cluster, { name: "elsewhere", script: "echo hi; sleep 1000", spec: { nodeSelector: { "test/second": "yes" } } });
      expect(await podField("elsewhere", ".spec.nodeName")).toBe("node-2");
      expect(await cluster.kubectl(["logs", "elsewhere"])).toBe("hi\n");
      expect(await cluster.kubectl(["logs", "first"])).toBe("hello\n");
      const stick = await node.plug(sonoffDonglePlus);
      await stick.unplug();
      const moved = await other.plug(stick.stick);
      expect(moved.nodes).toEqual(["/dev/ttyUSB0"]);
      console.log(`second node Ready in ${other.readyInMs} ms`);
    } finally {
      await other[Symbol.asyncDispose]();
    }
    expect(existsSync(other.paths.root)).toBe(false);
    expect(existsSync(`/sys/fs/cgroup/memory${other.cgroup}`)).toBe(false);
  });
});
