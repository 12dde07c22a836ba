import fc from "fast-check";
import { expect, test } from "vitest";
import { addressRecord, announce, probe, query, respond } from "../../../test/fixtures/mdns-hosts.ts";
import { recordType } from "../dns/dns-message.ts";
import { readMessage } from "../dns/read-message.ts";
import { type RecordToWrite, writeMessage } from "../dns/write-message.ts";
import { compileRules } from "../rules/compile-rules.ts";
import { inPrefix } from "../address.ts";
import { filterMessage } from "./filter-message.ts";
import { scanMessage } from "./scan-message.ts";
import { crossesWhole } from "./whole-crossing.ts";

const rules = () => compileRules({ rules: [{ action: "deny", service: ["_ipp._tcp"] }] });
const source = Uint8Array.of(10, 1, 0, 9);
const onEgress = (address: Uint8Array): boolean => inPrefix(address, Uint8Array.of(10, 2, 0, 0), 16);

/** What both ways say of a packet, and how often each rule decided. */
function judge(payload: Uint8Array) {
  const message = readMessage(payload);
  if ("fault" in message) throw new TypeError(message.fault);
  const [quick, slow] = [rules(), rules()];
  const plain = scanMessage(payload);
  const whole = plain !== undefined && crossesWhole(plain, payload, { pair: quick.between("a", "b"), family: 4, onEgress });
  const context = { pair: slow.between("a", "b"), family: 4, source, onEgress, isMultiHomed: () => false } as const;
  const { dropped } = filterMessage(message, context);
  const hits = (set: ReturnType<typeof rules>): readonly number[] => set.lines.map((line) => line.hits);
  return { whole, crosses: Object.keys(dropped).length === 0, same: String(hits(quick)) === String(hits(slow)), quick: hits(quick) };
}

test.each([
  ["an announcement", announce()],
  ["a question", query("_hap._tcp")],
  ["a question for a host", query("lamp", { type: recordType.A })],
  ["a goodbye", announce({ ttl: 0 })],
])("%s is seen to cross whole, and counted as if judged part by part", (_, payload) => {
  expect(judge(payload)).toMatchObject({ whole: true, crosses: true, same: true });
});

test.each([
  ["what a rule denies", announce({ service: "_ipp._tcp" })],
  ["what the defaults keep", announce({ service: "_matter._tcp" })],
  ["a link-local address", announce({ addresses: ["fe80::9"] })],
  ["an address of the other link", announce({ addresses: ["10.2.0.9"] })],
  ["a probe", probe("lamp", "10.1.0.9")],
  ["upper case", announce({ service: "_HAP._tcp" })],
  [
    "a reverse name",
    respond({ answers: [{ name: ["9", "0", "1", "10", "in-addr", "arpa"], type: recordType.PTR, ttl: 9, data: [["lamp", "local"]] }] }),
  ],
])("%s is not, and counts nothing", (_, payload) => {
  expect(judge(payload)).toMatchObject({ whole: false, quick: [0, 0, 0, 0, 0] });
});

test("what is seen to cross whole crosses whole when judged part by part, and is counted the same", () => {
  const label = fc.constantFrom<string>(
    "lamp",
    "_hap",
    "_ipp",
    "_tcp",
    "_udp",
    "_sub",
    "_services",
    "_dns-sd",
    "_matter",
    "Lamp",
    "_TCP",
    "arpa",
    "x.y",
  );
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.concat("local"));
  const pointer = fc.record({ name, type: fc.constant<number>(recordType.PTR), ttl: fc.constant(120), data: fc.tuple(name) });
  const address = fc.constantFrom("10.1.0.9", "10.2.0.9", "169.254.0.1", "fe80::1", "fd01::9").map((text) => addressRecord("lamp", text));
  const server = fc.record({
    name,
    type: fc.constant<number>(recordType.SRV),
    ttl: fc.constant(120),
    data: fc.tuple(fc.constant(new Uint8Array(6)), name),
  });
  const record: fc.Arbitrary<RecordToWrite> = fc.oneof(pointer, address, server);
  const records = fc.array(record, { maxLength: 4 });
  const message = fc.record({
    response: fc.boolean(),
    questions: fc.array(
      name.map((labels) => ({ name: labels, type: recordType.ANY })),
      { maxLength: 2 },
    ),
    answers: records,
    authority: records,
  });
  let seen = 0;
  fc.assert(
    fc.property(message, (made) => {
      if (made.questions.length + made.answers.length + made.authority.length === 0) return;
      const { whole, crosses, same } = judge(writeMessage(made));
      if (!whole) return;
      seen += 1;
      expect({ crosses, same }).toEqual({ crosses: true, same: true });
    }),
    { numRuns: 3_000 },
  );
  expect(seen).toBeGreaterThan(20);
});
