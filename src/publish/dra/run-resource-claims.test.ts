import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/fixtures/manual-clock.ts";
import { sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { createAwaitedClaims } from "./awaited-claims.ts";
import { type ResourceClaimsDependencies, runResourceClaims } from "./run-resource-claims.ts";

const away = () => new AerialError("kube.unreachable", "the API server is away");
const group = "/apis/resource.k8s.io/v1";

interface Start {
  readonly enabled?: true | "auto";
  readonly domain?: string;
  /** What is remembered from an earlier life. */
  readonly book?: object;
  readonly hasKubelet?: boolean;
}

/** What the API server answers is for tests to change. */
function start({ enabled = "auto", domain = "radio.mi.house", book, hasKubelet = true }: Start = {}) {
  const directory = mkdtempSync(join(tmpdir(), "aerial-claims-"));
  const kubelet = join(directory, "kubelet");
  if (hasKubelet) mkdirSync(join(kubelet, "plugins_registry"), { recursive: true });
  if (book !== undefined) writeFileSync(join(directory, "resource-claims.json"), JSON.stringify(book));
  const clock: ManualClock = createManualClock();
  const conditions = createConditions(clock);
  const claimed = new Cell<ReadonlySet<string>>(new Set());
  const said: string[] = [];
  const server = {
    discovery: (): KubeObject => ({ resources: [{ name: "resourceslices" }] }),
    slices: (): KubeObject => ({ metadata: { resourceVersion: "1" }, items: [] }),
    claim: (): KubeObject => {
      throw away();
    },
  };
  const kube: ResourceClaimsDependencies["kube"] = {
    get: async (path) =>
      path === group ? server.discovery() : path.includes("resourceclaims") ? server.claim() : { metadata: { uid: "u" } },
    list: async () => server.slices(),
    create: async (_path, object) => ({ ...object, metadata: { ...(object["metadata"] as object), uid: "u", resourceVersion: "1" } }),
    replace: () => Promise.reject(away()),
    remove: () => Promise.reject(away()),
    watch: () => Promise.reject(away()),
  };
  const controller = new AbortController();
  const done = runResourceClaims(
    {
      kube,
      enabled,
      domain,
      node: "n1",
      kubelet,
      stateDirectory: directory,
      snapshots: new Cell(sampleSnapshot([])),
      awaited: createAwaitedClaims(clock),
      holders: new Cell([]),
      groups: () => new Map(),
      cdiName: (id) => id,
      refresh: async () => sampleSnapshot([]),
      given: new Cell(new Set<string>()),
      handed: () => {},
      claimed,
      graceMs: 30_000,
      clock,
      conditions,
      log: { ...silentLog, info: (data, message) => said.push(`${message}${"why" in data ? `: ${String(data.why)}` : ""}`) },
    },
    controller.signal,
  );
  onTestFinished(async () => {
    controller.abort(new AerialError("internal.abort", "test over"));
    await done;
    rmSync(directory, { recursive: true });
  });
  const isServed = () => existsSync(join(kubelet, "plugins_registry", `${domain}-reg.sock`));
  const off = () => conditions.current.get("resource-claims.off")?.text;
  return { server, clock, claimed, said, isServed, off, done, kubelet };
}

type World = ReturnType<typeof start>;
const untilSaid = (world: World, pattern: RegExp) => expect.poll(() => world.said.some((line) => pattern.test(line))).toBe(true);

test("with a kubelet, the API and the rights: the driver is there", async () => {
  const world = start();
  await expect.poll(world.isServed).toBe(true);
  expect(world.off()).toBeUndefined();
});

const notFound = (): never => {
  throw new AerialError("kube.not-found", "404");
};
const forbidden = (): never => {
  throw new AerialError("kube.forbidden", "aerial may not list resourceslices");
};

test.each<[string, (world: World) => void, RegExp]>([
  ["no API", ({ server }) => (server.discovery = notFound), /no resource\.k8s\.io\/v1/],
  [
    "an API without slices",
    ({ server }) => (server.discovery = () => ({ resources: [{ name: "deviceclasses" }, null] })),
    /no resource\.k8s\.io\/v1/,
  ],
  ["no rights", ({ server }) => (server.slices = forbidden), /apply daemonset\/components\/resource-claims/],
])("%s: one line in the log, and another look later", async (_what, obstruct, why) => {
  const world = start();
  const { discovery, slices } = world.server;
  obstruct(world);
  await untilSaid(world, why);
  await world.clock.advance(1_200_000);
  expect(world.said.filter((line) => why.test(line))).toHaveLength(1);
  expect([world.isServed(), world.off()]).toEqual([false, undefined]);
  Object.assign(world.server, { discovery, slices });
  await world.clock.advance(300_000);
  await expect.poll(world.isServed).toBe(true);
});

test("where it was asked for, what is in the way is a condition until it is gone", async () => {
  const world = start({ enabled: true, hasKubelet: false });
  await expect.poll(world.off).toMatch(/There is no kubelet at/);
  mkdirSync(join(world.kubelet, "plugins_registry"), { recursive: true });
  await world.clock.advance(300_000);
  await expect.poll(world.isServed).toBe(true);
  expect(world.off()).toBeUndefined();
});

test("an API server that is away is tried again soon", async () => {
  const world = start();
  world.server.discovery = () => {
    throw away();
  };
  await untilSaid(world, /the API server is away/);
  world.server.discovery = () => ({ resources: [{ name: "resourceslices" }] });
  await world.clock.advance(10_000);
  await expect.poll(world.isServed).toBe(true);
});

const device = { radioId: "a", group: "zigbee", ordinal: 1, device: "a", request: "radio" };
const claim = { uid: "1", namespace: "house", name: "one", consumers: [], devices: [device] };
const book = { version: 1, claims: [claim] };

test("what was prepared is claimed and can be given back, whoever is away", async () => {
  const world = start({ book });
  world.server.discovery = () => {
    throw away();
  };
  await expect.poll(world.isServed).toBe(true);
  expect([...world.claimed.current]).toEqual(["a"]);
});

test("claims that vanished meanwhile are given back, at start at once and later at the second look", async () => {
  const vanished = start({ book });
  vanished.server.claim = notFound;
  await expect.poll(() => vanished.claimed.current.size).toBe(0);

  const later = start({ book });
  await expect.poll(() => later.claimed.current.size).toBe(1);
  await later.clock.advance(1_000);
  later.server.claim = notFound;
  await later.clock.advance(300_000);
  expect(later.claimed.current.size).toBe(1);
  await later.clock.advance(300_000);
  await expect.poll(() => later.claimed.current.size).toBe(0);
});

test("a domain that is too long for a driver's name is said, and ends it", async () => {
  const world = start({ domain: `${"a".repeat(60)}.house` });
  await world.done;
  expect(world.off()).toMatch(/longer than 63 characters/);
});
