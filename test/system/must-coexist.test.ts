/** Beside other users of port 5353 on the relay's own box: they keep what is theirs. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { a, announcement, recordType, toMessage } from "./dns-wire.ts";
import { quietFor } from "./lab-host.ts";
import { arrivals, contains, families, fresh, mdnsPort, openMdns, toMdns } from "./must-world.ts";
import { openNetworkLab, type NetworkLab } from "./network-lab.ts";
import { openAvahi } from "./peers.ts";
import { openRelay } from "./relays.ts";

let lab: NetworkLab;

beforeEach(async () => {
  lab = await openNetworkLab({ links: ["a", "b"] });
});

afterEach(() => lab?.[Symbol.asyncDispose]());

const datagrams = 8;

it.each([
  ["before", true],
  ["after", false],
])("leaves all unicast to a socket on port 5353 opened %s the relay", async (_, first) => {
  const open = () =>
    Promise.all(families.map((family) => lab.router.listen({ family, port: mdnsPort, interface: "lan-a", reuse: "address" })));
  let holders = first ? await open() : [];
  await using _relay = await openRelay(lab);
  if (!first) holders = await open();
  for (const [index, family] of families.entries()) {
    await using near = await openMdns(lab.host("A"), family);
    const holder = holders[index];
    for (let count = 0; count < datagrams; count += 1) {
      const payload = toMessage({ response: true, answers: [a(`${fresh("theirs")}.local`, "10.71.1.11")] });
      await near.send(payload, { to: lab.router.address(family, "lan-a"), port: mdnsPort });
    }
    await quietFor(200);
    expect(holder?.heard.filter((packet) => contains(packet, "theirs"))).toHaveLength(datagrams);
  }
});

it("relays while avahi runs on its box, and avahi answers for the box on both links", { timeout: 60_000 }, async () => {
  await using avahi = await openAvahi(lab.router, { hostName: "router" });
  await using relay = await openRelay(lab);
  for (const family of families) {
    await using near = await openMdns(lab.host("A"), family);
    await using far = await openMdns(lab.host("B"), family);
    const word = fresh("beside-avahi");
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(family));
    expect(await arrivals(far, word)).toHaveLength(1);
    const type = family === 4 ? recordType.a : recordType.aaaa;
    for (let count = 0; count < datagrams; count += 1) {
      await using asker = await lab.host("A").listen({ family });
      const to = lab.router.address(family, "lan-a");
      await asker.send(toMessage({ id: count + 1, questions: [{ name: "router.local", type }] }), { to, port: mdnsPort });
      await asker.next();
    }
  }
  expect(avahi.output).not.toMatch(/conflict|router-2/i);
  expect(relay.output).not.toMatch(/"level":(50|60)/);
});

it("says what is wrong when somebody holds port 5353 for himself, and relays once he lets go", { timeout: 60_000 }, async () => {
  const holder = await lab.router.listen({ family: 4, port: mdnsPort, interface: "lan-a", reuse: "none" });
  await using relay = await openRelay(lab);
  await relay.waitFor(/port 5353/, 10_000);
  await holder[Symbol.asyncDispose]();
  await using near = await openMdns(lab.host("A"), 4);
  await using far = await openMdns(lab.host("B"), 4);
  const word = fresh("let-go");
  await expect
    .poll(
      async () => {
        await near.send(toMessage({ questions: [{ name: `${word}.local`, type: recordType.a }] }), toMdns(4));
        return far.heard.some((packet) => contains(packet, word));
      },
      { timeout: 20_000, interval: 200 },
    )
    .toBe(true);
});
