import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createFactsWorld } from "../../../test/fixtures/facts-world.ts";
import type { DeviceNodeFacts, Facts } from "../../core/check.ts";
import { numberIn } from "./evidence.ts";
import { nodeBehind } from "./device-paths.ts";

test("links are followed to the node, as udev writes them", async () => {
  const world = createFactsWorld();
  onTestFinished(() => world[Symbol.dispose]());
  world.node("/dev/ttyUSB0", { major: 188, minor: 0 });
  world.link("/dev/serial/by-id/stick", "../../ttyUSB0").link("/dev/zigbee", "serial/by-id/stick").link("/dev/round", "round");
  const facts = await world.gather([]);
  for (const path of ["/dev/ttyUSB0", "/dev/serial/by-id/stick", "/dev/zigbee", "/dev//serial/../zigbee"]) {
    expect(nodeBehind(facts, path)?.path).toBe("/dev/ttyUSB0");
  }
  for (const path of ["/dev/round", "/dev/none", "", "/etc/passwd"]) expect(nodeBehind(facts, path)).toBeUndefined();
});

test("links may lead anywhere, also in circles", () => {
  const link = (path: string, target: string): DeviceNodeFacts => ({ path, type: "link", mode: 0o777, uid: 0, gid: 0, target });
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("/dev/a", "/dev/b", "/dev/c"), fc.oneof(fc.constantFrom("a", "b", "../dev/c"), fc.string())),
      (links) => {
        const facts = {
          deviceNode: (path: string) => (path in links ? { state: "read", value: link(path, links[path] ?? "") } : { state: "absent" }),
        } as unknown as Facts;
        for (const path of Object.keys(links)) expect(nodeBehind(facts, path)).toBeUndefined();
      },
    ),
  );
});

test("numbers are decimal or hexadecimal, and all else is none", () => {
  expect([numberIn({ state: "read", value: "0x1003" }), numberIn({ state: "read", value: " 1500" })]).toEqual([4_099, 1_500]);
  for (const value of ["", "-1", "1e3", "0b1", "1.5", "12mA"]) expect(numberIn({ state: "read", value })).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const number = numberIn({ state: "read", value });
      expect(number === undefined || Number.isSafeInteger(number)).toBe(true);
    }),
  );
});
