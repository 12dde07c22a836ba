/** mDNS over a link's edge: what must cross, and as what. The relay box forwards no IP. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { a, aaaa, announcement, filler, join, ptr, readMessage, recordType, srv, toMessage, toWord, txt } from "./dns-wire.ts";
import { arrivals, contains, families, fresh, mdnsPort, openMustWorld, toMdns, type MustWorld } from "./must-world.ts";

let world: MustWorld;

beforeAll(async () => {
  world = await openMustWorld({ links: ["a", "b"] });
});

afterAll(() => world?.[Symbol.asyncDispose]());

const service = "_http._tcp.local";
const directions = [
  ["A", "B"],
  ["B", "A"],
] as const;

describe.each(families)("mDNS over IPv%i", (family) => {
  const address = (host: string): string => world.lab.host(host).address(family);
  /** Sends as `from` does, port 5353, and gives the one copy at `to`. */
  const cross = async (payload: Uint8Array, word: string, [from, to]: readonly [string, string] = ["A", "B"]) => {
    const far = await world.mdns(to, family);
    await (await world.mdns(from, family)).send(payload, toMdns(family));
    const copies = await arrivals(far, word);
    expect(copies).toHaveLength(1);
    const [copy] = copies;
    if (copy === undefined) throw new RangeError("no copy");
    return copy;
  };

  describe.each(directions)("from %s to %s", (from, to) => {
    it("carries a query once, as it is, from the router's own address and port 5353, with hop limit 255", async () => {
      const word = fresh("query");
      const query = toMessage({ questions: [{ name: `${word}.local`, type: family === 4 ? recordType.a : recordType.aaaa }] });
      const copy = await cross(query, word, [from, to]);
      const link = `lan-${to.toLowerCase()}`;
      const own = family === 4 ? world.lab.router.address(4, link) : await world.lab.router.linkLocal(link);
      expect({ source: copy.source, port: copy.port, hops: copy.hops, to: copy.to }).toEqual({
        source: own,
        port: mdnsPort,
        hops: 255,
        to: toMdns(family).to,
      });
      expect(copy.data).toEqual(query);
    });

    it("carries an announcement as it is: TTLs, cache-flush bits and all", async () => {
      const word = fresh("announcement");
      const payload = announcement({ instance: word, addresses: [address(from)] });
      expect((await cross(payload, word, [from, to])).data).toEqual(payload);
    });

    it("carries a goodbye", async () => {
      const word = fresh("goodbye");
      const payload = announcement({ instance: word, addresses: [address(from)], ttl: 0 });
      expect(readMessage((await cross(payload, word, [from, to])).data).answers.map(({ ttl }) => ttl)).toEqual([0, 0, 0, 0]);
    });
  });

  it("keeps known answers and the TC bit, and the order of what belongs together", async () => {
    const word = fresh("known");
    const known = (from: number) => Array.from({ length: 5 }, (_, index) => ptr(service, `${word}-${from + index}.${service}`));
    const first = toMessage({ truncated: true, questions: [{ name: service, type: recordType.ptr }], answers: known(0) });
    const second = toMessage({ answers: known(5) });
    await (await world.mdns("A", family)).send([first, second], toMdns(family));
    const copies = await arrivals(await world.mdns("B", family), word, { copies: 2 });
    expect(copies.map(({ data }) => data)).toEqual([first, second]);
  });

  it("keeps an NSEC whole whose name points back into the message", async () => {
    const word = fresh("nsec");
    const name = `${word}.local`;
    const head = toMessage({ response: true, answers: [a(name, "10.71.1.11")] });
    head[7] = 2;
    // Owner and next domain name are pointers to the first record's name at 12 (RFC 6762 18.14).
    const nsec = join([Uint8Array.of(0xc0, 12), toWord(recordType.nsec), toWord(0x8001), toWord(0), toWord(120), toWord(5)]);
    const payload = join([head, nsec, Uint8Array.of(0xc0, 12, 0, 1, 0x40)]);
    expect(readMessage(payload).answers[1]?.data).toBe(`${name} 000140`);
    expect(readMessage((await cross(payload, word)).data)).toEqual(readMessage(payload));
  });

  it("rewrites an NSEC's pointers when what they point at is cut", async () => {
    const word = fresh("nsec-cut");
    const name = `${word}.local`;
    const own = address("A");
    const rest = family === 4 ? a(name, own) : aaaa(name, own);
    const head = toMessage({ response: true, answers: [aaaa(name, "fe80::1"), rest] });
    head[7] = 3;
    const nsec = join([Uint8Array.of(0xc0, 12), toWord(recordType.nsec), toWord(0x8001), toWord(0), toWord(120), toWord(8)]);
    const payload = join([head, nsec, Uint8Array.of(0xc0, 12, 0, 4, 0x40, 0, 0, 8)]);
    const { answers } = readMessage((await cross(payload, word)).data);
    expect(answers.map(({ name, type }) => [name, type])).toEqual([
      [name, rest.type],
      [name, recordType.nsec],
    ]);
    expect(answers[1]?.data).toBe(`${name} 000440000008`);
  });

  it("cuts link-local addresses and keeps the others", async () => {
    const word = fresh("scope");
    const good = [world.lab.host("A").address(6), "10.71.1.11"];
    const payload = announcement({ instance: word, addresses: ["fe80::71", ...good, "169.254.7.1"] });
    const { answers, additionals } = readMessage((await cross(payload, word)).data);
    const addresses = [...answers, ...additionals].filter(({ type }) => type === recordType.a || type === recordType.aaaa);
    expect(addresses.map(({ data }) => data)).toEqual(["fd71:0000:0000:0001:0000:0000:0000:000b", "10.71.1.11"]);
    expect(answers.map(({ type }) => type)).toEqual(expect.arrayContaining([recordType.ptr, recordType.srv, recordType.txt]));
  });

  it.each([1400, 1472, 4000, 8900])("carries a response of %i B whole", async (size) => {
    const word = fresh("size");
    const name = `${word}.${service}`;
    const overhead = toMessage({ response: true, answers: [txt(name, new Uint8Array())] }).length;
    const payload = toMessage({ response: true, answers: [txt(name, filler(size - overhead))] });
    expect(readMessage((await cross(payload, word)).data)).toEqual(readMessage(payload));
  });

  it("lets five equal announcements in half a second pass: the sender knows why it repeats them", async () => {
    const word = fresh("repeat");
    const near = await world.mdns("A", family);
    const payload = announcement({ instance: word, addresses: [address("A")] });
    for (let repeat = 0; repeat < 5; repeat += 1) {
      await near.send(payload, toMdns(family));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await arrivals(await world.mdns("B", family), word, { copies: 5 })).toHaveLength(5);
  });

  it("asks nothing of the hop limit on arrival", async () => {
    const word = fresh("hops");
    const near = await world.mdns("A", family);
    await near.send(announcement({ instance: word, addresses: [address("A")] }), { ...toMdns(family), hops: 1 });
    const [copy] = await arrivals(await world.mdns("B", family), word);
    expect(copy?.hops).toBe(255);
  });

  it("carries 100 announcements that come at once, each once", async () => {
    const word = fresh("burst");
    const payloads = Array.from({ length: 100 }, (_, index) =>
      toMessage({ response: true, answers: [srv(`${word}-${index}.${service}`, { port: 80 + index, target: "a.local" })] }),
    );
    await (await world.mdns("A", family)).send(payloads, toMdns(family));
    const copies = await arrivals(await world.mdns("B", family), word, { copies: 100 });
    expect(copies.map(({ data }) => data)).toEqual(payloads);
  });

  it("brings a probe's defence back before the 250 ms are over in which the next probe comes", async () => {
    const word = fresh("probe");
    const name = `${word}.local`;
    const [near, far] = [await world.mdns("A", family), await world.mdns("B", family)];
    far.follow((packet) => {
      if (!contains(packet, word)) return;
      void far.send(toMessage({ response: true, answers: [a(name, "10.71.2.12")] }), toMdns(family));
    });
    const probe = { questions: [{ name, type: recordType.any }], authorities: [a(name, "10.71.1.11")] };
    const sent = await near.send(toMessage(probe), toMdns(family));
    const defence = await near.next((packet) => contains(packet, word));
    expect(defence.at - sent).toBeLessThan(250);
  });
});

describe("mDNS over IPv4, with IP headers of our own", () => {
  it("takes datagrams with equal identification for what they are: two (RFC 6864)", async () => {
    const words = [fresh("same-id"), fresh("same-id")];
    const source = world.lab.host("A").address(4);
    for (const word of words) {
      const payload = toMessage({ response: true, answers: [{ ...a(`${word}.local`, source), flush: true }] });
      await world.lab.host("A").sendRaw(payload, { source, sourcePort: mdnsPort, ...toMdns(4), identification: 7 });
    }
    const far = await world.mdns("B", 4);
    for (const word of words) expect(await arrivals(far, word)).toHaveLength(1);
  });
});
