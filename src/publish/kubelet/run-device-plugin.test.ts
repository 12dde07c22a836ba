import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeletDouble } from "../../../test/fixtures/kubelet-double.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import { systemClock } from "../../core/clock.ts";
import { createConditions } from "../../core/condition.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { silentLog } from "../../core/log.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { devicePlugin } from "../../kubelet/device-plugin-messages.ts";
import { openGrpcClient } from "../../kubelet/grpc-client.ts";
import { createDevicePluginCounters } from "./device-plugin-counters.ts";
import { type DevicePluginDependencies, runDevicePlugin } from "./run-device-plugin.ts";

const zigbee = "radio.mi.house/zigbee";
let root = "";
let directory = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "aerial-dp-"));
  directory = join(root, "device-plugins");
  mkdirSync(directory);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const absent = (id: string, agoMs = 0): Radio =>
  sampleRadio(id, { presence: "absent", absentSince: new Date(systemClock.now() - agoMs).toISOString() });

/** One aerial. Disposing stops it as SIGTERM would. */
function startAerial(radios: readonly Radio[], changes: Partial<DevicePluginDependencies> = {}) {
  const snapshots = new Cell<Snapshot>(sampleSnapshot(radios));
  const claimed = new Cell<ReadonlySet<string>>(new Set());
  const holders = new Cell<readonly RadioHolder[]>([]);
  const conditions = createConditions(systemClock);
  const counters = createDevicePluginCounters();
  const stop = new AbortController();
  let handed = 0;
  const done = runDevicePlugin(
    {
      snapshots,
      claimed,
      holders,
      conditions,
      counters,
      directory,
      groups: { domain: "radio.mi.house", groups: [] },
      graceMs: 30_000,
      clock: systemClock,
      log: silentLog,
      allocate: ({ id }, { ordinal }) => ({ cdiName: `radio.mi.house/radio=${ordinal === 1 ? id : `${id}.${ordinal}`}` }),
      refresh: () => Promise.resolve(snapshots.current),
      handed: () => {
        handed += 1;
      },
      ...changes,
    },
    stop.signal,
  );
  return {
    snapshots,
    claimed,
    holders,
    conditions,
    counters,
    handed: () => handed,
    set: (next: readonly Radio[], more: Partial<Snapshot> = {}) => snapshots.set(sampleSnapshot(next, more)),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

async function startKubelet(): Promise<KubeletDouble> {
  const kubelet = new KubeletDouble(directory);
  await kubelet.start();
  return kubelet;
}

/** How long it took, in milliseconds. */
async function until(condition: () => boolean, withinMs = 4_000): Promise<number> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${String(condition)}`);
    await sleep(5);
  }
  return performance.now() - began;
}

const sockets = (): readonly string[] => readdirSync(directory).filter((name) => name.includes("aerial-"));

describe("registration", () => {
  it("waits for the first whole snapshot, then offers each group with its radios", async () => {
    await using kubelet = await startKubelet();
    await using aerial = startAerial([], {});
    aerial.set([sampleRadio("a")], { complete: false });
    await sleep(300);
    expect(kubelet.registrations).toEqual([]);
    aerial.set([sampleRadio("a"), sampleRadio("b")]);
    await until(() => kubelet.healthy(zigbee).length === 2);
    expect(kubelet.devices(zigbee)).toEqual([
      { ID: "a", health: "Healthy" },
      { ID: "b", health: "Healthy" },
    ]);
    expect(aerial.counters.registrations.counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  it("happens within a second of a kubelet's start, and of its restarts, each time under another name", async () => {
    await using aerial = startAerial([sampleRadio("a")]);
    await sleep(100);
    await using kubelet = await startKubelet();
    expect(await until(() => kubelet.healthy(zigbee).length === 1)).toBeLessThan(1_000);
    for (let count = 0; count < 5; count += 1) {
      await kubelet.restart();
      expect(kubelet.devices(zigbee)).toEqual([]);
      expect(await until(() => kubelet.healthy(zigbee).length === 1)).toBeLessThan(1_000);
    }
    expect(new Set(kubelet.registrations.map(({ endpoint }) => endpoint)).size).toBe(6);
    expect(sockets()).toHaveLength(1);
    expect(aerial.conditions.current.size).toBe(0);
  });

  it("happens again when the directory is replaced, and when our socket is taken away", async () => {
    await using _aerial = startAerial([sampleRadio("a")]);
    let kubelet = await startKubelet();
    await until(() => kubelet.healthy(zigbee).length === 1);
    await kubelet.stop();
    renameSync(directory, `${directory}.old`);
    kubelet = await startKubelet();
    expect(await until(() => kubelet.healthy(zigbee).length === 1)).toBeLessThan(1_500);
    for (const name of sockets()) rmSync(join(directory, name));
    await until(() => kubelet.registrations.length === 2 && kubelet.healthy(zigbee).length === 1 && sockets().length === 1);
    await kubelet.stop();
  });

  it("goes on under backoff while the kubelet refuses, and says so", async () => {
    await using kubelet = await startKubelet();
    kubelet.refuse = "not today";
    await using aerial = startAerial([sampleRadio("a")]);
    await until(() => aerial.conditions.current.has("device-plugin.refused.zigbee"));
    expect(aerial.conditions.current.get("device-plugin.refused.zigbee")?.text).toContain("not today");
    await sleep(1_200);
    expect(kubelet.registrations.length).toBeLessThan(6);
    kubelet.refuse = undefined;
    await until(() => kubelet.healthy(zigbee).length === 1);
    await until(() => aerial.conditions.current.size === 0);
    expect(aerial.counters.registrationFailures).toBeGreaterThan(0);
  });

  it("is not tried with names the kubelet refuses", async () => {
    await using kubelet = await startKubelet();
    const domain = `${"d".repeat(60)}.`.repeat(4) + "abc";
    await using aerial = startAerial([sampleRadio("a")], { groups: { domain, groups: [] } });
    await until(() => aerial.conditions.current.has("device-plugin.invalid-name.zigbee"));
    expect(kubelet.registrations).toEqual([]);
  });

  it("is not possible where the path is too long, which is said", async () => {
    directory = join(root, "d".repeat(100 - root.length));
    await using _kubelet = new KubeletDouble(directory);
    mkdirSync(directory, { recursive: true });
    const socket = createServer().listen(join(root, "k"));
    await once(socket, "listening");
    renameSync(join(root, "k"), join(directory, "kubelet.sock"));
    await using aerial = startAerial([sampleRadio("a")]);
    await until(() => aerial.conditions.current.has("device-plugin.socket.zigbee"));
    expect(aerial.conditions.current.get("device-plugin.socket.zigbee")?.text).toContain("107");
    socket.close();
  });
});

describe("the list", () => {
  it("is whole on each change: unhealthy at once when unplugged or claimed, gone after the grace, the resource stays", async () => {
    await using kubelet = await startKubelet();
    await using aerial = startAerial([sampleRadio("a"), sampleRadio("b")], { graceMs: 400 });
    await until(() => kubelet.healthy(zigbee).length === 2);
    aerial.set([absent("a"), sampleRadio("b")]);
    expect(await until(() => kubelet.healthy(zigbee).length === 1)).toBeLessThan(200);
    expect(kubelet.devices(zigbee)).toHaveLength(2);
    await until(() => kubelet.devices(zigbee)?.length === 1);
    aerial.claimed.set(new Set(["b"]));
    await until(() => kubelet.healthy(zigbee).length === 0);
    expect(kubelet.devices(zigbee)).toEqual([{ ID: "b", health: "Unhealthy" }]);
    aerial.set([]);
    await until(() => kubelet.devices(zigbee)?.length === 0);
    aerial.claimed.set(new Set());
    aerial.set([sampleRadio("a")]);
    await until(() => kubelet.healthy(zigbee).length === 1);
    expect(kubelet.registrations).toHaveLength(1);
  });

  it("takes 129 radios, and leaves out ids that are too long", async () => {
    await using kubelet = await startKubelet();
    const many = Array.from({ length: 129 }, (_, index) => sampleRadio(`radio-${index}`));
    await using aerial = startAerial([...many, sampleRadio("x".repeat(64)), sampleRadio("y".repeat(63))]);
    await until(() => kubelet.healthy(zigbee).length === 130);
    expect(aerial.conditions.current.get("device-plugin.long-id")?.text).toContain("x".repeat(64));
  });

  it("does not offer a radio that was given out as another resource before its group changed", async () => {
    await using kubelet = await startKubelet();
    await using aerial = startAerial([sampleRadio("a"), sampleRadio("b")]);
    const held: RadioHolder = {
      radioId: "a",
      namespace: "home",
      pod: "z2m",
      container: "z2m",
      way: "device-plugin",
      request: "radio.mi.house/thread",
      since: "",
    };
    aerial.holders.set([held, { ...held, radioId: "b", request: zigbee }]);
    await until(() => kubelet.devices(zigbee)?.length === 2);
    await until(() => kubelet.healthy(zigbee).join(",") === "b");
  });
});

describe("containers", () => {
  it("get their radios by id, the same at each start, each asked about before", async () => {
    await using kubelet = await startKubelet();
    await using aerial = startAerial([sampleRadio("b"), sampleRadio("a"), sampleRadio("c")]);
    await until(() => kubelet.healthy(zigbee).length === 3);
    const before = aerial.handed();
    const two = await kubelet.admit("home/z2m/one", zigbee, 2);
    expect(two.response).toEqual({
      envs: {},
      devices: [],
      cdiDevices: [{ name: "radio.mi.house/radio=a" }, { name: "radio.mi.house/radio=b.2" }],
    });
    const one = await kubelet.admit("home/z2m/two", zigbee, 1);
    expect(one.devices).toEqual(["c"]);
    expect(aerial.handed()).toBe(before + 2);
    await expect(kubelet.startContainer("home/z2m/two")).resolves.toEqual(one.response);
    aerial.set([absent("c"), sampleRadio("a"), sampleRadio("b")]);
    await expect(kubelet.startContainer("home/z2m/two")).rejects.toThrow(/Dongle Plus \(P\) \(c\) is not plugged into n1/);
    await expect(kubelet.startContainer("home/z2m/one")).resolves.toBeDefined();
    aerial.set([sampleRadio("c", { name: "attic" }), sampleRadio("a"), sampleRadio("b")]);
    await expect(kubelet.startContainer("home/z2m/two")).resolves.toEqual(one.response);
    expect(aerial.counters).toMatchObject({ allocationsRefused: 0, preStartsRefused: 1 });
  });

  it("get device nodes and environment where the runtime knows no names", async () => {
    await using kubelet = await startKubelet();
    await using _aerial = startAerial([sampleRadio("a")], {
      allocate: ({ id }) => ({
        nodes: [{ path: "/dev/radio/zigbee", hostPath: "/dev/ttyUSB0", major: 188, minor: 0 }],
        environment: { RADIO_ZIGBEE_ID: id },
      }),
    });
    await until(() => kubelet.healthy(zigbee).length === 1);
    expect((await kubelet.admit("c", zigbee, 1)).response).toEqual({
      envs: { RADIO_ZIGBEE_ID: "a" },
      devices: [{ containerPath: "/dev/radio/zigbee", hostPath: "/dev/ttyUSB0", permissions: "rw" }],
      cdiDevices: [],
    });
  });

  it("are refused radios that are claimed or gone, even when the kubelet has not heard of it", async () => {
    await using kubelet = await startKubelet();
    await using aerial = startAerial([sampleRadio("a")], { graceMs: 0 });
    await until(() => kubelet.healthy(zigbee).length === 1);
    const list = kubelet.healthy(zigbee);
    aerial.claimed.set(new Set(["a"]));
    expect(list).toEqual(["a"]);
    await expect(kubelet.admit("c", zigbee, 1)).rejects.toThrow(/prepared for a resource claim|no healthy devices/);
    aerial.claimed.set(new Set());
    await until(() => kubelet.healthy(zigbee).length === 1);
    aerial.set([absent("a")]);
    await expect(kubelet.admit("c", zigbee, 1)).rejects.toThrow(/not plugged in|no healthy devices/);
  });

  it("wait with a sentence while nobody can look", async () => {
    await using kubelet = await startKubelet();
    await using _aerial = startAerial([sampleRadio("a")], { refresh: () => Promise.reject(new Error("/sys is gone")) });
    await until(() => kubelet.healthy(zigbee).length === 1);
    await kubelet.admit("c", zigbee, 1);
    await expect(kubelet.startContainer("c")).rejects.toThrow(/cannot tell whether the radio is plugged in: \/sys is gone/);
  });
});

it("whatever ids are asked for, the kubelet gets an answer or a sentence, and never a radio that is not listed", async () => {
  await using kubelet = await startKubelet();
  await using _aerial = startAerial([sampleRadio("a"), absent("b")]);
  await until(() => kubelet.healthy(zigbee).length === 1);
  using client = openGrpcClient({ path: join(directory, sockets()[0] ?? "") });
  const ids = fc.array(fc.oneof(fc.constantFrom("a", "b", "__proto__", "constructor", "a/../b"), fc.string()), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(ids, { maxLength: 4 }), async (containers) => {
      const request = { containerRequests: containers.map((devicesIds) => ({ devicesIds })) };
      const answer = await client
        .call(devicePlugin.allocate, request, { signal: new AbortController().signal, deadlineMs: 2_000 })
        .catch((error: unknown) => error);
      if (containers.every((one) => one.every((id) => id === "a"))) {
        const cdiDevices = containers.map((one) => (one.length === 0 ? [] : [{ name: "radio.mi.house/radio=a" }]));
        expect(answer).toMatchObject({ containerResponses: cdiDevices.map((names) => ({ cdiDevices: names })) });
      } else {
        expect(answer).toMatchObject({ code: "kubelet.refused", details: { status: "FAILED_PRECONDITION" } });
      }
    }),
    { numRuns: 100 },
  );
});

describe("lives of aerial", () => {
  it("a stop takes its sockets away, and a killed one's are removed at the next start", async () => {
    await using kubelet = await startKubelet();
    {
      await using _aerial = startAerial([sampleRadio("a")]);
      await until(() => kubelet.healthy(zigbee).length === 1);
    }
    expect(sockets()).toEqual([]);
    expect(kubelet.devices(zigbee)).toEqual([{ ID: "a", health: "Unhealthy" }]);
    const killed = createServer().listen(join(directory, "aerial-zigbee-00000000.sock"));
    await once(killed, "listening");
    renameSync(join(directory, "aerial-zigbee-00000000.sock"), join(directory, "aerial-zigbee-0000000f.sock"));
    await new Promise((resolve) => killed.close(resolve));
    const others = createServer().listen(join(directory, "nvidia.sock"));
    await once(others, "listening");
    renameSync(join(directory, "nvidia.sock"), join(directory, "intel.sock"));
    await new Promise((resolve) => others.close(resolve));
    await using _next = startAerial([sampleRadio("a")]);
    await until(() => kubelet.healthy(zigbee).length === 1);
    expect(sockets()).toHaveLength(1);
    expect(sockets()).not.toContain("aerial-zigbee-0000000f.sock");
    expect(readdirSync(directory)).toContain("intel.sock");
  });

  it("two at once do not fight, and the newer goes on when the older leaves", async () => {
    await using kubelet = await startKubelet();
    const older = startAerial([sampleRadio("a")]);
    await until(() => kubelet.healthy(zigbee).length === 1);
    await kubelet.admit("c", zigbee, 1);
    await using _newer = startAerial([sampleRadio("a")]);
    await until(() => kubelet.registrations.length === 2);
    await sleep(2_500);
    expect(kubelet.registrations).toHaveLength(2);
    expect(sockets()).toHaveLength(2);
    await older[Symbol.asyncDispose]();
    expect(await until(() => kubelet.healthy(zigbee).length === 1)).toBeLessThan(1_000);
    await expect(kubelet.startContainer("c")).resolves.toBeDefined();
    await sleep(1_500);
    expect(kubelet.registrations.length).toBeLessThan(6);
    expect(kubelet.healthy(zigbee)).toEqual(["a"]);
  });

  it("kubelet and aerial restarted at random: each container keeps its radio, and none has two holders", async () => {
    const radios = [sampleRadio("a"), sampleRadio("b")];
    await using kubelet = await startKubelet();
    let aerial = startAerial(radios);
    await until(() => kubelet.healthy(zigbee).length === 2);
    const kept = [await kubelet.admit("one", zigbee, 1), await kubelet.admit("two", zigbee, 1)];
    expect(new Set(kept.flatMap(({ devices }) => devices)).size).toBe(2);
    const slowest: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      if (round % 2 === 0) await kubelet.restart();
      if (round % 3 !== 1) {
        await aerial[Symbol.asyncDispose]();
        aerial = startAerial(radios);
      }
      slowest.push(await until(() => kubelet.healthy(zigbee).length === 2));
      expect(await kubelet.startContainer("one")).toEqual(kept[0]?.response);
      await expect(kubelet.admit("three", zigbee, 1)).rejects.toThrow(/unavailable/);
    }
    expect(Math.max(...slowest)).toBeLessThan(2_000);
    kubelet.release("one");
    expect((await kubelet.admit("three", zigbee, 1)).devices).toEqual(kept[0]?.devices);
    await aerial[Symbol.asyncDispose]();
  });
});
