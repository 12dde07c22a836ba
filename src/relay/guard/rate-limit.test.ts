import { describe, expect, it } from "vitest";
import { createRateLimit, type RatedDatagram, type RateLimit } from "./rate-limit.ts";

interface Stream {
  readonly link: string;
  readonly source: (index: number) => string;
  readonly perSecond: number;
  readonly from: number;
  readonly seconds: number;
}

/** Sends evenly; how many were taken. */
function send(limit: RateLimit, { link, source, perSecond, from, seconds }: Stream): number {
  let taken = 0;
  for (let index = 0; index < perSecond * seconds; index += 1) {
    if (limit.take(datagramOn(link), source(index), from + (index * 1000) / perSecond) === "ok") taken += 1;
  }
  return taken;
}

const one = () => "192.0.2.7";
const datagramOn = (name: string, length = 100): RatedDatagram => ({ link: { name }, payload: { length } });

describe("a source", () => {
  it("may say what its bucket holds and then its rate", () => {
    const limit = createRateLimit({ perSource: 100, perLink: 0, burst: 2 });
    const taken = send(limit, { link: "a", source: one, perSecond: 1000, from: 1, seconds: 10 });
    expect(taken).toBeGreaterThanOrEqual(1198);
    expect(taken).toBeLessThanOrEqual(1202);
  });

  it("spends its own share and leaves its neighbours theirs", () => {
    const limit = createRateLimit({ perSource: 100, perLink: 200, burst: 1 });
    let lost = 0;
    for (let now = 1; now < 10_000; now += 1) {
      for (let index = 0; index < 50; index += 1) limit.take(datagramOn("a"), "flood", now);
      if (now % 20 === 0 && limit.take(datagramOn("a"), "calm", now) !== "ok") lost += 1;
    }
    expect(lost).toBe(0);
  });

  it("is told from the same address on another link", () => {
    const limit = createRateLimit({ perSource: 10, perLink: 0, burst: 1 });
    send(limit, { link: "a", source: one, perSecond: 1000, from: 1, seconds: 1 });
    expect(limit.take(datagramOn("a"), one(), 1000)).toBe("source");
    expect(limit.take(datagramOn("b"), one(), 1000)).toBe("ok");
  });

  it("is charged for a long datagram what that takes on the wire", () => {
    const limit = createRateLimit({ perSource: 500, perLink: 0, burst: 2 });
    const long = datagramOn("a", 65_000);
    const taken = Array.from({ length: 500 }, (_, index) => limit.take(long, one(), 1 + index * 20)).filter((each) => each === "ok");
    // 44 packets each.
    expect(taken.length).toBeGreaterThanOrEqual(Math.floor(6_000 / 44));
    expect(taken.length).toBeLessThanOrEqual(Math.ceil(6_044 / 44));
    expect(limit.floods(10_001)).toMatchObject([{ source: one(), packetsPerSecond: expect.closeTo(50 * 44, -3) as number }]);
  });

  it("may send a long datagram whatever its limit, and then owes the rest", () => {
    const limit = createRateLimit({ perSource: 2, perLink: 3, burst: 1 });
    const takenAt = (now: number, length?: number): string => limit.take(datagramOn("a", length), one(), now);
    expect([takenAt(1, 9_000), takenAt(2_000), takenAt(2_600)]).toEqual(["ok", "source", "ok"]);
  });

  it("passes a computer that wakes up, by default", () => {
    const limit = createRateLimit();
    expect(send(limit, { link: "a", source: one, perSecond: 400, from: 1, seconds: 10 })).toBe(4000);
  });
});

describe("a link", () => {
  it("bounds any number of made-up sources", () => {
    const limit = createRateLimit({ perSource: 100, perLink: 1000, burst: 1 });
    const taken = send(limit, { link: "a", source: (index) => `x${index}`, perSecond: 20_000, from: 1, seconds: 5 });
    expect(taken).toBeLessThanOrEqual(6001);
    expect(limit.floods(5001).length).toBeLessThanOrEqual(17);
  });

  it("remembers no more sources than told: who gave way begins anew", () => {
    const limit = createRateLimit({ perSource: 1, perLink: 0, burst: 1, sources: 8 });
    expect([limit.take(datagramOn("a"), one(), 1), limit.take(datagramOn("a"), one(), 2)]).toEqual(["ok", "source"]);
    for (let index = 0; index < 8; index += 1) limit.take(datagramOn("a"), `x${index}`, 3);
    expect(limit.take(datagramOn("a"), one(), 4)).toBe("ok");
  });

  it("is charged for long datagrams of many sources too", () => {
    const limit = createRateLimit({ perSource: 0, perLink: 60, burst: 1 });
    const taken = Array.from({ length: 100 }, (_, index) => limit.take(datagramOn("a", 9_000), `x${index}`, 1 + index * 10));
    expect(taken.filter((each) => each === "ok").length).toBeLessThanOrEqual(20);
  });

  it("does not pay for another", () => {
    const limit = createRateLimit({ perSource: 0, perLink: 100, burst: 1 });
    send(limit, { link: "a", source: one, perSecond: 5000, from: 1, seconds: 3 });
    expect(send(limit, { link: "b", source: one, perSecond: 90, from: 3000, seconds: 3 })).toBe(270);
  });
});

describe("no limit", () => {
  it("is 0", () => {
    const limit = createRateLimit({ perSource: 0, perLink: 0 });
    expect(send(limit, { link: "a", source: one, perSecond: 50_000, from: 1, seconds: 1 })).toBe(50_000);
    expect(limit.floods(1001)).toEqual([]);
  });
});

describe("floods", () => {
  const limits = { perSource: 100, perLink: 1000, burst: 1 };

  it("name the source with its rate after a second, and until it was calm for ten", () => {
    const limit = createRateLimit(limits);
    send(limit, { link: "a", source: one, perSecond: 5000, from: 1, seconds: 0.9 });
    expect(limit.floods(901)).toEqual([]);
    send(limit, { link: "a", source: one, perSecond: 5000, from: 901, seconds: 2.1 });
    const [flood, ...more] = limit.floods(3001);
    expect(more).toEqual([]);
    expect(flood).toMatchObject({ link: "a", source: one() });
    expect(flood!.packetsPerSecond).toBeGreaterThan(4500);
    expect(flood!.packetsPerSecond).toBeLessThan(5500);
    expect(limit.floods(12_900)).toHaveLength(1);
    expect(limit.floods(13_010)).toEqual([]);
  });

  it("name the link alone where no single source is to blame", () => {
    const limit = createRateLimit(limits);
    send(limit, { link: "a", source: (index) => `x${index}`, perSecond: 5000, from: 1, seconds: 3 });
    expect(limit.floods(3001)).toEqual([{ link: "a", packetsPerSecond: expect.closeTo(5000, -3) as number }]);
  });

  it("do not name who was over the limit now and then", () => {
    const limit = createRateLimit(limits);
    for (let turn = 0; turn < 5; turn += 1) send(limit, { link: "a", source: one, perSecond: 1000, from: 1 + turn * 3000, seconds: 0.3 });
    expect(limit.floods(12_400)).toEqual([]);
  });

  it("name a late comer when the first sixteen are calm", () => {
    const limit = createRateLimit({ ...limits, perLink: 0 });
    for (let index = 0; index < 20; index += 1) send(limit, { link: "a", source: () => `x${index}`, perSecond: 500, from: 1, seconds: 2 });
    expect(limit.floods(2001)).toHaveLength(16);
    send(limit, { link: "a", source: () => "late", perSecond: 500, from: 13_000, seconds: 2 });
    expect(limit.floods(15_000).map(({ source }) => source)).toEqual(["late"]);
  });
});
