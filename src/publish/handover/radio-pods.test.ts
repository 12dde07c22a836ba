import { describe, expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { ambiguous, sampleRadio, sampleSnapshot, zigbee } from "../../../test/fixtures/sample-radios.ts";
import type { ClusterRadio } from "../../core/cluster-radio.ts";
import type { RadioHolder } from "../../core/handover.ts";
import type { Radio } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { createRadioPods } from "./radio-pods.ts";

const signal = new AbortController().signal;
const since = "2026-01-02T03:04:05.678Z";
const resource = "radio.mi.house/zigbee";

interface PodSketch {
  readonly name?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly limits?: object;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

const podOf = ({ name = "z2m", node, phase = "Pending", limits = { [resource]: "1" }, metadata, spec, status }: PodSketch) => ({
  metadata: { namespace: "home", name, ...metadata },
  spec: { ...(node !== undefined && { nodeName: node }), containers: [{ resources: { limits } }], ...spec },
  status: { phase, ...status },
});
const unscheduled = (message: string) => ({ conditions: [{ type: "PodScheduled", status: "False", message }] });
const waits = (reason: string, message?: string) => ({
  containerStatuses: [{ name: "main", state: { waiting: { reason, ...(message !== undefined && { message }) } } }],
});
const elsewhere = (changes: Partial<ClusterRadio> = {}): ClusterRadio => ({
  node: "n2",
  id: "far",
  kinds: ["zigbee"],
  certainty: "certain",
  state: "present",
  devicePaths: ["/dev/ttyUSB0"],
  ...changes,
});
const holderOf = (pod: string, radioId = "a"): RadioHolder => ({
  radioId,
  namespace: "home",
  pod,
  container: "main",
  way: "device-plugin",
  request: resource,
  since,
});

interface World {
  readonly pods?: readonly PodSketch[];
  readonly claims?: readonly object[];
  readonly radios?: readonly Radio[];
  readonly cluster?: readonly ClusterRadio[];
  readonly holders?: readonly RadioHolder[];
}

/** This node is n1. */
function listFor({ pods = [], claims = [], radios = [], cluster = [], holders = [] }: World) {
  const snapshot = sampleSnapshot(radios);
  const asked: string[] = [];
  const list = (path: string): Promise<KubeObject> => {
    asked.push(path);
    return Promise.resolve({ items: path === "/api/v1/pods" ? pods.map(podOf) : claims } as unknown as KubeObject);
  };
  const clock = createManualClock();
  const read = createRadioPods({
    kube: { list },
    clock,
    groups: { domain: "radio.mi.house", groups: [{ name: "coordinator", kinds: [], radios: ["attic"] }] },
    clusterRadios: () => Promise.resolve({ at: since, complete: true, nodes: [], radios: cluster }),
    snapshot: () => snapshot,
    holders: () => holders,
  });
  return { read: () => read(signal), clock, asked };
}

async function whyFirst(world: World): Promise<string | undefined> {
  return (await listFor(world).read()).pods[0]?.waiting;
}

describe("a pod for which there is no node", () => {
  test("is told that nobody has such a radio, and what there is", async () => {
    expect(await whyFirst({ pods: [{}] })).toMatch(/^No node has, or had, a radio that is radio\.mi\.house\/zigbee: plug one in\.$/);
    const lora = elsewhere({ kinds: ["lora"] });
    expect(await whyFirst({ pods: [{}], cluster: [lora] })).toMatch(/What there is: radio\.mi\.house\/lora\.$/);
  });

  test("is told of a radio that may be one, if somebody said so", async () => {
    const why = await whyFirst({ pods: [{}], radios: [sampleRadio("bridge", { identity: ambiguous })] });
    expect(why).toMatch(/bridge on n1 may be one: .*say its kind/);
  });

  test("is told since when the radio is unplugged, and from where", async () => {
    const absent = sampleRadio("a", { name: "hall", presence: "absent", absentSince: since });
    expect(await whyFirst({ pods: [{}], radios: [absent], cluster: [elsewhere({ state: "absent" })] })).toBe(
      `No node has ${resource} now: unplugged is hall from n1 since ${since}, far from n2. Plug it in again, on any node.`,
    );
  });

  const untilFirmware =
    "and no pod is given such a radio until its firmware runs again: unplug it and plug it in, and if it stays there, write its firmware anew.";

  test("is told that the radio waits in its bootloader, with its device node or without, here and elsewhere", async () => {
    const pods = [{ status: unscheduled(`0/2 nodes are available: 2 Insufficient ${resource}.`) }];
    const booting = sampleRadio("a", { mode: "bootloader" });
    const sentence = `No node has ${resource} now. a on n1 waits in its bootloader, ${untilFirmware}`;
    expect(await whyFirst({ pods, radios: [booting] })).toBe(sentence);
    expect(await whyFirst({ pods, radios: [{ ...booting, device: { ...booting.device, nodes: [] } }] })).toBe(sentence);
    const far = elsewhere({ state: "bootloader", devicePaths: [] });
    expect(await whyFirst({ pods, radios: [booting], cluster: [far] })).toBe(
      `No node has ${resource} now. a on n1, far on n2 wait in their bootloaders, ${untilFirmware}`,
    );
    expect(await whyFirst({ pods, radios: [{ ...booting, presence: "absent" }], cluster: [far] })).toBe(
      `No node has ${resource} now: unplugged is a from n1. Plug it in again, on any node. far on n2 waits in its bootloader, ${untilFirmware}`,
    );
  });

  test("is told of a bootloader beside what is too little, or taken", async () => {
    const radios = [sampleRadio("a"), sampleRadio("b", { mode: "bootloader" })];
    expect(await whyFirst({ pods: [{ limits: { [resource]: "2" } }], radios })).toMatch(
      /^It asks for 2 of .* no node has more than 1: plug them into one node\. b on n1 waits in its bootloader/,
    );
    const pods = [{}, { name: "zha", node: "n1", phase: "Running" }];
    expect(await whyFirst({ pods, radios, holders: [holderOf("zha")] })).toMatch(
      /^Every radio .* is taken: a on n1 is held by home\/zha since .* or for another radio\. b on n1 waits in its bootloader/,
    );
  });

  test("is told who holds the radio, and since when", async () => {
    const pods = [{}, { name: "zha", node: "n1", phase: "Running" }, { name: "far", node: "n2", phase: "Running" }];
    expect(await whyFirst({ pods, radios: [sampleRadio("a")], cluster: [elsewhere()], holders: [holderOf("zha")] })).toBe(
      `Every radio that is ${resource} is taken: a on n1 is held by home/zha since ${since}, far on n2 is held by home/far. It waits for that pod to end, or for another radio.`,
    );
  });

  test("pods that have ended hold nothing", async () => {
    const pods = [{ status: unscheduled("0/1 nodes are available: 1 too full.") }, { name: "zha", node: "n1", phase: "Failed" }];
    expect(await whyFirst({ pods, radios: [sampleRadio("a")] })).toBe(
      "a is free on n1, but the scheduler does not put the pod there: 0/1 nodes are available: 1 too full.",
    );
  });

  test("is told that it keeps itself away from the radio's node", async () => {
    const spec = { nodeSelector: { "kubernetes.io/hostname": "n3" } };
    expect(await whyFirst({ pods: [{ spec, status: unscheduled("0/3") }], cluster: [elsewhere()] })).toMatch(
      /^far is free on n2, but the pod's nodeSelector or affinity keeps it on n3: take that out/,
    );
  });

  test("that may go where one is free is told so, whatever is free where it may not", async () => {
    const status = unscheduled("0/2 nodes are available: 1 Insufficient memory.");
    const world = { radios: [sampleRadio("a")], cluster: [elsewhere()] };
    const pod = { spec: { nodeSelector: { "kubernetes.io/hostname": "n2" } }, status };
    expect(await whyFirst({ pods: [pod], ...world })).toBe(
      "far is free on n2, but the scheduler does not put the pod there: 0/2 nodes are available: 1 Insufficient memory.",
    );
    expect(await whyFirst({ pods: [pod, { name: "zha", node: "n2", phase: "Running" }], ...world })).toMatch(
      /^a is free on n1, but the pod's nodeSelector or affinity keeps it on n2: take that out/,
    );
  });

  test("is told of the request that nothing can be given to, not of one that is free", async () => {
    const limits = { [resource]: "1", "radio.mi.house/zwave": "1" };
    const status = unscheduled("0/2 nodes are available: 2 Insufficient radio.mi.house/zwave.");
    const radios = [sampleRadio("a")];
    expect(await whyFirst({ pods: [{ limits, status }], radios })).toBe(
      `No node has, or had, a radio that is radio.mi.house/zwave: plug one in. What there is: ${resource}.`,
    );
    const cluster = [elsewhere({ kinds: ["zwave"] })];
    const spec = { nodeSelector: { "kubernetes.io/hostname": "n1" } };
    expect(await whyFirst({ pods: [{ limits, status, spec }], radios, cluster })).toMatch(
      /^far is free on n2, but the pod's nodeSelector or affinity keeps it on n1/,
    );
  });

  test("is told which radio is free beside one that is taken, and of none where that is not known", async () => {
    const status = unscheduled("0/2 nodes are available: 2 too full.");
    const said = "but the scheduler does not put the pod there: 0/2 nodes are available: 2 too full.";
    const pods = [{ status }, { name: "zha", node: "n1", phase: "Running" }];
    expect(await whyFirst({ pods, radios: [sampleRadio("a"), sampleRadio("b")], holders: [holderOf("zha")] })).toBe(
      `b is free on n1, ${said}`,
    );
    const far = [{ status }, { name: "zha", node: "n2", phase: "Running" }];
    expect(await whyFirst({ pods: far, cluster: [elsewhere(), elsewhere({ id: "twin" })] })).toBe(
      `A radio that is ${resource} is free on n2, ${said}`,
    );
  });

  test("is told that it asks for more than a node has", async () => {
    expect(await whyFirst({ pods: [{ limits: { [resource]: "2" } }], radios: [sampleRadio("a")], cluster: [elsewhere()] })).toMatch(
      /^It asks for 2 of .*no node has more than 1/,
    );
  });

  test("that nobody has looked at yet is told so", async () => {
    expect(await whyFirst({ pods: [{}], radios: [sampleRadio("a")] })).toBe("The scheduler has not looked at it yet.");
  });

  test("groups of the configuration count here as everywhere", async () => {
    const pods = [{ limits: { "radio.mi.house/coordinator": "1" } }];
    const attic = sampleRadio("a", { name: "attic", identity: zigbee, presence: "absent" });
    expect(await whyFirst({ pods, radios: [attic] })).toMatch(
      /^No node has radio\.mi\.house\/coordinator now: unplugged is attic from n1\./,
    );
    expect(await whyFirst({ pods, cluster: [elsewhere({ name: "attic", state: "absent" })] })).toMatch(/attic from n2/);
  });

  test("radios that nothing can open are none", async () => {
    expect(await whyFirst({ pods: [{}], cluster: [elsewhere({ devicePaths: [] })] })).toMatch(/^No node has, or had/);
  });
});

describe("a pod on its node", () => {
  const owned = { ownerReferences: [{ kind: "ReplicaSet", name: "z2m-1", controller: true }] };

  test("that was refused is told that it is up to people", async () => {
    const status = { reason: "UnexpectedAdmissionError", message: "Allocate failed." };
    const refused = { node: "n1", phase: "Failed", status };
    const sentence = "n1 had no radio for it when it came (Allocate failed), and Kubernetes does not try it again: ";
    expect(await whyFirst({ pods: [{ ...refused, metadata: owned }] })).toBe(`${sentence}delete the pod, and its owner makes another.`);
    expect(await whyFirst({ pods: [refused] })).toBe(`${sentence}delete it and create it anew, or make it a Deployment.`);
  });

  test("that was refused because none of the resource was free is told the same, and of nothing else", async () => {
    const outOf = (what: string) => ({ node: "n1", phase: "Failed", metadata: owned, status: { reason: `OutOf${what}` } });
    expect(await whyFirst({ pods: [outOf(resource)] })).toBe(
      "n1 had no radio for it when it came, and Kubernetes does not try it again: delete the pod, and its owner makes another.",
    );
    for (const other of ["cpu", "radio.mi.house/zwave"]) expect(await whyFirst({ pods: [outOf(other)] })).toBeUndefined();
  });

  test("whose radio was unplugged is told so, also after it has run", async () => {
    const radios = [sampleRadio("a", { presence: "absent", absentSince: since }), sampleRadio("b")];
    const status = waits("CreateContainerError", "PreStartContainer failed");
    const pods = [{ node: "n1", phase: "Running", status }];
    const sentence = `Its radio a is unplugged from n1 since ${since}: plug it in there, and the container starts by itself.`;
    expect(await whyFirst({ pods, radios, holders: [holderOf("z2m")] })).toBe(sentence);
    expect(await whyFirst({ pods, radios, holders: [holderOf("z2m", "b")] })).toBe(
      "Container main cannot start: PreStartContainer failed.",
    );
  });

  test("of which nobody knows which radio it was given is told of the absent one only where it must be that", async () => {
    const cluster = [elsewhere({ id: "twin", state: "absent" }), elsewhere({ id: "lora", kinds: ["lora"] })];
    const refused = { node: "n2", status: waits("CreateContainerError", "no such device") };
    const gone = "Its radio twin is unplugged from n2: plug it in there, and the container starts by itself.";
    expect(await whyFirst({ pods: [refused], cluster })).toBe(gone);
    for (const state of ["present", "bootloader"] as const) {
      expect(await whyFirst({ pods: [refused], cluster: [...cluster, elsewhere({ state })] })).toBe(
        "Container main cannot start: no such device.",
      );
    }
    expect(await whyFirst({ pods: [{ ...refused, limits: { [resource]: "2" } }], cluster: [...cluster, elsewhere()] })).toBe(gone);
  });

  test("whose image is missing too is not promised that its radio is enough", async () => {
    const pods = [{ node: "n2", status: waits("ImagePullBackOff", "no such image") }];
    expect(await whyFirst({ pods, cluster: [elsewhere({ state: "absent" })] })).toBe(
      "Its radio far is unplugged from n2: plug it in there. Container main cannot start: no such image.",
    );
    expect(await whyFirst({ pods, cluster: [elsewhere({ id: "twin", state: "absent" }), elsewhere()] })).toBe(
      "Container main cannot start: no such image.",
    );
  });

  test("that runs, or crashes by itself, waits for nothing of ours", async () => {
    const radios = [sampleRadio("a")];
    expect(await whyFirst({ pods: [{ node: "n1", phase: "Running" }], radios })).toBeUndefined();
    const crashing = waits("CrashLoopBackOff", "back-off 10s restarting failed container");
    expect(await whyFirst({ pods: [{ node: "n1", phase: "Running", status: crashing }], radios })).toBeUndefined();
  });

  test("that is being made is told what it is at", async () => {
    const pulling = waits("ImagePullBackOff", "no such image");
    expect(await whyFirst({ pods: [{ node: "n1", status: pulling }] })).toBe("Container main cannot start: no such image.");
    expect(await whyFirst({ pods: [{ node: "n1", status: waits("ContainerCreating") }] })).toMatch(
      /main is being made \(ContainerCreating\)\.$/,
    );
    expect(await whyFirst({ pods: [{ node: "n1" }] })).toMatch(/^It was scheduled to n1; the kubelet has not told/);
  });
});

describe("claims", () => {
  const claiming = { limits: {}, spec: { resourceClaims: [{ name: "stick", resourceClaimName: "stick" }] } };
  const claim = (status: object = {}) => ({
    metadata: { namespace: "home", name: "stick" },
    spec: { devices: { requests: [{ name: "stick", exactly: { deviceClassName: "radio.mi.house" } }] } },
    status,
  });
  const given = (pool: string, device: string) =>
    claim({ allocation: { devices: { results: [{ driver: "radio.mi.house", pool, device }] } } });

  test("that nothing was given are told with what the scheduler says", async () => {
    const pod = { ...claiming, status: unscheduled("cannot allocate all claims") };
    expect(await whyFirst({ pods: [pod], claims: [claim()] })).toBe(
      "Its claim stick has no radio: none that is free fits what it asks for. The scheduler says: cannot allocate all claims.",
    );
  });

  test("that nothing was given are told beside a radio that is free", async () => {
    const pod = { ...claiming, limits: { [resource]: "1" }, status: unscheduled("cannot allocate all claims") };
    expect(await whyFirst({ pods: [pod], claims: [claim()], radios: [sampleRadio("a")] })).toBe(
      "a is free on n1, but the scheduler does not put the pod there: cannot allocate all claims. Its claim stick has no radio yet.",
    );
  });

  test("that were given a radio hold it, on any node", async () => {
    const pods = [{ ...claiming, node: "n2", phase: "Running" }, { name: "zha" }];
    const list = await listFor({ pods, claims: [given("n2", "far")], cluster: [elsewhere()] }).read();
    expect(list.pods).toMatchObject([
      { holds: ["far"], wants: [{ way: "resource-claim", request: "stick", count: 1 }] },
      { holds: [], waiting: expect.stringContaining("far on n2 is held by home/z2m.") as string },
    ]);
  });
});

test("whoever asks within five seconds gets the same answer", async () => {
  const { read, clock, asked } = listFor({ pods: [{}] });
  const [one, other] = await Promise.all([read(), read()]);
  expect(other).toBe(one);
  await clock.advance(4_000);
  await read();
  expect(asked).toHaveLength(1);
  await clock.advance(2_000);
  expect(await read()).not.toBe(one);
});
