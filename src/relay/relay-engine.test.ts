import { expect, test } from "vitest";
import { addressRecord, announce, probe, query, respond } from "../../test/fixtures/mdns-hosts.ts";
import { madeUpLink, makeRelayWorld, type Sent, toAddress } from "../../test/fixtures/engine-world.ts";
import { recordType } from "./dns/dns-message.ts";
import { readMessage } from "./dns/read-message.ts";
import type { RelayRule } from "./rules/relay-rule.ts";

const search = (target = "ssdp:all", headers = 'MAN: "ssdp:discover"\r\nMX: 3\r\n'): Uint8Array =>
  Buffer.from(`M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n${headers}ST: ${target}\r\n\r\n`);
const found = (location = "http://10.2.0.9:1400/d.xml"): Uint8Array =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: ${location}\r\nST: ssdp:all\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n`,
  );
const notify = (nts = "ssdp:alive", location = "http://10.1.0.9:1400/d.xml"): Buffer =>
  Buffer.from(
    `NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: ${location}\r\nNT: upnp:rootdevice\r\nNTS: ${nts}\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n`,
  );

function names({ payload }: Sent): readonly string[] {
  const message = readMessage(payload);
  return "fault" in message ? [message.fault] : [...message.questions, ...message.records].map(({ name, type }) => `${name.key} ${type}`);
}

test.each([4, 6] as const)("IPv%i goes to every other link as it came, from group to group, and never into the other family", (family) => {
  const { hear } = makeRelayWorld(["a", "b", "c"]);
  const payload = announce();
  expect(hear("a", { payload, family })).toEqual(
    ["b", "c"].map((link) => ({ link, protocol: "mdns", family, payload: Uint8Array.from(payload), to: "group" })),
  );
});

test("a question for unicast is asked for multicast, known answers and TC go along", () => {
  const { hear } = makeRelayWorld();
  const known = { name: ["_hap", "_tcp", "local"], type: recordType.PTR, ttl: 100, data: [["Lamp", "_hap", "_tcp", "local"]] };
  const [sent] = hear("a", { payload: query("_hap._tcp", { unicastResponse: true, truncated: true, answers: [known] }) });
  const message = readMessage(sent?.payload ?? new Uint8Array());
  expect(message).toMatchObject({ truncated: true, questions: [{ unicastResponse: false }], records: [{ section: "answer", ttl: 100 }] });
});

test.each([
  ["of this host", { source: "10.1.0.1" }, "own"],
  ["from off the link", { source: "192.0.2.1" }, "off-link"],
  ["answers from another port", { port: 5000 }, "wrong-port"],
  ["cut off by the buffer", { truncated: true }, "too-large"],
] as const)("packets %s go nowhere", (_, changes, verdict) => {
  const { hear, engine } = makeRelayWorld();
  expect(hear("a", { payload: announce(), ...changes })).toEqual([]);
  expect(engine.counters.of("a").heard).toEqual({ [verdict]: 1 });
});

test.each([4, 6] as const)("IPv%i: of mDNS there is no packet of more than 9000 bytes", (family) => {
  const { hear, engine } = makeRelayWorld();
  // 34: header, name, type, class, time to live and length.
  const told = (length: number): Uint8Array =>
    respond({ answers: [{ name: ["lamp", "local"], type: 65_280, ttl: 120, data: [new Uint8Array(length - 34)] }] });
  expect(hear("a", { payload: told(8_972), family })).toHaveLength(1);
  expect(hear("a", { payload: told(8_973), family })).toEqual([]);
  expect(engine.counters.of("a").heard).toMatchObject({ "too-large": 1 });
});

test.each([
  ["nothing", new Uint8Array()],
  ["short", Uint8Array.of(1, 2, 3)],
  ["a pointer to itself", Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1)],
  ["huge counts", Uint8Array.of(0, 0, 0x84, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
])("junk goes nowhere: %s", (_, payload) => {
  const { hear, engine } = makeRelayWorld();
  for (const protocol of ["mdns", "ssdp", "wsd"] as const) expect(hear("a", { payload, protocol })).toEqual([]);
  expect(engine.counters.of("a").heard).toEqual({ malformed: 3 });
});

test("link-local addresses stay, and what hangs on them alone", () => {
  const { hear } = makeRelayWorld();
  const [mixed] = hear("a", { payload: announce({ addresses: ["fe80::9", "fd01::9", "10.1.0.9", "169.254.1.1"] }) });
  expect(mixed && names(mixed)).toEqual([
    "_hap._tcp.local 12",
    "lamp._hap._tcp.local 33",
    "lamp._hap._tcp.local 16",
    "lamp.local 28",
    "lamp.local 1",
  ]);
  expect(hear("a", { payload: announce({ instance: "Other", host: "other", addresses: ["fe80::9"] }) })).toEqual([]);
  expect(hear("a", { payload: announce({ instance: "Third", host: "third", addresses: ["169.254.3.3"] }) })).toEqual([]);
});

test("Matter and Thread stay unless a rule says otherwise, and only what is allowed goes", () => {
  const matter = { payload: announce({ service: "_matter._tcp" }) };
  expect(makeRelayWorld().hear("a", matter)).toEqual([]);
  expect(makeRelayWorld(["a", "b"], { rules: [{ action: "allow", service: ["matter"] }] }).hear("a", matter)).toHaveLength(1);
  const answersOnly = makeRelayWorld(["a", "b"], { rules: [{ action: "deny", from: ["a"], direction: "ask" }] });
  expect(answersOnly.hear("a", { payload: query("_hap._tcp") })).toEqual([]);
  expect(answersOnly.hear("b", { payload: query("_ipp._tcp") })).toHaveLength(1);
  expect(answersOnly.hear("a", { payload: announce() })).toHaveLength(1);
});

test.each<[string, RelayRule]>([
  ["by its instance", { action: "allow", instance: ["Office*"] }],
  ["by its host", { action: "allow", host: ["printer"] }],
  ["by all it has", { action: "allow", service: ["_ipp._tcp"], instance: ["Office*"], host: ["printer"] }],
])("one printer, allowed %s, is found by those who ask, and no other is", (_, rule) => {
  const world = makeRelayWorld(["a", "b"], { rules: [rule], fallback: "deny" });
  const office = { instance: "Office 1", service: "_ipp._tcp", host: "printer", addresses: ["10.2.0.9"] };
  for (const [name, type] of [
    ["_ipp._tcp", recordType.PTR],
    ["Office 1._ipp._tcp", recordType.SRV],
    ["printer", recordType.A],
  ] as const) {
    expect(world.hear("a", { payload: query(name, { type }) })).toMatchObject([{ link: "b" }]);
  }
  expect(world.hear("b", { payload: announce(office) })).toMatchObject([{ link: "a" }]);
  expect(world.traces.at(-1)).toMatchObject({ to: "a", verdict: "relayed" });
  expect(world.hear("b", { payload: announce({ ...office, instance: "Desk", host: "desk" }) })).toEqual([]);
});

test("rules change while it runs", () => {
  const { hear, engine } = makeRelayWorld();
  expect(hear("a", { payload: query("_hap._tcp") })).toHaveLength(1);
  engine.configure({
    links: [],
    protocols: ["mdns"],
    rules: [{ action: "deny", service: ["_hap._tcp"] }],
    defaults: true,
    fallback: "allow",
    limits: {},
    onSecondReflector: "stand-down",
  });
  expect(hear("a", { payload: query("_hap._tcp", { id: 1 }) })).toEqual([]);
  expect(hear("a", { payload: query("_ipp._tcp") })).toHaveLength(1);
  expect(hear("a", { payload: search(), protocol: "ssdp" })).toEqual([]);
});

test("what comes round again goes no further: from elsewhere, or as our own copy", () => {
  const { hear } = makeRelayWorld(["a", "b", "c"]);
  const payload = announce();
  expect(hear("a", { payload })).toHaveLength(2);
  expect(hear("b", { payload, source: "10.2.0.7" })).toEqual([]);
  expect(hear("a", { payload, source: "10.1.0.7" })).toEqual([]);
  const cut = announce({ instance: "Cut", host: "cut", addresses: ["fe80::9", "10.1.0.9"] });
  const [copy] = hear("a", { payload: cut });
  expect(hear("b", { payload: copy?.payload ?? new Uint8Array(), source: "10.2.0.7" })).toEqual([]);
});

test("five repeats in half a second all pass", () => {
  const { hear, pass } = makeRelayWorld();
  const counts = Array.from({ length: 5 }, () => {
    pass(100);
    return hear("a", { payload: announce() }).length;
  });
  expect(counts).toEqual([1, 1, 1, 1, 1]);
});

test("a one-shot query is asked from a port of its own, and its answer goes home to the asker's port", () => {
  const { hear } = makeRelayWorld();
  const payload = query("lamp", { type: recordType.A, id: 7 });
  const [first] = hear("a", { payload, port: 40_000 });
  const [second] = hear("a", { payload, port: 40_001, source: "10.1.0.8" });
  expect([first?.to, second?.to]).toEqual(["group", "group"]);
  const asking = first?.reply;
  if (asking === undefined || second?.reply === undefined) throw new TypeError("nothing was asked");
  expect(asking).not.toBe(second.reply);
  const heard: Sent[] = [];
  const answer = respond({
    id: 7,
    questions: [{ name: ["lamp", "local"], type: recordType.A }],
    answers: [{ ...addressRecord("lamp", "10.2.0.9", 10), flush: false }],
  });
  asking.answer(answer, "10.2.0.9:5353");
  heard.push(...hear("b", { payload: new Uint8Array() }));
  expect(heard).toMatchObject([{ link: "a", to: "10.1.0.9:40000", payload: Uint8Array.from(answer) }]);
});

test("searches are answered to each asker for as long as MX and no longer; equal words from two askers are two searches", () => {
  const { hear, pass } = makeRelayWorld();
  const [one] = hear("a", { payload: search(), protocol: "ssdp", port: 50_000 });
  const [two] = hear("a", { payload: search(), protocol: "ssdp", port: 50_000, source: "10.1.0.8" });
  pass(2_800);
  one?.reply?.answer(found(), "10.2.0.9:1234");
  one?.reply?.answer(found("http://10.2.0.10:1400/d.xml"), "10.2.0.10:1900");
  two?.reply?.answer(found(), "10.2.0.9:1234");
  expect(hear("b", { payload: new Uint8Array(), protocol: "ssdp" }).map(({ link, to }) => `${link} ${to}`)).toEqual([
    "a 10.1.0.9:50000",
    "a 10.1.0.9:50000",
    "a 10.1.0.8:50000",
  ]);
  expect(one?.reply?.closed).toBe(false);
  pass(4_000);
  expect([one?.reply?.closed, two?.reply?.closed]).toEqual([true, true]);
});

test.each([
  ["MX 0", 'MAN: "ssdp:discover"\r\nMX: 0\r\n'],
  ["MX 120", 'MAN: "ssdp:discover"\r\nMX: 120\r\n'],
  ["no MX", 'MAN: "ssdp:discover"\r\n'],
  ["lower case", 'man: "ssdp:discover"\r\nmx: 1\r\n'],
  ["no MAN", "MX: 1\r\n"],
])("a search with %s is carried, and ends within eight seconds", (_, headers) => {
  const { hear, pass, engine } = makeRelayWorld();
  expect(hear("a", { payload: search("ssdp:all", headers), protocol: "ssdp", port: 50_000 })).toHaveLength(1);
  pass(8_100);
  expect(engine.searches.size).toBe(0);
});

test("600 askers at once hold no more than 512 searches", () => {
  const { hear, engine } = makeRelayWorld();
  for (let index = 0; index < 600; index += 1) {
    const source = `10.1.0.${10 + (index % 200)}`;
    hear("a", { payload: search(`urn:x:${index}`), protocol: "ssdp", port: 50_000 + index, source });
  }
  expect(engine.searches.size).toBeLessThanOrEqual(512);
  expect(engine.searches.size).toBeGreaterThan(500);
});

test("offers go from group to group in both families and both IPv6 groups; a link-local location stays", () => {
  const { hear } = makeRelayWorld();
  for (const nts of ["ssdp:alive", "ssdp:byebye", "ssdp:update"]) {
    expect(hear("a", { payload: notify(nts), protocol: "ssdp", port: 1901 })).toMatchObject([{ link: "b", to: "group" }]);
  }
  for (const group of ["ff02::c", "ff05::c"]) {
    expect(hear("a", { payload: notify(), protocol: "ssdp", family: 6, group })).toMatchObject([{ link: "b", family: 6 }]);
  }
  expect(hear("a", { payload: notify("ssdp:alive", "http://[fe80::1]:80/d.xml"), protocol: "ssdp", family: 6 })).toEqual([]);
});

test("a host on both links is not renamed, and its records are not fought over", () => {
  const { hear, pass } = makeRelayWorld();
  hear("a", { payload: respond({ answers: [addressRecord("nas", "10.1.0.9")] }) });
  hear("b", { payload: respond({ answers: [addressRecord("nas", "10.2.0.9")] }) });
  pass(5_000);
  expect(hear("a", { payload: respond({ answers: [addressRecord("nas", "10.1.0.9")] }) })).toEqual([]);
  expect(hear("b", { payload: probe("nas", "10.2.0.9") })).toEqual([]);
});

test("a probe and its defence cross, so that two hosts of one name find out", () => {
  const { hear } = makeRelayWorld();
  hear("a", { payload: respond({ answers: [addressRecord("tv", "10.1.0.9")] }) });
  expect(hear("b", { payload: probe("tv", "10.2.0.9") })).toHaveLength(1);
  expect(hear("a", { payload: respond({ answers: [addressRecord("tv", "10.1.0.9"), addressRecord("tv", "fd01::9")] }) })).toHaveLength(1);
});

test("a packet too long for the other link is divided by record; one the sender had to divide itself goes whole", () => {
  const world = makeRelayWorld();
  world.setLinks([madeUpLink("a"), madeUpLink("b", { mtu: 1280 })]);
  world.pass(5_000);
  const large = (count: number, name: string): Uint8Array =>
    respond({ answers: Array.from({ length: count }, (_, index) => addressRecord(`${name}-number-${index}`, `10.1.0.${index}`)) });
  const parts = world.hear("a", { payload: large(45, "host") });
  expect(large(45, "host").length).toBeGreaterThan(1252);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.every(({ payload }) => payload.length <= 1252)).toBe(true);
  expect(parts.flatMap(names)).toHaveLength(45);
  expect(world.hear("a", { payload: large(200, "more") })).toHaveLength(1);
});

test("each family needs an address to send from, and a new address is enough", () => {
  const world = makeRelayWorld();
  const without = madeUpLink("b", { addresses: [toAddress("10.2.0.1", 24)] });
  world.setLinks([madeUpLink("a"), without]);
  world.pass(5_000);
  expect(world.hear("a", { payload: query("_hap._tcp"), family: 6 })).toEqual([]);
  expect(world.hear("a", { payload: query("_hap._tcp") })).toHaveLength(1);
  world.setLinks([madeUpLink("a"), madeUpLink("b")]);
  world.pass(1_500);
  expect(world.hear("a", { payload: query("_hap._tcp"), family: 6 })).toHaveLength(1);
});

test("a link whose sends fail stops nothing else", () => {
  const world = makeRelayWorld(["a", "b", "c"]);
  for (const errno of [100, 99, 105]) {
    world.fail("b", errno);
    expect(world.hear("a", { payload: query("_hap._tcp", { id: errno }) }).map(({ link }) => link)).toEqual(["c"]);
  }
});

test("a flood is held back, the others are not, and it has a name", () => {
  const world = makeRelayWorld(["a", "b", "c"], { limits: {} });
  for (let turn = 0; turn < 200; turn += 1) {
    for (let index = 0; index < 50; index += 1) world.hear("a", { payload: query(`host-${turn}-${index}`, { type: 1 }) });
    world.pass(10);
    expect(world.hear("b", { payload: query(`quiet-${turn}`, { type: 1 }) })).toHaveLength(2);
  }
  const { heard } = world.engine.counters.of("a");
  expect(heard.rate).toBeGreaterThan(7_000);
  expect(world.engine.rate.floods(7_000 + 2_000)).toMatchObject([{ link: "a" }]);
});

test.each(["mdns", "ssdp"] as const)("%s: one that talks all the time, within its limit, hides nobody's services", (protocol) => {
  const world = makeRelayWorld(["a", "b"], { limits: {} });
  const tell = (link: string, source: string, word: string): void => {
    const addresses = [source];
    const payload =
      protocol === "mdns" ? announce({ instance: word, host: word, addresses }) : notify("ssdp:alive", `http://${source}:80/${word}`);
    const unique = protocol === "mdns" ? payload : Buffer.from(payload.toString("latin1").replaceAll("uuid:1", `uuid:${word}`), "latin1");
    world.hear(link, { payload: unique, protocol, source });
  };
  for (let turn = 0; turn < 2_000; turn += 1) {
    tell("a", "10.1.0.9", `chatty${turn}`);
    world.pass(2);
  }
  tell("a", "10.1.0.10", "neighbor");
  tell("b", "10.2.0.9", "elsewhere");
  const heard = JSON.stringify(world.engine.seen.list(10_000, 0));
  expect(["chatty0", "chatty1999", "neighbor", "elsewhere"].map((word) => heard.includes(word))).toEqual([true, false, true, true]);
});

test("what is followed is told with its end", () => {
  const { hear, traces } = makeRelayWorld();
  hear("a", { payload: query("_hap._tcp") });
  hear("a", { payload: announce({ service: "_matter._tcp" }) });
  expect(traces).toMatchObject([
    { protocol: "mdns", family: 4, from: "a", source: "10.1.0.9:5353", to: "b", verdict: "relayed" },
    { from: "a", to: "b", verdict: "rule" },
  ]);
  expect(traces[0]?.what).toContain("_hap._tcp.local");
});

test("where prefixes overlap, what was heard on a link is on that link", () => {
  const world = makeRelayWorld();
  world.setLinks([
    madeUpLink("a", { addresses: [toAddress("10.1.0.1", 16)] }),
    madeUpLink("b", { addresses: [toAddress("10.1.2.1", 16), toAddress("10.1.9.1", 24)] }),
  ]);
  world.pass(5_000);
  const tell = (host: string, address: string) =>
    world.hear("a", { payload: respond({ answers: [addressRecord(host, address)] }), source: "10.1.0.9" });
  expect(tell("one", "10.1.0.9")).toHaveLength(1);
  expect(tell("two", "10.1.9.9")).toEqual([]);
});

test("what the inventory wants to know of is asked for on each link, thrice and then every half hour", () => {
  const { engine, pass } = makeRelayWorld();
  engine.want(["_slzb-06._tcp", "_esphomelib._tcp"], 7_000);
  const asked = pass(10_000);
  expect(asked.map(({ link, family }) => `${link} ${family}`).sort()).toEqual(
    ["a 4", "a 6", "b 4", "b 6"].flatMap((which) => [which, which, which]),
  );
  expect(asked[0] && names(asked[0])).toEqual(["_slzb-06._tcp.local 12", "_esphomelib._tcp.local 12"]);
  expect(pass(30 * 60_000)).toHaveLength(4);
});
