/** Two real nodes and the shipped rights: sticks move from one to the other, and what happens to the pods that hold them. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EventPage } from "../../src/api/contract/types.ts";
import type { LabProcess } from "../lab/lab.ts";
import { sonoffDonglePlus, zstickGen5 } from "../lab/sticks.ts";
import type { ApiObject } from "./api-client.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { openControlPlane } from "./control-plane.ts";
import { aerialUser, installBase } from "./install-base.ts";
import { type KubeNode, openKubeNode } from "./node/kube-node.ts";
import { keepPodsAway, type NodeAerial, prepareAerial } from "./node/node-aerial.ts";
import { scriptPod } from "./node/pods.ts";

type Stick = Awaited<ReturnType<KubeNode["plug"]>>;

const patienceMs = 60_000;
const movesMs = 60_000;

interface House {
  readonly node: KubeNode;
  readonly aerial: NodeAerial;
  daemon: LabProcess;
}

let lifetime: AsyncDisposableStack;
let cluster: Cluster;
let a: House;
let b: House;
const plugged: Stick[] = [];

beforeAll(async () => {
  lifetime = new AsyncDisposableStack();
  cluster = lifetime.use(await openCluster());
  await installBase(cluster, { components: ["follow", "resource-claims"] });
  await keepPodsAway(cluster);
  lifetime.use(await openControlPlane(cluster));
  [a, b] = [await openHouse("node-a"), await openHouse("node-b")];
});
afterAll(() => lifetime.disposeAsync());
afterEach(async () => {
  for (const stick of plugged.splice(0)) await stick.unplug();
  await cluster.kubectl([
    "delete",
    "deployments,replicasets,pods,poddisruptionbudgets,resourceclaims,resourceclaimtemplates",
    "--all",
    "--now",
    "--wait",
  ]);
});

async function openHouse(name: string): Promise<House> {
  const node = lifetime.use(await openKubeNode(cluster, { name }));
  const aerial = await prepareAerial(cluster, node, { AERIAL__LABELS__GRACESECONDS: "1" });
  return { node, aerial, daemon: await aerial.start() };
}

async function plugInto({ node }: House, stick: typeof sonoffDonglePlus): Promise<Stick> {
  const here = await node.plug(stick);
  plugged.push(here);
  return here;
}

/** Opens its radio for as long as it lives, and says to the line that it has. */
const program = (kind: string): string => `trap 'exit 0' TERM
while :; do ( exec 3<>"$RADIO_${kind}_PATH" && echo "open" >&3 && while read line <&3; do :; done ) & wait $!; sleep 0.1; done`;

interface Workload {
  readonly kind?: "zigbee" | "zwave";
  readonly follow?: boolean;
  readonly strategy?: "Recreate" | "RollingUpdate";
  readonly spec?: object;
  /** By a ResourceClaim instead of the extended resource. */
  readonly claim?: object;
}

async function deploy(name: string, workload: Workload = {}): Promise<void> {
  const { kind = "zigbee", follow = true, strategy = "Recreate", claim } = workload;
  const spec = { ...workload.spec, ...(claim !== undefined && { resourceClaims: [{ name: "radio", ...claim }] }) };
  const { metadata, spec: podSpec } = scriptPod({
    name,
    script: program(kind.toUpperCase()),
    container: { resources: claim === undefined ? { limits: { [`radio.mi.house/${kind}`]: "1" } } : { claims: [{ name: "radio" }] } },
    annotations: follow ? { "radio.mi.house/follow": "true" } : {},
  });
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      strategy: { type: strategy },
      template: { metadata: { labels: metadata.labels, annotations: metadata.annotations }, spec: { ...podSpec, ...spec } },
    },
  };
  await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(deployment) });
}

interface PodObject extends ApiObject {
  readonly metadata: ApiObject["metadata"] & { readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly reason?: string };
}

async function podsOf(name: string): Promise<readonly PodObject[]> {
  return (await cluster.api.fetch<{ items: PodObject[] }>(`/api/v1/namespaces/default/pods?labelSelector=app=${name}`)).items;
}

const running = async (name: string): Promise<readonly PodObject[]> =>
  (await podsOf(name)).filter(({ status, metadata }) => status.phase === "Running" && metadata.deletionTimestamp === undefined);

/** Where its pod runs. */
const runsOn = async (name: string): Promise<string> => (await running(name)).map(({ spec }) => spec.nodeName ?? "nowhere").join(" ");

/** The kubelet says so a moment after the program has started. */
const awaitOn = (name: string, node: string) => expect.poll(() => runsOn(name), { timeout: movesMs, interval: 100 }).toBe(node);

/** When aerial last evicted something, milliseconds since the epoch. */
async function evictedAt(): Promise<number> {
  const evictions = (await cluster.requestsBy(aerialUser)).filter(({ uri, status }) => uri.endsWith("/eviction") && status === 201);
  return Date.parse(evictions.at(-1)?.at ?? "");
}

/** As the radio's history has them, from a time on. */
async function evictionsTold({ aerial }: House, from: number): Promise<readonly object[]> {
  const { events } = await aerial.get<EventPage>("/api/v1/events");
  const evictions = events.filter(({ type, at }) => type === "pod-evicted" && Date.parse(at) >= from);
  return evictions.map(({ details: { pod, to } }) => ({ pod, to }));
}

const opened = (stick: Stick) => stick.line.waitForWritten(/^open/mu, movesMs);

async function conditionsOf({ aerial }: House): Promise<Readonly<Record<string, string>>> {
  const { conditions } = await aerial.get<{ conditions: { code: string; text: string }[] }>("/api/v1/conditions");
  return Object.fromEntries(conditions.map(({ code, text }) => [code, text]));
}

describe("a stick that moves to another node", () => {
  test.each(["Recreate", "RollingUpdate"] as const)(
    "takes its Deployment's pod along, strategy %s, and no other",
    async (strategy) => {
      const [zigbee, zwave] = [await plugInto(a, sonoffDonglePlus), await plugInto(a, zstickGen5)];
      await deploy("z2m", { strategy });
      await deploy("zwave", { kind: "zwave", follow: false, strategy });
      await Promise.all([opened(zigbee), opened(zwave)]);
      await Promise.all([awaitOn("z2m", "node-a"), awaitOn("zwave", "node-a")]);
      const stayed = (await running("zwave")).map(({ metadata }) => metadata.uid);

      for (const stick of [zigbee, zwave]) await stick.unplug();
      await sleep(3_000);
      expect(await runsOn("z2m")).toBe("node-a");
      const at = Date.now();
      const moved = await plugInto(b, sonoffDonglePlus);
      await plugInto(b, zstickGen5);
      await awaitOn("z2m", "node-b");
      await opened(moved);
      console.log(`${strategy}: evicted ${(await evictedAt()) - at} ms, bytes on the other node ${Date.now() - at} ms after the plug`);

      await sleep(15_000);
      expect([stayed.length, (await running("zwave")).map(({ metadata }) => metadata.uid)]).toEqual([1, stayed]);
      const aerials = (await cluster.requestsBy(aerialUser)).filter(({ userAgent }) => userAgent === "aerial");
      expect(aerials.filter(({ status }) => status === 403)).toEqual([]);
      expect(aerials.filter(({ uri }) => /\/zwave-[^/]*\/eviction$/u.test(uri))).toEqual([]);
      expect(await evictionsTold(a, at)).toEqual([{ pod: expect.stringMatching(/^default\/z2m-/u), to: "node-b" }]);
    },
    240_000,
  );

  test("leaves its pod where a disruption budget says so, and takes it when the budget is gone", async () => {
    const stick = await plugInto(a, sonoffDonglePlus);
    await deploy("z2m");
    await opened(stick);
    await awaitOn("z2m", "node-a");
    await cluster.kubectl(["create", "poddisruptionbudget", "keep", "--selector=app=z2m", "--min-available=1"]);
    await cluster.kubectl(["wait", "pdb/keep", "--for=jsonpath={.status.currentHealthy}=1", "--timeout=30s"]);
    await stick.unplug();
    const moved = await plugInto(b, sonoffDonglePlus);
    await expect
      .poll(async () => (await conditionsOf(a))["follow.disruption-budget"], { timeout: patienceMs })
      .toMatch(
        /^default\/z2m-.* does not follow the radio .* to node-b yet: The disruption budget keep needs 1 healthy pods and has 1 currently/,
      );
    await sleep(5_000);
    expect(await runsOn("z2m")).toBe("node-a");
    await cluster.kubectl(["delete", "pdb", "keep"]);
    await opened(moved);
    await awaitOn("z2m", "node-b");
    await expect.poll(async () => Object.keys(await conditionsOf(a)), { timeout: patienceMs }).not.toContain("follow.disruption-budget");
  }, 240_000);

  test("while its node's aerial is killed takes its pod along when that is back", async () => {
    const stick = await plugInto(a, sonoffDonglePlus);
    await deploy("z2m");
    await opened(stick);
    await awaitOn("z2m", "node-a");
    await a.daemon.kill("SIGKILL");
    await a.daemon.exited;
    await stick.unplug();
    const moved = await plugInto(b, sonoffDonglePlus);
    await sleep(5_000);
    expect(await runsOn("z2m")).toBe("node-a");
    const at = Date.now();
    a.daemon = await a.aerial.start();
    await opened(moved);
    console.log(`evicted ${(await evictedAt()) - at} ms, bytes on the other node ${Date.now() - at} ms after aerial was started`);
    await awaitOn("z2m", "node-b");
  }, 240_000);
});

const claimName = "stick";
const claimSpec = { devices: { requests: [{ name: "radio", exactly: { deviceClassName: "zigbee.radio.mi.house" } }] } };
const claimTemplate = { kind: "ResourceClaimTemplate", spec: { spec: claimSpec } };

async function makeClaim(object: object): Promise<void> {
  const made = { apiVersion: "resource.k8s.io/v1", metadata: { name: claimName }, ...object };
  await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(made) });
}

describe("a stick that a ResourceClaim was given", () => {
  test.each([
    ["made for each pod", claimTemplate, { resourceClaimTemplateName: claimName }],
    ["that has a name of its own", { kind: "ResourceClaim", spec: claimSpec }, { resourceClaimName: claimName }],
  ] as const)(
    "takes the pod along, with a claim %s",
    async (_what, object, claim) => {
      await makeClaim(object);
      const stick = await plugInto(a, sonoffDonglePlus);
      await deploy("z2m", { claim });
      await opened(stick);
      await awaitOn("z2m", "node-a");
      await stick.unplug();
      const at = Date.now();
      const moved = await plugInto(b, sonoffDonglePlus);
      await opened(moved);
      console.log(`${object.kind}: evicted ${(await evictedAt()) - at} ms, bytes on the other node ${Date.now() - at} ms after the plug`);
      await awaitOn("z2m", "node-b");
    },
    240_000,
  );

  test("and had left before the pod came for it is followed all the same", async () => {
    await makeClaim(claimTemplate);
    const stick = await plugInto(a, sonoffDonglePlus);
    const slices = "/apis/resource.k8s.io/v1/resourceslices?fieldSelector=spec.nodeName=node-a";
    await expect
      .poll(async () => JSON.stringify(await cluster.api.fetch(slices)), { timeout: patienceMs })
      .toContain(sonoffDonglePlus.serial?.slice(0, 8));
    await cluster.kubectl(["cordon", "node-b"]);
    // For as long as it cannot say that the stick is gone, the scheduler goes by what it said before.
    await a.daemon.kill("SIGSTOP");
    try {
      await stick.unplug();
      await deploy("z2m", { claim: { resourceClaimTemplateName: claimName } });
      await expect.poll(async () => (await podsOf("z2m")).map(({ spec }) => spec.nodeName), { timeout: patienceMs }).toEqual(["node-a"]);
    } finally {
      await a.daemon.kill("SIGCONT");
      await cluster.kubectl(["uncordon", "node-b"]);
    }
    const at = Date.now();
    const moved = await plugInto(b, sonoffDonglePlus);
    await opened(moved);
    console.log(`never given: evicted ${(await evictedAt()) - at} ms, bytes on the other node ${Date.now() - at} ms after the plug`);
    await awaitOn("z2m", "node-b");
  }, 240_000);
});

describe("a reboot", () => {
  test("leaves no ghosts, however often the kubelet was quicker than aerial", async () => {
    const stick = await plugInto(a, sonoffDonglePlus);
    await deploy("z2m", { spec: { nodeSelector: { "kubernetes.io/hostname": "node-a" } } });
    await opened(stick);
    for (let boot = 0; boot < 2; boot += 1) {
      await a.node.reboot();
      await a.daemon.exited;
      // The kubelet is up, and aerial is not: no plugin, so no radio.
      await expect
        .poll(async () => (await podsOf("z2m")).filter(({ status }) => status.phase === "Failed").map(({ status }) => status.reason), {
          timeout: patienceMs,
        })
        .toEqual(["UnexpectedAdmissionError"]);
      const at = Date.now();
      a.daemon = await a.aerial.start();
      await expect.poll(async () => (await podsOf("z2m")).map(({ status }) => status.phase), { timeout: 90_000 }).toEqual(["Running"]);
      console.log(`one pod, running, and no ghost ${Date.now() - at} ms after aerial was started`);
    }
  }, 300_000);
});
