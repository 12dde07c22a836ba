import { mkdirSync, mkdtempSync, renameSync, rmSync, existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { Cell } from "../core/cell.ts";
import { systemClock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import { draHealth, draPlugin, draVersions, pluginRegistration } from "./dra-messages.ts";
import { type GrpcClient, openGrpcClient } from "./grpc-client.ts";
import { type DraSocketsDependencies, hasPluginRegistry, runDraSockets } from "./run-dra-sockets.ts";

const driver = "radio.mi.house";
const signal = new AbortController().signal;
const options = { signal, deadlineMs: 2_000 };
const claims = [
  { namespace: "house", uid: "1", name: "one" },
  { namespace: "house", uid: "2", name: "two" },
];

let kubelet: string;
let endpoint: string;
let registration: string;

beforeEach(() => {
  kubelet = mkdtempSync(join(tmpdir(), "aerial-kubelet-"));
  endpoint = join(kubelet, "plugins", driver, "dra.sock");
  registration = join(kubelet, "plugins_registry", `${driver}-reg.sock`);
  return () => rmSync(kubelet, { recursive: true });
});

type Health = DraSocketsDependencies["health"]["current"][number];

function serve(changes: Partial<DraSocketsDependencies> = {}) {
  const controller = new AbortController();
  const reports: (string | undefined)[] = [];
  const device = { requestNames: ["radio"], poolName: "n1", deviceName: "a", cdiDeviceIds: [`${driver}/radio=a`] };
  const health = new Cell<readonly Health[]>([]);
  const done = runDraSockets(
    {
      kubelet,
      driver,
      prepare: async (asked) =>
        new Map(asked.map(({ uid }) => [uid, uid === "1" ? { devices: [device], error: "" } : { devices: [], error: "not plugged in" }])),
      unprepare: async (asked) => new Map(asked.map(({ uid }) => [uid, uid === "1" ? "" : "disk full"])),
      health,
      report: (problem) => reports.push(problem),
      clock: systemClock,
      log: silentLog,
      ...changes,
    },
    controller.signal,
  );
  const stop = async (): Promise<void> => {
    controller.abort(new AerialError("internal.abort", "stopped"));
    await done;
  };
  onTestFinished(stop);
  return { reports, health, device, stop };
}

function call(path: string): GrpcClient {
  const client = openGrpcClient({ path });
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

const untilServed = (path: string) => expect.poll(() => existsSync(path), { timeout: 9_000 }).toBe(true);

test("the kubelet finds the driver, and is told where and how to call it", async () => {
  mkdirSync(join(kubelet, "plugins_registry"));
  const { reports } = serve();
  await untilServed(registration);
  const client = call(registration);
  expect(await client.call(pluginRegistration.getInfo, {}, options)).toEqual({
    type: "DRAPlugin",
    name: driver,
    endpoint,
    supportedVersions: ["v1.DRAPlugin", "v1beta1.DRAPlugin", "v1alpha1.DRAResourceHealth"],
  });
  expect(existsSync(endpoint)).toBe(true);
  await client.call(pluginRegistration.notifyStatus, { pluginRegistered: false, error: "no\u001B such version" }, options);
  await client.call(pluginRegistration.notifyStatus, { pluginRegistered: true, error: "" }, options);
  expect(reports).toEqual(["the kubelet refused radio.mi.house: no\\u{1b} such version", undefined]);
});

test.each(draVersions)("%s: each claim gets its own answer", async (version) => {
  mkdirSync(join(kubelet, "plugins_registry"));
  const { device } = serve();
  await untilServed(registration);
  const client = call(endpoint);
  const { prepare, unprepare } = draPlugin(version);
  const { claims: prepared } = await client.call(prepare, { claims }, options);
  expect(prepared).toMatchObject({ "1": { devices: [device], error: "" }, "2": { devices: [], error: "not plugged in" } });
  expect(await client.call(unprepare, { claims }, options)).toEqual({ claims: { "1": { error: "" }, "2": { error: "disk full" } } });
});

test("health is told whole, at once and after each change", async () => {
  mkdirSync(join(kubelet, "plugins_registry"));
  const { health } = serve();
  await untilServed(registration);
  const device = { poolName: "n1", deviceName: "a" };
  health.set([{ device, health: "HEALTHY", message: "" }]);
  const stream = call(endpoint).stream(draHealth.watch, {}, signal);
  const next = async () => (await stream.next()).value?.devices;
  expect(await next()).toMatchObject([{ device, health: "HEALTHY", healthCheckTimeoutSeconds: 300 }]);
  health.set([{ device, health: "UNHEALTHY", message: "unplugged" }]);
  const [told] = (await next()) ?? [];
  expect(told).toMatchObject({ device, health: "UNHEALTHY", message: "unplugged" });
  expect(Math.abs((told?.lastUpdatedTime ?? 0) - Date.now() / 1_000)).toBeLessThan(5);
  await stream.return();
});

test("what an earlier life left behind is taken over, and taken away at the end", async () => {
  mkdirSync(join(kubelet, "plugins", driver), { recursive: true });
  mkdirSync(join(kubelet, "plugins_registry"));
  for (const path of [endpoint, registration]) writeFileSync(path, "");
  const { stop } = serve();
  const client = call(registration);
  await expect.poll(() => client.call(pluginRegistration.getInfo, {}, options).catch(() => undefined)).toMatchObject({ endpoint });
  await stop();
  expect([endpoint, registration].map((path) => existsSync(path))).toEqual([false, false]);
});

test("sockets that somebody removes, with their directories or without, come back", async () => {
  mkdirSync(join(kubelet, "plugins_registry"));
  const { reports } = serve();
  await untilServed(registration);
  rmSync(registration);
  await untilServed(registration);
  renameSync(join(kubelet, "plugins_registry"), join(kubelet, "old"));
  rmSync(join(kubelet, "plugins"), { recursive: true });
  mkdirSync(join(kubelet, "plugins_registry"));
  await untilServed(registration);
  expect(await call(registration).call(pluginRegistration.getInfo, {}, options)).toMatchObject({ name: driver });
  expect(existsSync(endpoint)).toBe(true);
  expect(reports).toEqual([]);
}, 25_000);

test("without a directory to register in, and with a path that is too long, it says so and waits", async () => {
  expect(hasPluginRegistry(kubelet)).toBe(false);
  const { reports } = serve();
  await expect.poll(() => reports.length).toBeGreaterThan(0);
  expect(reports[0]).toContain("plugins_registry");
  mkdirSync(join(kubelet, "plugins_registry"));
  expect(hasPluginRegistry(kubelet)).toBe(true);
  await untilServed(registration);
  const long = serve({ driver: "a".repeat(63), kubelet: join(kubelet, "b".repeat(40)) });
  await expect.poll(() => long.reports[0]).toMatch(/has \d+ bytes/);
});
