/** Radios as extended resources, with a real kubelet, containerd and runc: what pods get, and that they keep it. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readMessages } from "../../src/kubelet/grpc-message.ts";
import { openGrpcClient } from "../../src/kubelet/grpc-client.ts";
import { openPodResources } from "../../src/kubelet/pod-resources.ts";
import type { LabProcess } from "../lab/lab.ts";
import { sonoffDongleE, sonoffDonglePlus } from "../lab/sticks.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeNode } from "./node/kube-node.ts";
import { type NodeAerial, prepareAerial } from "./node/node-aerial.ts";
import { type OneNode, openOneNode } from "./node/one-node.ts";
import { scriptPod, startPod, unprivileged } from "./node/pods.ts";

const resource = "radio.mi.house/zigbee";
const forever = new AbortController().signal;

/** `AERIAL_CLUSTER_RESTARTS=20` for as many as the goal says; CI takes fewer. */
const restarts = Number(process.env["AERIAL_CLUSTER_RESTARTS"] ?? "4");

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;
let aerial: NodeAerial;
let daemon: LabProcess;

beforeAll(async () => {
  house = await openOneNode();
  ({ cluster, node } = house);
  aerial = await prepareAerial(cluster, node);
  daemon = await aerial.start();
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(async () => {
  await cluster.kubectl(["delete", "deployment,pod", "--all", "--now"]);
  await node.unplugAll();
});

const codec = readMessages({
  Empty: { fields: {} },
  ContainerDevices: { fields: { resourceName: { type: "string", id: 1 }, deviceIds: { rule: "repeated", type: "string", id: 2 } } },
  AllocatableResourcesResponse: { fields: { devices: { rule: "repeated", type: "ContainerDevices", id: 1 } } },
});
const getAllocatable = {
  path: "/v1.PodResourcesLister/GetAllocatableResources",
  request: codec<Record<string, never>>("Empty"),
  response: codec<{ devices: { resourceName: string; deviceIds: string[] }[] }>("AllocatableResourcesResponse"),
};

/** Ids of the healthy radios that the kubelet knows now; none while it is away. */
async function allocatable(): Promise<readonly string[]> {
  using client = openGrpcClient({ path: join(node.paths.kubelet, "pod-resources/kubelet.sock") });
  const answer = await client.call(getAllocatable, {}, { signal: forever, deadlineMs: 1_000 }).catch(() => ({ devices: [] }));
  return answer.devices.flatMap(({ resourceName, deviceIds }) => (resourceName === resource ? deviceIds : [])).sort();
}

/** `pod/container` → ids, as the kubelet has it. */
async function given(): Promise<Readonly<Record<string, readonly string[]>>> {
  using client = openPodResources({ kubelet: node.paths.kubelet });
  const found: Record<string, readonly string[]> = {};
  for (const { name, containers } of await client.list(forever)) {
    for (const container of containers) {
      const ids = container.devices.flatMap(({ resourceName, deviceIds }) => (resourceName === resource ? deviceIds : []));
      if (ids.length > 0) found[`${name}/${container.name}`] = ids;
    }
  }
  const all = Object.values(found).flat();
  expect(new Set(all).size, `given twice: ${JSON.stringify(found)}`).toBe(all.length);
  return found;
}

const until = (what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 20_000): Promise<number> =>
  house.until(what, isSo, { timeoutMs, daemon });

const untilAllocatable = (count: number): Promise<number> =>
  until(`${count} of ${resource}`, async () => (await allocatable()).length === count);
const untilScheduled = (count: number): Promise<unknown> =>
  cluster.waitForNode(
    "node-1",
    ({ status }) => {
      const { allocatable: amounts } = status as { allocatable?: Record<string, string> };
      return (amounts?.[resource] ?? "0") === String(count);
    },
    15_000,
  );

/**
 * Says its name over the radio, and answers each line with it. In a subshell: opening a terminal makes it the controlling one
 * of a session's first process, whose end would hang up the other end as well.
 */
const talk = (path = "/dev/radio/zigbee", as = "$HOSTNAME"): string =>
  `(exec 3<>${path}; echo here ${as} >&3; while read line <&3; do echo got $line ${as} >&3; done); exit 1`;
const limits = { resources: { limits: { [resource]: "1" } } };
const confined = { ...limits, securityContext: { ...unprivileged, readOnlyRootFilesystem: true } };

const restartCount = async (pod: string): Promise<number> =>
  Number(await cluster.kubectl(["get", "pod", pod, "--output", "jsonpath={.status.containerStatuses[0].restartCount}"]));

async function restartContainer(pod: string): Promise<void> {
  const before = await restartCount(pod);
  await cluster.kubectl(["exec", pod, "--", "sh", "-c", "kill -9 -1"]).catch(() => {});
  await until(`${pod} was restarted`, async () => (await restartCount(pod)) > before, 40_000);
}

async function restartAerial(signal: NodeJS.Signals): Promise<void> {
  await daemon.kill(signal);
  await daemon.exited;
  daemon = await aerial.start();
}

/** Names what is at the path now, so that a new kubelet is told from the one before. */
function kubeletSocket(): string | undefined {
  const found = lstatSync(join(node.paths.kubelet, "device-plugins/kubelet.sock"), { bigint: true, throwIfNoEntry: false });
  return found && `${found.ino}:${found.birthtimeNs}`;
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms of ${times.length}`;
}

describe("a pod", () => {
  it("without any privilege gets the radio that it asks for, and talks over it", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    const pluggedMs = await untilAllocatable(1);
    await untilScheduled(1);
    console.log(`known to the kubelet ${pluggedMs} ms after the plug`);
    await startPod(cluster, { name: "alone", script: `env | grep RADIO_; id; ${talk()}`, container: confined });
    await stick.line.waitForWritten(/^here alone$/mu);
    stick.line.send("question\n");
    await stick.line.waitForWritten(/^got question alone$/mu);
    const said = await cluster.kubectl(["logs", "alone"]);
    expect(said).toMatch(/^RADIO_ZIGBEE_PATH=\/dev\/radio\/zigbee$/mu);
    expect(said).toMatch(/^RADIO_ZIGBEE_ADAPTER=zstack$/mu);
    expect(said).toMatch(/^uid=1000 gid=1000 .*20/mu);
    const byId = await cluster.kubectl(["exec", "alone", "--", "sh", "-c", 'ls -lL "$RADIO_ZIGBEE_BYID"']);
    expect(byId).toMatch(/^c/u);
    expect(await given()).toEqual({ "alone/main": [`10c4-ea60-${sonoffDonglePlus.serial}`] });
    await cluster.kubectl(["delete", "pod", "alone", "--now"]);
    await stick.unplug();
    const unpluggedMs = await untilAllocatable(0);
    console.log(`not allocatable ${unpluggedMs} ms after the unplug`);
  });

  it("gets it by path where the runtime knows no names, and then asks for the group itself", async () => {
    const usual = aerial;
    aerial = await prepareAerial(cluster, node, { AERIAL__HANDOVER__ALLOCATION: "devices" });
    await restartAerial("SIGTERM");
    const stick = await node.plug(sonoffDonglePlus);
    await untilScheduled(1);
    const spec = { securityContext: { supplementalGroups: [20] } };
    await startPod(cluster, { name: "classic", script: `env | grep RADIO_; ${talk()}`, container: confined, spec });
    await stick.line.waitForWritten(/^here classic$/mu);
    stick.line.send("question\n");
    await stick.line.waitForWritten(/^got question classic$/mu);
    expect(await cluster.kubectl(["logs", "classic"])).toMatch(/^RADIO_ZIGBEE_PATH=\/dev\/radio\/zigbee$/mu);
    aerial = usual;
    await restartAerial("SIGTERM");
  });

  it("waits while its radio is unplugged, with the reason in its events, and starts when it is back", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilScheduled(1);
    await startPod(cluster, { name: "waiting", script: talk(), container: limits });
    await stick.line.waitForWritten(/^here waiting$/mu);
    await stick.unplug();
    const events = () => cluster.kubectl(["describe", "pod", "waiting"]);
    await until("the event", async () => /is not plugged into node-1/u.test(await events()), 40_000);
    const again = await node.plug(sonoffDonglePlus, { port: stick.port, without: stick.nodes });
    expect(again.nodes).not.toEqual(stick.nodes);
    await again.line.waitForWritten(/^here waiting$/mu, 60_000);
    again.line.send("back\n");
    await again.line.waitForWritten(/^got back waiting$/mu);
    await cluster.kubectl(["delete", "pod", "waiting", "--now"]);
    await again.unplug();
  }, 120_000);
});

describe("twin sticks", () => {
  it("two pods: each has its own, and keeps it", async () => {
    const sticks = [await node.plug(sonoffDonglePlus), await node.plug(sonoffDonglePlus)];
    await untilScheduled(2);
    for (const name of ["left", "right"]) await startPod(cluster, { name, script: talk(), container: limits });
    const before = await given();
    expect(Object.keys(before).sort()).toEqual(["left/main", "right/main"]);
    const owners = await Promise.all(sticks.map(async ({ line }) => /^here (\w+)$/mu.exec(await line.waitForWritten(/^here \w+$/mu))?.[1]));
    expect(new Set(owners)).toEqual(new Set(["left", "right"]));
    for (const name of ["left", "right"]) await restartContainer(name);
    for (const [index, { line }] of sticks.entries()) {
      await line.waitForWritten(new RegExp(`^here ${owners[index]}\\n(?:.*\\n)*here ${owners[index]}$`, "mu"), 40_000);
      line.send("still\n");
      await line.waitForWritten(new RegExp(`^got still ${owners[index]}$`, "mu"));
      expect(line.written()).not.toMatch(new RegExp(` ${owners[1 - index]}$`, "mu"));
    }
    expect(await given()).toEqual(before);
    const third = scriptPod({ name: "third", script: talk(), container: limits });
    await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(third) });
    await until("no third", async () => /Insufficient radio.mi.house\/zigbee/u.test(await cluster.kubectl(["describe", "pod", "third"])));
  }, 180_000);

  it("two containers of one pod, and one container with two", async () => {
    const sticks = [await node.plug(sonoffDonglePlus), await node.plug(sonoffDongleE)];
    await untilScheduled(2);
    const container = (name: string) => ({
      ...scriptPod({ name, script: talk("/dev/radio/zigbee", name) }).spec.containers[0],
      name,
      ...limits,
    });
    await startPod(cluster, { name: "both", script: "", spec: { containers: [container("one"), container("two")] } });
    expect(Object.values(await given()).map(({ length }) => length)).toEqual([1, 1]);
    const said = await Promise.all(sticks.map(({ line }) => line.waitForWritten(/^here \w+$/mu)));
    expect(said.map((text) => /^here (\w+)$/mu.exec(text)?.[1])).toEqual(expect.arrayContaining(["one", "two"]));
    await cluster.kubectl(["delete", "pod", "both", "--now"]);
    const script = `env | grep RADIO; ${talk("/dev/radio/zigbee", "first").replace("; exit 1", " &")} ${talk("/dev/radio/zigbee-2", "second")}`;
    await startPod(cluster, { name: "pair", script, container: { resources: { limits: { [resource]: "2" } } } });
    for (const name of ["first", "second"]) {
      await until(`${name} was said`, () => sticks.some(({ line }) => new RegExp(`^here ${name}$`, "mu").test(line.written())));
    }
  }, 120_000);
});

describe("restarts", () => {
  it(`${restarts} of the kubelet, as many of aerial, and both killed at random: nothing is lost, doubled or stuck`, async () => {
    const sticks = [await node.plug(sonoffDonglePlus), await node.plug(sonoffDongleE)];
    await untilScheduled(2);
    for (const name of ["left", "right"]) await startPod(cluster, { name, script: talk(), container: limits });
    const before = await given();
    const ids = await allocatable();
    const check = async (): Promise<void> => {
      // A kubelet that has just started knows of no pods yet.
      await expect.poll(given, { timeout: 20_000 }).toEqual(before);
      expect(await allocatable()).toEqual(ids);
    };

    const [afterSocket, afterKubelet]: [number[], number[]] = [[], []];
    for (let count = 0; count < restarts; count += 1) {
      const old = kubeletSocket();
      const began = performance.now();
      await node.killKubelet(count % 2 === 0 ? "SIGTERM" : "SIGKILL");
      await node.startKubelet();
      await until("a new kubelet's socket", () => kubeletSocket() !== undefined && kubeletSocket() !== old);
      afterSocket.push(await untilAllocatable(2));
      afterKubelet.push(Math.round(performance.now() - began));
      await check();
    }
    console.log(`kubelet restarted: from its socket ${summary(afterSocket)}; from its end ${summary(afterKubelet)}`);

    const [afterUp, afterEnd]: [number[], number[]] = [[], []];
    for (let count = 0; count < restarts; count += 1) {
      const began = performance.now();
      await restartAerial(count % 2 === 0 ? "SIGTERM" : "SIGKILL");
      afterUp.push(await untilAllocatable(2));
      afterEnd.push(Math.round(performance.now() - began));
      await check();
    }
    console.log(`aerial restarted: from when it is up ${summary(afterUp)}; from its end ${summary(afterEnd)}`);

    for (let count = 0; count < restarts / 2; count += 1) {
      const kubeletToo = Math.random() < 0.7;
      const ending = [
        ...(kubeletToo ? [sleep(Math.random() * 400).then(() => node.killKubelet("SIGKILL"))] : []),
        sleep(Math.random() * 400).then(() => daemon.kill(Math.random() < 0.7 ? "SIGKILL" : "SIGTERM")),
      ];
      await Promise.all([...ending, daemon.exited]);
      const starting = kubeletToo ? [sleep(Math.random() * 500).then(() => node.startKubelet())] : [];
      daemon = await aerial.start();
      await Promise.all(starting);
      await untilAllocatable(2);
      await check();
    }

    for (const name of ["left", "right"]) expect(await restartCount(name)).toBe(0);
    for (const { line } of sticks) {
      line.send("after all\n");
      await line.waitForWritten(/^got after all (left|right)$/mu);
    }
    // A deadline; what it takes is printed above.
    expect(Math.max(...afterSocket, ...afterUp)).toBeLessThan(10_000);
  }, 600_000);

  it("an upgrade: a newer aerial starts before the older one stops, and they do not fight", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilScheduled(1);
    await startPod(cluster, { name: "upgraded", script: talk(), container: limits });
    await stick.line.waitForWritten(/^here upgraded$/mu);
    const before = await given();
    const gaps: number[] = [];
    let registrations = 0;
    for (let count = 0; count < Math.min(restarts, 6); count += 1) {
      // Another pod's socket and state: they share nothing but the node.
      const directory = `/run/aerial-${count}`;
      const environment = { AERIAL__API__SOCKET: `${directory}/aerial.sock`, AERIAL__STATE__DIRECTORY: `${directory}/state` };
      const next = await prepareAerial(cluster, node, environment);
      const newer = await next.start();
      await newer.waitForLine(/resource registered/u, 10_000);
      await sleep(1_500);
      await daemon.kill(count % 2 === 0 ? "SIGTERM" : "SIGKILL");
      await daemon.exited;
      gaps.push(await untilAllocatable(1));
      await sleep(1_500);
      registrations += newer.output.match(/resource registered/gu)?.length ?? 0;
      daemon = newer;
      expect(await given()).toEqual(before);
    }
    console.log(`upgraded: allocatable again ${summary(gaps)}; ${registrations} registrations`);
    // Its own, and one after the older one's end, which the kubelet takes for its.
    expect(registrations).toBeLessThanOrEqual(6 * 3);
    expect(await restartCount("upgraded")).toBe(0);
    await startPod(cluster, { name: "again", script: "sleep 1000" });
    await restartContainer("upgraded");
    await stick.line.waitForWritten(/^here upgraded\n(?:.*\n)*here upgraded$/mu, 40_000);
    await daemon.kill("SIGTERM");
    await daemon.exited;
    daemon = await aerial.start();
  }, 180_000);

  it("a boot: pods of a Deployment are back without a hand", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilScheduled(1);
    const { metadata, spec } = scriptPod({ name: "lasting", script: talk(), container: limits });
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "lasting" },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        selector: { matchLabels: metadata.labels },
        template: { metadata: { labels: metadata.labels }, spec },
      },
    };
    await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(deployment) });
    await stick.line.waitForWritten(/^here lasting-/mu, 30_000);
    for (let boot = 0; boot < 3; boot += 1) {
      stick.line.send(`before-${boot}\n`);
      await stick.line.waitForWritten(new RegExp(`^got before-${boot} lasting-`, "mu"));
      const starts = (): number => stick.line.written().match(/^here lasting-/gmu)?.length ?? 0;
      const started = starts();
      const began = performance.now();
      await node.reboot();
      daemon = await aerial.start();
      const allocatableMs = await untilAllocatable(1);
      const backMs = await until("the pod is back", () => starts() > started, 90_000);
      const pods = await cluster.kubectl(["get", "pods", "--no-headers"]);
      console.log(
        `boot ${boot + 1}: talks again ${Math.round(performance.now() - began)} ms after it (allocatable ${allocatableMs} ms after aerial is up, then ${backMs} ms)\n${pods}`,
      );
      await expect.poll(async () => Object.values(await given()), { timeout: 20_000 }).toEqual([[`10c4-ea60-${sonoffDonglePlus.serial}`]]);
      expect(allocatableMs).toBeLessThan(2_000);
    }
  }, 600_000);
});
