/** What rules and scope take out of a message on its way, by the names in it. */
import { expect, test } from "vitest";
import { type Sent, makeRelayWorld } from "../../test/fixtures/engine-world.ts";
import { addressRecord, announce, query, respond } from "../../test/fixtures/mdns-hosts.ts";
import { type DnsMessage, recordType } from "./dns/dns-message.ts";
import { readMessage } from "./dns/read-message.ts";
import { type RecordToWrite, writeMessage } from "./dns/write-message.ts";
import type { RelayRule } from "./rules/relay-rule.ts";

const deny = (rule: Omit<RelayRule, "action">): RelayRule => ({ action: "deny", ...rule });
const worldWith = (...rules: readonly RelayRule[]) => makeRelayWorld(["a", "b"], { rules });

function read(sent: Sent | undefined): DnsMessage {
  const message = readMessage(sent?.payload ?? new Uint8Array());
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

const namesOf = ({ records }: DnsMessage): readonly string[] => records.map(({ name, type }) => `${name.key} ${type}`);
const typeRecord = (type: string, target: string): RecordToWrite => {
  const labels = (text: string): readonly string[] => [...text.split("."), "local"];
  return { name: labels(type), type: recordType.PTR, ttl: 4_500, data: [labels(target)] };
};

test.each([
  ["with dots", { instance: "Desk 2.0 (3rd floor.)", pattern: "desk 2.0*" }],
  ["in UTF-8", { instance: "Küche 厨房", pattern: "küche *" }],
  ["in upper case", { instance: "TV", service: "_AirPlay._TCP", host: "TV-Set", pattern: "tv" }],
  ["like a type", { instance: "_hap._tcp", service: "_ipp._tcp", pattern: "_hap._tcp" }],
] as const)("a name %s goes on as it is written, and a rule finds it", (_, { pattern, ...service }) => {
  const payload = announce(service);
  expect(worldWith().hear("a", { payload })).toMatchObject([{ payload: Uint8Array.from(payload) }]);
  expect(worldWith(deny({ instance: [pattern] })).hear("a", { payload })).toEqual([]);
  expect(worldWith(deny({ instance: ["other*"] })).hear("a", { payload })).toHaveLength(1);
});

test("a rule about a type holds however the packet writes it", () => {
  const { hear } = worldWith(deny({ service: ["_airplay._tcp"] }));
  expect(hear("a", { payload: announce({ service: "_AirPlay._TCP" }) })).toEqual([]);
  expect(hear("a", { payload: query("_AIRPLAY._tcp") })).toEqual([]);
});

test("a goodbye crosses as one, beside link-local addresses too; that of a denied type stays", () => {
  const goodbye = { payload: announce({ ttl: 0, addresses: ["10.1.0.9", "fe80::9"] }) };
  const crossed = read(worldWith().hear("a", goodbye)[0]);
  expect(crossed.records.map(({ type, ttl }) => [type, ttl])).toEqual([
    [recordType.PTR, 0],
    [recordType.SRV, 0],
    [recordType.TXT, 0],
    [recordType.A, 0],
  ]);
  expect(worldWith(deny({ service: ["homekit"] })).hear("a", goodbye)).toEqual([]);
});

test("what is left after a cut keeps its times and its flush bits", () => {
  const [sent] = worldWith().hear("a", { payload: announce({ addresses: ["fe80::9", "10.1.0.9"], ttl: 77 }) });
  expect(read(sent).records.map(({ type, flush, ttl }) => [type, flush, ttl])).toEqual([
    [recordType.PTR, false, 77],
    [recordType.SRV, true, 77],
    [recordType.TXT, true, 77],
    [recordType.A, true, 77],
  ]);
});

test("a filter leaves the addresses of those hosts whose services it leaves", () => {
  const offer = (instance: string, service: string, address: string): readonly RecordToWrite[] => {
    const type = [...service.split("."), "local"];
    const host = instance.toLowerCase();
    return [
      { name: type, type: recordType.PTR, ttl: 120, data: [[instance, ...type]] },
      { name: [instance, ...type], type: recordType.SRV, flush: true, ttl: 120, data: [Uint8Array.of(0, 0, 0, 0, 0, 80), [host, "local"]] },
      addressRecord(host, address),
    ];
  };
  const payload = respond({ answers: [...offer("Lamp", "_hap._tcp", "10.1.0.9"), ...offer("Desk", "_ipp._tcp", "10.1.0.8")] });
  const [sent] = worldWith(deny({ service: ["homekit"] })).hear("a", { payload });
  expect(namesOf(read(sent))).toEqual(["_ipp._tcp.local 12", "desk._ipp._tcp.local 33", "desk.local 1"]);
});

test("the list of all types loses those denied, and may be asked for", () => {
  const { hear } = worldWith(deny({ service: ["homekit"] }));
  const all = "_services._dns-sd._udp";
  expect(hear("a", { payload: query(all) })).toHaveLength(1);
  const [sent] = hear("a", { payload: respond({ answers: [typeRecord(all, "_hap._tcp"), typeRecord(all, "_ipp._tcp")] }) });
  const message = read(sent);
  expect(message.records.map(({ target }) => target?.key)).toEqual(["_ipp._tcp.local"]);
});

test("a subtype goes where its type goes, asked or offered", () => {
  const { hear } = worldWith(deny({ service: ["_ipp._tcp"] }));
  expect(hear("a", { payload: query("_universal._sub._ipp._tcp") })).toEqual([]);
  expect(hear("a", { payload: query("_universal._sub._ipps._tcp") })).toHaveLength(1);
  expect(hear("a", { payload: respond({ answers: [typeRecord("_universal._sub._ipp._tcp", "Desk._ipp._tcp")] }) })).toEqual([]);
  expect(hear("a", { payload: respond({ answers: [typeRecord("_universal._sub._ipps._tcp", "Desk._ipps._tcp")] }) })).toHaveLength(1);
});

test("a service with port 0 goes on as it came", () => {
  const payload = announce({ service: "_printer._tcp", port: 0 });
  expect(worldWith().hear("a", { payload })).toMatchObject([{ payload: Uint8Array.from(payload) }]);
});

test("of questions for unicast beside others all ask for multicast, also when one is taken out", () => {
  const ask = (name: string, unicastResponse: boolean) => ({ name: [name, "_tcp", "local"], type: recordType.PTR, unicastResponse });
  const payload = writeMessage({ questions: [ask("_hap", true), ask("_ipp", false), ask("_raop", true)] });
  const asked = ({ questions }: DnsMessage) => questions.map(({ name, unicastResponse }) => `${name.key} ${unicastResponse}`);
  expect(asked(read(worldWith().hear("a", { payload })[0]))).toEqual([
    "_hap._tcp.local false",
    "_ipp._tcp.local false",
    "_raop._tcp.local false",
  ]);
  const cut = worldWith(deny({ service: ["_ipp._tcp"] })).hear("a", { payload });
  expect(asked(read(cut[0]))).toEqual(["_hap._tcp.local false", "_raop._tcp.local false"]);
});

test("known answers and TC outlive a cut, and what continues them follows", () => {
  const known = (type: string) => typeRecord(type, `Known.${type}`);
  const { hear } = worldWith(deny({ service: ["_hap._tcp"] }));
  const [first] = hear("a", { payload: query("_ipp._tcp", { truncated: true, answers: [known("_ipp._tcp"), known("_hap._tcp")] }) });
  expect(read(first)).toMatchObject({ truncated: true, records: [{ section: "answer", name: { key: "_ipp._tcp.local" } }] });
  const [more] = hear("a", { payload: writeMessage({ answers: [known("_raop._tcp")] }) });
  expect(read(more)).toMatchObject({ truncated: false, questions: [], records: [{ name: { key: "_raop._tcp.local" } }] });
});
