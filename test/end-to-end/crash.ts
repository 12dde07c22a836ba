/** Kills aerial at random moments of a busy house, and holds what it remembers and publishes against what really happened. */
import { setTimeout as sleep } from "node:timers/promises";
import type { HistoryEntry } from "../../src/core/radio.ts";
import type { EventPage, RadioList } from "../../src/api/contract/types.ts";
import type { RadioView } from "../../src/api/radio-view.ts";
import type { LabProcess } from "../lab/lab.ts";
import type { AerialNode } from "./aerial-node.ts";
import { createRandomWorld, labelsMatch, type RandomWorld } from "./random-world.ts";

export interface CrashOptions {
  readonly node: AerialNode;
  readonly plugEvents: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface CrashReport {
  readonly kills: number;
  /** Moments at which labels were compared with the truth, and were right. */
  readonly settled: number;
  readonly history: readonly HistoryEntry[];
  /** Every id a radio has had, by what it is: one each, or ids have changed. */
  readonly ids: ReadonlyMap<string, ReadonlySet<string>>;
  /** Radios that changed presence between two settled moments without history saying so. */
  readonly missing: readonly string[];
  /** The last one, still running. */
  readonly daemon: LabProcess;
}

/** Throws when labels do not come to match the truth. What the report says is for the caller to judge. */
export async function crash({ node, plugEvents, seed, say }: CrashOptions): Promise<CrashReport> {
  const world = createRandomWorld({ lab: node.lab, seed });
  const ids = new Map<string, Set<string>>();
  const missing: string[] = [];
  let kills = 0;
  let settled = 0;
  let before = { present: new Set<string>(), sequence: 0 };
  let daemon: LabProcess = await node.start();

  const settle = async (): Promise<void> => {
    await node.waitForLabels((labels) => labelsMatch(labels, world.counts()));
    const { radios, news } = await whenCalm(node, { world, after: before.sequence });
    const present = new Set(radios.filter(({ state }) => state !== "absent").map(({ id }) => id));
    for (const radio of radios) {
      const what = `${radio.vendor} ${radio.model} ${radio.serial ?? "without serial"}`;
      ids.set(what, (ids.get(what) ?? new Set()).add(radio.id));
      const changed = present.has(radio.id) !== before.present.has(radio.id);
      const type = present.has(radio.id) ? "attached" : "detached";
      if (changed && !news.some((entry) => entry.radioId === radio.id && entry.type === type)) missing.push(`${radio.id} ${type}`);
    }
    before = { present, sequence: news.at(-1)?.sequence ?? before.sequence };
    settled += 1;
  };

  for (let event = 1; event <= plugEvents; event += 1) {
    const step = world.step();
    const killed = world.random() < 0.25;
    if (killed) {
      await sleep(world.random() * 120);
      await daemon.kill("SIGKILL");
      await daemon.exited;
      kills += 1;
    }
    await step;
    if (killed) daemon = await node.start();
    if (killed || world.random() < 0.2) await settle();
    if (event % 20 === 0) say(`${event} of ${plugEvents} plug events, ${kills} kills, settled ${settled} times`);
  }
  await settle();
  await world.unplugAll();
  await settle();
  return { kills, settled, history: await readHistory(node, 0), ids, missing, daemon };
}

interface Calm {
  readonly radios: readonly RadioView[];
  readonly news: readonly HistoryEntry[];
}

/**
 * The radios and the history of one revision, once aerial has looked since it was started and sees as many as there are: two
 * requests, between which a swap of equal numbers may still be noticed.
 */
async function whenCalm(node: AerialNode, { world, after }: { readonly world: RandomWorld; readonly after: number }): Promise<Calm> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { complete, radios, revision } = await node.get<RadioList>("/api/v1/radios");
    const present = radios.filter(({ state }) => state !== "absent").length;
    if (complete && present === world.plugged().length) {
      const news = await readHistory(node, after);
      if ((await node.get<RadioList>("/api/v1/radios")).revision === revision) return { radios, news };
    }
    if (Date.now() > deadline) throw new Error(`plugged are ${world.plugged().join(", ")}, but aerial sees ${JSON.stringify(radios)}`);
    await sleep(50);
  }
}

async function readHistory(node: AerialNode, after: number): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for (let query = "limit=500"; ;) {
    const { events, next } = await node.get<EventPage>(`/api/v1/events?${query}`);
    entries.push(...events);
    if (events.length === 0) return entries.filter(({ sequence }) => sequence > after);
    query = `limit=500&after=${next}`;
  }
}
