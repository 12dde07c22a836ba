/** SSDP: notifications cross, and answers to searches come home, routed or not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quietFor, type Heard, type LabSocket } from "./lab-host.ts";
import {
  arrivals,
  contains,
  families,
  fresh,
  openMustWorld,
  ssdpPort,
  ssdpSiteGroup,
  toSsdp,
  type Family,
  type MustWorld,
} from "./must-world.ts";
import { mSearch, notify, searchAnswer, textOf } from "./ssdp-text.ts";

const location = { 4: "http://10.71.2.12:1400/description.xml", 6: "http://[fd71:0:0:2::c]:1400/description.xml" } as const;

interface Device {
  readonly socket: LabSocket;
  readonly family: Family;
  readonly target: string;
  readonly delayMs?: number;
  /** Sends the answers; default: the socket that hears searches. */
  readonly from?: LabSocket;
}

/** Answers searches for its target by unicast, to where they came from. */
function offer({ socket, family, target, delayMs = 0, from = socket }: Device): void {
  socket.follow((packet: Heard) => {
    if (!textOf(packet.data).startsWith("M-SEARCH") || !contains(packet, target)) return;
    const answer = searchAnswer({ uuid: target, target, location: location[family] });
    setTimeout(() => void from.send(answer, { to: packet.source, port: packet.port, hops: 2 }), delayMs);
  });
}

describe.each([
  ["not routed", false],
  ["routed", true],
])("SSDP, %s", (_, routed) => {
  let world: MustWorld;

  beforeAll(async () => {
    world = await openMustWorld({ links: ["a", "b"], hosts: { A2: ["a"] }, routed });
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  describe.each(families)("over IPv%i", (family) => {
    const groups = family === 4 ? ["239.255.255.250"] : ["ff02::c", ssdpSiteGroup];

    describe.each(groups)("in %s", (group) => {
      it.each([
        ["ssdp:alive", "A", "B"],
        ["ssdp:byebye", "A", "B"],
        ["ssdp:update", "A", "B"],
        ["ssdp:alive", "B", "A"],
        ["ssdp:byebye", "B", "A"],
      ] as const)("carries %s from %s to %s as it is, once, to the same group, with two hops", async (kind, from, to) => {
        const uuid = fresh("device");
        const payload = notify({ uuid, kind, location: location[family], host: family === 4 ? `${group}:1900` : `[${group}]:1900` });
        await (await world.ssdp(from, family)).send(payload, toSsdp(family, group));
        const copies = await arrivals(await world.ssdp(to, family), uuid);
        expect(copies).toHaveLength(1);
        expect(copies[0]).toMatchObject({ to: group, hops: 2, data: payload });
      });

      it("brings the answer to a search home", async () => {
        const target = `urn:test:${fresh("device")}`;
        offer({ socket: await world.ssdp("B", family), family, target });
        await using searcher = await world.lab.host("A").listen({ family });
        await searcher.send(mSearch({ target }), toSsdp(family, group));
        const answer = await searcher.next();
        expect(textOf(answer.data)).toBe(textOf(searchAnswer({ uuid: target, target, location: location[family] })));
        await quietFor(150);
        expect(searcher.heard).toHaveLength(1);
      });
    });

    it("lets a notification pass from any port", async () => {
      const uuid = fresh("any-port");
      await using near = await world.lab.host("A").listen({ family });
      await near.send(notify({ uuid, location: location[family] }), toSsdp(family));
      expect(await arrivals(await world.ssdp("B", family), uuid)).toHaveLength(1);
    });

    it("keeps apart two searchers on one port that search for the same, each once", async () => {
      const target = `urn:test:${fresh("twins")}`;
      offer({ socket: await world.ssdp("B", family), family, target });
      await using one = await world.lab.host("A").listen({ family, port: 41_900 });
      await using two = await world.lab.host("A2").listen({ family, port: 41_900 });
      await Promise.all([one, two].map((each) => each.send(mSearch({ target }), toSsdp(family))));
      for (const each of [one, two]) expect(contains(await each.next(), target)).toBe(true);
      await quietFor(150);
      expect([one.heard.length, two.heard.length]).toEqual([1, 1]);
    });

    it("brings home an answer that takes all of its MX 3: 2.8 s", async () => {
      const target = `urn:test:${fresh("late")}`;
      offer({ socket: await world.ssdp("B", family), family, target, delayMs: 2_800 });
      await using searcher = await world.lab.host("A").listen({ family });
      await searcher.send(mSearch({ target, mx: 3 }), toSsdp(family));
      expect(contains(await searcher.next(() => true, 4_500), target)).toBe(true);
    });

    it("brings home several answers, also from ports other than 1900", async () => {
      const target = `urn:test:${fresh("several")}`;
      const heard = await world.ssdp("B", family);
      await using first = await world.lab.host("B").listen({ family });
      await using second = await world.lab.host("B").listen({ family });
      for (const from of [first, second]) offer({ socket: heard, family, target, from });
      await using searcher = await world.lab.host("A").listen({ family });
      await searcher.send(mSearch({ target }), toSsdp(family));
      await searcher.next(() => searcher.heard.length === 2);
      await quietFor(150);
      expect(searcher.heard).toHaveLength(2);
    });

    it("serves a second search from the same port", async () => {
      await using searcher = await world.lab.host("A").listen({ family });
      for (const word of ["first", "second"]) {
        const target = `urn:test:${fresh(word)}`;
        offer({ socket: await world.ssdp("B", family), family, target });
        await searcher.send(mSearch({ target }), toSsdp(family));
        await searcher.next((packet) => contains(packet, target));
      }
    });

    it("serves a search from port 1900 itself", async () => {
      const target = `urn:test:${fresh("from-1900")}`;
      offer({ socket: await world.ssdp("B", family), family, target });
      const searcher = await world.ssdp("A", family);
      expect(searcher.port).toBe(ssdpPort);
      await searcher.send(mSearch({ target }), toSsdp(family));
      await searcher.next((packet) => textOf(packet.data).startsWith("HTTP/1.1 200") && contains(packet, target));
    });
  });
});
