import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWrite } from "./audit.ts";
import { openCluster, type Cluster } from "./cluster.ts";

const account = { namespace: "default", name: "visitor" };
const user = "system:serviceaccount:default:visitor";
let cluster: Cluster;

beforeAll(async () => {
  cluster = await openCluster();
  await cluster.kubectl(["create", "serviceaccount", account.name]);
  await cluster.createNode("node-a", { room: "attic" });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

/** Polls: the audit log may be written a moment after the answer. */
async function eventually<T>(read: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const value = await read();
    if (isRight(value) || Date.now() > deadline) return value;
    await sleep(20);
  }
}

describe("cluster", () => {
  test("is the pinned Kubernetes, for kubectl with the admin's kubeconfig", async () => {
    const { serverVersion } = JSON.parse(await cluster.kubectl(["version", "-o", "json"])) as { serverVersion: { gitVersion: string } };
    expect(serverVersion.gitVersion).toMatch(/^v1\.\d+\.\d+$/);
    expect((await cluster.getNode("node-a")).metadata.labels).toEqual({ room: "attic" });
  });

  test("has RBAC on: an account without rights gets nothing", async () => {
    const kubeconfig = await cluster.serviceAccountKubeconfig(account);
    await expect(cluster.kubectl(["get", "nodes"], { kubeconfig })).rejects.toThrow(/forbidden.*visitor.*cannot list/i);
  });

  test("a token asked for on a node carries the node's name, as a DaemonSet's does", async () => {
    const client = cluster.clientFor(await cluster.serviceAccountToken({ ...account, node: "node-a" }));
    const review = await client.fetch<{ status: { userInfo: { username: string; extra: Record<string, string[]> } } }>(
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      { method: "POST", body: {} },
    );
    expect(review.status.userInfo.username).toBe(user);
    expect(review.status.userInfo.extra["authentication.kubernetes.io/node-name"]).toEqual(["node-a"]);
  });

  test("can be reached at the address a QEMU guest uses, by name of certificate", async () => {
    const kubeconfig = await cluster.serviceAccountKubeconfig({ ...account, server: `https://10.0.2.2:${cluster.port}` });
    expect(await readFile(kubeconfig, "utf8")).toContain(`"server": "https://10.0.2.2:${cluster.port}"`);
    const answer = await cluster.kubectl(["get", "--raw", "/readyz", "--tls-server-name=10.0.2.2"]);
    expect(answer).toBe("ok");
    await expect(cluster.kubectl(["get", "--raw", "/readyz", "--tls-server-name=10.0.2.3"])).rejects.toThrow(/not 10\.0\.2\.3/);
  });

  test("knows who asked for what", async () => {
    const client = cluster.clientFor(await cluster.serviceAccountToken(account));
    const before = (await cluster.requestsBy(user)).length;
    expect((await client.request("/api/v1/nodes/node-a")).status).toBe(403);
    const { status } = await client.apply(
      "/api/v1/nodes/node-a",
      { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } },
      "visitor",
    );
    expect(status).toBe(403);
    const requests = await eventually(
      async () => (await cluster.requestsBy(user)).slice(before),
      ({ length }) => length >= 2,
    );
    expect(requests).toMatchObject([
      { verb: "get", resource: "nodes", name: "node-a", status: 403 },
      { verb: "patch", resource: "nodes", name: "node-a", status: 403 },
    ]);
    expect(requests.map((request) => isWrite(request))).toEqual([false, true]);
  });

  test("shows a change of a node as soon as it is there", async () => {
    const seen = cluster.waitForNode("node-a", ({ metadata }) => metadata.labels?.["room"] === "cellar", 10_000);
    await cluster.kubectl(["label", "node", "node-a", "room=cellar", "--overwrite"]);
    expect((await seen).metadata.labels).toEqual({ room: "cellar" });
    await expect(cluster.waitForNode("node-a", () => false, 50)).rejects.toThrow(/node-a is not as awaited.*cellar/);
  });

  test("lists Events", async () => {
    await cluster.api.fetch("/apis/events.k8s.io/v1/namespaces/default/events", {
      method: "POST",
      body: {
        metadata: { name: "hello" },
        eventTime: "2026-01-01T00:00:00.000000Z",
        type: "Normal",
        reason: "Hello",
        action: "Greet",
        reportingController: "test",
        reportingInstance: "test",
        regarding: { apiVersion: "v1", kind: "Node", name: "node-a" },
      },
    });
    expect((await cluster.listEvents()).map(({ metadata }) => metadata.name)).toContain("hello");
  });
});

describe("a cluster in trouble", () => {
  test("paused, it takes connections and says nothing; resumed, it answers what was asked", async () => {
    cluster.pause();
    const answer = cluster.api.request("/readyz");
    try {
      expect(await Promise.race([answer, sleep(200, "waiting")])).toBe("waiting");
    } finally {
      cluster.resume();
    }
    expect((await answer).status).toBe(200);
  });

  test("stopped, it refuses; started, it has the same data at the same address", async () => {
    const { uid } = (await cluster.getNode("node-a")).metadata;
    await cluster.stop();
    await expect(cluster.api.request("/readyz")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await cluster.start();
    expect((await cluster.getNode("node-a")).metadata.uid).toBe(uid);
  });

  test("nothing survives the process that opened it, even by SIGKILL", async () => {
    const main = new URL("main.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--conditions=source", main], { stdio: ["ignore", "pipe", "ignore"] });
    const kubeconfig = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
    const children = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).trim().split(" ");
    expect((await Promise.all(children.map(commandOf))).toSorted()).toEqual(["etcd", "kube-apiserver"]);
    child.kill("SIGKILL");
    const left = await eventually(
      () => Promise.all(children.map(commandOf)),
      (commands) => commands.every((command) => command === "none"),
    );
    expect(left).toEqual(["none", "none"]);
    await rm(dirname(kubeconfig), { recursive: true });
  });
});

/** The program a process runs; `none` when it is gone or only waits to be reaped. */
async function commandOf(pid: string): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return /^State:\t[ZX]/m.test(status) ? "none" : (/^Name:\t(.*)$/m.exec(status)?.[1] ?? "none");
}
