import { describe, expect, it } from "vitest";
import { seenService } from "../../test/fixtures/seen-services.ts";
import { scanned, sighted, sonoff, unknownIdentity, zigbeeIdentity } from "../../test/fixtures/sightings.ts";
import type { IdentifiedDevice, Identity } from "../core/identity.ts";
import type { SeenService } from "../core/relay.ts";
import { toNetworkDevices } from "../scan/network-devices.ts";
import type { RadioOverride } from "./belief.ts";
import { toRadio } from "./memory.ts";
import { reduce } from "./reduce.ts";
import type { HistoryDraft, InventoryState } from "./state.ts";

const wanted = new Set(["_slzb-06._tcp", "_xzg._tcp", "_zigbee-gateway._tcp"]);

function heard(services: readonly SeenService[], identity: Identity = zigbeeIdentity): readonly IdentifiedDevice[] {
  return toNetworkDevices(services, wanted).map((device) => ({ device, identity }));
}

/** A reducer with a memory: a scan every ten seconds. */
function createBook(node = "n1", overrides: readonly RadioOverride[] = []) {
  let state: InventoryState = {
    node,
    overrides,
    forgetAfterDays: 30,
    complete: false,
    sameBoot: true,
    memories: new Map(),
    others: [],
  };
  let seconds = 0;
  return {
    scan(devices: readonly IdentifiedDevice[]): readonly HistoryDraft[] {
      const { state: after, changes } = reduce(state, scanned((seconds += 10), devices));
      state = after;
      return changes;
    },
    restart: () => void (state = { ...state, complete: false, others: [] }),
    get state() {
      return state;
    },
    get radios() {
      return [...state.memories.values()].map(({ id, basis, presence }) => ({ id, basis, presence }));
    },
  };
}

const serial = "00124B0001020304";
const coordinator = seenService({ service: "_xzg._tcp", instance: "XZG-ABCD", host: "xzg-abcd.local", text: { serial_number: serial } });
const nameless = seenService({ service: "_slzb-06._tcp", instance: "slzb-06", host: "slzb-06.local" });
const typesOf = (changes: readonly HistoryDraft[]): readonly string[] => changes.map(({ type }) => type);

describe("a radio on the network", () => {
  it.each([
    [coordinator, "network-00124b0001020304", "serial"],
    [seenService({ host: "slzb-06.local", text: { mac: "AA:BB:CC:DD:EE:0F" } }), "network-aabbccddee0f-p6638", "serial"],
    [nameless, "network-slzb-06-6638", "name"],
    [seenService({ host: "slzb-06.local", text: { serial_number: "0000000000000000" } }), "network-slzb-06-6638", "name"],
  ])("%o has the id %s on every node, from its %s", (service, id, basis) => {
    for (const node of ["n1", "n2"]) {
      const book = createBook(node);
      book.scan(heard([service]));
      expect(book.radios).toEqual([{ id, basis, presence: "present" }]);
    }
  });

  it("comes and goes with what is heard of it, and is told of in history as what it is", () => {
    const book = createBook();
    const [attached, identified] = book.scan(heard([coordinator]));
    expect([attached?.type, identified?.type]).toEqual(["attached", "identified"]);
    expect(attached).toMatchObject({
      text: "SONOFF Dongle Plus appeared at xzg-abcd.local:6638",
      details: { attachment: "network", port: "xzg-abcd.local:6638" },
    });
    expect(book.scan(heard([coordinator]))).toEqual([]);
    expect(typesOf(book.scan([]))).toEqual(["detached"]);
    expect(typesOf(book.scan(heard([coordinator])))).toEqual(["attached"]);
    expect(book.radios).toHaveLength(1);
  });

  it("is the same one under further types, on further links and under further addresses", () => {
    const book = createBook();
    book.scan(heard([coordinator]));
    const more = [
      coordinator,
      { ...coordinator, service: "_zigbee-gateway._tcp" },
      { ...coordinator, link: "iot", addresses: ["198.51.100.7"] },
    ];
    expect(book.scan(heard(more))).toEqual([]);
    expect(book.scan(heard(more.slice(1, 2)))).toEqual([]);
    expect(book.radios).toHaveLength(1);
  });

  it("moves with its serial number, and is another one without", () => {
    const book = createBook();
    book.scan(heard([coordinator, nameless]));
    const changes = book.scan(
      heard([
        { ...coordinator, host: "attic.local" },
        { ...nameless, host: "attic.local", port: 1 },
      ]),
    );
    expect(typesOf(changes).toSorted()).toEqual(["attached", "detached", "identified", "moved"]);
    expect(changes.find(({ type }) => type === "moved")?.details).toMatchObject({ from: "xzg-abcd.local:6638", port: "attic.local:6638" });
    expect(book.radios.filter(({ presence }) => presence === "present").map(({ id }) => id)).toEqual([
      "network-00124b0001020304",
      "network-attic-1",
    ]);
  });

  it("is none of the devices of this machine when it is no radio", () => {
    const book = createBook();
    book.scan([...heard([coordinator], unknownIdentity), { ...sighted({ stick: sonoff, port: "1-1" }), identity: unknownIdentity }]);
    expect(book.state.others.map(({ device }) => device.function)).toEqual(["serial"]);
    expect(book.radios).toEqual([]);
  });

  it("is told of as gone once after a restart in which it is not heard at first, and never as another", () => {
    const book = createBook();
    book.scan(heard([coordinator]));
    book.restart();
    expect(typesOf(book.scan([]))).toEqual(["detached"]);
    expect(book.scan([])).toEqual([]);
    expect(typesOf(book.scan(heard([coordinator])))).toEqual(["attached"]);
    expect(book.radios).toHaveLength(1);
  });

  it("takes names and kinds from people, by serial number, MAC or place", () => {
    const boxed = seenService({ host: "box.local", text: { mac: "AA:BB:CC:DD:EE:0F" } });
    const book = createBook("n1", [
      { match: { serial: serial.toLowerCase() }, name: "attic" },
      { match: { serial: "aabbccddee0f" }, kind: "thread" },
      { match: { port: "slzb-06.local:6638" }, name: "cellar" },
    ]);
    book.scan(heard([coordinator, boxed, nameless]));
    const radios = [...book.state.memories.values()].map((memory) => toRadio(memory, book.state.overrides));
    expect(radios.map(({ id, name }) => [id, name])).toEqual(
      expect.arrayContaining([
        ["network-00124b0001020304", "attic"],
        ["network-slzb-06-6638", "cellar"],
      ]),
    );
    expect(radios.find(({ id }) => id === "network-aabbccddee0f-p6638")?.identity).toMatchObject({
      kinds: ["thread"],
      certainty: "certain",
    });
  });

  it("leaves sticks alone, even those with its serial number", () => {
    const book = createBook();
    const stick = sighted({ stick: { ...sonoff, serial: serial.toLowerCase() }, port: "1-1" });
    book.scan([stick, ...heard([coordinator])]);
    expect(book.scan([stick])).toMatchObject([{ type: "detached", radioId: "network-00124b0001020304" }]);
    expect(book.radios).toHaveLength(2);
  });
});
