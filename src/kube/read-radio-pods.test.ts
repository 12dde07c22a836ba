import fc from "fast-check";
import { expect, test } from "vitest";
import { AerialError } from "../core/errors.ts";
import type { KubeObject } from "./exchange.ts";
import { readRadioPods } from "./read-radio-pods.ts";

const signal = new AbortController().signal;
const domain = "radio.mi.house";

const asks = (limits: object) => ({ name: "main", resources: { limits } });
const zigbeePod = (name: string, spec: object = {}, status: object = {}) => ({
  metadata: { namespace: "home", name },
  spec: { containers: [asks({ "radio.mi.house/zigbee": "1", memory: "1Gi" })], ...spec },
  status: { phase: "Pending", ...status },
});

/** An API server with these lists; `undefined` is a 404. */
function serverWith(lists: { readonly pods?: readonly unknown[]; readonly claims?: readonly unknown[] | AerialError }) {
  const asked: string[] = [];
  const list = (path: string, query: Readonly<Record<string, string>>): Promise<KubeObject> => {
    asked.push(`${path} ${query["fieldSelector"] ?? ""}`.trim());
    const { pods = [], claims } = lists;
    if (path === "/api/v1/pods") return Promise.resolve({ kind: "PodList", items: pods } as KubeObject);
    if (claims instanceof AerialError) return Promise.reject(claims);
    if (claims === undefined) return Promise.reject(new AerialError("kube.not-found", "no such path"));
    return Promise.resolve({ items: claims } as KubeObject);
  };
  return { asked, read: () => readRadioPods({ kube: { list }, domain }, signal) };
}

test("pods that ask for a resource of ours are read, and no others; claims only where there is a pod with one", async () => {
  const other = { ...zigbeePod("other"), spec: { containers: [asks({ "squat.ai/serial": "1" }), asks({ "notradio.mi.house/x": 1 })] } };
  const { asked, read } = serverWith({ pods: [zigbeePod("z2m"), other, { metadata: {} }, null] });
  expect(await read()).toEqual({
    complete: true,
    pods: [
      {
        namespace: "home",
        name: "z2m",
        phase: "pending",
        isOwned: false,
        wants: [{ way: "device-plugin", request: "radio.mi.house/zigbee", count: 1 }],
        waiting: [],
        devices: [],
        unallocated: [],
      },
    ],
  });
  expect(asked).toEqual(["/api/v1/pods status.phase!=Succeeded"]);
});

test.each<[string, object, number]>([
  ["two containers", { containers: [asks({ [`${domain}/zigbee`]: "1" }), asks({ [`${domain}/zigbee`]: 2 })] }, 3],
  ["an init container before them", { initContainers: [asks({ [`${domain}/zigbee`]: "2" })] }, 2],
  ["one that hands on", { initContainers: [asks({ [`${domain}/zigbee`]: "1" })] }, 1],
])("how many it asks for: %s", async (_what, spec, count) => {
  const { pods } = await serverWith({ pods: [zigbeePod("z2m", spec)] }).read();
  expect(pods[0]?.wants).toMatchObject([{ count }]);
});

test.each<[string, unknown, boolean]>([
  ["nobody", null, false],
  ["who does not make another", [{ kind: "Node", name: "n1", uid: "u" }], false],
  ["a controller", [{ kind: "Node" }, { kind: "ReplicaSet", controller: true }], true],
])("whether another is made in its place; it is of %s", async (_what, ownerReferences, isOwned) => {
  const pod = zigbeePod("z2m");
  const { pods } = await serverWith({ pods: [{ ...pod, metadata: { ...pod.metadata, ownerReferences } }] }).read();
  expect(pods).toMatchObject([{ isOwned }]);
});

test("what the scheduler and the kubelet say of it comes along, in one line and bounded", async () => {
  const status = {
    reason: "X",
    message: `a\n\u001b[31m${"b".repeat(5_000)}`,
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes are available" }],
    containerStatuses: [
      { name: "main", state: { waiting: { reason: "CreateContainerError", message: "no node" } } },
      { name: "side", state: { running: {} } },
    ],
  };
  const { pods } = await serverWith({ pods: [zigbeePod("z2m", { nodeName: "n1" }, status)] }).read();
  expect(pods[0]).toMatchObject({
    node: "n1",
    unscheduled: "0/1 nodes are available",
    waiting: [{ name: "main", reason: "CreateContainerError", message: "no node" }],
  });
  // oxlint-disable-next-line no-control-regex -- the very characters that must not get through
  expect(pods[0]?.message).not.toMatch(/[\u0000-\u001f]/);
  expect(pods[0]?.message?.length).toBeLessThan(1_100);
});

const affinityTo = (terms: readonly object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
});
const hostIn = (...values: readonly string[]) => ({ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values }] });

test.each<[string, object, readonly string[] | undefined]>([
  ["nothing", {}, undefined],
  ["a nodeSelector", { nodeSelector: { "kubernetes.io/hostname": "n1" } }, ["n1"]],
  ["other labels", { nodeSelector: { "radio.mi.house/zigbee": "true" } }, undefined],
  [
    "an affinity",
    affinityTo([hostIn("n1", "n2"), { matchFields: [{ key: "metadata.name", operator: "In", values: ["n3"] }] }]),
    ["n1", "n2", "n3"],
  ],
  ["an affinity with another way out", affinityTo([hostIn("n1"), { matchExpressions: [{ key: "x", operator: "Exists" }] }]), undefined],
  ["not there", affinityTo([{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "NotIn", values: ["n1"] }] }]), undefined],
])("nodes it is limited to by name: %s", async (_what, spec, limitedTo) => {
  expect((await serverWith({ pods: [zigbeePod("z2m", spec)] }).read()).pods[0]?.limitedTo).toEqual(limitedTo);
});

const claimOf = (name: string, request: object, results?: readonly object[]) => ({
  metadata: { namespace: "home", name },
  spec: { devices: { requests: [{ name: "stick", exactly: request }] } },
  status: results === undefined ? {} : { allocation: { devices: { results } } },
});
const claiming = (claims: readonly object[], statuses: readonly object[] = []) => ({
  metadata: { namespace: "home", name: "z2m" },
  spec: { containers: [{}], resourceClaims: claims },
  status: { phase: "Pending", resourceClaimStatuses: statuses },
});

test("claims are ours by who gave them something, before that by their class or by what they select", async () => {
  const claims = [
    claimOf("given", { deviceClassName: "any" }, [{ request: "stick", driver: domain, pool: "n1", device: "d1" }]),
    claimOf("elsewhere", { deviceClassName: `zigbee.${domain}` }, [{ request: "stick", driver: "gpu.example", pool: "n1", device: "d1" }]),
    claimOf("class", { deviceClassName: `zigbee.${domain}`, count: 2 }),
    claimOf("all", { deviceClassName: domain, allocationMode: "All" }),
    claimOf("selects", { deviceClassName: "usb", selectors: [{ cel: { expression: `device.driver == "${domain}"` } }] }),
    claimOf("other", { deviceClassName: "gpu.example" }),
  ];
  const references = claims.map(({ metadata: { name } }) => ({ name, resourceClaimName: name }));
  const templated = { name: "templated" };
  const pod = claiming([...references.slice(1), templated, { name: "nowhere" }], [{ name: "templated", resourceClaimName: "given" }]);
  const { pods, complete } = await serverWith({ pods: [pod], claims }).read();
  expect(complete).toBe(true);
  expect(pods[0]).toMatchObject({
    wants: [
      { way: "resource-claim", request: "class", count: 2 },
      { request: "all", count: 0 },
      { request: "selects", count: 1 },
      { request: "given", count: 1 },
    ],
    devices: [{ claim: "given", pool: "n1", device: "d1" }],
    unallocated: ["class", "all", "selects"],
  });
});

test("a cluster without claims has none, and one that does not show them is not read whole", async () => {
  const pod = claiming([{ name: "stick", resourceClaimName: "stick" }]);
  expect(await serverWith({ pods: [pod] }).read()).toEqual({ pods: [], complete: true });
  const refused = new AerialError("kube.forbidden", "no");
  expect(await serverWith({ pods: [pod], claims: refused }).read()).toEqual({ pods: [], complete: false });
});

test("without the right to list pods, what gives it is named; anything else is told as it is", async () => {
  const failing = (refusal: AerialError) => readRadioPods({ kube: { list: () => Promise.reject(refusal) }, domain }, signal);
  await expect(failing(new AerialError("kube.forbidden", "no"))).rejects.toMatchObject({ code: "pods.forbidden" });
  await expect(failing(new AerialError("kube.unreachable", "no"))).rejects.toMatchObject({ code: "kube.unreachable" });
  const liar = { list: () => Promise.resolve({ kind: "PodList" } as KubeObject) };
  await expect(readRadioPods({ kube: liar, domain }, signal)).rejects.toMatchObject({ code: "kube.protocol" });
});

test("it ends somewhere, and says so, however many pods there are", async () => {
  let asked = 0;
  const list = (): Promise<KubeObject> => {
    asked += 1;
    return Promise.resolve({ items: [zigbeePod(`z${asked}`)], metadata: { continue: "more" } } as unknown as KubeObject);
  };
  expect(await readRadioPods({ kube: { list }, domain }, signal)).toMatchObject({ complete: false });
  expect(asked).toBe(50);
});

test("whatever a pod looks like, nothing is thrown", async () => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, fc.string(), fc.integer(), fc.constant(null), tie("object"), fc.array(tie("value"), { maxLength: 3 })),
    object: fc.dictionary(
      fc.constantFrom(
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "containers",
        "resources",
        "limits",
        "__proto__",
        `${domain}/zigbee`,
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anything.value, fc.record({ ...fixedPod, spec: anything.object })), { maxLength: 4 }),
      async (pods) => {
        for (const pod of (await serverWith({ pods, claims: pods }).read()).pods) expect(pod.wants.length).toBeGreaterThan(0);
      },
    ),
  );
});

const fixedPod = { metadata: fc.constant({ namespace: "home", name: "z2m" }), status: fc.constant({}) };
