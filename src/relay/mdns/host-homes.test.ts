import { beforeEach, describe, expect, test } from "vitest";
import { address, hugeProbe, pointer, sampleMessage, type SampleRecord } from "../../../test/fixtures/dns-packets.ts";
import { compileRules } from "../rules/compile-rules.ts";
import { filterMessage } from "./filter-message.ts";
import { createHostHomes, type HostHomes } from "./host-homes.ts";

const minute = 60_000;
const hour = 60 * minute;

let homes: HostHomes;
beforeEach(() => {
  homes = createHostHomes({ limit: 100 });
});

const told = (...answers: SampleRecord[]) => sampleMessage({ answers });
const nas = { iot: address("nas.local", "192.168.20.5"), home: address("nas.local", "192.168.1.5") };
const probe = (proposed: SampleRecord) => sampleMessage({ asks: [["nas.local", "ANY", "QU"]], authority: [proposed] });
const both = (now: number, hostKey = "nas.local"): boolean => {
  const there = homes.livesOnBoth(hostKey, { links: ["iot", "home"], now });
  expect(homes.livesOnBoth(hostKey, { links: ["home", "iot"], now })).toBe(there);
  return there;
};

describe("a host on both links", () => {
  test("is known by what it says on each, whatever its name's case", () => {
    homes.learn(told(address("NAS.local", "192.168.20.5")), "iot", 0);
    expect(both(1)).toBe(false);
    homes.learn(told(nas.home), "home", 1000);
    expect(both(1000)).toBe(true);
    expect(both(1000, "lamp.local")).toBe(false);
    expect(homes.livesOnBoth("nas.local", { links: ["iot", "tv"], now: 1000 })).toBe(false);
    expect(homes.livesOnBoth("nas.local", { links: ["iot", "iot"], now: 1000 })).toBe(false);
  });

  test("stays known while it is heard by turns, though nobody asked for its addresses for a while", () => {
    homes.learn(told(nas.iot), "iot", 0);
    homes.learn(told(nas.home), "home", 10);
    homes.learn(told(nas.iot), "iot", 1000);
    homes.learn(told(nas.home), "home", 1010);
    expect(both(30 * minute)).toBe(true);
    homes.learn(told(nas.iot), "iot", 70 * minute);
    expect(both(70 * minute)).toBe(true);
    expect(both(77 * minute)).toBe(false);
  });

  test("is known no longer after its goodbye, with or without the flush bit", () => {
    for (const flush of [true, false]) {
      homes.learn(told(nas.iot), "iot", 0);
      homes.learn(told(nas.home), "home", 0);
      homes.learn(told(nas.iot), "iot", 1000);
      expect(both(1000)).toBe(true);
      homes.learn(told({ ...nas.iot, ttl: 0, flush }), "iot", 2000);
      expect(both(2000)).toBe(false);
    }
  });

  test("is known no longer when a link has gone", () => {
    homes.learn(told(nas.iot), "iot", 0);
    homes.learn(told(nas.home), "home", 0);
    homes.forgetLink("home");
    expect(both(1)).toBe(false);
  });

  test("boots: probes on both within two seconds are its own, until it has announced itself", () => {
    homes.learn(probe(nas.iot), "iot", 0);
    expect(both(0)).toBe(false);
    homes.learn(probe(nas.home), "home", 1900);
    expect(both(1900)).toBe(true);
    expect(both(11_000)).toBe(true);
    expect(both(12_000)).toBe(false);
  });
});

describe("a host on one link", () => {
  test("that is probed for on the other is a conflict, which the hosts settle: probe and defence cross", () => {
    homes.learn(told(nas.iot), "iot", 0);
    homes.learn(probe(nas.home), "home", 60_000);
    expect(both(60_000)).toBe(false);
    homes.learn(told(nas.iot), "iot", 60_100);
    expect(both(60_100)).toBe(false);
  });

  test("and another that probes for its name more than two seconds later", () => {
    homes.learn(probe(nas.iot), "iot", 0);
    homes.learn(probe(nas.home), "home", 2001);
    expect(both(2001)).toBe(false);
  });

  test("moves to the other, and is there alone once its former address has run out", () => {
    homes.learn(told(nas.iot), "iot", 0);
    homes.learn(told(nas.home), "home", minute);
    expect(both(minute)).toBe(true);
    expect(both(2 * minute)).toBe(false);
  });

  test("is not on both because another relay brought its words there", () => {
    homes.learn(told(nas.iot, address("nas.local", "fe80::5")), "iot", 0);
    homes.learn(told(nas.iot), "home", 10);
    expect(both(10)).toBe(false);
  });

  test("nor because somebody else has its address in mind: known answers, shared records, other questions", () => {
    homes.learn(told(nas.iot), "iot", 0);
    homes.learn(told({ ...nas.home, flush: false }), "home", 0);
    homes.learn(sampleMessage({ asks: [["nas.local", "A"]], answers: [nas.home] }), "home", 0);
    homes.learn(sampleMessage({ asks: [["other.local", "ANY"]], authority: [nas.home] }), "home", 0);
    homes.learn(told(pointer("_a._tcp.local", "b._a._tcp.local")), "home", 0);
    expect(both(0)).toBe(false);
  });
});

test("no address is believed for longer than 75 minutes", () => {
  homes.learn(told({ ...nas.iot, ttl: 0xffff_ffff }), "iot", 0);
  homes.learn(told(nas.home), "home", 75 * minute - 1);
  expect(both(75 * minute - 1)).toBe(true);
  expect(both(75 * minute)).toBe(false);
});

test("an address that can be used is known until it runs out", () => {
  homes.learn(told(address("lamp.local", "fe80::7"), address("tv.local", "fe80::8"), address("tv.local", "10.0.0.8")), "iot", 0);
  const has = (host: string, link: string, now: number): boolean => homes.hasUsableAddress(host, { link, now });
  expect([has("lamp.local", "iot", 1), has("tv.local", "iot", 1), has("tv.local", "home", 1), has("x.local", "iot", 1)]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  expect(has("tv.local", "iot", 2 * minute)).toBe(false);
});

test("a flood of names and addresses takes the place of what was not heard of for longest, and no more room", () => {
  homes.learn(told(nas.iot), "iot", 0);
  homes.learn(told(nas.home), "home", 0);
  for (let number = 0; number < 99; number += 1) homes.learn(told(address(`x${number}.local`, "10.0.0.1")), "iot", 1);
  expect(both(1)).toBe(true);
  homes.learn(told(address("y.local", "10.0.0.1")), "iot", 1);
  expect(both(1)).toBe(false);
  for (let number = 0; number < 250; number += 1) homes.learn(told(address("tv.local", `10.0.0.${number}`)), "iot", 2);
  expect(homes.hasUsableAddress("tv.local", { link: "iot", now: hour })).toBe(false);
});

test("a message that asks and proposes much costs by what it holds, and not by each question times each record", () => {
  const { message, looks } = hugeProbe(300);
  homes.learn(message, "iot", 0);
  expect(looks()).toBeLessThan(10 * 300);
});

test("who has been forgotten is shared by no links", () => {
  homes.learn(told(nas.iot), "iot", 0);
  homes.learn(told(nas.home), "home", 0);
  expect(homes.noneShared).toBe(false);
  for (let number = 0; number < 100; number += 1) homes.learn(told(address(`x${number}.local`, "10.0.0.1")), "iot", 1);
  expect(homes.noneShared).toBe(true);
});

/** Two links, a relay between them, and what each host hears of the other link. */
describe("through the filter", () => {
  const pair = compileRules({ rules: [] }).between("any", "other");
  const prefix: Readonly<Record<string, number>> = { iot: 20, home: 1 };
  const carried = (message: ReturnType<typeof told>, from: "iot" | "home", now: number): boolean => {
    const to = from === "iot" ? "home" : "iot";
    homes.learn(message, from, now);
    const { cut } = filterMessage(message, {
      pair,
      family: 4,
      source: Uint8Array.of(192, 168, 20, 5),
      onEgress: ([one, two, three]) => one === 192 && two === 168 && three === prefix[to],
      isMultiHomed: (host) => homes.livesOnBoth(host, { links: [from, to], now }),
    });
    return cut.droppedRecords.size < message.records.length || cut.droppedQuestions.size < message.questions.length;
  };

  test("a host on both links that boots hears at most its own first probe, is not renamed and not flushed", () => {
    const heard: boolean[] = [];
    for (const at of [0, 250, 500]) heard.push(carried(probe(nas.iot), "iot", at), carried(probe(nas.home), "home", at + 5));
    for (const at of [750, 1750, hour]) heard.push(carried(told(nas.iot), "iot", at), carried(told(nas.home), "home", at + 5));
    expect(heard).toEqual([true, ...Array.from({ length: 11 }, () => false)]);
  });

  test("a true conflict: the newcomer's probe crosses, the holder's defence crosses, and so does the new name", () => {
    expect(carried(told(nas.iot), "iot", 0)).toBe(true);
    expect(carried(probe(nas.home), "home", hour / 60)).toBe(true);
    expect(carried(told(nas.iot), "iot", hour / 60 + 5)).toBe(true);
    expect(carried(told(address("nas-2.local", "192.168.1.5")), "home", hour / 60 + 2000)).toBe(true);
  });
});
