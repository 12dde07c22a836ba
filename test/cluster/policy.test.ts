/** daemonset/components/follow on a real API server: what a stolen token of one node can do to pods, and what it can't. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiClient, type ApiObject, messageOf } from "./api-client.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser, installBase } from "./install-base.ts";

let cluster: Cluster;
/** aerial on node-a. */
let stolen: ApiClient;

beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster, { components: ["follow"] });
  await cluster.createNode("node-a");
  await cluster.createNode("node-b");
  await cluster.kubectl(["create", "namespace", "house"]);
  await cluster.kubectl(["create", "serviceaccount", "default", "-n", "house"]);
  stolen = cluster.clientFor(await cluster.serviceAccountToken({ ...aerialAccount, node: "node-a" }));
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

interface PodShape {
  readonly node?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
  /** As the kubelet leaves it. */
  readonly status?: object;
  readonly bare?: boolean;
  readonly spec?: object;
}

const follow = { "radio.mi.house/follow": "true" };
const radio = { "radio.mi.house/zigbee": "1" };
const ghost = { phase: "Failed", reason: "UnexpectedAdmissionError", message: "Allocate failed" };
const pods = "/api/v1/namespaces/house/pods";
let made = 0;

async function createPod({ node = "node-a", annotations = {}, limits = radio, status, bare = false, spec = {} }: PodShape) {
  const controller = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "z2m-5d4f", uid: "11111111-2222-3333-4444-555555555555" };
  const pod = await cluster.api.fetch(pods, {
    method: "POST",
    body: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `z2m-${++made}`, annotations, ...(!bare && { ownerReferences: [{ ...controller, controller: true }] }) },
      spec: { nodeName: node, containers: [{ name: "z2m", image: "none", resources: { limits } }], ...spec },
    },
  });
  if (status !== undefined) {
    const path = `${pods}/${pod.metadata.name}/status`;
    await cluster.api.fetch(path, { method: "PATCH", body: { status }, contentType: "application/merge-patch+json" });
  }
  return pod;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function evict(
  client: ApiClient,
  { metadata }: ApiObject,
  deleteOptions: object = { preconditions: { uid: metadata.uid } },
): Promise<Answer> {
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: metadata.name, namespace: "house" }, deleteOptions };
  return client.request(`${pods}/${metadata.name}/eviction`, { method: "POST", body });
}

/** The API server's cache of pods is a moment behind; until then it knows nothing of a new one. */
async function evictionRefused(pod: ApiObject, deleteOptions?: object): Promise<string> {
  await expect.poll(async () => (await evict(stolen, pod, { dryRun: ["All"] })).status).toBe(403);
  return refusalOf(evict(stolen, pod, deleteOptions));
}

async function refusalOf(response: Promise<Answer>): Promise<string> {
  const { status, body } = await response;
  expect([status, messageOf(body)]).toEqual([403, expect.stringContaining("denied request: ")]);
  return messageOf(body).replace(/^.*denied request: /, "");
}

const remove = (client: ApiClient, { metadata }: ApiObject): Promise<Answer> =>
  client.request(`${pods}/${metadata.name}`, { method: "DELETE" });

async function remains({ metadata }: ApiObject): Promise<boolean> {
  const { status, body } = await cluster.api.request(`${pods}/${metadata.name}`);
  return status === 200 && !("deletionTimestamp" in (body as ApiObject).metadata);
}

describe("a stolen token evicts", () => {
  test("a pod of its own node that asks for a radio and opted in", async () => {
    const pod = await createPod({ annotations: follow });
    // Of a namespace in which it knows no pod the policy lets nothing pass.
    await expect.poll(async () => (await evict(stolen, pod)).status).toBe(201);
    expect(await remains(pod)).toBe(false);
  });

  test("one that asks in an init container, or by a ResourceClaim", async () => {
    const container = { name: "z2m", image: "none" };
    const flasher = { ...container, name: "flash", resources: { limits: radio } };
    const byInit = await createPod({ annotations: follow, limits: {}, spec: { initContainers: [flasher], containers: [container] } });
    expect((await evict(stolen, byInit)).status).toBe(201);
    const claims = [{ name: "radio", resourceClaimName: "attic" }];
    const byClaim = await createPod({ annotations: follow, limits: {}, spec: { resourceClaims: claims } });
    expect((await evict(stolen, byClaim)).status).toBe(201);
  });

  test.each<[string, PodShape, string]>([
    ["none of another node", { node: "node-b", annotations: follow }, "aerial on node node-a may not evict pods of node node-b"],
    ["none that is not scheduled yet", { node: "", annotations: follow }, "aerial on node node-a may not evict pods of node"],
    ["none that did not opt in", {}, "the pod does not ask to follow its radio by the annotation radio.mi.house/follow"],
    [
      "none that opted out",
      { annotations: { "radio.mi.house/follow": "false" } },
      "the pod does not ask to follow its radio by the annotation radio.mi.house/follow",
    ],
    [
      "none that asks for something else",
      { annotations: follow, limits: { cpu: "1", "example.com/gpu": "1", "notradio.mi.house/zigbee": "1" } },
      "aerial may only evict pods that ask for a resource of radio.mi.house or by a ResourceClaim",
    ],
  ])("%s", async (_what, shape, why) => {
    const pod = await createPod(shape);
    expect(await evictionRefused(pod)).toBe(why);
    expect(await remains(pod)).toBe(true);
  });

  test("none whose uid it does not say, or says wrongly, and none in haste", async () => {
    const pod = await createPod({ annotations: follow });
    const why = "an eviction by aerial must name the uid of the pod";
    const { uid } = pod.metadata;
    expect(await evictionRefused(pod, {})).toBe(why);
    expect(await evictionRefused(pod, { preconditions: { uid: "11111111-2222-3333-4444-555555555555" } })).toBe(why);
    expect(await evictionRefused(pod, { preconditions: { uid }, gracePeriodSeconds: 0 })).toMatch(/^an eviction by aerial must leave/);
    expect(await remains(pod)).toBe(true);
  });

  test("none by another version of the API", async () => {
    const pod = await createPod({ node: "node-b", annotations: follow });
    await evictionRefused(pod);
    const body = { apiVersion: "policy/v1beta1", kind: "Eviction", metadata: { name: pod.metadata.name }, deleteOptions: {} };
    expect((await stolen.request(`${pods}/${pod.metadata.name}/eviction`, { method: "POST", body })).status).toBeGreaterThanOrEqual(400);
    expect(await remains(pod)).toBe(true);
  });

  test("none among five hundred others of its namespace but the one it may", async () => {
    for (let index = 0; index < 500; index += 20) {
      await Promise.all(Array.from({ length: 20 }, () => createPod({ node: "node-b", annotations: follow })));
    }
    const [own, other] = [await createPod({ annotations: follow }), await createPod({ node: "node-b", annotations: follow })];
    expect(await evictionRefused(other)).toMatch(/may not evict pods of node node-b$/);
    expect((await evict(stolen, own)).status).toBe(201);
    await cluster.api.fetch(pods, { method: "DELETE" });
  }, 120_000);

  test("nothing without a pod of its own", async () => {
    const unbound = cluster.clientFor(await cluster.serviceAccountToken(aerialAccount));
    const pod = await createPod({ annotations: follow });
    expect(await refusalOf(evict(unbound, pod))).toMatch(/^the token names no node/);
  });

  test("and holds nobody else back", async () => {
    const pod = await createPod({ node: "node-b" });
    expect((await evict(cluster.api, pod)).status).toBe(201);
    const absent = { ...pod, metadata: { ...pod.metadata, name: "was-here" } };
    expect((await evict(cluster.api, absent)).status).toBe(404);
  });
});

describe("a stolen token deletes", () => {
  test.each([
    ["UnexpectedAdmissionError", ghost],
    ["OutOfradio.mi.house/zigbee", { ...ghost, reason: "OutOfradio.mi.house/zigbee" }],
  ])("a pod that its own kubelet did not admit: %s", async (_reason, status) => {
    const pod = await createPod({ status });
    expect((await remove(stolen, pod)).status).toBe(200);
    expect(await remains(pod)).toBe(false);
  });

  const notAdmitted = "aerial may only delete pods that the kubelet did not admit";
  test.each<[string, PodShape, string]>([
    ["none of another node", { node: "node-b", status: ghost }, "aerial on node node-a may not delete pods of node node-b"],
    ["none that runs", { status: { phase: "Running" }, annotations: follow }, notAdmitted],
    ["none that is to start", {}, notAdmitted],
    ["none that failed otherwise", { status: { phase: "Failed", reason: "Evicted" } }, notAdmitted],
    ["none that failed for want of something else", { status: { phase: "Failed", reason: "OutOfcpu" } }, notAdmitted],
    [
      "none that asked for something else",
      { status: ghost, limits: { cpu: "1" } },
      "aerial may only delete pods that ask for a resource of radio.mi.house",
    ],
    ["none that nobody starts again", { status: ghost, bare: true }, "aerial may only delete pods that a controller starts again"],
  ])("%s", async (_what, shape, why) => {
    const pod = await createPod(shape);
    expect(await refusalOf(remove(stolen, pod))).toBe(why);
    expect(await remains(pod)).toBe(true);
  });
});

describe("a stolen token", () => {
  test("has the rights of the component and of the base, and no others", async () => {
    const list = async (user: string): Promise<readonly string[]> =>
      (await cluster.kubectl(["auth", "can-i", "--list", "--no-headers", `--as=${user}`, "--namespace=house"]))
        .trim()
        .split("\n")
        .map((row) => row.trim().replaceAll(/\s+/g, " "));
    const everybody = new Set(await list("system:serviceaccount:house:nobody"));
    expect((await list(aerialUser)).filter((row) => !everybody.has(row)).toSorted()).toEqual([
      "nodes [] [] [get list watch patch]",
      "pods [] [] [get list delete]",
      "pods/eviction [] [] [create]",
    ]);
  });

  test("is held even if somebody grants aerial everything", async () => {
    const own = await createPod({ annotations: follow });
    const other = await createPod({ node: "node-b", annotations: follow });
    const path = `${pods}/${own.metadata.name}`;
    await cluster.kubectl(["create", "clusterrolebinding", "too-much", "--clusterrole=cluster-admin", "--serviceaccount=aerial:aerial"]);
    try {
      const merge = { method: "PATCH", contentType: "application/merge-patch+json" };
      const label = { metadata: { annotations: { x: "y" } } };
      const spec = { nodeName: "node-a", containers: [{ name: "none", image: "none" }] };
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "new" }, spec };
      const phase = { status: { phase: "Failed", reason: "UnexpectedAdmissionError" } };
      for (const attempt of [
        () => stolen.request(path, { ...merge, body: label }),
        () => stolen.request(`${path}/status`, { ...merge, body: phase }),
        () => stolen.request(pods, { method: "POST", body: pod }),
        () => stolen.request(`${path}/exec?command=sh`, { method: "POST" }),
        () => stolen.request(`${path}/log`, { method: "DELETE" }),
      ]) {
        const { status, body } = await attempt();
        if (status !== 405)
          expect([status, messageOf(body)]).toEqual([403, expect.stringContaining("aerial may only delete and evict pods")]);
      }
      expect(await refusalOf(stolen.request(pods, { method: "DELETE" }))).toMatch(/^aerial (may only|on node)/);
      expect(await evictionRefused(other)).toMatch(/may not evict pods of node node-b$/);
      expect([await remains(own), await remains(other)]).toEqual([true, true]);
    } finally {
      await cluster.kubectl(["delete", "clusterrolebinding", "too-much"]);
    }
  });
});

describe("with follow-all", () => {
  beforeAll(async () => {
    await installBase(cluster, { components: ["follow", "follow-all"] });
  });

  test("pods that did not opt in can be evicted too, and those that opted out can't", async () => {
    const [silent, out] = [await createPod({}), await createPod({ annotations: { "radio.mi.house/follow": "false" } })];
    // The changed policy is taken up a moment later.
    await expect.poll(async () => (await evict(stolen, silent)).status, { timeout: 20_000 }).toBe(201);
    expect(await evictionRefused(out)).toMatch(/^the pod does not ask to follow its radio/);
    expect(await evictionRefused(await createPod({ node: "node-b" }))).toMatch(/node-b$/);
  });

  test("aerial is told so", async () => {
    const { spec } = await cluster.api.fetch<{ spec: { template: { spec: { containers: [{ env: object[] }] } } } }>(
      "/apis/apps/v1/namespaces/aerial/daemonsets/aerial",
    );
    expect(spec.template.spec.containers[0].env).toContainEqual({ name: "AERIAL__FOLLOW__EVICT", value: "all" });
  });
});
