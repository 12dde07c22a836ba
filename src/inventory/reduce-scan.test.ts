import { describe, expect, test } from "vitest";
import type { InventoryEvent } from "../core/radio.ts";
import {
  ambiguousIdentity,
  bootloaderIdentity,
  builtIn,
  certainIdentity,
  scanned,
  sighted,
  sonoff,
  timeAfter,
  unknownIdentity,
  withoutSerial,
  zigbeeIdentity,
  type Plugged,
  type Stick,
} from "../../test/fixtures/sightings.ts";
import type { RadioOverride } from "./belief.ts";
import { mostAbsent } from "./forget.ts";
import { toRadio } from "./memory.ts";
import { reduce } from "./reduce.ts";
import type { HistoryDraft, InventoryState } from "./state.ts";

/** A reducer with a memory: each call is one more event. */
function createBook(overrides: readonly RadioOverride[] = []) {
  let state: InventoryState = {
    node: "n1",
    overrides,
    forgetAfterDays: 30,
    complete: false,
    sameBoot: true,
    memories: new Map(),
    others: [],
  };
  let seconds = 0;
  const apply = (event: InventoryEvent): readonly HistoryDraft[] => {
    const { state: after, changes } = reduce(state, event);
    state = after;
    return changes;
  };
  return {
    apply,
    /** Ten seconds later these sticks are plugged in. */
    plugged: (...sticks: readonly Plugged[]) => apply(scanned((seconds += 10), sticks.map(sighted))),
    wait: (more: number) => void (seconds += more),
    restart: (sameBoot: boolean) => void (state = { ...state, complete: false, sameBoot, others: [] }),
    get at() {
      return timeAfter(seconds);
    },
    get state() {
      return state;
    },
    radio(id: string) {
      const memory = state.memories.get(id);
      expect(memory, `radio ${id}`).toBeDefined();
      return toRadio(memory!, overrides);
    },
    /** Port → id of what is present. */
    get present() {
      const radios = [...state.memories.values()].filter(({ presence }) => presence === "present");
      return Object.fromEntries(radios.map(({ origin, id }) => [origin.place.port, id]));
    },
  };
}

const types = (changes: readonly HistoryDraft[]): readonly string[] => changes.map(({ type }) => type);
const id = "10c4-ea60-7a43d3a954a2ef11";
const bootloader: Stick = { vendorId: "1915", productId: "521f", product: "Open DFU Bootloader", identity: bootloaderIdentity };

describe("coming and going", () => {
  test("a stick appears, is the same in the next scan, and goes", () => {
    const book = createBook();
    expect(types(book.plugged({ stick: sonoff, port: "1-1" }))).toEqual(["attached", "identified"]);
    const { memories, others } = book.state;
    expect(book.plugged({ stick: sonoff, port: "1-1" })).toEqual([]);
    expect(book.state.memories).toBe(memories);
    expect(book.state.others).toBe(others);
    expect(types(book.plugged())).toEqual(["detached"]);
    expect(book.radio(id)).toMatchObject({ presence: "absent", absentSince: timeAfter(30), lastSeen: timeAfter(20) });
    expect(types(book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 3 }))).toEqual(["attached"]);
    expect(book.radio(id)).not.toHaveProperty("absentSince");
    expect(book.radio(id).firstSeen).toBe(timeAfter(10));
  });

  test("a renumbered tty or a replug between two scans is a reattachment", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1", tty: 0 });
    expect(types(book.plugged({ stick: sonoff, port: "1-1", tty: 1, deviceNumber: 3 }))).toEqual(["reattached"]);
    expect(types(book.plugged({ stick: sonoff, port: "1-1", tty: 0, deviceNumber: 3 }))).toEqual(["reattached"]);
    expect(types(book.plugged({ stick: sonoff, port: "1-1", tty: 0, deviceNumber: 4 }))).toEqual(["reattached"]);
    expect(book.radio(id).device.nodes[0]?.path).toBe("/dev/ttyUSB0");
  });

  test("a driver that binds late is no event", () => {
    const book = createBook();
    const { device, identity } = sighted({ stick: sonoff, port: "1-1" });
    const { interfaceNumber: _number, ...usb } = device.usb!;
    const bare = {
      identity,
      device: { ...device, function: "usb" as const, sysPath: "devices/pci0000:00/0000:00:14.0/usb1/1-1", nodes: [], usb },
    };
    expect(types(book.apply(scanned(1, [bare])))).toEqual(["attached", "identified"]);
    expect(book.apply(scanned(2, [{ device, identity }]))).toEqual([]);
    expect(book.radio(id).device.function).toBe("serial");
    expect(book.state.memories.size).toBe(1);
  });

  test("unknown devices are no radios, and are shown", () => {
    const book = createBook();
    expect(book.plugged({ stick: { ...sonoff, identity: unknownIdentity }, port: "1-1" })).toEqual([]);
    expect(book.state.memories.size).toBe(0);
    expect(book.state.others).toHaveLength(1);
  });

  test("a device that turns out to be no radio is dismissed, but remembered", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    const changes = book.plugged({ stick: { ...sonoff, identity: unknownIdentity }, port: "1-1" });
    expect(changes).toMatchObject([{ type: "detached", details: { reason: "dismissed" } }]);
    expect(book.state.others).toHaveLength(1);
    expect(types(book.plugged({ stick: sonoff, port: "1-1" }))).toEqual(["attached"]);
    expect(book.state.memories.size).toBe(1);
  });
});

describe("stable ids", () => {
  test("a serial number goes with the stick", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    const changes = book.plugged({ stick: sonoff, port: "1-2" });
    expect(changes).toMatchObject([{ type: "moved", radioId: id, details: { from: "1-1", port: "1-2" } }]);
    book.plugged();
    expect(types(book.plugged({ stick: sonoff, port: "2-1" }))).toEqual(["attached", "moved"]);
    expect(book.state.memories.size).toBe(1);
    expect(book.radio(id).idBasis).toBe("serial");
  });

  test("without serial number the id stands for the port", () => {
    const book = createBook();
    const stick = withoutSerial(sonoff);
    book.plugged({ stick, port: "1-1" });
    expect(book.present).toEqual({ "1-1": "10c4-ea60-n1-1-1" });
    book.plugged();
    book.plugged({ stick, port: "1-1", tty: 3, deviceNumber: 9 });
    expect(book.present).toEqual({ "1-1": "10c4-ea60-n1-1-1" });
    book.plugged({ stick, port: "1-2" });
    expect(book.present).toEqual({ "1-2": "10c4-ea60-n1-1-2" });
    expect(book.radio("10c4-ea60-n1-1-1")).toMatchObject({ presence: "absent", idBasis: "port" });
  });

  test("a placeholder serial number is none", () => {
    const book = createBook();
    book.plugged({ stick: { ...sonoff, serial: "0001" }, port: "1-1" }, { stick: { ...sonoff, serial: "0001" }, port: "1-2", tty: 1 });
    expect(book.present).toEqual({ "1-1": "10c4-ea60-n1-1-1", "1-2": "10c4-ea60-n1-1-2" });
  });

  test("both ports of a dual stick are radios of their own", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" }, { stick: sonoff, port: "1-1", tty: 1, interfaceNumber: 1 });
    expect([...book.state.memories.keys()]).toEqual([id, `${id}-if01`]);
    book.plugged({ stick: sonoff, port: "1-2" }, { stick: sonoff, port: "1-2", tty: 1, interfaceNumber: 1 });
    expect(book.state.memories.size).toBe(2);
  });

  test("renumbered buses after a reboot change nothing", () => {
    const book = createBook();
    const stick = withoutSerial(sonoff);
    const [east, west] = ["devices/pci0/0000:00:14.0", "devices/pci0/0000:05:00.0"];
    book.plugged({ stick, port: "1-1", controller: east }, { stick, port: "2-1", controller: west, tty: 1 });
    book.restart(false);
    const changes = book.plugged({ stick, port: "2-1", controller: east }, { stick, port: "1-1", controller: west, tty: 1 });
    expect(changes).toEqual([]);
    expect(book.present).toEqual({ "2-1": "10c4-ea60-n1-1-1", "1-1": "10c4-ea60-n1-2-1" });
  });

  test("built-in radios are known by their path across renumbering", () => {
    const book = createBook();
    book.apply(scanned(1, [builtIn("devices/pci0000:00/0000:03:00.0/ieee80211/phy0", "wifi")]));
    expect(book.radio("wifi-n1-0000-03-00.0").idBasis).toBe("path");
    book.apply(scanned(2, [builtIn("devices/pci0000:00/0000:03:00.0/ieee80211/phy4", "wifi")]));
    expect(book.state.memories.size).toBe(1);
  });
});

describe("twins with one serial number", () => {
  test("the one known first keeps its id; the twin is known by its port", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    book.plugged({ stick: sonoff, port: "1-1" }, { stick: sonoff, port: "1-2", tty: 1 });
    expect(book.present).toEqual({ "1-1": id, "1-2": "10c4-ea60-n1-1-2" });
    expect(book.radio("10c4-ea60-n1-1-2").idBasis).toBe("port");
    book.plugged();
    book.plugged({ stick: sonoff, port: "1-2", tty: 0 });
    expect(book.present).toEqual({ "1-2": "10c4-ea60-n1-1-2" });
    book.plugged({ stick: sonoff, port: "1-2", tty: 0 }, { stick: sonoff, port: "1-1", tty: 1 });
    expect(book.present).toEqual({ "1-1": id, "1-2": "10c4-ea60-n1-1-2" });
    expect(book.state.memories.size).toBe(2);
  });

  test("seen together for the first time, neither can claim the number", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-2" }, { stick: sonoff, port: "1-1", tty: 1 });
    expect(book.present).toEqual({ "1-1": "10c4-ea60-n1-1-1", "1-2": "10c4-ea60-n1-1-2" });
  });

  test("the first keeps its id on a move while its twin stays; otherwise it can't be told from it", () => {
    const book = createBook();
    const twin = { stick: sonoff, port: "1-2", tty: 1 };
    book.plugged({ stick: sonoff, port: "1-1" });
    book.plugged({ stick: sonoff, port: "1-1" }, twin);
    expect(types(book.plugged({ stick: sonoff, port: "1-3" }, twin))).toEqual(["moved"]);
    expect(book.present).toEqual({ "1-3": id, "1-2": "10c4-ea60-n1-1-2" });
    book.plugged();
    book.plugged({ stick: sonoff, port: "1-4" });
    expect(book.present).toEqual({ "1-4": "10c4-ea60-n1-1-4" });
  });
});

test("two sticks in new ports with a number that one is known by: neither can claim it", () => {
  const book = createBook();
  book.plugged({ stick: sonoff, port: "1-1" });
  book.plugged();
  book.plugged({ stick: sonoff, port: "1-3" }, { stick: sonoff, port: "1-4", tty: 1 });
  expect(book.present).toEqual({ "1-3": "10c4-ea60-n1-1-3", "1-4": "10c4-ea60-n1-1-4" });
});

describe("bootloaders", () => {
  test("under other ids in the same port it is the same radio, and back", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    book.plugged();
    expect(types(book.plugged({ stick: bootloader, port: "1-1", deviceNumber: 3 }))).toEqual(["attached", "bootloader"]);
    expect(book.radio(id)).toMatchObject({ mode: "bootloader", presence: "present", identity: { state: "identified", kinds: ["zigbee"] } });
    expect(book.radio(id).device.usb?.vendorId).toBe("1915");
    expect(book.plugged({ stick: bootloader, port: "1-1", deviceNumber: 3 })).toEqual([]);
    expect(types(book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 4 }))).toEqual(["bootloader"]);
    expect(book.radio(id).mode).toBe("application");
    expect(book.state.memories.size).toBe(1);
    expect(book.state.others).toEqual([]);
  });

  test("without a serial number too, within one scan, and over a restart of aerial", () => {
    const book = createBook();
    book.plugged({ stick: withoutSerial(sonoff), port: "1-1" });
    expect(types(book.plugged({ stick: bootloader, port: "1-1", deviceNumber: 3 }))).toEqual(["bootloader"]);
    book.wait(86_400);
    book.restart(true);
    expect(book.plugged({ stick: bootloader, port: "1-1", deviceNumber: 3 })).toEqual([]);
    expect(book.radio("10c4-ea60-n1-1-1").mode).toBe("bootloader");
  });

  test("it is the radio that was there last, not the one before it in the same port", () => {
    const book = createBook();
    book.plugged({ stick: { ...sonoff, serial: "one11" }, port: "1-1" });
    book.plugged({ stick: { ...sonoff, serial: "two22" }, port: "1-1" });
    book.plugged({ stick: bootloader, port: "1-1" });
    expect(book.radio("10c4-ea60-two22").mode).toBe("bootloader");
    expect(book.radio("10c4-ea60-one11")).toMatchObject({ presence: "absent", mode: "application" });
  });

  test("the same serial number is proof in any port, at any time", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    book.plugged();
    book.wait(86_400);
    expect(types(book.plugged({ stick: { ...bootloader, serial: sonoff.serial! }, port: "1-4" }))).toEqual([
      "attached",
      "moved",
      "bootloader",
    ]);
    expect(book.radio(id).mode).toBe("bootloader");
  });

  test("nobody's bootloader is no radio: too late, in another port, or while the stick is there", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    expect(book.plugged({ stick: sonoff, port: "1-1" }, { stick: bootloader, port: "1-2", tty: 1 })).toEqual([]);
    expect(book.state.others).toHaveLength(1);
    book.plugged();
    book.wait(600);
    expect(book.plugged({ stick: bootloader, port: "1-1" })).toEqual([]);
    expect(book.radio(id).presence).toBe("absent");
  });

  test("an identified one is a radio; people's word for its port does not multiply it", () => {
    const book = createBook([{ match: { port: "1-1" }, kind: "zigbee" }]);
    for (let round = 0; round < 3; round += 1) book.plugged({ stick: bootloader, port: "1-1" });
    expect(book.state.memories.size).toBe(1);
    expect(book.radio("1915-521f-n1-1-1")).toMatchObject({ mode: "bootloader", identity: { kinds: ["zigbee"] } });
  });
});

describe("what is believed", () => {
  const told = { ...zigbeeIdentity, certainty: "certain", alternatives: [], firmware: "7.4.1" } as const;

  test("the radio's own word outlasts vaguer and equal sightings", () => {
    const book = createBook();
    const stick = { ...sonoff, identity: ambiguousIdentity };
    expect(types(book.plugged({ stick, port: "1-1" }))).toEqual(["attached"]);
    expect(types(book.apply({ type: "identified", at: book.at, id, identity: told }))).toEqual(["identified"]);
    expect(book.plugged({ stick, port: "1-1" })).toEqual([]);
    expect(book.radio(id).identity).toEqual(told);
    book.apply({ type: "identified", at: book.at, id, identity: ambiguousIdentity });
    expect(book.radio(id).identity).toEqual(told);
  });

  test("other strings are a newer identification", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    book.apply({ type: "identified", at: book.at, id, identity: told });
    const thread = { ...zigbeeIdentity, kinds: ["thread"], model: "Thread stick" };
    expect(types(book.plugged({ stick: { ...sonoff, product: "Thread", identity: thread }, port: "1-1" }))).toEqual(["identified"]);
    expect(book.radio(id).identity).toEqual(thread);
  });

  test("strings rewritten to something vague erase nothing; better rules for the same strings do", () => {
    const book = createBook();
    const rewritten = { ...sonoff, product: "USB Serial", identity: ambiguousIdentity };
    book.plugged({ stick: sonoff, port: "1-1" });
    for (let round = 0; round < 2; round += 1) expect(book.plugged({ stick: rewritten, port: "1-1" })).toEqual([]);
    expect(book.radio(id).identity.state).toBe("identified");
    expect(types(book.plugged({ stick: { ...sonoff, identity: ambiguousIdentity }, port: "1-1" }))).toEqual(["identified"]);
    expect(book.radio(id).identity.state).toBe("ambiguous");
  });

  test("in a port that stands for any such stick, what was told is only likely after a replug", () => {
    const book = createBook();
    const stick = { ...withoutSerial(sonoff), identity: ambiguousIdentity };
    book.plugged({ stick, port: "1-1" });
    book.apply({ type: "identified", at: book.at, id: "10c4-ea60-n1-1-1", identity: told });
    book.plugged();
    book.plugged({ stick, port: "1-1", deviceNumber: 3 });
    expect(book.radio("10c4-ea60-n1-1-1").identity).toMatchObject({ state: "identified", certainty: "likely" });
  });

  test("after a flash what was told before is only likely", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    const tell = () => book.apply({ type: "identified", at: book.at, id, identity: told });
    const certainty = () => book.radio(id).identity;
    tell();
    book.plugged({ stick: bootloader, port: "1-1", deviceNumber: 3 });
    expect(certainty()).toMatchObject({ certainty: "certain" });
    book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 4 });
    expect(certainty()).toMatchObject({ certainty: "likely", firmware: "7.4.1" });

    tell();
    book.apply({ type: "leased", at: book.at, id, lease: { holder: "bridge", owner: "bridge", since: book.at } });
    book.apply({ type: "released", at: book.at, id, owner: "bridge" });
    expect(certainty()).toMatchObject({ certainty: "certain" });
    book.apply({ type: "leased", at: book.at, id, lease: { holder: "flash", owner: "cli", since: book.at } });
    expect(certainty()).toMatchObject({ certainty: "certain" });
    book.apply({ type: "released", at: book.at, id, owner: "cli" });
    expect(certainty()).toMatchObject({ certainty: "likely" });
  });

  test("a bootloader behind a bridge chip is seen only when asked", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" });
    expect(types(book.apply({ type: "identified", at: book.at, id, identity: bootloaderIdentity }))).toEqual(["bootloader"]);
    expect(book.plugged({ stick: sonoff, port: "1-1" })).toEqual([]);
    expect(book.radio(id).mode).toBe("bootloader");
    expect(types(book.apply({ type: "identified", at: book.at, id, identity: told }))).toEqual(["bootloader", "identified"]);
    expect(book.radio(id).mode).toBe("application");
  });

  test("people's word stands above all, in the configuration and at run time", () => {
    const book = createBook([{ match: { serial: sonoff.serial! }, name: "attic", kind: "thread" }]);
    book.plugged({ stick: { ...sonoff, identity: unknownIdentity }, port: "1-1" });
    expect(book.radio(id)).toMatchObject({
      name: "attic",
      identity: { state: "identified", certainty: "certain", kinds: ["thread"], evidence: [{ source: "override" }] },
    });
    expect(types(book.apply({ type: "overridden", at: book.at, id, kind: "lora" }))).toEqual(["overridden", "identified"]);
    expect(types(book.apply({ type: "named", at: book.at, id, name: " cellar " }))).toEqual(["named"]);
    expect(book.plugged({ stick: { ...sonoff, identity: unknownIdentity }, port: "1-1" })).toEqual([]);
    expect(book.radio(id)).toMatchObject({ name: "cellar", identity: { kinds: ["lora"] } });
    book.apply({ type: "overridden", at: book.at, id });
    book.apply({ type: "named", at: book.at, id });
    expect(book.radio(id)).toMatchObject({ name: "attic", identity: { kinds: ["thread"] } });
  });
});

describe("over a restart", () => {
  test("what really changed while aerial was down is history; a reboot is no replug", () => {
    const book = createBook();
    book.plugged({ stick: sonoff, port: "1-1" }, { stick: withoutSerial(sonoff), port: "1-2", tty: 1 });
    book.restart(true);
    expect(types(book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 7, tty: 4 }))).toEqual(["detached", "reattached"]);
    book.restart(false);
    expect(types(book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 3, tty: 0 }))).toEqual([]);
    expect(book.radio(id).device.nodes[0]?.path).toBe("/dev/ttyUSB0");
    expect(types(book.plugged({ stick: sonoff, port: "1-1", deviceNumber: 4, tty: 0 }))).toEqual(["reattached"]);
  });
});

describe("forgetting", () => {
  test("after 30 days of absence what was never certain, unless it has a name", () => {
    const book = createBook();
    const certain = { ...sonoff, serial: "C1", identity: certainIdentity };
    const named = { ...sonoff, serial: "N1" };
    book.plugged({ stick: sonoff, port: "1-1" }, { stick: certain, port: "1-2", tty: 1 }, { stick: named, port: "1-3", tty: 2 });
    book.apply({ type: "named", at: book.at, id: "10c4-ea60-N1", name: "kept" });
    book.plugged();
    book.wait(29 * 86_400);
    expect(book.plugged()).toEqual([]);
    book.wait(86_400);
    expect(book.plugged()).toMatchObject([{ type: "forgotten", radioId: id }]);
    expect([...book.state.memories.keys()]).toEqual(["10c4-ea60-C1", "10c4-ea60-N1"]);
  });

  test("a stick with a new serial number at every start can't fill the memory", () => {
    const book = createBook();
    for (let round = 0; round < mostAbsent + 20; round += 1) {
      book.plugged({ stick: { ...sonoff, serial: `R${round}xyz`, identity: certainIdentity }, port: "1-1", deviceNumber: round });
    }
    expect(book.state.memories.size).toBeLessThanOrEqual(mostAbsent + 2);
    expect(book.state.memories.has("10c4-ea60-R0xyz")).toBe(false);
  });
});
