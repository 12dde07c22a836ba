import { expect, onTestFinished, test } from "vitest";
import { type ManualClock, createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { type Conditions, createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { WatchEvent } from "../../kube/watch.ts";
import { watchNode } from "./watch-node.ts";

type Stream = (clock: ManualClock, signal: AbortSignal) => AsyncGenerator<WatchEvent>;

interface World {
  readonly clock: ManualClock;
  readonly conditions: Conditions;
  readonly seen: (string | undefined)[];
  reads: number;
  /** The version each watch asked for. */
  readonly watches: (string | undefined)[];
}

const nodeAt = (resourceVersion: string): KubeObject => ({ kind: "Node", metadata: { name: "n1", uid: "u", resourceVersion } });
const gone = (): AerialError => new AerialError("kube.conflict", "too old", { details: { status: 410, reason: "Expired" } });

/** The node stands at version 1; each watch is answered by the next stream, the last one again and again. */
function watch(streams: readonly (Stream | AerialError)[], read: () => KubeObject = () => nodeAt("1")): World {
  const clock = createManualClock();
  const world: World = { clock, conditions: createConditions(clock), seen: [], reads: 0, watches: [] };
  const controller = new AbortController();
  const done = watchNode(
    {
      node: "n1",
      clock,
      conditions: world.conditions,
      log: silentLog,
      seen: (view) => world.seen.push(view?.resourceVersion),
      kube: {
        async get() {
          world.reads += 1;
          return read();
        },
        apply: () => Promise.reject(new AerialError("kube.invalid", "a watch writes nothing")),
        async watch(_path, query, signal) {
          world.watches.push(query["resourceVersion"]);
          const stream = streams[Math.min(world.watches.length, streams.length) - 1];
          if (stream === undefined || stream instanceof AerialError) throw stream ?? gone();
          return stream(clock, signal);
        },
      },
    },
    controller.signal,
  );
  onTestFinished(async () => {
    controller.abort(new AerialError("internal.abort", "test over"));
    await done;
  });
  return world;
}

/** Says nothing for `milliseconds`, then ends, or breaks. */
const silence = (milliseconds: number, error?: AerialError): Stream =>
  async function* silent(clock, signal) {
    if (milliseconds > 0) await clock.sleep(milliseconds, signal);
    if (error) throw error;
    yield* [];
  };
const quiet = silence(300_000);
const minute = 60_000;

test("reads the node, then follows it from there", async () => {
  const world = watch([
    async function* follow(clock, signal) {
      yield { type: "MODIFIED", object: nodeAt("2") };
      yield { type: "DELETED", object: nodeAt("3") };
      yield { type: "ADDED", object: nodeAt("4") };
      yield { type: "BOOKMARK", object: { kind: "Node", metadata: { resourceVersion: "9" } } };
      await clock.sleep(300_000, signal);
    },
    quiet,
  ]);
  await settle();
  expect(world.seen).toEqual(["1", "2", undefined, "4"]);
  await world.clock.advance(5 * minute);
  expect(world.watches).toEqual(["1", "9"]);
  expect([world.reads, world.conditions.current.size]).toEqual([1, 0]);
});

test("a version that is too old is replaced at once by reading anew", async () => {
  const world = watch([quiet, gone(), quiet]);
  await world.clock.advance(5 * minute);
  expect(world.watches).toEqual(["1", "1", "1"]);
  expect([world.reads, world.conditions.current.size]).toEqual([2, 0]);
});

test("a stream that breaks after a while is taken up at once, without a word", async () => {
  const world = watch([silence(minute, new AerialError("kube.protocol", "cut short")), quiet]);
  await world.clock.advance(minute);
  expect(world.watches).toHaveLength(2);
  expect(world.conditions.current.size).toBe(0);
});

test.for([
  ["refused", new AerialError("kube.forbidden", "may not watch nodes")],
  ["too old again and again", gone()],
  ["away", new AerialError("kube.unreachable", "away")],
] as const)("%s: read every ten to sixty seconds instead, and said so", async ([, error]) => {
  const world = watch([error]);
  await settle();
  expect(world.conditions.current.get("output.labels.unwatched")?.text).toContain(error.message);
  await world.clock.advance(10 * minute);
  expect(world.watches.length).toBeGreaterThanOrEqual(10);
  expect(world.watches.length).toBeLessThanOrEqual(60);
});

test("streams that end at once do not make it spin", async () => {
  const world = watch([silence(0)]);
  await world.clock.advance(10 * minute);
  expect(world.watches.length).toBeGreaterThanOrEqual(10);
  expect(world.watches.length).toBeLessThanOrEqual(62);
});

test("garbage does not make it spin, and ends when it ends", async () => {
  let garbage = true;
  const world = watch([quiet], () => (garbage ? { kind: "Surprise" } : nodeAt("5")));
  await world.clock.advance(10 * minute);
  expect(world.reads).toBeLessThanOrEqual(60);
  expect(world.conditions.current.size).toBe(1);
  garbage = false;
  await world.clock.advance(2 * minute);
  expect(world.seen).toEqual(["5"]);
  expect(world.conditions.current.size).toBe(0);
});
