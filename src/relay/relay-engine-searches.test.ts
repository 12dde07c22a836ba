/** Searches through the relay: who asks, who answers, and what becomes of those who go away in between. */
import { expect, test } from "vitest";
import { madeUpLink, makeRelayWorld, type MadeUpReply, type RelayWorld, type Sent } from "../../test/fixtures/engine-world.ts";
import { addressRecord, query, respond } from "../../test/fixtures/mdns-hosts.ts";
import { recordType } from "./dns/dns-message.ts";
import { readMessage } from "./dns/read-message.ts";
import { type RecordToWrite, writeMessage } from "./dns/write-message.ts";

const search = (target: string, lineEnd = "\r\n"): Uint8Array =>
  Buffer.from(
    ["M-SEARCH * HTTP/1.1", "HOST: 239.255.255.250:1900", 'MAN: "ssdp:discover"', "MX: 3", `ST: ${target}`, "", ""].join(lineEnd),
  );
const found = (target: string, location = "http://10.2.0.9:1400/d.xml"): Uint8Array =>
  Buffer.from(`HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: ${location}\r\nST: ${target}\r\nUSN: uuid:1::${target}\r\n\r\n`);
const withoutFlush = ({ name, type, ttl, data }: RecordToWrite): RecordToWrite => ({ name, type, ttl, data });
const answerFor = (host: string, id: number, ...addresses: readonly string[]): Uint8Array =>
  respond({
    id,
    questions: [{ name: [host, "local"], type: recordType.A }],
    answers: addresses.map((address) => withoutFlush(addressRecord(host, address, 10))),
  });

/** Asks on `a`, and gives the socket that waits for answers on `b`. */
function ask(world: RelayWorld, packet: Parameters<RelayWorld["hear"]>[1]): MadeUpReply {
  const reply = world.hear("a", packet)[0]?.reply;
  if (reply === undefined) throw new TypeError("nothing was asked");
  return reply;
}

/** What an answer brings home. */
function answers(world: RelayWorld, reply: MadeUpReply, [payload, from]: readonly [Uint8Array, string]): readonly Sent[] {
  reply.answer(payload, from);
  return world.pass(1);
}

test("a one-shot query with two questions and EDNS goes on as it came", () => {
  const world = makeRelayWorld();
  const questions = ["lamp", "desk"].map((host) => ({ name: [host, "local"], type: recordType.A }));
  const options = { name: [], type: recordType.OPT, class: 1440, ttl: 0, data: [] };
  const payload = writeMessage({ id: 5, questions, additional: [options] });
  const [sent] = world.hear("a", { payload, port: 40_000 });
  expect(sent).toMatchObject({ link: "b", to: "group", payload: Uint8Array.from(payload) });
  const answer = answerFor("desk", 5, "10.2.0.8");
  if (sent?.reply === undefined) throw new TypeError("nothing was asked");
  expect(answers(world, sent.reply, [answer, "10.2.0.8:5353"])).toMatchObject([{ to: "10.1.0.9:40000", payload: Uint8Array.from(answer) }]);
});

test.each([
  ["one search on forty links", 40, 1],
  ["ten lookups on six links", 6, 10],
])("%s: all answers can come home", (_, linkCount, ports) => {
  const world = makeRelayWorld(Array.from({ length: linkCount }, (_each, index) => String.fromCharCode(97 + index)));
  const sent = Array.from({ length: ports }, (_each, index) => {
    if (ports === 1) return world.hear("a", { payload: search("ssdp:all"), protocol: "ssdp", port: 50_000 });
    return world.hear("a", { payload: query(`lamp${index}`, { type: recordType.A, id: index }), port: 40_000 + index });
  }).flat();
  expect(sent).toHaveLength(ports * (linkCount - 1));
  expect(sent.filter(({ reply }) => reply?.closed !== false)).toEqual([]);
});

test("two clients with the same one-shot query, port and id each get their own answer", () => {
  const world = makeRelayWorld();
  const packet = { payload: query("lamp", { type: recordType.A, id: 7 }), port: 40_000 };
  const replies = ["10.1.0.9", "10.1.0.8"].map((source) => ask(world, { ...packet, source }));
  const home = replies.flatMap((reply) => answers(world, reply, [answerFor("lamp", 7, "10.2.0.9"), "10.2.0.9:5353"]));
  expect(home.map(({ link, to }) => `${link} ${to}`)).toEqual(["a 10.1.0.9:40000", "a 10.1.0.8:40000"]);
});

test("an answer that goes home loses link-local addresses, and is none without others", () => {
  const world = makeRelayWorld();
  const reply = ask(world, { payload: query("lamp", { type: recordType.A, id: 7 }), port: 40_000 });
  const [home] = answers(world, reply, [answerFor("lamp", 7, "169.254.1.1", "10.2.0.9"), "10.2.0.9:5353"]);
  const message = readMessage(home?.payload ?? new Uint8Array());
  expect(message).toMatchObject({ id: 7, questions: [{}], records: [{ type: recordType.A }] });
  expect(answers(world, reply, [answerFor("lamp", 7, "169.254.1.1"), "10.2.0.9:5353"])).toEqual([]);
});

test("who has gone before the answer stops nobody else", () => {
  const world = makeRelayWorld();
  const gone = ask(world, { payload: query("lamp", { type: recordType.A, id: 1 }), port: 40_000 });
  // EHOSTUNREACH
  world.fail("a", 113);
  expect(answers(world, gone, [answerFor("lamp", 1, "10.2.0.9"), "10.2.0.9:5353"])).toEqual([]);
  expect(world.traces.at(-1)).toMatchObject({ to: "a", verdict: "send-failed", why: "error number 113 towards 10.1.0.9" });
  world.fail("a", 0);
  const next = ask(world, { payload: query("lamp", { type: recordType.A, id: 2 }), port: 40_001 });
  expect(answers(world, next, [answerFor("lamp", 2, "10.2.0.9"), "10.2.0.9:5353"])).toHaveLength(1);
});

test.each(["a", "b"])("a search ends with link %s, and its answer goes nowhere", (name) => {
  const world = makeRelayWorld();
  const reply = ask(world, { payload: search("upnp:rootdevice"), protocol: "ssdp", port: 50_000 });
  const left = world.links.filter((link) => link.name !== name);
  world.setLinks(left);
  expect(reply.closed).toBe(true);
  expect(answers(world, reply, [found("upnp:rootdevice"), "10.2.0.9:1900"])).toEqual([]);
  // Another interface of that name is another network.
  world.setLinks([...left, madeUpLink(name, { index: 77 })]);
  expect(world.engine.searches.size).toBe(0);
});

test("a port that asks again is answered for longer, and one that is used anew later is another search", () => {
  const world = makeRelayWorld();
  const first = ask(world, { payload: search("urn:one"), protocol: "ssdp", port: 50_000 });
  world.pass(5_000);
  expect(ask(world, { payload: search("urn:two"), protocol: "ssdp", port: 50_000 })).toBe(first);
  world.pass(5_000);
  expect(answers(world, first, [found("urn:two"), "10.2.0.9:1900"])).toMatchObject([{ to: "10.1.0.9:50000" }]);
  world.pass(2_000);
  const later = ask(world, { payload: search("urn:three"), protocol: "ssdp", port: 50_000 });
  expect(later).not.toBe(first);
  expect(answers(world, first, [found("urn:one"), "10.2.0.9:1900"])).toEqual([]);
  expect(answers(world, later, [found("urn:three"), "10.2.0.9:1900"])).toMatchObject([{ to: "10.1.0.9:50000" }]);
});

test("answers may come from any port and any number of devices, and each goes home", () => {
  const world = makeRelayWorld();
  const reply = ask(world, { payload: search("ssdp:all"), protocol: "ssdp", port: 50_000 });
  const home = ["10.2.0.9:1900", "10.2.0.9:49152", "10.2.0.10:1"].flatMap((from) => answers(world, reply, [found("ssdp:all"), from]));
  expect(home.map(({ to }) => to)).toEqual(["10.1.0.9:50000", "10.1.0.9:50000", "10.1.0.9:50000"]);
});

test("an answer goes home neither from off the link, nor with a link-local location, nor against a rule", () => {
  const world = makeRelayWorld(["a", "b"], { rules: [{ action: "deny", direction: "offer", service: ["urn:denied"] }] });
  const reply = ask(world, { payload: search("ssdp:all"), protocol: "ssdp", port: 50_000 });
  const tell = (payload: Uint8Array, from = "10.2.0.9:1900") => answers(world, reply, [payload, from]);
  expect(tell(found("ssdp:all"), "192.0.2.1:1900")).toEqual([]);
  expect(tell(found("ssdp:all", "http://169.254.1.1/d.xml"))).toEqual([]);
  expect(tell(found("ssdp:all", "http://[fe80::1]/d.xml"))).toEqual([]);
  expect(tell(found("urn:denied"))).toEqual([]);
  expect(tell(search("ssdp:all"))).toEqual([]);
  expect(tell(found("ssdp:all"))).toHaveLength(1);
});

test("a search whose lines end in LF alone goes on with whole ones, and comes round again as an echo", () => {
  const world = makeRelayWorld();
  const [sent] = world.hear("a", { payload: search("urn:lf", "\n"), protocol: "ssdp", port: 50_000 });
  expect(Buffer.from(sent?.payload ?? []).toString("latin1")).toBe(Buffer.from(search("urn:lf")).toString("latin1"));
  expect(world.hear("b", { payload: search("urn:lf"), protocol: "ssdp", port: 50_001, source: "10.2.0.7" })).toEqual([]);
});

test("an offer that comes round, as it came or with whole lines, goes no further", () => {
  const world = makeRelayWorld(["a", "b", "c"]);
  const offer = (lineEnd: string): Uint8Array =>
    Buffer.from(
      [
        "NOTIFY * HTTP/1.1",
        "HOST: 239.255.255.250:1900",
        "NT: upnp:rootdevice",
        "NTS: ssdp:byebye",
        "USN: uuid:1::upnp:rootdevice",
        "",
        "",
      ].join(lineEnd),
    );
  expect(world.hear("a", { payload: offer("\n"), protocol: "ssdp" })).toHaveLength(2);
  for (const lineEnd of ["\n", "\r\n"]) {
    expect(world.hear("b", { payload: offer(lineEnd), protocol: "ssdp", source: "10.2.0.7" })).toEqual([]);
    expect(world.hear("a", { payload: offer(lineEnd), protocol: "ssdp", source: "10.1.0.7" })).toEqual([]);
  }
});
