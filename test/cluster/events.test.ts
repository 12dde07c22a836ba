/** Kubernetes Events against a real API server: accepted as they are, told once, found where people look. */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Conditions, createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { HistoryEntry, Snapshot } from "../../src/core/radio.ts";
import type { Kube } from "../../src/kube/kube.ts";
import type { HistoryReader } from "../../src/publish/events/events-output.ts";
import { runEvents } from "../../src/publish/events/run-events.ts";
import { toEvent, toFoldedEvent } from "../../src/publish/events/to-event.ts";
import { sampleSnapshot } from "../fixtures/sample-radios.ts";
import type { ApiObject } from "./api-client.ts";
import { isWrite } from "./audit.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { createPublisherAccounts, openKubeAs, publisherUser } from "./publisher-account.ts";

let cluster: Cluster;
let kube: Kube;
const signal = new AbortController().signal;

beforeAll(async () => {
  cluster = await openCluster();
  await createPublisherAccounts(cluster);
  kube = await openKubeAs(cluster, "publisher");
});
afterAll(async () => {
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface World {
  readonly node: string;
  readonly inventory: HistoryReader;
  readonly snapshots: Cell<Snapshot>;
  readonly conditions: Conditions;
  cursor: number;
  add(type: HistoryEntry["type"], changes?: Partial<HistoryEntry>): void;
  /** Starts telling; the result stops it. */
  run(as?: Kube): () => Promise<void>;
}

let made = 0;
async function createWorld(): Promise<World> {
  const node = `node-${++made}`;
  await cluster.createNode(node);
  const history: HistoryEntry[] = [];
  const snapshots = new Cell(sampleSnapshot([]));
  const conditions = createConditions(systemClock);
  const world: World = {
    node,
    snapshots,
    conditions,
    cursor: 0,
    inventory: {
      history: ({ after, limit }) => history.filter(({ sequence }) => sequence > after).slice(0, limit),
      cursor: () => world.cursor,
      advanceCursor: (_reader, sequence) => {
        world.cursor = sequence;
      },
    },
    add(type, changes = {}) {
      const at = new Date().toISOString();
      history.push({ sequence: history.length + 1, at, type, radioId: "r", text: `it was ${type}`, details: { port: "1-1" }, ...changes });
      snapshots.set(sampleSnapshot([]));
    },
    run(as = kube) {
      const controller = new AbortController();
      const dependencies = { kube: as, node, inventory: world.inventory, snapshots, conditions, clock: systemClock, log: silentLog };
      const done = runEvents(dependencies, controller.signal);
      const stop = async (): Promise<void> => {
        controller.abort(new AerialError("internal.abort", "stopped"));
        await done;
      };
      onTestFinished(stop);
      return stop;
    },
  };
  return world;
}

async function eventsOf(node: string): Promise<readonly ApiObject[]> {
  return (await cluster.listEvents()).filter(({ regarding }) => (regarding as { readonly name?: string }).name === node);
}

async function untilReasons(node: string, reasons: readonly string[]): Promise<void> {
  const seen = async (): Promise<readonly string[]> => (await eventsOf(node)).map(({ reason }) => String(reason)).sort();
  await expect.poll(seen, { timeout: 20_000 }).toEqual([...reasons].sort());
}

test("comings and goings are told, and kubectl describe shows them", async () => {
  const world = await createWorld();
  world.run();
  world.add("attached");
  world.add("identified", { at: new Date(Date.now() + 10).toISOString() });
  world.add("leased");
  world.add("detached");
  await untilReasons(world.node, ["RadioAttached", "RadioIdentified", "RadioDetached"]);
  const described = await cluster.kubectl(["describe", "node", world.node]);
  expect(described).toMatch(/Warning\s+RadioDetached.*mi\.house\/aerial.*it was detached \(id: r, port: 1-1\)/);
});

test("a restart tells nothing twice, though the cursor may be behind", async () => {
  const world = await createWorld();
  const stop = world.run();
  world.add("attached");
  await untilReasons(world.node, ["RadioAttached"]);
  await stop();
  world.add("detached");
  world.run();
  await untilReasons(world.node, ["RadioAttached", "RadioDetached"]);
  expect(world.conditions.current.size).toBe(0);
});

test("what happens while the server is away is told when it is back", async () => {
  const world = await createWorld();
  world.run();
  cluster.pause();
  try {
    world.add("attached");
    await systemClock.sleep(300, signal);
    world.add("detached");
  } finally {
    cluster.resume();
  }
  await untilReasons(world.node, ["RadioAttached", "RadioDetached"]);
});

test("without rights a condition says which rule is missing, and nothing is lost", async () => {
  const world = await createWorld();
  await using powerless = await openKubeAs(cluster, "nobody");
  const stop = world.run(powerless);
  world.add("attached");
  await expect
    .poll(() => world.conditions.current.get("output.events.failing")?.text, { timeout: 5_000 })
    .toMatch(/nobody may not get nodes.*apply the ClusterRole/);
  await stop();
  world.run();
  await untilReasons(world.node, ["RadioAttached"]);
});

test("hostile texts and long names are accepted", async () => {
  const world = await createWorld();
  const { metadata } = await cluster.getNode(world.node);
  const node = { name: world.node, uid: metadata.uid ?? "" };
  const hostile = '\u0000\n\u001b[31m"\\💥\u202e'.repeat(300);
  const entry: HistoryEntry = {
    sequence: 1,
    at: "not a date",
    type: "moved",
    radioId: hostile,
    text: hostile,
    details: { model: hostile, port: hostile, kinds: hostile },
  };
  const path = "/apis/events.k8s.io/v1/namespaces/default/events";
  await kube.create(path, toEvent(entry, node), signal);
  await kube.create(path, toFoldedEvent([entry, { ...entry, sequence: 2, radioId: "b" }, entry], node), signal);
  await kube.create(path, toFoldedEvent([{ ...entry, sequence: 3 }], { ...node, name: "n".repeat(253) }), signal);
  await expect(kube.create(path, toEvent(entry, node), signal)).rejects.toMatchObject({
    code: "kube.conflict",
    details: { reason: "AlreadyExists" },
  });
  await untilReasons(world.node, ["RadioMoved", "RadiosUnsteady"]);
});

test("no rights beyond reading the node and creating Events are used, and idle means no requests", async () => {
  const requests = await cluster.requestsBy(publisherUser);
  expect(new Set(requests.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual(new Set(["get nodes", "create events"]));

  const world = await createWorld();
  world.run();
  for (let count = 0; count < 5; count += 1) world.snapshots.set(sampleSnapshot([]));
  await systemClock.sleep(500, signal);
  expect((await cluster.requestsBy(publisherUser)).filter(isWrite)).toHaveLength(requests.filter(isWrite).length);
});
