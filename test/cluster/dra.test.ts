/** Radios by ResourceClaims, with a real scheduler, kubelet, containerd and runc: what pods get, and that no radio goes to two. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openPodResources } from "../../src/kubelet/pod-resources.ts";
import type { LabProcess } from "../lab/lab.ts";
import { conbee2, sonoffDonglePlus } from "../lab/sticks.ts";
import type { ApiObject } from "./api-client.ts";
import type { Cluster } from "./cluster.ts";
import { installResourceClaims } from "./install-resource-claims.ts";
import type { KubeNode } from "./node/kube-node.ts";
import { type NodeAerial, prepareAerial } from "./node/node-aerial.ts";
import { type OneNode, openOneNode } from "./node/one-node.ts";
import { scriptPod, startPod, unprivileged } from "./node/pods.ts";

const resource = "radio.mi.house/zigbee";
const dongle = `10c4-ea60-${sonoffDonglePlus.serial}`;
const slices = "/apis/resource.k8s.io/v1/resourceslices";
const forever = new AbortController().signal;

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;
let aerial: NodeAerial;
let daemon: LabProcess;

beforeAll(async () => {
  house = await openOneNode({ install: installResourceClaims });
  ({ cluster, node } = house);
  aerial = await prepareAerial(cluster, node);
  daemon = await aerial.start();
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(async () => {
  await cluster.kubectl(["delete", "pod", "--all", "--now"]);
  await cluster.kubectl(["delete", "resourceclaim,resourceclaimtemplate", "--all"]);
  await node.unplugAll();
});

const until = (what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 30_000): Promise<number> =>
  house.until(what, isSo, { timeoutMs, daemon });

interface Device {
  readonly name: string;
  readonly attributes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly taints?: readonly { readonly key: string; readonly effect: string }[];
}

async function listed(): Promise<readonly Device[]> {
  const { items } = await cluster.api.fetch<{ items: (ApiObject & { readonly spec: { readonly devices?: readonly Device[] } })[] }>(
    `${slices}?fieldSelector=spec.nodeName=node-1`,
  );
  return items.flatMap(({ spec }) => spec.devices ?? []);
}
const isListed = async (name: string): Promise<boolean> => (await listed()).some((device) => device.name === name);
const untilListed = (name: string): Promise<number> => until(`${name} is in a slice`, () => isListed(name));

/** Radios by pod, as the kubelet tells, by either way. */
async function given(): Promise<Readonly<Record<string, readonly string[]>>> {
  using client = openPodResources({ kubelet: node.paths.kubelet });
  const found: Record<string, readonly string[]> = {};
  for (const { name, containers } of await client.list(forever)) {
    const byPlugin = containers.flatMap(({ devices }) => devices.filter(({ resourceName }) => resourceName === resource));
    const byClaim = containers.flatMap(({ dynamicResources }) => dynamicResources.flatMap(({ claimResources }) => claimResources));
    // The kubelet lists a claim's device once more each time the claim is prepared again (addDevice in pkg/kubelet/cm/dra/claiminfo.go).
    const ids = [...new Set([...byPlugin.flatMap(({ deviceIds }) => deviceIds), ...byClaim.map(({ deviceName }) => deviceName)])];
    if (ids.length > 0) found[name] = ids;
  }
  const all = Object.values(found).flat();
  expect(new Set(all).size, `given twice: ${JSON.stringify(found)}`).toBe(all.length);
  return found;
}

/** What aerial remembers on the node's disk. */
function remembered(): readonly string[] {
  const path = join(node.paths.root, "var/lib/aerial/resource-claims.json");
  const { claims } = JSON.parse(readFileSync(path, "utf8")) as { claims: { name: string }[] };
  return claims.map(({ name }) => name);
}

const apply = (...objects: readonly object[]) =>
  cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }) });

/** A claim for a radio of a class, chosen further by CEL. */
function claim(name: string, deviceClassName = "zigbee.radio.mi.house", expression?: string) {
  const selectors = expression === undefined ? {} : { selectors: [{ cel: { expression } }] };
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: { name },
    spec: { devices: { requests: [{ name: "radio", exactly: { deviceClassName, ...selectors } }] } },
  };
}

/** In a subshell: see device-plugin.test.ts. */
const talk = (path = "/dev/radio/zigbee"): string =>
  `(exec 3<>${path}; echo here $HOSTNAME >&3; while read line <&3; do echo got $line $HOSTNAME >&3; done); exit 1`;
const claimPod = (name: string, ...claims: readonly string[]) => ({
  name,
  script: `env | grep RADIO_; ${talk()}`,
  container: {
    resources: { claims: claims.map((each) => ({ name: each })) },
    securityContext: unprivileged,
  },
  spec: { resourceClaims: claims.map((each) => ({ name: each, resourceClaimName: each })) },
});
const pluginPod = (name: string) => ({ name, script: talk(), container: { resources: { limits: { [resource]: "1" } } } });
const describePod = (name: string): Promise<string> => cluster.kubectl(["describe", "pod", name]);
const phase = (name: string): Promise<string> => cluster.kubectl(["get", "pod", name, "--output", "jsonpath={.status.phase}"]);
const remove = (name: string): Promise<string> => cluster.kubectl(["delete", "pod", name, "--now"]);

describe("a pod with a claim", () => {
  it("chosen by model gets that radio, without any privilege, and talks over it", async () => {
    await node.plug(conbee2);
    const stick = await node.plug(sonoffDonglePlus);
    const listedMs = await untilListed(dongle);
    const { attributes } = (await listed()).find(({ name }) => name === dongle) ?? {};
    expect(attributes).toMatchObject({
      kind: { string: "zigbee" },
      zigbee: { bool: true },
      model: { string: "ZBDongle-P (CC2652P)" },
      adapter: { string: "zstack" },
    });
    await apply(claim("by-model", "radio.mi.house", 'device.attributes["radio.mi.house"].?model.orValue("").startsWith("ZBDongle-P")'));
    const began = performance.now();
    await startPod(cluster, claimPod("alone", "by-model"));
    console.log(`in a slice ${listedMs} ms after the plug, pod Ready in ${Math.round(performance.now() - began)} ms`);
    await stick.line.waitForWritten(/^here alone$/mu);
    stick.line.send("question\n");
    await stick.line.waitForWritten(/^got question alone$/mu);
    const said = await cluster.kubectl(["logs", "alone"]);
    expect(said).toMatch(/^RADIO_ZIGBEE_PATH=\/dev\/radio\/zigbee$/mu);
    expect(said).toMatch(new RegExp(`^RADIO_ZIGBEE_ID=${dongle}$`, "mu"));
    expect(await given()).toEqual({ alone: [dongle] });
    expect(remembered()).toEqual(["by-model"]);
    await remove("alone");
    expect(remembered()).toEqual([]);
  });

  it("that asks for two radios gets both, each with its own path and variables", async () => {
    const sticks = [await node.plug(sonoffDonglePlus), await node.plug(conbee2)];
    await until("both are listed", async () => (await listed()).filter(({ taints = [] }) => taints.length === 0).length === 2);
    const two = claim("two");
    Object.assign(two.spec.devices.requests[0]?.exactly ?? {}, { allocationMode: "ExactCount", count: 2 });
    await apply(two);
    const pod = claimPod("both", "two");
    await startPod(cluster, { ...pod, script: `env | grep RADIO_; (${talk("/dev/radio/zigbee-2")}) & ${talk()}` });
    for (const { line } of sticks) await line.waitForWritten(/^here both$/mu);
    const said = await cluster.kubectl(["logs", "both"]);
    for (const variable of ["RADIO_ZIGBEE_PATH=/dev/radio/zigbee", "RADIO_ZIGBEE_2_PATH=/dev/radio/zigbee-2"]) {
      expect(said.split("\n")).toContain(variable);
    }
  });

  it("is told that its radio is unplugged, and works again after a replug with another number", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("replugged"));
    await startPod(cluster, claimPod("replugged", "replugged"));
    const health = () =>
      cluster.kubectl(["get", "pod", "replugged", "--output", "jsonpath={.status.containerStatuses[0].allocatedResourcesStatus}"]);
    await until("it is healthy", async () => (await health()).includes('"Healthy"'));
    await stick.unplug();
    await until("it is unhealthy", async () => /"Unhealthy".*unplugged since/u.test(await health()));
    expect((await listed()).find(({ name }) => name === dongle)?.taints).toMatchObject([
      { key: "radio.mi.house/absent", effect: "NoSchedule" },
    ]);
    const again = await node.plug(sonoffDonglePlus, { port: stick.port, without: stick.nodes });
    const began = performance.now();
    await again.line.waitForWritten(/^here replugged$/mu, 90_000);
    console.log(`talks again ${Math.round(performance.now() - began)} ms after the replug`);
  }, 150_000);

  it("waits for a radio of its kind, and starts when one is plugged in", async () => {
    await apply(claim("later"));
    await cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(scriptPod(claimPod("waiting", "later"))) });
    await until("the scheduler looked", async () => /cannot allocate all claims/u.test(await describePod("waiting")));
    const stick = await node.plug(sonoffDonglePlus);
    await stick.line.waitForWritten(/^here waiting$/mu, 60_000);
  });

  it("keeps its container through a restart of the kubelet, and the slices are back at once", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("lasting"));
    await startPod(cluster, claimPod("lasting", "lasting"));
    const container = () => cluster.kubectl(["get", "pod", "lasting", "--output", "jsonpath={.status.containerStatuses[0].containerID}"]);
    const before = await container();
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const { items } = await cluster.api.fetch<{ items: ApiObject[] }>(slices);
      const old = items[0]?.metadata.uid;
      await node.killKubelet(signal);
      await node.startKubelet();
      const uid = async () => (await cluster.api.fetch<{ items: ApiObject[] }>(slices)).items[0]?.metadata.uid;
      let wiped = 0;
      await until("the kubelet removes the slices", async () => (await uid()) !== old);
      wiped = await until("they are back", () => isListed(dongle));
      console.log(`${signal}: slices back within ${wiped} ms`);
    }
    stick.line.send("still\n");
    await stick.line.waitForWritten(/^got still lasting$/mu);
    expect(await container()).toBe(before);
    await until("the kubelet tells who has it", async () => (await given())["lasting"]?.[0] === dongle);
    await remove("lasting");
    expect(remembered()).toEqual([]);
  });

  it("starts again after a boot, when sockets, /run and the files for the runtime are gone", async () => {
    await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("boot"));
    await startPod(cluster, claimPod("booted", "boot"));
    await node.reboot();
    await daemon.exited;
    daemon = await aerial.start();
    const restarts = () => cluster.kubectl(["get", "pod", "booted", "--output", "jsonpath={.status.containerStatuses[0].restartCount}"]);
    await until("it was started again", async () => (await restarts()) === "1" && (await phase("booted")) === "Running", 60_000);
    await until("the kubelet tells who has it", async () => (await given())["booted"]?.[0] === dongle);
    expect(remembered()).toEqual(["boot"]);
  }, 120_000);
});

describe("aerial killed", () => {
  it("between prepare and unprepare: the claim is known to the next life, and given back", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("first"), claim("second"));
    await startPod(cluster, claimPod("holds", "first"));
    await daemon.kill("SIGKILL");
    await daemon.exited;
    await cluster.kubectl(["delete", "pod", "holds", "--now", "--wait=false"]);
    await sleep(1_500);
    expect(remembered()).toEqual(["first"]);
    daemon = await aerial.start();
    await until("the pod is gone", async () => !/holds/u.test(await cluster.kubectl(["get", "pods"])), 60_000);
    expect(remembered()).toEqual([]);
    await startPod(cluster, claimPod("next", "second"), 60);
    await stick.line.waitForWritten(/^here next$/mu);
  }, 150_000);

  it("while claim and pod are deleted by force: its radio is free when it is back", async () => {
    await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("gone"), claim("after"));
    await startPod(cluster, claimPod("ghost", "gone"));
    await daemon.kill("SIGKILL");
    await daemon.exited;
    await cluster.kubectl(["delete", "pod", "ghost", "--force", "--grace-period=0"]);
    await cluster.kubectl(["patch", "resourceclaim", "gone", "--type=merge", '--patch={"metadata":{"finalizers":null}}']);
    await cluster.kubectl(["delete", "resourceclaim", "gone"]);
    daemon = await aerial.start();
    // A pod that comes before is refused by the kubelet itself, which tries again a minute or more later.
    await daemon.waitForLine(/driver registered/u, 20_000);
    await until("it is forgotten", () => remembered().length === 0, 60_000);
    await startPod(cluster, claimPod("heir", "after"), 60);
  }, 150_000);
});

describe("one radio that is asked for both ways", () => {
  const others = { claim: "by-claim", plugin: "by-plugin" };
  const create = (pod: Parameters<typeof scriptPod>[0]) => cluster.kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(scriptPod(pod)) });
  const isAllocatable = (amount: string) =>
    until(`${amount} of ${resource}`, async () => {
      const { status } = (await cluster.getNode("node-1")) as ApiObject & { status: { allocatable: Record<string, string> } };
      return (status.allocatable[resource] ?? "0") === amount;
    });

  it("held by a claim: the resource is gone from the node until it is given back", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await apply(claim("claim"));
    await startPod(cluster, claimPod(others.claim, "claim"));
    await isAllocatable("0");
    await create(pluginPod(others.plugin));
    await until("it is not scheduled", async () => /Insufficient radio.mi.house\/zigbee/u.test(await describePod(others.plugin)));
    await remove(others.claim);
    await stick.line.waitForWritten(/^here by-plugin$/mu, 60_000);
    expect(await given()).toEqual({ [others.plugin]: [dongle] });
  }, 120_000);

  it("held by the device plugin: a claim waits behind the taint until it is given back", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    await untilListed(dongle);
    await isAllocatable("1");
    await startPod(cluster, pluginPod(others.plugin));
    await until("it is tainted", async () => (await listed())[0]?.taints?.[0]?.key === "radio.mi.house/in-use");
    await apply(claim("claim"));
    await create(claimPod(others.claim, "claim"));
    await until("the scheduler looked", async () => /cannot allocate all claims/u.test(await describePod(others.claim)));
    await remove(others.plugin);
    await stick.line.waitForWritten(/^here by-claim$/mu, 90_000);
    expect(await given()).toEqual({ [others.claim]: [dongle] });
  }, 150_000);

  it("at the same moment, again and again: one gets it, and never both", async () => {
    const winners: string[] = [];
    for (const [round, laterMs] of [0, 0, 100, 250, 400, 600, 900].entries()) {
      const stick = await node.plug(sonoffDonglePlus);
      await untilListed(dongle);
      await isAllocatable("1");
      const [byClaim, byPlugin] = [`claim-${round}`, `plugin-${round}`];
      await apply(claim(`both-${round}`), scriptPod(claimPod(byClaim, `both-${round}`)));
      await sleep(laterMs);
      await create(pluginPod(byPlugin));
      await stick.line.waitForWritten(/^here /mu, 60_000);
      for (let look = 0; look < 60; look += 1) {
        await given();
        const speakers = new Set([...stick.line.written().matchAll(/^here (\S+)$/gmu)].map(([, speaker]) => speaker));
        expect(speakers.size, `both have it: ${[...speakers].join()}`).toBe(1);
        await sleep(50);
      }
      winners.push(stick.line.written().includes(byClaim) ? "claim" : "plugin");
      await cluster.kubectl(["delete", "pod", byClaim, byPlugin, "--now"]);
      await stick.unplug();
      await until("it is gone from the slice", async () => (await listed()).every(({ taints = [] }) => taints.length > 0));
    }
    console.log(`who got it: ${winners.join(", ")}`);
  }, 300_000);
});
