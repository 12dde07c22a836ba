import { describe, expect, it } from "vitest";
import type { SsdpOffer } from "./hear-ssdp.ts";
import type { Hearing } from "./seen-entries.ts";
import { createSeenServices, type SeenServices } from "./seen-services.ts";

const wallClock = Date.parse("2026-01-01T00:00:00Z");
const player = "urn:schemas-upnp-org:device:ZonePlayer:1";

function hearing(at: number, changes: Partial<Hearing> = {}): Hearing {
  return { link: "home", family: 4, source: Uint8Array.of(192, 0, 2, 7), at, ...changes };
}

function alive(changes: Partial<SsdpOffer> = {}): SsdpOffer {
  return {
    kind: "notify",
    nts: "alive",
    targets: [player.toLowerCase()],
    usn: `uuid:RINCON_1::${player}`,
    location: "http://192.0.2.7:1400/xml/device_description.xml",
    maxAgeSeconds: 1_800,
    headers: new Map([["server", "Linux UPnP/1.0 Sonos/1"]]),
    ...changes,
  };
}

function rows(seen: SeenServices, at: number): readonly string[] {
  return seen
    .list(at, wallClock)
    .map(({ instance, service }) => `${instance} ${service}`)
    .toSorted();
}

describe("a UPnP device", () => {
  it("is listed with what it offers and where", () => {
    const seen = createSeenServices();
    seen.hearSsdp(alive(), hearing(500));
    seen.relayed("iot");
    expect(seen.list(500, wallClock)).toEqual([
      {
        protocol: "ssdp",
        service: "urn:schemas-upnp-org:device:zoneplayer:1",
        instance: "rincon_1",
        port: 1_400,
        addresses: ["192.0.2.7"],
        text: { location: "http://192.0.2.7:1400/xml/device_description.xml", server: "Linux UPnP/1.0 Sonos/1" },
        link: "home",
        lastSeen: "2026-01-01T00:00:00.000Z",
        expires: "2026-01-01T00:30:00.000Z",
        relayedTo: ["iot"],
      },
    ]);
  });

  it("is heard by its announcements and by its answers, and says nothing new by repeating them", () => {
    const seen = createSeenServices();
    seen.hearSsdp(alive(), hearing(0));
    const { version } = seen;
    seen.hearSsdp(alive({ kind: "response" }), hearing(1_000_000));
    expect(seen.version).toBe(version);
    expect(rows(seen, 2_000_000)).toHaveLength(1);
    seen.hearSsdp({ ...alive(), kind: "search" }, hearing(0, { link: "iot" }));
    expect(rows(seen, 2_000_000)).toHaveLength(1);
    seen.expire(2_800_000);
    expect(seen).toMatchObject({ size: 0, version: version + 1, nextExpiry: Infinity });
  });

  it("has a row for each of its types, and none for its bare UUID", () => {
    const seen = createSeenServices();
    seen.hearSsdp(alive(), hearing(0));
    seen.hearSsdp(alive({ targets: ["upnp:rootdevice"], usn: "uuid:RINCON_1::upnp:rootdevice" }), hearing(0));
    seen.hearSsdp(alive({ targets: ["uuid:rincon_1"], usn: "uuid:RINCON_1" }), hearing(0));
    seen.hearSsdp(alive({ targets: ["roku:ecp"], usn: "uuid:roku:ecp:A1" }), hearing(0));
    seen.hearSsdp(alive({ targets: ["roku:ecp"], usn: "uuid:roku:ecp:B2" }), hearing(0));
    expect(rows(seen, 0)).toEqual([
      "rincon_1 upnp:rootdevice",
      "rincon_1 urn:schemas-upnp-org:device:zoneplayer:1",
      "roku:ecp:a1 roku:ecp",
      "roku:ecp:b2 roku:ecp",
    ]);
  });

  it("is gone at once with its byebye: one type, or all with the root's or its UUID's", () => {
    const seen = createSeenServices();
    const root = alive({ targets: ["upnp:rootdevice"], usn: "uuid:RINCON_1::upnp:rootdevice" });
    for (const message of [alive(), root, alive({ usn: `uuid:OTHER::${player}` })]) seen.hearSsdp(message, hearing(0));
    const { version } = seen;
    seen.hearSsdp(alive({ nts: "byebye" }), hearing(1));
    expect(rows(seen, 1)).toEqual(["other urn:schemas-upnp-org:device:zoneplayer:1", "rincon_1 upnp:rootdevice"]);
    expect(seen.version).toBe(version + 1);
    seen.hearSsdp(alive(), hearing(2));
    seen.hearSsdp(alive({ nts: "byebye", targets: ["uuid:rincon_1"], usn: "uuid:RINCON_1" }), hearing(3));
    expect(rows(seen, 3)).toEqual(["other urn:schemas-upnp-org:device:zoneplayer:1"]);
    seen.hearSsdp(alive({ nts: "byebye", usn: "uuid:NEVER::upnp:rootdevice", targets: ["upnp:rootdevice"] }), hearing(4));
    expect(seen.size).toBe(1);
  });

  it("may have an address in each family without changing all the time", () => {
    const seen = createSeenServices();
    const six = alive({ location: "http://[fd00::7]:1400/xml/device_description.xml" });
    seen.hearSsdp(alive(), hearing(0));
    seen.hearSsdp(six, hearing(0, { family: 6 }));
    const { version } = seen;
    seen.hearSsdp(alive(), hearing(1));
    seen.hearSsdp(six, hearing(1, { family: 6 }));
    expect(seen.version).toBe(version);
    expect(seen.list(1, wallClock)).toMatchObject([{ addresses: ["192.0.2.7", "fd00::7"], port: 1_400 }]);
  });

  it("lives 75 minutes at most, and as long as it said until it says another time", () => {
    const seen = createSeenServices();
    seen.hearSsdp(alive({ maxAgeSeconds: 999_999 }), hearing(0));
    expect(rows(seen, 4_499_999)).toHaveLength(1);
    expect(rows(seen, 4_500_000)).toEqual([]);
    const { maxAgeSeconds: _none, ...update } = alive({ nts: "update" });
    seen.hearSsdp(update, hearing(4_000_000));
    expect(rows(seen, 4_500_000)).toEqual([]);
    const fresh = createSeenServices();
    fresh.hearSsdp(update, hearing(0));
    expect(rows(fresh, 1_799_999)).toHaveLength(1);
    expect(rows(fresh, 1_800_000)).toEqual([]);
  });

  it("without a name, or with one that is too long, is not listed; nor is a place that is none", () => {
    const seen = createSeenServices();
    const { usn: _none, ...nameless } = alive();
    seen.hearSsdp(nameless, hearing(0));
    seen.hearSsdp(alive({ usn: `uuid:${"x".repeat(129)}` }), hearing(0));
    expect(seen.size).toBe(0);
    seen.hearSsdp(alive({ location: "x".repeat(513) }), hearing(0));
    seen.hearSsdp(alive({ location: "not a URL", usn: "uuid:b" }), hearing(0));
    expect(seen.list(0, wallClock).map(({ addresses }) => addresses)).toEqual([[], []]);
  });

  it("shares the bound with what mDNS tells", () => {
    const seen = createSeenServices({ limit: 10 });
    for (let index = 0; index < 500; index += 1) seen.hearSsdp(alive({ usn: `uuid:${index}::${player}` }), hearing(index));
    expect(seen.size).toBe(10);
    expect(rows(seen, 500)).toHaveLength(10);
  });
});
