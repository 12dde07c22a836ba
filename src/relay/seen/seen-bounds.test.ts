import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { announcement, toResponse, type MadeRecord } from "../../../test/fixtures/dns-responses.ts";
import { packets } from "../../../test/fixtures/mdns-packets.ts";
import type { SeenService } from "../../core/relay.ts";
import { readMessage } from "../dns/read-message.ts";
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

describe("packets as devices send them", () => {
  const responses = Object.entries(packets).flatMap(([name, bytes]) => {
    const message = readMessage(bytes);
    return "fault" in message || !message.response ? [] : [[name, bytes] as const];
  });

  it.each(responses)("%s says nothing new by repeating itself", (_name, bytes) => {
    const seen = createSeenServices();
    const message = readMessage(bytes);
    if ("fault" in message) return;
    seen.hearDns(message, hearing(0));
    const { version, size } = seen;
    seen.hearDns(message, hearing(500));
    expect(seen).toMatchObject({ version, size });
  });

  it("do no harm when any byte of them is another: nothing throws, and all of it ends", () => {
    const broken = fc.tuple(
      fc.constantFrom(...responses),
      fc.array(fc.tuple(fc.nat({ max: 1_500 }), fc.nat({ max: 255 })), { maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(broken, { maxLength: 8 }), (all) => {
        const seen = createSeenServices({ limit: 16 });
        for (const [index, [[, bytes], changes]] of all.entries()) {
          const packet = Uint8Array.from(bytes);
          for (const [at, value] of changes) if (at < packet.length) packet[at] = value;
          const message = readMessage(packet);
          if (!("fault" in message)) seen.hearDns(message, hearing(index * 700));
          seen.relayed("iot");
          for (const { instance, text } of seen.list(index * 700, wallClock))
            expect(instance.length + Object.keys(text).length).toBeLessThan(200);
        }
        expect(seen.size).toBeLessThanOrEqual(16);
        seen.expire(1e9);
        seen.expire(2e9);
        expect(seen).toMatchObject({ size: 0, nextExpiry: Infinity });
      }),
      { numRuns: 500 },
    );
  });
});

describe("a flood of unique names", () => {
  it("pushes out what is its own only, and stays within the limit", () => {
    const seen = createSeenServices({ limit: 256 });
    const lights = Array.from({ length: 100 }, (_, index) => `light ${index}`);
    for (const [index, instance] of lights.entries()) {
      hear(
        seen,
        announcement({ service: "_hap._tcp", instance, host: `light-${index}` }),
        hearing(index, { source: Uint8Array.of(192, 0, 2, index) }),
      );
    }
    const flooder = Uint8Array.of(192, 0, 2, 250);
    for (let count = 0; count < 20_000; count += 1) {
      hear(
        seen,
        announcement({ service: "_x._tcp", instance: `x${count}`, host: `h${count}` }),
        hearing(1_000 + count, { source: flooder }),
      );
    }
    expect(seen.size).toBe(256);
    const rows = contents(seen, 22_000);
    expect(rows).toHaveLength(256);
    expect(lights.filter((light) => !rows.some(({ instance }) => instance === light))).toEqual([]);
    expect(rows.filter(({ service, addresses }) => service === "_hap._tcp" && addresses.length !== 1)).toEqual([]);
    // The last of the flood are the ones that stayed.
    expect(rows.some(({ instance }) => instance === "x19999")).toBe(true);
    expect(rows.some(({ instance }) => instance === "x0")).toBe(false);
  });

  it("under ever new addresses does no harm to other links", () => {
    const seen = createSeenServices({ limit: 64 });
    for (let index = 0; index < 30; index += 1) {
      hear(seen, announcement({ service: "_hap._tcp", instance: `light ${index}`, host: `light-${index}` }), hearing(0, { link: "iot" }));
    }
    for (let count = 0; count < 5_000; count += 1) {
      const spoofed = Uint8Array.of(10, 0, count >> 8, count & 0xff);
      hear(seen, announcement({ service: "_x._tcp", instance: `x${count}`, host: `h${count}` }), hearing(count, { source: spoofed }));
    }
    expect(contents(seen, 5_000).filter(({ link }) => link === "iot")).toHaveLength(30);
    expect(seen.size).toBe(64);
  });
});
