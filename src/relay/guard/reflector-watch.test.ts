import { describe, expect, it } from "vitest";
import { createReflectorWatch, type ReflectorWatch, type RelayLane, type SightedEcho } from "./reflector-watch.ts";

const there: RelayLane = { from: "home", to: "things", protocol: "mdns", family: 4 };
const back: RelayLane = { ...there, from: "things", to: "home" };
const foreign = "198.51.100.9";

const makeWatch = (policy: "stand-down" | "carry-on" = "stand-down") =>
  createReflectorWatch({ policy, ours: (address) => address === "198.51.100.2" });

interface Play {
  readonly lane?: RelayLane;
  readonly from: number;
  readonly times: number;
  readonly everyMs?: number;
  readonly owners?: number;
  readonly offer?: boolean;
  /** Which originals the other repeats; all by default. */
  readonly repeats?: (index: number) => boolean;
  readonly source?: string;
  readonly kind?: SightedEcho["kind"];
}

let contents = 0;

/** Originals with their copies 3 ms later; returns how many were left to the other. */
function play(watch: ReflectorWatch, setup: Play): number {
  const {
    lane = there,
    from,
    times,
    everyMs = 400,
    owners = 3,
    offer = true,
    repeats = () => true,
    source = foreign,
    kind = "copy",
  } = setup;
  let left = 0;
  for (let index = 0; index < times; index += 1) {
    const now = from + index * everyMs;
    contents += 1;
    watch.original(lane, contents, now);
    if (watch.standsDown(lane, now)) left += 1;
    if (repeats(index)) watch.observe(lane, { kind, content: contents, owner: index % owners, offer, source, delayMs: 3 }, now + 3);
  }
  return left;
}

describe("who is a reflector", () => {
  it("is who repeats three contents of two owners, an offer among them", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 2 });
    expect(watch.reflectors(2000)).toEqual([]);
    play(watch, { from: 2000, times: 1 });
    expect(watch.reflectors(2010)).toEqual([
      { source: foreign, links: ["home", "things"], protocol: "mdns", family: 4, since: 2003, delayMs: 3, standingDown: false },
    ]);
  });

  it("is not a host that is on both links and says the same on both", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 40, owners: 1 });
    expect(watch.reflectors(17_000)).toEqual([]);
    expect(watch.standsDown(there, 17_000)).toBe(false);
  });

  it("is who brings the offers of one host back to its own link, and then also who carries them over", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 2, owners: 1, kind: "back", source: "192.0.2.9" });
    expect(watch.reflectors(2000)).toEqual([]);
    play(watch, { from: 2000, times: 1, owners: 1, kind: "back", source: "192.0.2.9" });
    play(watch, { from: 2100, times: 3, owners: 1 });
    expect(watch.reflectors(3000).map(({ source }) => source)).toEqual(["192.0.2.9", foreign]);
  });

  it("is not a neighbour who asks what another one just asked", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 40, owners: 1, kind: "back", offer: false });
    expect(watch.reflectors(17_000)).toEqual([]);
  });

  it("is not one who asks now and then what others asked", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 60, everyMs: 900, offer: false, repeats: (index) => index % 2 === 0 });
    expect(watch.reflectors(56_000)).toEqual([]);
  });

  it("is one who repeats nearly every question", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12, everyMs: 4000, offer: false });
    expect(watch.standsDown(there, 48_000)).toBe(true);
  });

  it("is not one of ours", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 20, source: "198.51.100.2" });
    expect(watch.reflectors(9000)).toEqual([]);
  });

  it("is not one whose copies are spread over minutes", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 8, everyMs: 20_000 });
    expect(watch.reflectors(150_000)).toEqual([]);
  });

  it("is named by our copies that came back, which is no reason to stand down", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 10, kind: "back" });
    expect(watch.reflectors(5000)).toMatchObject([{ source: foreign, links: ["home"], standingDown: false }]);
    expect(watch.standsDown(there, 5000)).toBe(false);
  });

  it("is forgotten a minute after the last copy", () => {
    const watch = makeWatch("carry-on");
    play(watch, { from: 1000, times: 10 });
    expect(watch.reflectors(60_000)).toHaveLength(1);
    expect(watch.reflectors(65_000)).toEqual([]);
  });
});

describe("standing down", () => {
  it("is for the direction, protocol and family that the other carries", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    const lanes: readonly RelayLane[] = [there, back, { ...there, family: 6 }, { ...there, protocol: "ssdp" }];
    expect(lanes.map((lane) => watch.standsDown(lane, 6000))).toEqual([true, false, false, false]);
  });

  it("does not come of one that leaves things out, who is named all the same", () => {
    const watch = makeWatch();
    const left = play(watch, { from: 1000, times: 60, repeats: (index) => index % 4 !== 0 });
    expect(left).toBe(0);
    expect(watch.reflectors(25_000)).toMatchObject([{ source: foreign, standingDown: false }]);
  });

  it("ends when the other begins to leave things out", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    expect(watch.standsDown(there, 6000)).toBe(true);
    play(watch, { from: 6000, times: 80, repeats: (index) => index % 4 !== 0 });
    expect(watch.standsDown(there, 38_000)).toBe(false);
  });

  it("does not come where we are to carry on, and the other is named", () => {
    const watch = makeWatch("carry-on");
    expect(play(watch, { from: 1000, times: 20 })).toBe(0);
    expect(watch.reflectors(9000)).toMatchObject([{ source: foreign, standingDown: false }]);
  });

  it("lasts while the other carries, also when it loses one now and then, and leaves out repeats", () => {
    const watch = makeWatch();
    const left = play(watch, { from: 1000, times: 200, repeats: (index) => index < 12 || index % 6 !== 0 });
    expect(left).toBeGreaterThan(185);
    watch.original(there, "again", 90_000);
    watch.observe(there, { kind: "copy", content: "again", owner: 1, offer: true, source: foreign, delayMs: 2 }, 90_002);
    for (const now of [90_250, 90_500, 91_000]) watch.original(there, "again", now);
    expect(watch.standsDown(there, 93_000)).toBe(true);
  });

  it("ends 1.5 s after the third original that the other did not carry", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    const never = () => false;
    expect(play(watch, { from: 10_000, times: 3, everyMs: 600, repeats: never })).toBe(3);
    expect(watch.standsDown(there, 12_690)).toBe(true);
    expect(watch.standsDown(there, 12_721)).toBe(false);
    expect(watch.reflectors(12_730)).toEqual([]);
  });

  it("ends in a flood as well", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    const left = play(watch, { from: 10_000, times: 10_000, everyMs: 1, repeats: () => false });
    expect(left).toBeLessThan(5000);
  });

  it("does not end for three in a quick row, nor for two", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    play(watch, { from: 10_000, times: 6, everyMs: 20, repeats: () => false });
    expect(watch.standsDown(there, 15_000)).toBe(true);
    play(watch, { from: 15_000, times: 12, everyMs: 50 });
    play(watch, { from: 16_000, times: 2, everyMs: 1500, repeats: () => false });
    expect(watch.standsDown(there, 20_000)).toBe(true);
  });

  it("ends after a minute of silence, and comes again with new evidence", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    expect(watch.standsDown(there, 60_000)).toBe(true);
    expect(watch.standsDown(there, 66_000)).toBe(false);
    play(watch, { from: 70_000, times: 12 });
    expect(watch.standsDown(there, 76_000)).toBe(true);
  });

  it("is not brought about again and again by one who only repeats what we send", () => {
    const watch = makeWatch();
    let left = 0;
    let carriedLast = true;
    const hour = 3_600_000;
    for (let now = 1000; now < hour; now += 500) {
      contents += 1;
      watch.original(there, contents, now);
      carriedLast = !watch.standsDown(there, now);
      if (!carriedLast) left += 1;
      else
        watch.observe(there, { kind: "copy", content: contents, owner: contents % 3, offer: true, source: foreign, delayMs: 1 }, now + 1);
    }
    // Each time it gains some 3 s; pauses double from a minute, so an hour has six of them.
    expect(left).toBeGreaterThan(0);
    expect(left * 500).toBeLessThan(6 * 3500);
  });
});

describe("memory", () => {
  it("is bounded whatever is echoed", () => {
    const watch = makeWatch("carry-on");
    for (let index = 0; index < 50_000; index += 1) {
      watch.original(there, index, 1000 + index);
      watch.observe(
        there,
        { kind: "copy", content: index, owner: index, offer: true, source: `x${index % 5000}`, delayMs: 1 },
        1000 + index,
      );
    }
    expect(watch.reflectors(51_000).length).toBeLessThanOrEqual(16);
  });

  it("keeps who is named when many others pass by", () => {
    const watch = makeWatch();
    play(watch, { from: 1000, times: 12 });
    for (let index = 0; index < 100; index += 1) {
      watch.observe(there, { kind: "copy", content: `c${index}`, owner: 1, offer: true, source: `x${index}`, delayMs: 1 }, 6000);
    }
    expect(watch.reflectors(6100)).toMatchObject([{ source: foreign, standingDown: true }]);
  });
});
