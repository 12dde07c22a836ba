/** What must not cross. Each test ends with a marker that must, so that none passes since nothing is relayed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { announcement, join, toMessage, toName, toWord } from "./dns-wire.ts";
import {
  arrivals,
  contains,
  expectNothing,
  families,
  fresh,
  mdnsPort,
  openMustWorld,
  ssdpPort,
  toMdns,
  toSsdp,
  type MustWorld,
} from "./must-world.ts";
import { mSearch, notify } from "./ssdp-text.ts";

let world: MustWorld;

beforeAll(async () => {
  world = await openMustWorld({ links: ["a", "b"] });
});

afterAll(() => world?.[Symbol.asyncDispose]());

const word8 = (word: string): Uint8Array => Uint8Array.from(Buffer.from(word));
const header = (...counts: readonly number[]): Uint8Array => join([0, 0x8400, ...counts].map(toWord));

/** Each holds its word somewhere, so that it would be known on the other side. */
const junk: readonly (readonly [string, (word: string) => Uint8Array])[] = [
  ["shorter than a header", (word) => word8(word).subarray(-11)],
  ["noise", (word) => join([Uint8Array.from({ length: 60 }, (_, index) => (index * 167 + 13) & 0xff), word8(word)])],
  [
    "a pointer to itself",
    (word) =>
      join([
        header(0, 1, 0, 0),
        toName(word),
        toWord(12),
        toWord(1),
        toWord(0),
        toWord(9),
        toWord(2),
        Uint8Array.of(0xc0, 12 + word.length + 2 + 10),
      ]),
  ],
  ["counts beyond the end", (word) => join([header(65535, 65535, 65535, 65535), toName(word), toWord(1), toWord(1)])],
  [
    "a record longer than the message",
    (word) => join([header(0, 1, 0, 0), toName(word), toWord(1), toWord(1), toWord(0), toWord(9), toWord(4000), word8(word)]),
  ],
  ["a name without end", (word) => join([header(1, 0, 0, 0), Uint8Array.of(60), word8(word)])],
];

describe.each(families)("over IPv%i", (family) => {
  it.each(junk)("refuses %s on the mDNS port", async (_, make) => {
    const word = fresh("junk-of-mdns");
    const payload = make(word);
    await (await world.mdns("A", family)).send(payload, toMdns(family));
    await expectNothing(world, { at: "B", family, word: word.slice(-11) });
  });

  it("cuts what comes after a message's end", async () => {
    const word = fresh("after-the-end");
    const whole = toMessage({ questions: [{ name: `${word}.local`, type: 1 }] });
    await (await world.mdns("A", family)).send(join([whole, word8("more")]), toMdns(family));
    expect((await arrivals(await world.mdns("B", family), word)).map(({ data }) => data)).toEqual([whole]);
  });

  it("refuses nothing at all: an empty datagram", async () => {
    const far = await world.mdns("B", family);
    await (await world.mdns("A", family)).send(new Uint8Array(), toMdns(family));
    await expectNothing(world, { at: "B", family, word: fresh("never") });
    expect(far.heard.filter(({ data }) => data.length === 0)).toEqual([]);
  });

  it("refuses on the SSDP port what is neither a search nor a notification", async () => {
    const word = fresh("junk-of-ssdp");
    const near = await world.ssdp("A", family);
    const texts = [`GET /${word} HTTP/1.1\r\n\r\n`, word, `NOTIFY\r\n${word}\r\n`, `\u0000\u0001${word}`];
    for (const text of texts) await near.send(word8(text), toSsdp(family));
    await expectNothing(world, { at: "B", family, word });
  });

  it("refuses sources that are not on the link", async () => {
    const word = fresh("off-link");
    const source = family === 4 ? "10.99.9.9" : "2001:db8:9::9";
    const host = world.lab.host("A");
    await host.ip([`address add ${source}/${family === 4 ? 32 : 128} dev eth0${family === 6 ? " nodad" : ""}`]);
    await using mdns = await host.listen({ family, port: mdnsPort, source });
    await mdns.send(announcement({ instance: word, addresses: [source] }), toMdns(family));
    await mdns.send(toMessage({ questions: [{ name: `${word}.local`, type: 1 }] }), toMdns(family));
    await using ssdp = await host.listen({ family, port: ssdpPort, source });
    await ssdp.send(notify({ uuid: word, location: "http://10.99.9.9/" }), toSsdp(family));
    await expectNothing(world, { at: "B", family, word });
    await host.ip([`address del ${source}/${family === 4 ? 32 : 128} dev eth0`]);
  });

  it("refuses responses from a port other than 5353 (RFC 6762 6)", async () => {
    const word = fresh("wrong-port");
    await using near = await world.lab.host("A").listen({ family });
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(family));
    await expectNothing(world, { at: "B", family, word });
  });

  it("sends on nothing that came to the router alone", async () => {
    const word = fresh("unicast");
    const to = world.lab.router.address(family, "lan-a");
    const near = await world.mdns("A", family);
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), { to, port: mdnsPort });
    await near.send(toMessage({ questions: [{ name: `${word}.local`, type: 1 }] }), { to, port: mdnsPort });
    const ssdp = await world.ssdp("A", family);
    await ssdp.send(notify({ uuid: word, location: "http://10.71.1.11/" }), { to, port: ssdpPort });
    await ssdp.send(mSearch({ target: `urn:${word}` }), { to, port: ssdpPort });
    await expectNothing(world, { at: "B", family, word });
  });

  it("sends a host's packets back to its own link under no circumstances", async () => {
    const word = fresh("back");
    await using watch = await world.lab.host("A").watchFrames({ contains: word8(word) });
    await (await world.mdns("A", family)).send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(family));
    await (await world.mdns("B", family)).next((packet) => contains(packet, word));
    await expectNothing(world, { at: "A", family, word: fresh("never") });
    expect(await watch.count()).toMatchObject({ matching: 0 });
  });

  it("does not carry a response whose only address is link-local: nobody could reach that", async () => {
    const word = fresh("only-local");
    const payload = toMessage({
      response: true,
      answers: [
        { name: `${word}.local`, type: 28, flush: true, data: Uint8Array.from([0xfe, 0x80, ...Array.from({ length: 13 }, () => 0), 1]) },
      ],
    });
    await (await world.mdns("A", family)).send(payload, toMdns(family));
    await expectNothing(world, { at: "B", family, word });
  });
});
