import { expect, it } from "vitest";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import type { Snapshot } from "../../core/radio.ts";
import { describeRadios } from "./describe-radios.ts";

it("passes a snapshot on once its radios are described, and describes a radio once while it stays the same", async () => {
  const known = sampleRadio("known");
  const fresh = sampleRadio("fresh");
  const inventory = new Cell<Snapshot>(sampleSnapshot([]));
  const asked: string[] = [];
  const described = describeRadios(inventory, async ({ id }) => {
    asked.push(id);
    await Promise.resolve();
    return { port: id };
  });
  const stop = new AbortController();
  const running = described.run(stop.signal);
  const seen: string[][] = [];
  for await (const snapshot of described.snapshots.changes(stop.signal)) {
    seen.push([...snapshot.radios.values()].map((radio) => `${radio.id}=${described.labelsOf(radio)["port"] ?? "unknown"}`));
    if (seen.at(-1)?.length === 0) inventory.set(sampleSnapshot([known]));
    else if (seen.at(-1)?.length === 1) inventory.set(sampleSnapshot([known, fresh]));
    else stop.abort();
  }
  await running;
  expect(seen.slice(-2)).toEqual([["known=known"], ["known=known", "fresh=fresh"]]);
  expect(asked).toEqual(["known", "fresh"]);
});
