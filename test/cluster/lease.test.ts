/** Leases of the relay against a real API server, as the account that daemonset/base makes. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Conditions, createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { type Kube, openKube } from "../../src/kube/kube.ts";
import { relayLeaseName } from "../../src/publish/lease/lease-name.ts";
import { type LinkPair, runRelayLeases } from "../../src/publish/lease/run-relay-leases.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser, installBase } from "./install-base.ts";

/** What is stated: a dead holder is replaced within its 10 s and one more question of at most 4 s. */
const failoverMs = 14_000;
/** For a machine that is busy with other things. */
const slackMs = 3_000;
const nodes = ["node-a", "node-b"] as const;

let cluster: Cluster;
let pairs = 0;

beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster);
  for (const name of nodes) await cluster.createNode(name);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

interface Contender {
  readonly conditions: Conditions;
  /** As told, oldest first. */
  readonly told: string[];
  /** From now on it neither asks nor hears anything. */
  kill(): void;
  stop(): Promise<void>;
}

function newPair(): LinkPair {
  pairs += 1;
  return ["home", `iot${pairs}`];
}

async function contend(node: string, pair: LinkPair, account: { readonly namespace: string; readonly name: string } = aerialAccount) {
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...account, node });
  const controller = new AbortController();
  const kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, controller.signal);
  const conditions = createConditions(systemClock);
  const told: string[] = [];
  let dead = false;
  const done = runRelayLeases(
    {
      kube: mortal(kube, () => dead),
      clock: systemClock,
      log: silentLog,
      conditions,
      namespace: "aerial",
      holder: node,
      pairs: new Cell<readonly LinkPair[]>([pair]),
      onHolder: (_pair, who) => told.push(who),
    },
    controller.signal,
  );
  let stopped: Promise<void> | undefined;
  const contender: Contender = {
    conditions,
    told,
    kill() {
      dead = true;
    },
    stop() {
      controller.abort(new AerialError("internal.abort", "test over"));
      stopped ??= done.then(() => kube[Symbol.asyncDispose]());
      return stopped;
    },
  };
  onTestFinished(() => contender.stop());
  return contender;
}

/** A client that stops in the middle of whatever it does. */
function mortal(kube: Kube, isDead: () => boolean): Pick<Kube, "get" | "create" | "replace" | "watch"> {
  const live = async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    const result = isDead() ? undefined : await work();
    if (result !== undefined && !isDead()) return result;
    return new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  };
  return {
    get: (path, signal) => live(() => kube.get(path, signal), signal),
    create: (path, object, signal) => live(() => kube.create(path, object, signal), signal),
    replace: (path, object, signal) => live(() => kube.replace(path, object, signal), signal),
    watch: (path, query, signal) => live(() => kube.watch(path, query, signal), signal),
  };
}

/** Milliseconds until the last thing told is `what`. */
async function until({ told }: Contender, what: string, limitMs = 30_000): Promise<number> {
  const begin = performance.now();
  while (told.at(-1) !== what && performance.now() - begin < limitMs) await sleep(10);
  expect(told.at(-1)).toBe(what);
  return performance.now() - begin;
}

async function bothUp(pair: LinkPair): Promise<{ one: Contender; other: Contender }> {
  const one = await contend("node-a", pair);
  await until(one, "ours");
  const other = await contend("node-b", pair);
  await until(other, "theirs");
  return { one, other };
}

const readLease = (pair: LinkPair) => cluster.api.fetch(`/apis/coordination.k8s.io/v1/namespaces/aerial/leases/${relayLeaseName(pair)}`);

test("one node holds it and renews it; the other watches and asks for nothing", async () => {
  const pair = newPair();
  await bothUp(pair);
  await sleep(5_000);
  expect((await readLease(pair))["spec"]).toMatchObject({ holderIdentity: "node-a", leaseDurationSeconds: 10, leaseTransitions: 0 });
  const asked = (await cluster.requestsBy(aerialUser)).filter(
    ({ resource, uri }) => resource === "leases" && uri.includes(relayLeaseName(pair)),
  );
  expect(
    asked
      .map(({ verb, status }) => `${verb} ${status ?? "open"}`)
      .filter((line) => !line.startsWith("update"))
      .toSorted(),
  ).toEqual(["get 200", "get 404", expect.stringMatching(/^watch/)]);
  const updates = asked.filter(({ verb }) => verb === "update").length;
  expect(updates).toBeGreaterThanOrEqual(1);
  expect(updates).toBeLessThanOrEqual(3);
});

test("a holder that stops in order is followed at once", async () => {
  const pair = newPair();
  const { one, other } = await bothUp(pair);
  await one.stop();
  expect(await until(other, "ours")).toBeLessThan(slackMs);
  expect((await readLease(pair))["spec"]).toMatchObject({ holderIdentity: "node-b", leaseTransitions: 1 });
  await other.stop();
  expect((await readLease(pair))["spec"]).toMatchObject({ holderIdentity: "" });
});

test("a holder that dies is replaced in the stated time, and never before it knows itself", async () => {
  const { one, other } = await bothUp(newPair());
  one.kill();
  const lostMs = await until(one, "unknown");
  expect(other.told).toEqual(["theirs"]);
  expect(lostMs + (await until(other, "ours"))).toBeLessThan(failoverMs + slackMs);
});

test("a server that no longer answers makes everybody say so, and leaves the lease where it was", async () => {
  const { one, other } = await bothUp(newPair());
  cluster.pause();
  try {
    await Promise.all([until(one, "unknown"), until(other, "unknown")]);
  } finally {
    cluster.resume();
  }
  await Promise.all([until(one, "ours"), until(other, "theirs")]);
  await sleep(3_000);
  expect([one.told, other.told]).toEqual([
    ["ours", "unknown", "ours"],
    ["theirs", "unknown", "theirs"],
  ]);
  expect(one.conditions.current.size + other.conditions.current.size).toBe(0);
});

test("a server that is down refuses, a condition says so, and it is got over", async () => {
  const pair = newPair();
  const { one, other } = await bothUp(pair);
  await cluster.stop();
  await Promise.all([until(one, "unknown"), until(other, "unknown")]);
  const condition = one.conditions.current.get(`lease.${relayLeaseName(pair)}.unknown`);
  expect(condition?.text).toMatch(/^which node relays between home and iot\d+ is agreed on these links alone: .*API server/);
  await cluster.start();
  await Promise.all([until(one, "ours"), until(other, "theirs")]);
  expect(one.told).toEqual(["ours", "unknown", "ours"]);
});

test("an account without the right is told which one it lacks", async () => {
  const pair = newPair();
  await cluster.kubectl(["create", "serviceaccount", "nobody", "-n", "aerial"]);
  const nobody = await contend("node-a", pair, { namespace: "aerial", name: "nobody" });
  const code = `lease.${relayLeaseName(pair)}.unknown`;
  await expect
    .poll(() => nobody.conditions.current.get(code)?.text, { timeout: 10_000 })
    .toMatch(
      /nobody may not get leases in namespace aerial; its role lacks .*resources: \["leases"\].*apply the roles in daemonset\/base$/,
    );
  expect(nobody.told).toEqual([]);
});
