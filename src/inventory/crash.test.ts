/** kill -9 at random moments: nothing that was stored is lost, nothing is doubled, no id changes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createConditions } from "../core/condition.ts";
import { silentLog } from "../core/log.ts";
import type { HistoryEntry } from "../core/radio.ts";
import { openInventory } from "./open-inventory.ts";

const folder = mkdtempSync(join(tmpdir(), "aerial-crash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "inventory.db");
const script = new URL("../../test/fixtures/inventory-process.ts", import.meta.url).pathname;

/** Lets the process work for a random while and kills it; gives the last sequence it was told is stored. */
async function runAndKill(seed: number): Promise<number> {
  const child = spawn(process.execPath, ["--conditions=source", script, file, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await sleep(Math.random() * 60);
  child.kill("SIGKILL");
  await closed;
  const told = output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1) ?? "";
  expect(told).toMatch(/^(ready|stored) \d+$/);
  return Number(told.split(" ")[1]);
}

async function readHistory(): Promise<{
  readonly history: readonly HistoryEntry[];
  readonly cursor: number;
  readonly ids: readonly string[];
}> {
  const conditions = createConditions(systemClock);
  await using inventory = await openInventory({ file, node: "n1", bootId: "boot", clock: systemClock, log: silentLog, conditions });
  expect([...conditions.current.keys()]).toEqual([]);
  return {
    history: inventory.history({ limit: 1_000_000 }),
    cursor: inventory.cursor("events"),
    ids: [...inventory.current.radios.keys()],
  };
}

const allIds = new Set([0, 1, 2, 3].map((unit) => `10c4-ea60-unit${unit}`).concat("10c4-ea60-n1-1-5", "10c4-ea60-n1-1-6"));

test("30 kills", { timeout: 180_000 }, async () => {
  let known: readonly HistoryEntry[] = [];
  for (let round = 0; round < 30; round += 1) {
    const told = await runAndKill(round + 1);
    const { history, cursor, ids } = await readHistory();
    expect(history.length).toBeGreaterThanOrEqual(told);
    expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_entry, index) => index + 1));
    expect(history.slice(0, known.length)).toEqual(known);
    expect(cursor).toBeLessThanOrEqual(history.length);
    expect(ids.filter((id) => !allIds.has(id))).toEqual([]);
    known = history;
  }
  expect(known.length).toBeGreaterThan(100);
  const present = new Set<string>();
  for (const { type, radioId } of known) {
    expect(present.has(radioId)).toBe(type !== "attached");
    if (type === "attached") present.add(radioId);
    if (type === "detached") present.delete(radioId);
  }
});
