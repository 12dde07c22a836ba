import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openLyingServer, refusal } from "../../test/cluster/lying-server.ts";
import { type LeaseClient, LeaseServer } from "../../test/fixtures/lease-server.ts";
import { type ManualClock, createManualClock, settle } from "../../test/fixtures/manual-clock.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Conditions, createConditions } from "../core/condition.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import { openKube } from "./kube.ts";
import { type LeaseDependencies, runLease } from "./lease.ts";

const durationMs = 6_000;
const renewMs = 2_000;
/** What is stated: a holder that dies is replaced after its duration and one more question. */
const failoverMs = durationMs + renewMs;
const name = "aerial-relay-home-iot";

interface Candidate {
  readonly name: string;
  readonly client: LeaseClient;
  readonly conditions: Conditions;
  /** As told, oldest first; `undefined` is unknown. */
  readonly told: (string | undefined)[];
  readonly holds: () => boolean;
  stop(): Promise<void>;
}

function stand(who: string, server: LeaseServer, clock: Clock): Candidate {
  const client = server.client();
  const told: (string | undefined)[] = [];
  const conditions = createConditions(clock);
  const stop = run({ clock, conditions, holder: who, kube: client, onHolder: (holder) => told.push(holder) });
  // Runs before `stop`, which would wait for made-up time to pass.
  onTestFinished(() => {
    client.state = "connected";
  });
  return { name: who, client, conditions, told, holds: () => told.at(-1) === who, stop };
}

function run(dependencies: Pick<LeaseDependencies, "clock" | "conditions" | "holder" | "kube" | "onHolder"> & Partial<LeaseDependencies>) {
  const controller = new AbortController();
  const options = {
    log: silentLog,
    namespace: "aerial",
    name,
    durationSeconds: durationMs / 1_000,
    renewMs,
    consequence: "Agreed otherwise",
  };
  const done = runLease({ ...options, ...dependencies }, controller.signal);
  const stop = (): Promise<void> => {
    controller.abort(new AerialError("internal.abort", "test over"));
    return done;
  };
  onTestFinished(stop);
  return stop;
}

/** Milliseconds until `isSo`, in steps of 50. */
async function until(clock: ManualClock, isSo: () => boolean): Promise<number> {
  let passed = 0;
  for (; !isSo() && passed < 60_000; passed += 50) await clock.advance(50);
  return passed;
}

async function two(): Promise<{ server: LeaseServer; clock: ManualClock; one: Candidate; other: Candidate }> {
  const server = new LeaseServer();
  const clock = createManualClock();
  const one = stand("n1", server, clock);
  await settle();
  const other = stand("n2", server, clock);
  await settle();
  return { server, clock, one, other };
}

test("alone it takes the lease at once and renews it", async () => {
  const server = new LeaseServer();
  const clock = createManualClock();
  const one = stand("n1", server, clock);
  await settle();
  expect(one.told).toEqual(["n1"]);
  expect(server.leases.get(name)).toMatchObject({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "aerial" },
    spec: {
      holderIdentity: "n1",
      leaseDurationSeconds: 6,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.000000Z",
      leaseTransitions: 0,
    },
  });
  await clock.advance(60_000);
  expect(server.leases.get(name)?.spec).toMatchObject({
    acquireTime: "2026-01-01T00:00:00.000000Z",
    renewTime: "2026-01-01T00:01:00.000000Z",
    leaseTransitions: 0,
  });
  expect(one.client.requests).toBe(2 + 30);
});

test("another waits, watches and asks for nothing", async () => {
  const { clock, one, other } = await two();
  await clock.advance(60_000);
  expect([one.told, other.told]).toEqual([["n1"], ["n1"]]);
  expect(other.client.requests).toBe(2);
});

test("a holder that gives it up is followed at once", async () => {
  const { server, one, other } = await two();
  await one.stop();
  await settle();
  expect(other.holds()).toBe(true);
  expect(one.told.at(-1)).toBeUndefined();
  expect(server.leases.get(name)?.spec).toMatchObject({ holderIdentity: "n2", leaseDurationSeconds: 6, leaseTransitions: 1 });
});

test("a holder that is cut off stops in time, and then another takes over, within what is stated", async () => {
  const { clock, one, other } = await two();
  await clock.advance(5_300);
  one.client.state = "cut";
  const stopped = await until(clock, () => !one.holds());
  expect(other.holds()).toBe(false);
  expect(stopped + (await until(clock, other.holds))).toBeLessThanOrEqual(failoverMs);
  expect(one.conditions.current.get(`lease.${name}.unknown`)).toMatchObject({ severity: "warning" });
  one.client.state = "connected";
  await clock.advance(5_000);
  expect([one.told.at(-1), other.told.at(-1)]).toEqual(["n2", "n2"]);
  expect([...one.conditions.current.keys()]).toEqual([]);
});

test("while the API server is away nobody is known, and afterwards it is who it was", async () => {
  const { clock, one, other } = await two();
  await clock.advance(9_000);
  for (const { client } of [one, other]) client.state = "cut";
  expect(await until(clock, () => one.told.at(-1) === undefined)).toBeLessThanOrEqual(durationMs);
  expect(await until(clock, () => other.told.at(-1) === undefined)).toBeLessThanOrEqual(renewMs / 4);
  await clock.advance(60_000);
  // The other finds it first.
  other.client.state = "connected";
  await clock.advance(1_500);
  one.client.state = "connected";
  await clock.advance(10_000);
  expect([one.told, other.told]).toEqual([
    ["n1", undefined, "n1"],
    ["n1", undefined, "n1"],
  ]);
});

test("a holder that could not write because the server stood still is not replaced when it goes on", async () => {
  for (let standstill = 100; standstill < 12_000; standstill += 100) {
    const { clock, one, other } = await two();
    await clock.advance(3_050);
    const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
    for (const { client } of [one, other]) client.paused = resumed;
    await clock.advance(standstill);
    for (const { client } of [one, other]) client.paused = undefined;
    resume();
    await clock.advance(10_000);
    expect(other.told.filter((who) => who !== undefined)).not.toContain("n2");
    expect(one.told.at(-1)).toBe("n1");
  }
});

test("its own lease from before a restart is taken up at once", async () => {
  const server = new LeaseServer();
  const clock = createManualClock();
  const before = stand("n1", server, clock);
  await settle();
  before.client.state = "cut";
  const after = stand("n1", server, clock);
  await settle();
  expect(after.told).toEqual(["n1"]);
  expect(server.leases.get(name)?.spec["leaseTransitions"]).toBe(0);
});

test("somebody else's clock does not matter, nor do edits that are none of the holder's", async () => {
  const { server, clock, one, other } = await two();
  one.client.state = "cut";
  server.edit(name, (lease) => ({ ...lease, spec: { ...lease.spec, renewTime: "2031-01-01T00:00:00.000000Z" } }));
  for (let edits = 0; edits < 5; edits += 1) {
    await clock.advance(1_000);
    server.edit(name, (lease) => ({ ...lease, metadata: { ...lease.metadata, annotations: { edits } } }));
  }
  expect(await until(clock, other.holds)).toBeLessThanOrEqual(failoverMs - 5_000);
});

test("a holder whose lease is edited or deleted keeps it", async () => {
  const { server, clock, one, other } = await two();
  server.edit(name, (lease) => ({
    ...lease,
    metadata: { ...lease.metadata, annotations: { a: "b" } },
    spec: { ...lease.spec, strategy: "x" },
  }));
  await clock.advance(10_000);
  expect(server.leases.get(name)?.spec).toMatchObject({ holderIdentity: "n1", strategy: "x" });
  expect([one.told, other.told]).toEqual([["n1"], ["n1"]]);
  server.delete(name);
  await clock.advance(10_000);
  expect(server.leases.size).toBe(1);
  expect(one.told.at(-1)).toBe(other.told.at(-1));
});

test("streams that end are taken up again, without haste", async () => {
  const { server, clock, other } = await two();
  for (let times = 0; times < 10; times += 1) {
    server.endWatches();
    await clock.advance(1_000);
  }
  expect(other.told).toEqual(["n1"]);
  expect(other.client.requests).toBeLessThanOrEqual(2 + 2 * 6);
});

test("no holder, however long it says it will be away, is waited for longer than a minute", async () => {
  const { server, clock, one, other } = await two();
  one.client.state = "cut";
  server.edit(name, (lease) => ({ ...lease, spec: { ...lease.spec, leaseDurationSeconds: 1_000_000 } }));
  expect(await until(clock, other.holds)).toBeLessThanOrEqual(60_000 + renewMs);
});

const stored = (holderIdentity: string): object => ({
  metadata: { name, resourceVersion: "7" },
  spec: { holderIdentity, leaseDurationSeconds: 1 },
});
const lies = [
  ["a conflict with every write", "n2", refusal(409, "Conflict", "the object has been modified")],
  ["a server error", "n2", refusal(500, "InternalError", "etcdserver: request timed out")],
  ["a refusal", "n2", refusal(403, "Forbidden", "no")],
  ["an object that is no Lease", "n2", { type: "reply", status: 200, body: { kind: "Status" } }],
  ["no answer", "n2", { type: "silence" }],
] as const;

test.for(lies)("%s makes nobody the holder, and is got over", async ([, holder, lie]) => {
  let lying = true;
  await using server = await openLyingServer(({ method }) => {
    if (method === "GET") return { type: "reply", status: 200, body: stored("") };
    return lying ? lie : { type: "reply", status: 200, body: stored(holder) };
  });
  await using kube = await openKube({ kubeconfig: server.kubeconfig, clock: systemClock, log: silentLog }, new AbortController().signal);
  const told: (string | undefined)[] = [];
  const conditions = createConditions(systemClock);
  const stop = run({
    clock: { now: () => systemClock.now(), sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 10, signal) },
    conditions,
    kube,
    holder,
    renewMs: 400,
    onHolder: (who) => told.push(who),
  });
  await expect.poll(() => server.requests.filter(({ method }) => method === "PUT").length).toBeGreaterThan(1);
  expect(told).toEqual([]);
  lying = false;
  await expect.poll(() => told, { timeout: 8_000 }).toEqual([holder]);
  expect([...conditions.current.keys()]).toEqual([]);
  await stop();
});

test("a refusal names the missing right", async () => {
  const said = `leases.coordination.k8s.io is forbidden: User "system:serviceaccount:aerial:aerial" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "aerial"`;
  const { server, clock } = { server: new LeaseServer(), clock: createManualClock() };
  const one = stand("n1", server, clock);
  one.client.refusal = new AerialError("kube.forbidden", said);
  await clock.advance(100);
  expect(one.conditions.current.get(`lease.${name}.unknown`)?.text).toBe(`Agreed otherwise: ${said}; apply the roles in daemonset/base`);
  one.client.refusal = undefined;
  await clock.advance(60_000);
  expect([one.told, one.conditions.current.size]).toEqual([["n1"], 0]);
});

const happening = fc.record({
  after: fc.integer({ min: 0, max: 9_000 }),
  who: fc.nat(2),
  what: fc.constantFrom("cut", "connect", "stop", "end watches", "edit", "outage"),
});

test("whatever happens, no two hold it, and in the end one does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 10 }), async (happenings) => {
      const server = new LeaseServer();
      const clock = createManualClock();
      let candidates = ["n1", "n2", "n3"].map((who) => stand(who, server, clock));
      const watch = async (milliseconds: number): Promise<void> => {
        for (let passed = 0; passed < milliseconds; passed += 250) {
          await clock.advance(Math.min(250, milliseconds - passed));
          expect(candidates.filter(({ holds }) => holds()).length).toBeLessThan(2);
        }
      };
      for (const { after, who, what } of happenings) {
        await watch(after);
        const candidate = candidates[who % candidates.length]!;
        if (what === "cut") candidate.client.state = "cut";
        else if (what === "connect") candidate.client.state = "connected";
        else if (what === "outage") for (const { client } of candidates) client.state = "cut";
        else if (what === "end watches") server.endWatches();
        else if (what === "edit" && server.leases.has(name)) server.edit(name, (lease) => ({ ...lease, metadata: { ...lease.metadata } }));
        else if (what === "stop" && candidates.length > 1) {
          candidates = candidates.filter((other) => other !== candidate);
          const stopped = candidate.stop();
          await clock.advance(5_000);
          await stopped;
        }
      }
      for (const { client } of candidates) client.state = "connected";
      await watch(2 * failoverMs);
      expect(candidates.filter(({ holds }) => holds())).toHaveLength(1);
      expect(new Set(candidates.map(({ told }) => told.at(-1)))).toEqual(new Set([server.holderOf(name)]));
      for (const candidate of candidates) {
        const stopped = candidate.stop();
        await clock.advance(5_000);
        await stopped;
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
