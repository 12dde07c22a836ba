/** ResourceSlices on a real API server: what it takes, what it is not given, and who may write them. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Conditions, createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Radio, Snapshot } from "../../src/core/radio.ts";
import { type Kube, openKube } from "../../src/kube/kube.ts";
import { runSlices } from "../../src/publish/dra/run-slices.ts";
import { groupRadios } from "../../src/publish/handover/resource-groups.ts";
import { hostileRadio } from "../fixtures/hostile-radios.ts";
import { sampleRadio, sampleSnapshot, zigbee } from "../fixtures/sample-radios.ts";
import { type ApiClient, type ApiObject, messageOf } from "./api-client.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser } from "./install-base.ts";
import { installResourceClaims } from "./install-resource-claims.ts";

const path = "/apis/resource.k8s.io/v1/resourceslices";
const driver = "radio.mi.house";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await openCluster();
  await installResourceClaims(cluster);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

interface Slice extends ApiObject {
  readonly spec: {
    readonly pool: { readonly generation: number; readonly resourceSliceCount: number };
    readonly devices?: readonly {
      readonly name: string;
      readonly attributes: object;
      readonly taints?: readonly { readonly timeAdded: string }[];
    }[];
  };
}

const slicesOf = async (node: string): Promise<readonly Slice[]> =>
  (await cluster.api.fetch<{ items: Slice[] }>(`${path}?fieldSelector=spec.nodeName=${node},spec.driver=${driver}`)).items;
const devicesOf = async (node: string) => (await slicesOf(node)).flatMap(({ spec }) => spec.devices ?? []);

let nodes = 0;

interface Publisher {
  readonly node: string;
  readonly uid: string;
  readonly snapshots: Cell<Snapshot>;
  readonly handed: Cell<ReadonlyMap<string, string | undefined>>;
  readonly conditions: Conditions;
  readonly kube: Kube;
  readonly stop: () => Promise<void>;
}

async function publish(radios: readonly Radio[], { onNode = `node-${++nodes}`, graceMs = 300 } = {}): Promise<Publisher> {
  const existing = await cluster.api.request(`/api/v1/nodes/${onNode}`);
  const { metadata } = existing.status === 200 ? (existing.body as ApiObject) : await cluster.createNode(onNode);
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: onNode });
  const controller = new AbortController();
  const kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, controller.signal);
  const snapshots = new Cell(sampleSnapshot(radios));
  const handed = new Cell<ReadonlyMap<string, string | undefined>>(new Map());
  const conditions = createConditions(systemClock);
  const done = runSlices(
    {
      kube,
      node: onNode,
      domain: driver,
      snapshots,
      groups: (all) => groupRadios(all, { domain: driver, groups: [{ name: "odd", kinds: [], radios: radios.map(({ id }) => id) }] }),
      handed: () => handed.current,
      claimed: () => new Set(),
      inputs: [handed],
      graceMs,
      clock: systemClock,
      log: silentLog,
      conditions,
    },
    controller.signal,
  );
  const stop = async (): Promise<void> => {
    controller.abort(new AerialError("internal.abort", "stopped"));
    await done;
    await kube[Symbol.asyncDispose]();
  };
  onTestFinished(stop);
  return { node: onNode, uid: metadata.uid, snapshots, handed, conditions, kube, stop };
}

const names = async (node: string) => (await devicesOf(node)).map(({ name }) => name);
const untilNames = (node: string, wanted: readonly string[], timeout = 5_000) =>
  expect.poll(() => names(node), { timeout }).toEqual(wanted);
const writesTo = async (node: string) =>
  (await cluster.requestsBy(aerialUser)).filter(
    ({ verb, name }) => ["create", "update", "delete"].includes(verb) && name?.startsWith(`${node}-radio`),
  );

describe("resource slices", () => {
  test("without a radio: one that is empty and goes with the node", async () => {
    const { node, uid } = await publish([]);
    await expect.poll(() => slicesOf(node)).toHaveLength(1);
    const [slice] = await slicesOf(node);
    expect(slice?.metadata).toMatchObject({ ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node, uid, controller: true }] });
    expect(slice?.spec).toEqual({ driver, nodeName: node, pool: { name: node, generation: 1, resourceSliceCount: 1 } });
  });

  test("200 radios with hostile strings are taken, and written once", async () => {
    const hostile = fc.sample(hostileRadio, { numRuns: 200, seed: 42 });
    const radios = hostile.map((radio, index) => Object.assign(radio, { id: `${radio.id.slice(0, 58)}-${index}` }));
    const { node, conditions, snapshots } = await publish(radios, { graceMs: 1e13 });
    await expect.poll(async () => (await devicesOf(node)).length, { timeout: 20_000 }).toBe(200);
    expect((await devicesOf(node)).filter(({ taints = [] }) => taints.length > 0).length).toBeGreaterThan(50);
    const pool = { name: node, generation: 1, resourceSliceCount: 4 };
    expect((await slicesOf(node)).map(({ spec }) => spec.pool)).toEqual([pool, pool, pool, pool]);
    expect([...conditions.current.values()]).toEqual([]);
    const written = (await slicesOf(node)).map(({ metadata }) => metadata.resourceVersion);
    snapshots.set({ ...snapshots.current });
    await systemClock.sleep(1_000, AbortSignal.timeout(5_000));
    expect((await slicesOf(node)).map(({ metadata }) => metadata.resourceVersion)).toEqual(written);
  });

  test("a radio comes, is missed and goes; a taint keeps its time while others come", async () => {
    const { node, snapshots, handed } = await publish([sampleRadio("a")]);
    await untilNames(node, ["a"]);
    const away = sampleRadio("b", { presence: "absent", absentSince: new Date().toISOString() });
    snapshots.set(sampleSnapshot([sampleRadio("a"), away]));
    await untilNames(node, ["a", "b"]);
    expect((await devicesOf(node))[1]).toMatchObject({ taints: [{ key: "radio.mi.house/absent", effect: "NoSchedule" }] });
    await untilNames(node, ["a"]);
    handed.set(new Map([["a", undefined]]));
    const taintTime = async () => (await devicesOf(node))[0]?.taints?.[0]?.timeAdded;
    await expect.poll(taintTime).toBeDefined();
    const time = await taintTime();
    await systemClock.sleep(1_100, AbortSignal.timeout(5_000));
    snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("c")]));
    await untilNames(node, ["a", "c"]);
    expect(await taintTime()).toBe(time);
  });

  test("are back at once when the kubelet removes them as it starts, again and again", async () => {
    const { node } = await publish([sampleRadio("a")]);
    await untilNames(node, ["a"]);
    for (let start = 0; start < 4; start += 1) {
      const [before] = await slicesOf(node);
      await cluster.api.fetch(`${path}?fieldSelector=spec.nodeName=${node}`, { method: "DELETE" });
      await expect
        .poll(async () => (await slicesOf(node))[0]?.metadata.uid ?? before?.metadata.uid, { timeout: 2_000 })
        .not.toBe(before?.metadata.uid);
    }
  });

  test("are put right when somebody edits them, and left standing at the end", async () => {
    const { node, stop } = await publish([sampleRadio("a")]);
    await untilNames(node, ["a"]);
    const [{ metadata }] = (await slicesOf(node)) as [Slice];
    const body = { spec: { devices: [] } };
    await cluster.api.fetch(`${path}/${metadata.name}`, { method: "PATCH", body, contentType: "application/merge-patch+json" });
    await untilNames(node, ["a"]);
    await stop();
    expect(await names(node)).toEqual(["a"]);
  });

  test("a second start with the same radios writes nothing", async () => {
    const first = await publish([sampleRadio("a"), sampleRadio("b", { identity: { ...zigbee, kinds: ["thread", "zigbee"] } })]);
    await untilNames(first.node, ["a", "b"]);
    await first.stop();
    const before = (await writesTo(first.node)).length;
    await publish([...first.snapshots.current.radios.values()], { onNode: first.node });
    await systemClock.sleep(1_500, AbortSignal.timeout(5_000));
    expect(await writesTo(first.node)).toHaveLength(before);
  });
});

describe("aerial's own-slices policy", () => {
  let stolen: ApiClient;
  beforeAll(async () => {
    await cluster.createNode("house");
    await cluster.createNode("attic");
    stolen = cluster.clientFor(await cluster.serviceAccountToken({ ...aerialAccount, node: "attic" }));
  });

  interface Changes {
    readonly name?: string;
    readonly spec?: object;
    readonly metadata?: object;
  }
  const slice = ({ name = "attic-radio.mi.house-1", spec = {}, metadata = {} }: Changes = {}) => ({
    metadata: { name, ...metadata },
    spec: { driver, nodeName: "attic", pool: { name: "attic", generation: 1, resourceSliceCount: 1 }, ...spec },
  });
  const houseSpec = { nodeName: "house", pool: { name: "house", generation: 1, resourceSliceCount: 1 } };
  const create = (changes: Changes) => stolen.request(path, { method: "POST", body: slice(changes) });
  const refusal = async (response: Promise<{ readonly status: number; readonly body: unknown }>): Promise<string> => {
    const { status, body } = await response;
    expect(status).toBe(403);
    return messageOf(body).replace(/^.*denied request: /, "");
  };

  test("allows slices of its own node, and taking them back", async () => {
    expect((await create({ name: "attic-radio.mi.house-7" })).status).toBe(201);
    expect((await stolen.request(`${path}/attic-radio.mi.house-7`, { method: "DELETE" })).status).toBe(200);
  });

  test.each([
    ["for another node", { spec: houseSpec }],
    ["for all nodes", { spec: { nodeName: undefined, allNodes: true } }],
    [
      "for nodes by a selector",
      { spec: { nodeName: undefined, nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Exists" }] }] } } },
    ],
    ["in another node's pool", { spec: { pool: { name: "house", generation: 999, resourceSliceCount: 1 } } }],
  ])("a stolen token makes no slice %s", async (_what, changes) => {
    expect(await refusal(create(changes))).toBe("aerial on node attic may only change ResourceSlices and pools of that node");
  });

  test("nor one whose name another node's slice will want, or that is none of aerial's", async () => {
    for (const name of ["house-radio.mi.house-0", "attic-radio.mi.house-x", "attic-radio.mi.house-0.1", "attic"]) {
      expect(await refusal(create({ name }))).toBe("ResourceSlices of aerial on node attic are called attic-radio.mi.house-0 and so on");
    }
  });

  test("a node whose name is too long for that makes its slices all the same", async () => {
    const long = "n".repeat(63).concat(".").repeat(4).slice(0, 245);
    const { node } = await publish([sampleRadio("stick")], { onNode: long });
    await untilNames(node, ["stick"]);
  });

  test("nor one of another driver, with another owner or with a finalizer", async () => {
    expect(await refusal(create({ spec: { driver: "gpu.example.com" } }))).toBe("aerial may only change ResourceSlices of radio.mi.house");
    const owner = { apiVersion: "v1", kind: "Node", name: "house", uid: "u" };
    expect(await refusal(create({ metadata: { ownerReferences: [owner] } }))).toMatch(/belongs to its node/);
    expect(await refusal(create({ metadata: { finalizers: ["example.com/stay"] } }))).toBe("aerial may not set finalizers");
  });

  test("nor changes or deletes those of another node or driver", async () => {
    const others = [slice({ name: "house-1", spec: houseSpec }), slice({ name: "gpu-1", spec: { driver: "gpu.example.com" } })];
    for (const body of others) await cluster.api.fetch(path, { method: "POST", body });
    for (const { metadata } of others) {
      const stored = await cluster.api.fetch(`${path}/${metadata.name}`);
      const changed = { ...stored, spec: { ...(stored["spec"] as object), devices: [{ name: "made-up" }] } };
      expect(await refusal(stolen.request(`${path}/${metadata.name}`, { method: "PUT", body: changed }))).toMatch(/may only change/);
      expect(await refusal(stolen.request(`${path}/${metadata.name}`, { method: "DELETE" }))).toMatch(/may only change/);
      await cluster.api.fetch(`${path}/${metadata.name}`, { method: "DELETE" });
    }
    expect((await stolen.request(`${path}?fieldSelector=spec.nodeName=house`, { method: "DELETE" })).status).toBe(403);
  });

  test("rights are what a driver needs and no more", async () => {
    const rights = async (user: string) =>
      new Set(
        (await cluster.kubectl(["auth", "can-i", "--list", "--no-headers", `--as=${user}`, "--namespace=default"]))
          .trim()
          .split("\n")
          .map((row) => row.trim().replaceAll(/\s+/g, " "))
          .filter((row) => row.includes("resource.k8s.io")),
      );
    expect(await rights(aerialUser)).toEqual(
      new Set(["resourceclaims.resource.k8s.io [] [] [get]", "resourceslices.resource.k8s.io [] [] [list watch create update delete]"]),
    );
    expect(await rights("system:serviceaccount:aerial:nobody")).toEqual(new Set());
  });
});
