/** Answers come home to who asked: QM, QU and legacy, with and without a router between the links. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aaaa, a, readMessage, recordType, toMessage, type RecordBytes } from "./dns-wire.ts";
import { contains, families, fresh, openMustWorld, respond, toMdns, type Family, type MustWorld } from "./must-world.ts";
import { quietFor } from "./lab-host.ts";

const addressRecord = (name: string, family: Family): RecordBytes => (family === 4 ? a(name, "10.71.2.12") : aaaa(name, "fd71:0:0:2::c"));

describe.each([
  ["not routed", false],
  ["routed", true],
])("%s", (_, routed) => {
  let world: MustWorld;

  beforeAll(async () => {
    world = await openMustWorld({ links: ["a", "b"], hosts: { A2: ["a"] }, routed });
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  describe.each(families)("over IPv%i", (family) => {
    const type = family === 4 ? recordType.a : recordType.aaaa;
    /** A name that host B answers for. */
    const served = async (word: string): Promise<string> => {
      const name = `${fresh(word)}.local`;
      respond({ socket: await world.mdns("B", family), family, name, answers: [addressRecord(name, family)] });
      return name;
    };

    it.each([
      ["QM", false],
      ["QU", true],
    ])("answers a %s question asked from port 5353", async (word, unicast) => {
      const name = await served(word);
      const asker = await world.mdns("A", family);
      await asker.send(toMessage({ questions: [{ name, type, unicast }] }), toMdns(family));
      const answer = await asker.next((packet) => contains(packet, name.slice(0, -6)) && readMessage(packet.data).response);
      expect(answer.port).toBe(5353);
      expect(readMessage(answer.data).answers).toMatchObject([{ name, type, ttl: 120 }]);
    });

    it("answers a legacy question as legacy wants it: to its port, same id, question repeated, TTL at most 10, no cache-flush bit", async () => {
      const name = await served("legacy");
      await using asker = await world.lab.host("A").listen({ family });
      await asker.send(toMessage({ id: 0x7a11, questions: [{ name, type }] }), toMdns(family));
      const answer = readMessage((await asker.next()).data);
      expect(answer).toMatchObject({ id: 0x7a11, response: true, questions: [{ name, type, unicast: false }] });
      expect(answer.answers).toMatchObject([{ name, type, flush: false }]);
      expect(answer.answers.every(({ ttl }) => ttl > 0 && ttl <= 10)).toBe(true);
      await quietFor(150);
      expect(asker.heard).toHaveLength(1);
    });

    it("answers two legacy askers with the same id, port and question, each once", async () => {
      const name = await served("twins");
      const open = (host: string) => world.lab.host(host).listen({ family, port: 40_053 });
      await using one = await open("A");
      await using two = await open("A2");
      const query = toMessage({ id: 99, questions: [{ name, type }] });
      await Promise.all([one, two].map((asker) => asker.send(query, toMdns(family))));
      for (const asker of [one, two]) expect(readMessage((await asker.next()).data)).toMatchObject({ id: 99, answers: [{ name }] });
      await quietFor(150);
      expect([one.heard.length, two.heard.length]).toEqual([1, 1]);
    });

    it("answers a legacy question with two questions and EDNS in it", async () => {
      const name = await served("edns");
      await using asker = await world.lab.host("A").listen({ family });
      const other = `${fresh("nobody")}.local`;
      const query = toMessage({
        id: 5,
        questions: [
          { name, type },
          { name: other, type },
        ],
        additionals: [{ name: "", type: recordType.opt, ttl: 0, data: new Uint8Array() }],
      });
      await asker.send(query, toMdns(family));
      expect(readMessage((await asker.next()).data)).toMatchObject({ id: 5, answers: [{ name }] });
    });

    it("goes on when a legacy asker has gone before the answer", async () => {
      const gone = await served("gone");
      {
        await using asker = await world.lab.host("A").listen({ family });
        await asker.send(toMessage({ id: 1, questions: [{ name: gone, type }] }), toMdns(family));
      }
      const name = await served("after");
      await using asker = await world.lab.host("A").listen({ family });
      await asker.send(toMessage({ id: 2, questions: [{ name, type }] }), toMdns(family));
      expect(readMessage((await asker.next()).data)).toMatchObject({ id: 2, answers: [{ name }] });
    });
  });
});
