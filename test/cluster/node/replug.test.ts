/** What a replug is to a pod that holds the stick, under a real kubelet and containerd. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import type { EventPage } from "../../../src/api/contract/types.ts";
import { sonoffDonglePlus } from "../../lab/sticks.ts";
import type { Cluster } from "../cluster.ts";
import type { KubeNode } from "./kube-node.ts";
import { prepareAerial, type NodeAerial } from "./node-aerial.ts";
import { type OneNode, openOneNode } from "./one-node.ts";
import { patientPod } from "./patient-pod.ts";
import { startPod } from "./pods.ts";
import { openVirtualTerminal } from "./virtual-terminals.ts";

const resourceName = "radio.mi.house/zigbee";

type Stick = Awaited<ReturnType<KubeNode["plug"]>>;

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;

beforeAll(async () => {
  house = await openOneNode();
  ({ cluster, node } = house);
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(async () => {
  await cluster.kubectl(["delete", "pods", "--all", "--now", "--wait"]);
  await node.unplugAll();
});

const startHolder = (options: { readonly isRoot?: boolean } = {}): Promise<void> =>
  startPod(cluster, patientPod({ name: "holder", ...options }), 30);

const restartsOf = async (pod: string): Promise<number> =>
  Number(await cluster.kubectl(["get", "pod", pod, "--output=jsonpath={.status.containerStatuses[0].restartCount}"]));
const offered = (count: number): Promise<unknown> =>
  cluster.waitForNode("node-1", ({ status }) => JSON.stringify(status).includes(`"${resourceName}":"${count}"`), 20_000);

async function conditionOf(aerial: NodeAerial, code: string): Promise<string> {
  for (const deadline = Date.now() + 40_000; Date.now() < deadline; await sleep(200)) {
    const { conditions } = await aerial.get<{ conditions: { code: string; text: string }[] }>("/api/v1/conditions");
    const found = conditions.find((condition) => condition.code === code);
    if (found !== undefined) return found.text;
  }
  throw new Error(`${code} is not raised`);
}

/** Numbers before and after, as the radio's history has them of each restart, oldest first. */
async function restartsTold(aerial: NodeAerial): Promise<readonly object[]> {
  const { events } = await aerial.get<EventPage>("/api/v1/events");
  const restarts = events.filter(({ type }) => type === "container-restarted");
  return restarts.map(({ details: { pod, container, from, to } }) => ({ pod, container, from, to }));
}

const numbersOf = (before: Stick, after: Stick): object => ({
  pod: "default/holder",
  container: "main",
  from: `4:${before.line.minor}`,
  to: `4:${after.line.minor}`,
});

const plug = (options: Parameters<KubeNode["plug"]>[1] = {}): ReturnType<KubeNode["plug"]> => node.plug(sonoffDonglePlus, options);

async function replug(stick: Stick): Promise<Stick> {
  await stick.unplug();
  return plug({ port: stick.port, without: stick.nodes });
}

/** Asked again every few seconds, since a word to a line that is just being opened may be lost. */
async function answers(stick: Stick, word: string): Promise<void> {
  const isAnswered = new RegExp(`^got ${word}$`, "mu");
  for (let asked = 1; ; asked += 1) {
    stick.line.send(`${word}\n`);
    try {
      await stick.line.waitForWritten(isAnswered, 3_000);
      return;
    } catch (error) {
      if (asked >= 4) throw new Error(`${String(error)}; ${await restartsOf("holder")} restarts`, { cause: error });
    }
  }
}

/** Unplugs the stick and plugs it in again, where it gets the numbers that it had. */
async function replugAsBefore(stick: Stick): Promise<Stick> {
  await stick.unplug();
  for (let minor = -1; minor !== stick.line.minor - 1;) {
    const skipped = await openVirtualTerminal();
    ({ minor } = skipped);
    await skipped.hangUp();
  }
  return plug({ port: stick.port });
}

it("a pod without privileges works again after one restart of its container, under another name and other numbers", async () => {
  const aerial = await prepareAerial(cluster, node);
  await using _daemon = await aerial.start();
  let stick = await plug();
  await offered(1);
  await startHolder();
  await stick.line.waitForWritten(new RegExp(`^open 4:${stick.line.minor}$`, "mu"));
  await answers(stick, "first");

  await stick.unplug();
  await sleep(2_000);
  expect(await restartsOf("holder")).toBe(0);
  const pluggedAt = performance.now();
  const again = await plug({ port: stick.port, without: stick.nodes });
  expect([again.nodes, again.line.minor === stick.line.minor]).toEqual([["/dev/ttyUSB1"], false]);
  await again.line.waitForWritten(new RegExp(`^open 4:${again.line.minor}$`, "mu"), 30_000);
  await answers(again, "second");
  console.log(`bytes again ${Math.round(performance.now() - pluggedAt)} ms after the plug`);
  await sleep(5_000);
  expect(await restartsOf("holder")).toBe(1);
  const first = numbersOf(stick, again);
  await expect.poll(() => restartsTold(aerial)).toEqual([first]);
  stick = await replugAsBefore(again);
  expect(stick.line.minor).toBe(again.line.minor);
  await answers(stick, "third");
  await sleep(5_000);
  expect(await restartsOf("holder")).toBe(1);

  // A container that ends twice within ten minutes is kept waiting by the kubelet: 10 s at first (CrashLoopBackOff).
  const soonAt = performance.now();
  const soon = await replug(stick);
  await soon.line.waitForWritten(new RegExp(`^open 4:${soon.line.minor}$`, "mu"), 45_000);
  console.log(`bytes again ${Math.round(performance.now() - soonAt)} ms after another replug soon after`);
  expect(await restartsOf("holder")).toBe(2);
  await expect.poll(() => restartsTold(aerial)).toEqual([first, numbersOf(stick, soon)]);
  // As `kubectl describe node` shows it.
  const events = ["get", "events", "--field-selector=reason=RadioContainerRestarted", "--output=jsonpath={..message}"];
  await expect
    .poll(async () => (await cluster.kubectl(events)).match(/container main of pod default\/holder was restarted/gu))
    .toHaveLength(2);
});

it("a replug that happened while aerial was away is mended when it is back", async () => {
  const aerial = await prepareAerial(cluster, node);
  const stick = await plug();
  {
    await using _daemon = await aerial.start();
    await offered(1);
    await startHolder();
    await answers(stick, "before");
  }
  const again = await replug(stick);
  await sleep(2_000);
  expect(again.line.written()).toBe("");
  const startedAt = performance.now();
  await using _daemon = await aerial.start();
  await again.line.waitForWritten(new RegExp(`^open 4:${again.line.minor}$`, "mu"), 30_000);
  console.log(`bytes again ${Math.round(performance.now() - startedAt)} ms after aerial was started`);
  await answers(again, "after");
  expect(await restartsOf("holder")).toBe(1);
});

it("told to ignore it, aerial leaves the container and says so", async () => {
  const aerial = await prepareAerial(cluster, node, { AERIAL__HANDOVER__ONREPLUG: "ignore" });
  await using _daemon = await aerial.start();
  const stick = await plug();
  await offered(1);
  await startHolder();
  await answers(stick, "before");
  const again = await replug(stick);
  expect(await conditionOf(aerial, "handover.stale-device")).toContain("default/holder");
  expect([again.line.written(), await restartsOf("holder")]).toEqual(["", 0]);
  // The file of the container runtime is as it should be: any restart of the container helps.
  // A moment later, since whoever is in the container when it ends, ends with it.
  await cluster.kubectl(["exec", "holder", "--", "sh", "-c", "(sleep 0.3; kill 1) >/dev/null 2>&1 &"]);
  await again.line.waitForWritten(new RegExp(`^open 4:${again.line.minor}$`, "mu"), 30_000);
});

it("the file for the container runtime is there while the stick is, whatever happens to it, until aerial is cleaned up", async () => {
  const aerial = await prepareAerial(cluster, node);
  const stick = await plug();
  const files = (): string[] => readdirSync(node.paths.cdi).filter((name) => name.endsWith(".json"));
  const [own, other] = [[`radio.mi.house-radio_10c4-ea60-${sonoffDonglePlus.serial}.json`], "nvidia.com-gpu.json"];
  const daemon = await aerial.start();
  await vi.waitFor(() => expect(files()).toEqual(own), 5_000);
  for (const name of own) rmSync(join(node.paths.cdi, name));
  await vi.waitFor(() => expect(files()).toEqual(own), 5_000);
  await node.reboot();
  await daemon.exited;
  {
    await using _daemon = await aerial.start();
    await vi.waitFor(() => expect(files()).toEqual(own), 5_000);
    await stick.unplug();
    await vi.waitFor(() => expect(files()).toEqual([]), 5_000);
    await replug(stick);
    await vi.waitFor(() => expect(files()).toEqual(own), 5_000);
  }
  expect(files()).toEqual(own);
  writeFileSync(join(node.paths.cdi, other), "{}");
  expect((await aerial.cli("cleanup")).stdout).toContain("removed 1 CDI file from /var/run/cdi");
  expect(files()).toEqual([other]);
});

it("without CDI the pod keeps the old node whatever is restarted, as with any device plugin, and aerial says so", async () => {
  const aerial = await prepareAerial(cluster, node, { AERIAL__HANDOVER__ALLOCATION: "devices" });
  await using _daemon = await aerial.start();
  const stick = await plug();
  await offered(1);
  await startHolder({ isRoot: true });
  await answers(stick, "before");
  const again = await replug(stick);
  const text = await conditionOf(aerial, "handover.stale-device");
  expect(text).toMatch(/default\/holder still has the device 4:\d+ .*The kubelet repeats .*Delete the pod/u);
  // A moment later, since whoever is in the container when it ends, ends with it.
  await cluster.kubectl(["exec", "holder", "--", "sh", "-c", "(sleep 0.3; kill 1) >/dev/null 2>&1 &"]);
  await sleep(10_000);
  expect(again.line.written()).toBe("");
  console.log(
    `classic: ${await cluster.kubectl(["get", "pod", "holder", "--output=jsonpath={.status.containerStatuses[0].restartCount} restarts, {.status.containerStatuses[0].state}"])}`,
  );
  await cluster.kubectl(["delete", "pod", "holder", "--now", "--wait"]);
  await startHolder({ isRoot: true });
  await answers(again, "made-anew");
});
