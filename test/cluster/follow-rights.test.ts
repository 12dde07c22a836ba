/** Following against a real API server, with the account and the rights of daemonset/components/follow and no others. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import type { RadioHolder } from "../../src/core/handover.ts";
import { silentLog } from "../../src/core/log.ts";
import { type Kube, openKube } from "../../src/kube/kube.ts";
import { createClusterRadios } from "../../src/publish/cluster/cluster-radios.ts";
import { runFollow } from "../../src/publish/follow/run-follow.ts";
import { runGhostPods } from "../../src/publish/follow/run-ghost-pods.ts";
import { applyToNode, readNode } from "../../src/publish/labels/own-node.ts";
import { labelsFor } from "../../src/publish/labels/labels-for.ts";
import { sampleRadio, sampleSnapshot } from "../fixtures/sample-radios.ts";
import type { ApiObject } from "./api-client.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser, installBase } from "./install-base.ts";

const prefix = "radio.mi.house";
const signal = new AbortController().signal;
const pods = "/api/v1/namespaces/house/pods";

let cluster: Cluster;
/** Each speaks with its own node's token. */
let here: Kube;
let there: Kube;

beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster, { components: ["follow"] });
  await cluster.kubectl(["create", "namespace", "house"]);
  await cluster.kubectl(["create", "serviceaccount", "default", "-n", "house"]);
  [here, there] = [await openNode("node-a"), await openNode("node-b")];
});
afterAll(async () => {
  for (const kube of [here, there]) await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function openNode(name: string): Promise<Kube> {
  await cluster.createNode(name);
  const now = new Date().toISOString();
  const ready = { type: "Ready", status: "True", lastHeartbeatTime: now, lastTransitionTime: now, reason: "KubeletReady", message: "" };
  const allocatable = name === "node-b" ? { [`${prefix}/zigbee`]: "1" } : {};
  const body = { status: { conditions: [ready], allocatable, capacity: allocatable } };
  await cluster.api.fetch(`/api/v1/nodes/${name}/status`, { method: "PATCH", body, contentType: "application/merge-patch+json" });
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: name });
  return openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal);
}

/** What node-b's aerial says that it has. */
async function listThere(...ids: readonly string[]): Promise<void> {
  const { uid } = await readNode({ kube: there, node: "node-b" }, signal);
  const { labels, annotations } = labelsFor(
    sampleSnapshot(ids.map((id) => sampleRadio(id))),
    { prefix, aliases: {}, graceMs: 0 },
    Date.now(),
  );
  await applyToNode({ kube: there, node: "node-b", uid, metadata: { labels, annotations } }, signal);
}

interface PodShape {
  readonly follow?: string;
  readonly bare?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: object;
}

const controller = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name: "z2m-5d4f",
  uid: "11111111-2222-3333-4444-555555555555",
  controller: true,
};
const running = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

async function createPod(name: string, { follow, bare = false, labels = {}, status = running }: PodShape = {}): Promise<ApiObject> {
  const metadata = {
    name,
    labels,
    annotations: follow === undefined ? {} : { [`${prefix}/follow`]: follow },
    ...(!bare && { ownerReferences: [controller] }),
  };
  const container = { name: "z2m", image: "none", resources: { limits: { [`${prefix}/zigbee`]: "1" } } };
  const spec = { nodeName: "node-a", terminationGracePeriodSeconds: 0, containers: [container] };
  const pod = await cluster.api.fetch(pods, { method: "POST", body: { apiVersion: "v1", kind: "Pod", metadata, spec } });
  await cluster.api.fetch(`${pods}/${name}/status`, { method: "PATCH", body: { status }, contentType: "application/merge-patch+json" });
  return pod;
}

/** Gone, or on its way: nobody here plays the kubelet. */
async function isGone(name: string): Promise<boolean> {
  const { status, body } = await cluster.api.request(`${pods}/${name}`);
  return status === 404 || "deletionTimestamp" in (body as ApiObject).metadata;
}

function holder(radioId: string, pod: string): RadioHolder {
  const request = `${prefix}/zigbee`;
  return { radioId, namespace: "house", pod, container: "z2m", way: "device-plugin", request, since: new Date().toISOString() };
}

function openFollow(holders: readonly RadioHolder[], evict: "annotated" | "all" = "annotated") {
  const conditions = createConditions(systemClock);
  const absentSince = new Date().toISOString();
  const absent = holders.map(({ radioId }) => sampleRadio(radioId, { presence: "absent", absentSince }));
  const stop = new AbortController();
  const done = runFollow(
    {
      snapshots: new Cell(sampleSnapshot(absent, { node: "node-a" })),
      holders: new Cell(holders),
      awaited: new Cell([]),
      radios: createClusterRadios({ kube: here, clock: systemClock, prefix, keptMs: 1_000 }),
      kube: here,
      node: "node-a",
      prefix,
      evict,
      offered: () => 0,
      evicted: () => {},
      absentMs: 0,
      clock: systemClock,
      log: silentLog,
      conditions,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort(new AerialError("internal.abort", "stopped"));
    await done;
  });
  return { text: (code: string): string => conditions.current.get(code)?.text ?? "" };
}

describe("pods whose radio is plugged into another node", () => {
  test("are evicted if they opted in; others are not, and nothing is refused", async () => {
    await createPod("follows", { follow: "true" });
    await createPod("stays");
    await createPod("declines", { follow: "false" });
    await createPod("bare", { follow: "true", bare: true });
    openFollow(["follows", "stays", "declines", "bare"].map((pod, index) => holder(`radio-${index}`, pod)));
    await sleep(3_000);
    expect(await isGone("follows")).toBe(false);
    await listThere("radio-0", "radio-1", "radio-2", "radio-3");
    await expect.poll(async () => [await isGone("follows"), await isGone("bare")], { timeout: 10_000 }).toEqual([true, true]);
    expect([await isGone("stays"), await isGone("declines")]).toEqual([false, false]);
    const asked = (await cluster.requestsBy(aerialUser)).filter(({ userAgent }) => userAgent === "aerial");
    expect(asked.filter(({ status }) => status === 403)).toEqual([]);
  });

  test("stay while a disruption budget forbids it, which is said, and go when it allows", async () => {
    await createPod("guarded", { follow: "true", labels: { app: "guarded" } });
    const budgets = "/apis/policy/v1/namespaces/house/poddisruptionbudgets";
    const spec = { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } };
    await cluster.api.fetch(budgets, { method: "POST", body: { metadata: { name: "keep-one" }, spec } });
    /** As the disruption controller, which is not here. */
    const allow = (disruptionsAllowed: number) =>
      cluster.api.fetch(`${budgets}/keep-one/status`, {
        method: "PATCH",
        body: {
          status: { observedGeneration: 1, disruptionsAllowed, currentHealthy: 1 + disruptionsAllowed, desiredHealthy: 1, expectedPods: 1 },
        },
        contentType: "application/merge-patch+json",
      });
    await allow(0);
    const { text } = openFollow([holder("radio-5", "guarded")]);
    await listThere("radio-5");
    await expect
      .poll(() => text("follow.disruption-budget"), { timeout: 10_000 })
      .toMatch(
        /^house\/guarded does not follow the radio radio-5 to node-b yet: The disruption budget keep-one needs 1 healthy pods and has 1 currently/,
      );
    await sleep(5_000);
    expect(await isGone("guarded")).toBe(false);
    await allow(1);
    await expect.poll(() => isGone("guarded"), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => text("follow.disruption-budget"), { timeout: 5_000 }).toBe("");
  });

  test("with follow.evict: all but without its component, the policy's word names what is missing", async () => {
    await createPod("silent");
    const { text } = openFollow([holder("radio-6", "silent")], "all");
    await listThere("radio-6");
    await expect
      .poll(() => text("follow.forbidden"), { timeout: 10_000 })
      .toMatch(
        /does not ask to follow its radio by the annotation radio\.mi\.house\/follow.*apply daemonset\/components\/follow, and follow-all/,
      );
    expect(await isGone("silent")).toBe(false);
  });
});

describe("a removal", () => {
  test("is of the pod that was read, and of no other that has its name", async () => {
    const ghost = { phase: "Failed", reason: "UnexpectedAdmissionError" };
    const { metadata } = await createPod("same-name", { status: ghost });
    const path = `${pods}/same-name`;
    const other = "11111111-2222-3333-4444-555555555555";
    await expect(here.remove(path, { uid: other }, signal)).rejects.toMatchObject({ code: "kube.conflict" });
    await expect(here.remove(path, { resourceVersion: "1" }, signal)).rejects.toMatchObject({ code: "kube.conflict" });
    expect(await isGone("same-name")).toBe(false);
    await here.remove(path, { uid: metadata.uid }, signal);
    await expect(here.remove(path, {}, signal)).rejects.toMatchObject({ code: "kube.not-found" });
  });
});

describe("ghost pods", () => {
  test("of the node that were replaced are deleted; bare ones are named", async () => {
    const ghost = { phase: "Failed", reason: "UnexpectedAdmissionError" };
    await createPod("ghost-1", { status: ghost });
    await createPod("ghost-2", { status: { phase: "Failed", reason: `OutOf${prefix}/zigbee` } });
    await createPod("evicted", { status: { phase: "Failed", reason: "Evicted" } });
    await createPod("alone", { status: ghost, bare: true });
    await createPod("replacement");
    const conditions = createConditions(systemClock);
    const stop = new AbortController();
    const nudges = new Cell(0);
    const done = runGhostPods({ kube: here, node: "node-a", prefix, nudges, clock: systemClock, log: silentLog, conditions }, stop.signal);
    onTestFinished(async () => {
      stop.abort(new AerialError("internal.abort", "stopped"));
      await done;
    });
    await expect.poll(async () => [await isGone("ghost-1"), await isGone("ghost-2")]).toEqual([true, true]);
    expect([await isGone("evicted"), await isGone("alone"), await isGone("replacement")]).toEqual([false, false, false]);
    await expect.poll(() => [...conditions.current.keys()]).toEqual(["ghosts.bare"]);
    expect(conditions.current.get("ghosts.bare")?.text).toMatch(/^house\/alone was not admitted/);
  });
});

describe("without the component", () => {
  test("a condition names it when a pod should move; what a reboot left behind is not looked for, and told of once", async () => {
    await cluster.kubectl(["delete", "clusterrolebinding", "aerial-follow"]);
    const conditions = createConditions(systemClock);
    const stop = new AbortController();
    const told: object[] = [];
    const log = { ...silentLog, info: (data: object, message: string) => void told.push({ ...data, message }) };
    const common = { kube: here, node: "node-a", prefix, clock: systemClock, log, conditions };
    await expect
      .poll(() =>
        here.list("/api/v1/pods", {}, signal).then(
          () => "allowed",
          () => "refused",
        ),
      )
      .toBe("refused");
    const done = runGhostPods({ ...common, nudges: new Cell(0) }, stop.signal);
    onTestFinished(async () => {
      stop.abort(new AerialError("internal.abort", "stopped"));
      await done;
    });
    const { text } = openFollow([holder("radio-7", "any")]);
    await expect
      .poll(() => text("follow.forbidden"))
      .toMatch(/may not get pods in namespace house; .*; apply daemonset\/components\/follow/);
    const blind = { what: "pods that a reboot left behind", why: expect.stringContaining("may not list pods"), message: "cannot see" };
    await expect.poll(() => told).toEqual([blind]);
    expect(conditions.current.size).toBe(0);
  });
});
