import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld } from "../../../test/fixtures/radio-world.ts";
import { sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import type { ClusterFacts, PodFacts, Reading } from "../../core/check.ts";
import { kubernetesChecks } from "./kubernetes-checks.ts";

const check = checkNamed(kubernetesChecks);

const z2m: PodFacts = {
  uid: "u1",
  namespace: "home",
  name: "zigbee2mqtt-0",
  phase: "Running",
  images: ["zigbee2mqtt:2"],
  environment: {},
  hostDevices: ["/dev/serial/by-id/usb-x"],
  privileged: true,
  resources: [],
};
const read = <Value>(value: Value): Reading<Value> => ({ state: "read", value });
const healthy: ClusterFacts = {
  labelPrefix: "radio.mi.house",
  labelGraceMs: 5_000,
  pods: read([z2m]),
  nodeLabels: read({}),
  namespaceLabels: read({ "pod-security.kubernetes.io/enforce": "privileged" }),
  access: read([{ what: "patch nodes", allowed: true }]),
  osImage: read("Talos (v1.13.9)"),
  capacity: read({}),
};
const denied = { state: "unreadable", why: "aerial may not list pods" } as const;

function createWorld(facts?: Partial<ClusterFacts>) {
  const world = createRadioWorld(facts === undefined ? {} : { known: { cluster: () => Promise.resolve({ ...healthy, ...facts }) } });
  onTestFinished(() => world[Symbol.dispose]());
  world.world.file("/proc/1/comm", "machined").file("/proc/sys/user/max_user_namespaces", "11255");
  return world;
}

const judge = (id: string, facts?: Partial<ClusterFacts>) => createWorld(facts).judge(check(id));

test("a healthy node has nothing that fails, and without a cluster only what the kernel shows is judged", async () => {
  for (const one of kubernetesChecks) {
    const said = await judge(one.id, {});
    if (typeof said !== "string") expect([one.id, ...verdictsOf(said)]).toEqual([one.id, "pass"]);
    if (one.id !== "K8S-06") expect(await judge(one.id)).toBe("no cluster is configured");
  }
});

test("what the API server did not say is not known, with its reason", async () => {
  const silent = { pods: denied, nodeLabels: denied, namespaceLabels: denied, access: denied };
  for (const id of ["K8S-02", "K8S-03", "K8S-05", "K8S-07", "K8S-08", "K8S-09", "K8S-10"]) {
    expect(await judge(id, silent)).toMatchObject([{ verdict: "unknown", text: expect.stringContaining(denied.why) }]);
  }
});

test("K8S-02 names each right that is missing", async () => {
  const access = read([
    { what: "patch nodes", allowed: false },
    { what: "get nodes", allowed: true },
  ]);
  expect(await judge("K8S-02", { access })).toMatchObject([{ verdict: "fail", text: expect.stringMatching(/aerial to patch nodes\.$/) }]);
});

describe("K8S-03", () => {
  test.each([{}, { "pod-security.kubernetes.io/enforce": "baseline" }])("fails for %j", async (labels) => {
    expect(verdictsOf(await judge("K8S-03", { namespaceLabels: read<Readonly<Record<string, string>>>(labels) }))).toEqual(["fail"]);
  });

  test("does not apply outside a pod", async () => {
    expect(await judge("K8S-03", { namespaceLabels: { state: "absent" } })).toBe("aerial does not run in a pod");
  });
});

test("K8S-05 names the pod that a reboot left behind, and how it is removed", async () => {
  const ghost = { ...z2m, phase: "Failed", reason: "UnexpectedAdmissionError" };
  expect(await judge("K8S-05", { pods: read([z2m, ghost]) })).toMatchObject([
    { subject: "home/zigbee2mqtt-0", verdict: "fail", remedy: { linux: ["kubectl delete pod --namespace home zigbee2mqtt-0"] } },
  ]);
});

describe("K8S-06", () => {
  test("says that processes of the host are hidden", async () => {
    const world = createWorld({});
    world.world.file("/proc/1/comm", "sandboxd");
    expect(outcomesOf(await world.judge(check("K8S-06")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/isolation is on/) },
    ]);
  });

  test("does not know without /proc/1/comm, and asks only on Talos", async () => {
    const world = createWorld({});
    world.world.unreadable("/proc/1/comm");
    expect(verdictsOf(await world.judge(check("K8S-06")))).toEqual(["unknown"]);
    const debian = createRadioWorld({ kernel: "6.12.0-amd64" });
    onTestFinished(() => debian[Symbol.dispose]());
    expect(await debian.judge(check("K8S-06"))).toBe("only Talos isolates its workloads");
  });
});

describe("K8S-07", () => {
  const isolated = read([{ ...z2m, hostUsers: false }]);

  test("fails where a pod wants a user namespace and the kernel gives none", async () => {
    const world = createWorld({ pods: isolated });
    expect(verdictsOf(await world.judge(check("K8S-07")))).toEqual(["pass"]);
    world.world.file("/proc/sys/user/max_user_namespaces", "0");
    expect(await world.judge(check("K8S-07"))).toMatchObject([
      { verdict: "fail", remedy: { talos: [{ change: "sysctl", name: "user.max_user_namespaces", value: "11255" }] } },
    ]);
    world.world.unreadable("/proc/sys/user/max_user_namespaces");
    expect(verdictsOf(await world.judge(check("K8S-07")))).toEqual(["unknown"]);
  });

  test("does not apply while nobody asks", async () => {
    expect(await judge("K8S-07", {})).toMatch(/no pod of this node/);
  });
});

describe("K8S-08", () => {
  const plain = { ...z2m, privileged: false };

  test("fails for a port that is mounted and cannot be opened", async () => {
    expect(await judge("K8S-08", { pods: read([plain]) })).toMatchObject([{ verdict: "fail", subject: "home/zigbee2mqtt-0" }]);
  });

  test.each([
    ["privileged", z2m],
    ["with a resource", { ...plain, resources: ["squat.ai/serial"] }],
  ])("passes: %s", async (_what, pod) => {
    expect(verdictsOf(await judge("K8S-08", { pods: read([pod]) }))).toEqual(["pass"]);
  });

  test("other devices are none of its business", async () => {
    expect(await judge("K8S-08", { pods: read([{ ...plain, hostDevices: ["/dev/net/tun", "/dev/null", "/dev/tty1"] }]) })).toMatch(
      /^no pod/,
    );
  });
});

describe("K8S-09", () => {
  const labels = { "radio.mi.house/zigbee": "true", "radio.mi.house/zigbee.count": "1", "radio.mi.house/boxed": "true", zigbee: "true" };

  test("fails for a kind that the node does not have, and passes once it is plugged in", async () => {
    const world = createWorld({ nodeLabels: read(labels) });
    expect(await world.judge(check("K8S-09"))).toMatchObject([{ verdict: "fail", subject: "radio.mi.house/zigbee" }]);
    world.tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await world.judge(check("K8S-09")))).toEqual(["pass"]);
  });

  test("a label within its grace is not stale", async () => {
    const world = createWorld({ nodeLabels: read(labels) });
    const stick = world.tree.plug(sonoffDonglePlus);
    await world.scan();
    stick.remove();
    await world.scan();
    const facts = await world.gather([check("K8S-09")]);
    const after = (seconds: number) => ({ ...facts, at: new Date(Date.now() + seconds * 1_000).toISOString() });
    expect(verdictsOf(check("K8S-09").judge(after(10)))).toEqual(["pass"]);
    expect(verdictsOf(check("K8S-09").judge(after(60)))).toEqual(["fail"]);
  });
});

test("K8S-10 names a pod that asks for a radio from within a sandbox", async () => {
  const boxed = { ...z2m, hostDevices: [], resources: ["radio.mi.house/zigbee"], runtimeClass: "gvisor" };
  expect(await judge("K8S-10", { pods: read([boxed]) })).toMatchObject([{ verdict: "fail", subject: "home/zigbee2mqtt-0" }]);
  expect(await judge("K8S-10", { pods: read([{ ...boxed, resources: ["other.example/zigbee"] }]) })).toMatch(/^no pod/);
});
