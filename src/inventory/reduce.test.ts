/** A world of sticks is plugged and unplugged at random; whatever happens, these must hold. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bootloaderIdentity,
  scanned,
  sighted,
  sonoff,
  unknownIdentity,
  zigbeeIdentity,
  type Plugged,
  type Stick,
} from "../../test/fixtures/sightings.ts";
import { reduce } from "./reduce.ts";
import type { HistoryDraft, InventoryState } from "./state.ts";

const empty: InventoryState = {
  node: "n1",
  overrides: [],
  forgetAfterDays: 30,
  complete: false,
  sameBoot: true,
  memories: new Map(),
  others: [],
};

/** Two with serial numbers of their own, two twins, two without, a second make without, one that is no radio. */
const sticks: readonly Stick[] = [
  { ...sonoff, serial: "AAA1" },
  { ...sonoff, serial: "BBB2" },
  { ...sonoff, serial: "TWIN7" },
  { ...sonoff, serial: "TWIN7" },
  { ...sonoff, serial: "0001" },
  { ...sonoff, serial: "0001" },
  { vendorId: "1a86", productId: "7523", product: "USB Serial", identity: { ...zigbeeIdentity, model: "CH340 stick" } },
  { vendorId: "067b", productId: "2303", serial: "METER1", identity: unknownIdentity },
];

/** Which stick sits in which of five ports, and which of them waits in its bootloader. */
const scene = fc
  .tuple(
    fc.shuffledSubarray([...sticks.keys()], { maxLength: 5 }),
    fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 5 }),
    fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    fc.nat(9),
  )
  .map(([chosen, ports, booting, ttys]) =>
    chosen.map((index, place): Plugged & { readonly index: number } => {
      const stick = sticks[index]!;
      const inBootloader = booting[place]! && index === 0;
      return {
        index,
        stick: inBootloader ? { vendorId: "1915", productId: "521f", identity: bootloaderIdentity } : stick,
        port: `1-${ports[place]}`,
        tty: ttys + place,
        deviceNumber: index + 2,
      };
    }),
  );

function run(
  scenes: readonly (readonly Plugged[])[],
  visit?: (state: InventoryState, changes: readonly HistoryDraft[], index: number) => void,
) {
  let state = empty;
  for (const [index, plugged] of scenes.entries()) {
    const reduction = reduce(state, scanned(index * 10, plugged.map(sighted)));
    ({ state } = reduction);
    visit?.(state, reduction.changes, index);
  }
  return state;
}

test("the same scan twice changes nothing", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 1, maxLength: 8 }), (scenes) => {
      const state = run(scenes);
      const again = reduce(state, scanned(scenes.length * 10, scenes.at(-1)!.map(sighted)));
      expect(again.changes).toEqual([]);
      expect(again.state.memories).toBe(state.memories);
      expect(again.state.others).toBe(state.others);
    }),
  );
});

test("the order of devices in a scan is irrelevant", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 1, maxLength: 8 }), (scenes) => {
      const log: unknown[] = [];
      const reversed: unknown[] = [];
      const one = run(scenes, (_state, changes) => log.push(changes));
      const other = run(
        scenes.map((plugged) => plugged.toReversed()),
        (_state, changes) => reversed.push(changes),
      );
      expect([...other.memories.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
        [...one.memories.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
      expect(other.others).toEqual(one.others);
      expect(reversed).toEqual(log);
    }),
  );
});

test("every radio that is plugged in is exactly one present radio, and nothing else is", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 1, maxLength: 10 }), (scenes) => {
      run(scenes, (state, _changes, index) => {
        const present = [...state.memories.values()].filter(({ presence }) => presence === "present").map(({ device }) => device.sysPath);
        const elsewhere = state.others.map(({ device }) => device.sysPath);
        const plugged = scenes[index]!.map((one) => sighted(one).device.sysPath);
        expect([...present, ...elsewhere].sort()).toEqual(plugged.sort());
        for (const { identity } of state.others) expect(identity.state).toBe("unknown");
      });
    }),
  );
});

test("a real serial number is one id for ever; without one the port is; an id never changes hands between makes", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 1, maxLength: 12 }), (scenes) => {
      const familyOf = new Map<string, string>();
      const idOfPort = new Map<string, string>();
      run(scenes, (state, _changes, index) => {
        for (const memory of state.memories.values()) {
          const key = JSON.stringify([memory.origin.family, memory.origin.serial, memory.basis]);
          expect(familyOf.get(memory.id) ?? key).toBe(key);
          familyOf.set(memory.id, key);
        }
        for (const { index: stick, port } of scenes[index]! as readonly (Plugged & { readonly index: number })[]) {
          const memory = [...state.memories.values()].find((one) => one.presence === "present" && one.device.usb?.port === port);
          if (memory === undefined || memory.mode === "bootloader") continue;
          // The plain id of a port may have gone to one of the twins; whatever it is, it stays.
          const portId = idOfPort.get(port) ?? memory.id;
          const expected = [`10c4-ea60-AAA1`, `10c4-ea60-BBB2`, memory.id, memory.id, portId, portId, `1a86-7523-n1-${port}`][stick];
          expect(memory.id).toBe(expected);
          expect(memory.id.includes(`n1-${port}`)).toBe(memory.basis === "port");
          if (stick === 4 || stick === 5) idOfPort.set(port, memory.id);
        }
      });
    }),
  );
});

test("a stick that stays where it is keeps its id, whatever its twins do", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 2, maxLength: 10 }), (scenes) => {
      let before = new Map<string, string>();
      run(scenes, (state, _changes, index) => {
        const now = new Map<string, string>();
        for (const { port, stick } of scenes[index]!) {
          const memory = [...state.memories.values()].find((one) => one.presence === "present" && one.device.usb?.port === port);
          if (memory !== undefined && memory.mode === "application") now.set(`${port} ${stick.vendorId} ${stick.serial ?? ""}`, memory.id);
        }
        for (const [seat, id] of now) expect(before.get(seat) ?? id).toBe(id);
        before = now;
      });
    }),
  );
});

test("history replays to the presence it describes", () => {
  fc.assert(
    fc.property(fc.array(scene, { minLength: 1, maxLength: 10 }), (scenes) => {
      const present = new Set<string>();
      const booting = new Set<string>();
      run(scenes, (state, changes) => {
        for (const { type, radioId, details } of changes) {
          const wasPresent = present.has(radioId);
          expect(type === "attached" ? !wasPresent : wasPresent).toBe(true);
          if (type === "attached") present.add(radioId);
          if (type === "detached") present.delete(radioId);
          if (type === "bootloader" && details["mode"] === "bootloader") booting.add(radioId);
          if (type === "bootloader" && details["mode"] === "application") booting.delete(radioId);
        }
        for (const { id, presence, mode } of state.memories.values()) {
          expect(present.has(id)).toBe(presence === "present");
          expect(booting.has(id)).toBe(mode === "bootloader");
        }
      });
    }),
  );
});
