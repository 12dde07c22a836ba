import { describe, expect, test } from "vitest";
import { ambiguous, sampleRadio, zigbee } from "../../../test/fixtures/sample-radios.ts";
import type { ResourceGroup } from "../../core/handover.ts";
import type { Radio } from "../../core/radio.ts";
import { groupRadios, resourceName } from "./resource-groups.ts";

function groupsOf(radios: readonly Radio[], groups: readonly ResourceGroup[] = []): Record<string, readonly string[]> {
  const grouped = groupRadios(radios, { domain: "radio.mi.house", groups });
  return Object.fromEntries([...grouped].map(([name, members]) => [name, members.map(({ id }) => id)]));
}

const kinds = (...names: readonly string[]): Partial<Radio> => ({ identity: { ...zigbee, kinds: names } });
const { device } = sampleRadio("any");

describe("without configured groups", () => {
  test("a radio is in the group of its first kind, by id", () => {
    expect(groupsOf([sampleRadio("b"), sampleRadio("c", kinds("thread", "zigbee")), sampleRadio("a", kinds("zigbee", "thread"))])).toEqual({
      zigbee: ["a", "b"],
      thread: ["c"],
    });
  });

  test("likely is enough, and so is a stick that waits in its bootloader or is away", () => {
    const likely = sampleRadio("a", { identity: { ...zigbee, certainty: "likely", alternatives: ["thread"] } });
    const absent = sampleRadio("c", { presence: "absent" });
    expect(groupsOf([likely, sampleRadio("b", { mode: "bootloader" }), absent])).toEqual({ zigbee: ["a", "b", "c"] });
  });

  test("what is not certain, not here or has no node is in none", () => {
    const unknown: Radio["identity"] = { state: "unknown", mode: "application", evidence: [] };
    expect(
      groupsOf([
        sampleRadio("a", { identity: ambiguous }),
        sampleRadio("b", { identity: unknown }),
        sampleRadio("c", { device: { sysPath: "network/a:1", function: "network", nodes: device.nodes } }),
        sampleRadio("d", { device: { sysPath: "devices/x/hci0", function: "bluetooth", nodes: [] } }),
      ]),
    ).toEqual({});
  });

  test("a serial stick without its port, since the driver is missing or on its way, is in none; raw USB that is meant to be so is", () => {
    const { line: _line, ...spokenToDirectly } = zigbee;
    const raw = { ...device, function: "usb", nodes: [{ path: "/dev/bus/usb/001/004", major: 189, minor: 3 }] } as const;
    const radios = [
      sampleRadio("a", { device: raw }),
      sampleRadio("b", { device: raw, identity: { ...spokenToDirectly, kinds: ["sdr"] } }),
    ];
    expect(groupsOf(radios)).toEqual({ sdr: ["b"] });
  });

  test.each(["Zigbee", "a/b", "../x", "", "x".repeat(64), "zigbee-2", "a\nb", "-a"])(
    "a kind that makes no good name, %j, is in none",
    (kind) => {
      expect(groupsOf([sampleRadio("a", kinds(kind))])).toEqual({});
    },
  );
});

test("the first group that fits holds, by kind, id or name; groups without radios are there too", () => {
  const groups = [
    { name: "coordinator", kinds: [], radios: ["attic", "b"] },
    { name: "mesh", kinds: ["thread", "zigbee"], radios: ["c"] },
    { name: "spare", kinds: ["zwave"], radios: [] },
  ];
  const radios = [
    sampleRadio("a", { name: "attic" }),
    sampleRadio("b"),
    sampleRadio("c", kinds("lora")),
    sampleRadio("d", kinds("wifi", "thread")),
    sampleRadio("e", kinds("enocean")),
  ];
  expect(groupsOf(radios, groups)).toEqual({ coordinator: ["a", "b"], mesh: ["c", "d"], spare: [], enocean: ["e"] });
});

test("every radio is in one group at most", () => {
  const groups = [
    { name: "one", kinds: ["zigbee"], radios: [] },
    { name: "two", kinds: ["zigbee"], radios: ["a"] },
  ];
  expect(groupsOf([sampleRadio("a")], groups)).toEqual({ one: ["a"], two: [] });
});

test("a group is an extended resource", () => {
  expect(resourceName("radio.mi.house", "zigbee")).toBe("radio.mi.house/zigbee");
});
