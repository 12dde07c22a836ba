import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { announcement, toResponse, type MadeRecord } from "../../../test/fixtures/dns-responses.ts";
import type { SeenService } from "../../core/relay.ts";
import type { Hearing } from "./seen-entries.ts";
import { createSeenServices, type SeenServices } from "./seen-services.ts";

const wallClock = Date.parse("2026-01-01T00:00:00Z");
const source = Uint8Array.of(192, 0, 2, 7);

function hearing(at: number, changes: Partial<Hearing> = {}): Hearing {
  return { link: "home", family: 4, source, at, ...changes };
}

function hear(seen: SeenServices, records: readonly MadeRecord[], where: Hearing): void {
  seen.hearDns(toResponse(records), where);
}

/** What is listed, but for times. */
function contents(seen: SeenServices, at: number): readonly Omit<SeenService, "lastSeen" | "expires">[] {
  return seen.list(at, wallClock + at).map(({ lastSeen: _lastSeen, expires: _expires, ...content }) => content);
}

const bridge = announcement({
  service: "_hap._tcp",
  instance: "Kitchen Bridge",
  host: "bridge",
  port: 51_826,
  text: ["md=Bridge", "c#=2"],
});

describe("a DNS-SD instance", () => {
  it("is joined from its records", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(1_000));
    expect(seen.list(1_000, wallClock)).toEqual([
      {
        protocol: "mdns",
        service: "_hap._tcp",
        instance: "Kitchen Bridge",
        host: "bridge.local",
        port: 51_826,
        addresses: ["192.0.2.7"],
        text: { md: "Bridge", "c#": "2" },
        link: "home",
        lastSeen: "2026-01-01T00:00:00.000Z",
        expires: "2026-01-01T01:15:00.000Z",
        relayedTo: [],
      },
    ]);
  });

  it("is joined across packets, in any order", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...bridge], { minLength: bridge.length }), (records) => {
        const whole = createSeenServices();
        hear(whole, bridge, hearing(0));
        const parts = createSeenServices();
        for (const record of records) hear(parts, [record], hearing(0));
        expect(contents(parts, 0)).toEqual(contents(whole, 0));
      }),
    );
  });

  it("is one, however its name is written, and is shown as first heard", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    const { version } = seen;
    hear(
      seen,
      announcement({ service: "_HAP._TCP", instance: "KITCHEN bridge", host: "BRIDGE", port: 51_826, text: ["md=Bridge", "c#=2"] }),
      hearing(9),
    );
    expect(seen.version).toBe(version);
    expect(contents(seen, 9)).toMatchObject([{ instance: "Kitchen Bridge", service: "_hap._tcp", host: "bridge.local" }]);
    // Only ASCII letters are alike (RFC 6762 §16).
    hear(seen, [{ name: "_hap._tcp.local", pointer: ["ÉTÉ", "_hap", "_tcp", "local"] }], hearing(9));
    hear(seen, [{ name: "_hap._tcp.local", pointer: ["été", "_hap", "_tcp", "local"] }], hearing(9));
    expect(contents(seen, 9).map(({ instance }) => instance)).toEqual(["Kitchen Bridge", "ÉTÉ", "été"]);
  });

  it("is unresolved until its SRV and its TXT were heard", () => {
    const seen = createSeenServices();
    for (const record of [2, 0, 1]) {
      const [row] = contents(seen, 0);
      if (row !== undefined) expect(row.unresolved).toBe(true);
      hear(seen, bridge.slice(record, record + 1), hearing(0));
    }
    expect(contents(seen, 0)[0]).not.toHaveProperty("unresolved");
    hear(seen, [{ name: ["Kitchen Bridge", "_hap", "_tcp", "local"], text: ["md=Bridge", "c#=2"], ttl: 0 }], hearing(0));
    seen.expire(1_000);
    expect(contents(seen, 1_000)).toMatchObject([{ unresolved: true, text: {} }]);
  });

  it("is two on two links", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    hear(seen, bridge, hearing(0, { link: "iot" }));
    expect(contents(seen, 0).map(({ link }) => link)).toEqual(["home", "iot"]);
    seen.forgetLink("home");
    expect(contents(seen, 0).map(({ link }) => link)).toEqual(["iot"]);
    expect(seen.size).toBe(1);
  });

  it("may have dots in its name", () => {
    const seen = createSeenServices();
    hear(seen, announcement({ service: "_http._tcp", instance: "v1.2 of a.local" }), hearing(0));
    expect(contents(seen, 0)).toMatchObject([{ service: "_http._tcp", instance: "v1.2 of a.local" }]);
  });

  it("is nothing that is no instance", () => {
    const seen = createSeenServices();
    const others: readonly MadeRecord[] = [
      { name: "_services._dns-sd._udp.local", pointer: "_hap._tcp.local" },
      { name: "_printer._sub._http._tcp.local", pointer: ["Attic", "_http", "_tcp", "local"] },
      { name: "7.2.0.192.in-addr.arpa", pointer: "thing.local" },
      { name: "_http._tcp.example.com", pointer: ["Attic", "_http", "_tcp", "example", "com"] },
      { name: "thing.local", srv: { target: "thing.local", port: 1 } },
      { name: "_http._tcp.local", pointer: ["Attic", "_http", "_tcp", "local"], class: 255 },
      { name: ["Attic", "_http", "_tcp", "local"], text: ["a=b"] },
    ];
    hear(seen, others, hearing(0));
    expect(contents(seen, 0)).toEqual([]);
    expect(seen.version).toBe(0);
  });
});

describe("what is listed ends", () => {
  it("with the time to live of PTR and SRV, and keeps its details until then", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    expect(contents(seen, 4_499_999)).toMatchObject([{ host: "bridge.local", addresses: ["192.0.2.7"], port: 51_826 }]);
    const { version } = seen;
    expect(contents(seen, 4_500_000)).toEqual([]);
    seen.expire(4_500_000);
    expect(seen).toMatchObject({ version: version + 1, size: 0 });
  });

  it("after 75 minutes, whatever it says", () => {
    const seen = createSeenServices();
    hear(seen, announcement({ service: "_x._tcp", instance: "a", ttl: 0x7f_ff_ff_ff }), hearing(0));
    expect(contents(seen, 4_499_999)).toHaveLength(1);
    expect(contents(seen, 4_500_000)).toEqual([]);
  });

  it("one second after a goodbye, unless it comes back in time", () => {
    const seen = createSeenServices();
    const goodbye = announcement({ service: "_hap._tcp", instance: "Kitchen Bridge", host: "bridge", port: 51_826, ttl: 0 });
    hear(seen, bridge, hearing(0));
    hear(seen, goodbye.slice(0, 1), hearing(5_000));
    expect(contents(seen, 5_999)).toHaveLength(1);
    expect(contents(seen, 6_000)).toEqual([]);

    hear(seen, bridge, hearing(5_999));
    seen.expire(6_500);
    expect(contents(seen, 9_000)).toMatchObject([{ host: "bridge.local", addresses: ["192.0.2.7"], text: { md: "Bridge" } }]);

    hear(seen, goodbye, hearing(10_000));
    seen.expire(11_000);
    expect(seen).toMatchObject({ size: 0, nextExpiry: Infinity });
  });

  it("not by a goodbye to something else", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    const name = ["Kitchen Bridge", "_hap", "_tcp", "local"];
    hear(
      seen,
      [
        { name, srv: { target: "bridge.local", port: 1 }, ttl: 0 },
        { name, text: ["md=Other"], ttl: 0 },
        { name: "bridge.local", address: [192, 0, 2, 8], ttl: 0 },
        { name: "_hap._tcp.local", pointer: ["Other", "_hap", "_tcp", "local"], ttl: 0 },
      ],
      hearing(10),
    );
    seen.expire(2_000);
    expect(contents(seen, 2_000)).toMatchObject([{ port: 51_826, text: { md: "Bridge" }, addresses: ["192.0.2.7"] }]);
  });

  it("in parts, when only those said goodbye", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    hear(seen, [{ name: "bridge.local", address: [192, 0, 2, 7], ttl: 0 }], hearing(0));
    seen.expire(1_000);
    expect(contents(seen, 1_000)).toMatchObject([{ addresses: [], port: 51_826 }]);
  });
});

describe("addresses", () => {
  const home = (address: readonly number[], flush: boolean): MadeRecord => ({ name: "bridge.local", address, flush });
  const later = [192, 0, 2, 8];

  it("of one message stay together; those from before go within a second of a flush", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    hear(seen, [home(later, true), home([192, 0, 2, 9], true)], hearing(1_001));
    expect(contents(seen, 2_000)[0]?.addresses).toEqual(["192.0.2.7", "192.0.2.8", "192.0.2.9"]);
    seen.expire(2_001);
    expect(contents(seen, 2_001)[0]?.addresses).toEqual(["192.0.2.8", "192.0.2.9"]);
  });

  it("stay when the flush comes within a second, is of the other family, or none was asked for", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    hear(seen, [home(later, true)], hearing(1_000));
    hear(seen, [home([0xfd, ...Array.from({ length: 14 }, () => 0), 1], true)], hearing(5_000));
    hear(seen, [home([192, 0, 2, 9], false)], hearing(5_000));
    seen.expire(10_000);
    expect(contents(seen, 10_000)[0]?.addresses).toEqual(["192.0.2.7", "192.0.2.8", "192.0.2.9", "fd00::1"]);
  });

  it("give way to younger ones when their time is up, and are else the last known", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    seen.expire(120_000);
    expect(contents(seen, 120_000)[0]?.addresses).toEqual(["192.0.2.7"]);
    hear(seen, [home(later, false)], hearing(121_000));
    seen.expire(121_000);
    expect(contents(seen, 121_000)[0]?.addresses).toEqual(["192.0.2.8"]);
  });

  it("are sixteen at most, the latest", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    for (let last = 1; last <= 40; last += 1) hear(seen, [home([198, 51, 100, last], false)], hearing(last));
    const { addresses = [] } = contents(seen, 50)[0] ?? {};
    expect(addresses).toHaveLength(16);
    expect(addresses).toContain("198.51.100.40");
    expect(addresses).not.toContain("198.51.100.24");
  });
});

describe("the version", () => {
  it("does not rise with what was known", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    const { version } = seen;
    for (let at = 20; at < 60_000; at += 1_000) hear(seen, bridge, hearing(at, { family: at % 40 === 0 ? 6 : 4 }));
    expect(seen.version).toBe(version);
  });

  it.each([
    [
      "another port",
      announcement({ service: "_hap._tcp", instance: "Kitchen Bridge", host: "bridge", port: 1, text: ["md=Bridge", "c#=2"] }),
    ],
    [
      "another text",
      announcement({ service: "_hap._tcp", instance: "Kitchen Bridge", host: "bridge", port: 51_826, text: ["md=Bridge", "c#=3"] }),
    ],
    ["another address", [{ name: "bridge.local", address: [192, 0, 2, 8] }]],
    ["another instance", announcement({ service: "_hap._tcp", instance: "Other" })],
  ])("rises with %s", (_what, records) => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    const { version } = seen;
    hear(seen, records, hearing(1));
    expect(seen.version).toBeGreaterThan(version);
  });

  it("does not rise with hosts that offer nothing", () => {
    const seen = createSeenServices();
    for (let last = 0; last < 100; last += 1) hear(seen, [{ name: `phone-${last}.local`, address: [192, 0, 2, last] }], hearing(last));
    seen.expire(200_000);
    expect(seen.version).toBe(0);
  });

  it("rises when a service is first relayed to a link, and tells to which", () => {
    const seen = createSeenServices();
    hear(seen, bridge, hearing(0));
    const { version } = seen;
    seen.relayed("iot", new Set([0, 1]));
    expect(seen.version).toBe(version);
    seen.relayed("iot", new Set([1]));
    seen.relayed("iot");
    seen.relayed("guest");
    expect(seen.version).toBe(version + 2);
    expect(contents(seen, 0)).toMatchObject([{ relayedTo: ["guest", "iot"] }]);
  });
});

describe("whatever is heard when", () => {
  const instances = ["a", "b"] as const;
  const step = fc.record({
    waitMs: fc.constantFrom(0, 1, 400, 999, 1_000, 1_001, 60_000, 4_000_000),
    record: fc.constantFrom("ptr", "srv", "txt", "address"),
    instance: fc.constantFrom(...instances),
    ttl: fc.constantFrom(0, 1, 120, 4_500, 100_000),
    value: fc.constantFrom(1, 2),
  });

  it("the list is what the records say by their times, and its version changes exactly with it", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const seen = createSeenServices();
        const until = new Map<string, number>();
        let at = 0;
        let told = { version: seen.version, list: JSON.stringify(contents(seen, at)) };
        const check = (now: number): void => {
          const list = JSON.stringify(contents(seen, now));
          expect(seen.version > told.version).toBe(list !== told.list);
          told = { version: seen.version, list };
        };
        for (const { waitMs, record, instance, ttl, value } of steps) {
          at += waitMs;
          // What is due goes first, as in the engine; until nothing is about to be due.
          for (let due = seen.nextExpiry; due <= at + 250; due = seen.nextExpiry) {
            at = Math.max(at, due);
            seen.expire(due);
          }
          check(at);
          const type = "_x._tcp.local";
          const name = [instance, "_x", "_tcp", "local"];
          const target = `${instance}.local`;
          const made: Record<typeof record, MadeRecord> = {
            ptr: { name: type, pointer: name, ttl },
            srv: { name, srv: { target, port: 7 }, ttl, flush: true },
            txt: { name, text: [`v=${value}`], ttl, flush: true },
            address: { name: target, address: [192, 0, 2, value], ttl, flush: true },
          };
          hear(seen, [made[record]], hearing(at));

          const end = ttl === 0 ? at + 1_000 : at + Math.min(ttl, 4_500) * 1_000;
          const keyOf = (what: string): string => `${what} ${instance}`;
          const change = (what: string): void => void until.set(keyOf(what), ttl === 0 ? Math.min(until.get(keyOf(what)) ?? at, end) : end);
          if (record === "ptr") {
            change("ptr");
            if (ttl === 0) change("srv");
          } else if (record === "srv") change("srv");
          const listed = instances.filter((one) => (until.get(`ptr ${one}`) ?? 0) > at || (until.get(`srv ${one}`) ?? 0) > at);
          expect(
            seen
              .list(at, wallClock)
              .map((row) => row.instance)
              .toSorted(),
          ).toEqual(listed);

          check(at);
        }
        seen.expire(at + 10_000_000);
        seen.expire(at + 20_000_000);
        expect(seen).toMatchObject({ size: 0, nextExpiry: Infinity });
        expect(seen.list(at + 20_000_000, wallClock)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
