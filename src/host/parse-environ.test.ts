import fc from "fast-check";
import { expect, test } from "vitest";
import { sampleRadio } from "../../test/fixtures/sample-radios.ts";
import { editsFor } from "../publish/handover/radio-edits.ts";
import { parseEnviron } from "./parse-environ.ts";

const environ = (...entries: readonly string[]): string => entries.map((entry) => `${entry}\0`).join("");

test("what a container was given is read back", () => {
  const edits = editsFor(sampleRadio("10c4-ea60-0001"), { group: "my-mesh", ordinal: 2, node: "n1" });
  const text = environ("PATH=/bin", ...Object.entries(edits.environment).map(([name, value]) => `${name}=${value}`), "HOME=/");
  expect(parseEnviron(text)).toEqual({ node: "n1", radios: [{ id: "10c4-ea60-0001", device: "188:0", byCdi: false }] });
  expect(parseEnviron(text + environ("RADIO_MY_MESH_2_CDI=x"))?.radios[0]?.byCdi).toBe(true);
});

test.each([
  ["nothing", environ()],
  ["no node", environ("RADIO_ZIGBEE_ID=a", "RADIO_ZIGBEE_DEVICE=188:0")],
  ["no numbers", environ("RADIO_NODE=n1", "RADIO_ZIGBEE_ID=a")],
  ["bad numbers", environ("RADIO_NODE=n1", "RADIO_ZIGBEE_ID=a", "RADIO_ZIGBEE_DEVICE=188:0; rm")],
  ["a bad id", environ("RADIO_NODE=n1", "RADIO_ZIGBEE_ID=../a", "RADIO_ZIGBEE_DEVICE=188:0")],
  ["a name within a value", environ("X=RADIO_NODE=n1", "XRADIO_ZIGBEE_ID=a")],
])("%s tells of no radio", (_what, text) => {
  expect(parseEnviron(text)).toBeUndefined();
});

test("the first of two holds", () => {
  const text = environ("RADIO_NODE=n1", "RADIO_NODE=n2", "RADIO_A_ID=a", "RADIO_A_ID=b", "RADIO_A_DEVICE=1:2");
  expect(parseEnviron(text)).toEqual({ node: "n1", radios: [{ id: "a", device: "1:2", byCdi: false }] });
});

test("any bytes, without end", () => {
  const part = fc.oneof(fc.constantFrom("RADIO_NODE=", "RADIO_A_ID=", "RADIO_A_DEVICE=1:1", "\0", "=", "a"), fc.string({ unit: "binary" }));
  fc.assert(fc.property(fc.array(part), (parts) => void parseEnviron(parts.join(""))));
  const flood = Array.from({ length: 10_000 }, (_, index) => environ(`RADIO_${index}_ID=a`, `RADIO_${index}_DEVICE=1:1`)).join("");
  expect(parseEnviron(environ("RADIO_NODE=n1") + flood)?.radios).toHaveLength(64);
});
