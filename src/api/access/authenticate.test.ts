import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/fixtures/manual-clock.ts";
import type { TokenVerdict } from "../../core/access.ts";
import { type Conditions, createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { createAuthenticator } from "./authenticate.ts";
import { createClusterTokens } from "./cluster-tokens.ts";
import { openFileTokens } from "./file-tokens.ts";

const directory = mkdtempSync(join(tmpdir(), "aerial-authenticate-"));
const good = "good-token-0123456789";
beforeAll(() => writeFileSync(join(directory, "a"), good));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const signal = new AbortController().signal;
const caller = (name: string): TokenVerdict => ({ state: "caller", caller: { name, role: "viewer" } });

interface Cluster {
  readonly asked: string[];
  answer: (token: string) => Promise<TokenVerdict>;
}

async function open(cluster?: Cluster) {
  const clock: ManualClock = createManualClock();
  const conditions: Conditions = createConditions(clock);
  const tokens = [{ name: "a", role: "viewer", file: join(directory, "a") }] as const;
  const files = await openFileTokens({ tokens, clock, conditions, log: silentLog });
  const review = (token: string): Promise<TokenVerdict> => {
    cluster?.asked.push(token);
    return cluster?.answer(token) ?? Promise.resolve({ state: "unknown" });
  };
  const authenticate = createAuthenticator({ clock, files, cluster: cluster && createClusterTokens({ review, clock, conditions }) });
  /** The caller's name, or the status. */
  const ask = async (authorization: string | undefined, client = "192.0.2.7"): Promise<string | number> => {
    const request = { headers: authorization === undefined ? {} : { authorization } } as IncomingMessage;
    const outcome = await authenticate(request, client, signal);
    return "caller" in outcome ? outcome.caller.name : outcome.refusal.problem.status;
  };
  return { ask, authenticate, clock, conditions };
}

const unknown = { asked: [], answer: () => Promise.resolve<TokenVerdict>({ state: "unknown" }) };

test.each([
  [`Bearer ${good}`, "a"],
  [`bearer ${good}`, "a"],
  [`BEARER   ${good} `, "a"],
  [undefined, 401],
  ["", 401],
  ["Bearer", 401],
  ["Bearer ", 401],
  [good, 401],
  [`Basic ${good}`, 401],
  [`Bearer ${good} ${good}`, 401],
  [`Bearer ${good}x`, 401],
])("%j: %s", async (authorization, expected) => {
  const { ask } = await open();
  expect(await ask(authorization)).toBe(expected);
});

test("a refusal names the scheme, what was wrong with the token, and never the token", async () => {
  const { authenticate } = await open();
  const refusalOf = async (authorization?: string) => {
    const outcome = await authenticate({ headers: { authorization } } as IncomingMessage, "c", signal);
    return "refusal" in outcome ? outcome.refusal : undefined;
  };
  expect((await refusalOf())?.headers).toEqual({ "www-authenticate": 'Bearer realm="aerial"' });
  const wrong = await refusalOf("Bearer my-secret-my-secret");
  expect(wrong?.headers).toEqual({ "www-authenticate": 'Bearer realm="aerial", error="invalid_token"' });
  expect(JSON.stringify(wrong)).not.toContain("my-secret");
});

test("who guesses is not told any more, not even when right; others are, and after a while they are again", async () => {
  const { ask, clock } = await open();
  for (let guess = 0; guess < 10; guess += 1) expect(await ask(`Bearer wrong-${guess}-0123456789`)).toBe(401);
  expect(await ask("Bearer wrong-10-0123456789")).toBe(429);
  expect(await ask(`Bearer ${good}`)).toBe(429);
  expect(await ask(undefined)).toBe(401);
  expect(await ask(`Bearer ${good}`, "192.0.2.8")).toBe("a");
  await clock.advance(6_000);
  expect(await ask(`Bearer ${good}`)).toBe("a");
});

test("one with an old token does not shut out others behind the same address", async () => {
  const { ask } = await open();
  expect(await ask(`Bearer ${good}`)).toBe("a");
  for (let round = 0; round < 30; round += 1) await ask("Bearer old-token-0123456789");
  expect(await ask("Bearer old-token-0123456789")).toBe(429);
  expect(await ask(`Bearer ${good}`)).toBe("a");
});

test("what a file knows the cluster is not asked about; its answers are believed for a while", async () => {
  const cluster: Cluster = { asked: [], answer: (token) => Promise.resolve(token === "sa" ? caller("sa") : { state: "unknown" }) };
  const { ask, clock } = await open(cluster);
  expect(await ask(`Bearer ${good}`)).toBe("a");
  expect(await Promise.all([ask("Bearer sa"), ask("Bearer sa"), ask("Bearer sa")])).toEqual(["sa", "sa", "sa"]);
  expect(await ask("Bearer nobody")).toBe(401);
  expect(await ask("Bearer nobody")).toBe(401);
  expect(cluster.asked).toEqual(["sa", "nobody"]);
  cluster.answer = () => Promise.resolve({ state: "unknown" });
  await clock.advance(59_000);
  expect(await ask("Bearer sa")).toBe("sa");
  await clock.advance(1_000);
  expect(await ask("Bearer sa")).toBe(401);
  expect(cluster.asked).toEqual(["sa", "nobody", "sa"]);
});

test("rights that were just given are seen within ten seconds", async () => {
  const cluster: Cluster = { asked: [], answer: () => Promise.resolve({ state: "powerless", name: "sa" }) };
  const { ask, clock } = await open(cluster);
  expect(await ask("Bearer sa")).toBe(403);
  cluster.answer = () => Promise.resolve(caller("sa"));
  await clock.advance(10_000);
  expect(await ask("Bearer sa")).toBe("sa");
});

test("a cluster that is away lets nobody in, says so, and is asked again", async () => {
  const cluster: Cluster = { asked: [], answer: () => Promise.reject(new AerialError("kube.unreachable", "away")) };
  const { ask, conditions } = await open(cluster);
  expect(await ask("Bearer sa")).toBe(503);
  expect(conditions.current.get("api.kubernetes-tokens")?.text).toContain("away");
  expect(await ask(`Bearer ${good}`)).toBe("a");
  cluster.answer = () => Promise.resolve(caller("sa"));
  expect(await ask("Bearer sa")).toBe("sa");
  expect(conditions.current.size).toBe(0);
});

test("no more than eight are asked about at a time, and made-up tokens do not push out real ones", async () => {
  const waiting: (() => void)[] = [];
  const cluster: Cluster = { asked: [], answer: () => Promise.resolve(caller("sa")) };
  const { ask } = await open(cluster);
  expect(await ask("Bearer sa")).toBe("sa");
  cluster.answer = () => new Promise((resolve) => waiting.push(() => resolve({ state: "unknown" })));
  const asking = Array.from({ length: 20 }, (_, index) => ask(`Bearer made-up-${index}`, `client ${index}`));
  const first = await Promise.race(asking);
  expect(first).toBe(503);
  expect(cluster.asked).toHaveLength(9);
  for (const end of waiting) end();
  expect((await Promise.all(asking)).filter((status) => status === 401)).toHaveLength(8);
  cluster.answer = unknown.answer;
  for (let index = 0; index < 2_000; index += 1) await ask(`Bearer other-${index}`, `client ${index}`);
  const before = cluster.asked.length;
  expect(await ask("Bearer sa")).toBe("sa");
  expect(cluster.asked).toHaveLength(before);
});
