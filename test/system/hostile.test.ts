/** One host floods a link: the others go on, and it is named. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { a, recordType, toMessage, tryReadMessage } from "./dns-wire.ts";
import { fresh, mdnsGroup, mdnsPort, toMdns } from "./must-world.ts";
import { openNetworkLab } from "./network-lab.ts";
import { openRelay } from "./relays.ts";

const discoveries = 200;
const everyMs = 20;

it("lets B find what is on C while a host on A sends as fast as it can, and names that host", { timeout: 60_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b", "c"] });
  await using relay = await openRelay(lab);
  const word = fresh("wanted");
  // What is relayed of the flood is none of these two sockets' business.
  const listen = (host: string) =>
    lab.host(host).listen({ family: 4, port: mdnsPort, groups: [mdnsGroup[4]], contains: Uint8Array.from(Buffer.from(word)) });
  await using asker = await listen("B");
  await using device = await listen("C");
  device.follow(({ data }) => {
    const question = tryReadMessage(data)?.questions[0];
    if (question !== undefined) void device.send(toMessage({ response: true, answers: [a(question.name, "10.71.3.13")] }), toMdns(4));
  });
  await using flooding = await lab
    .host("A")
    .start(["/usr/bin/python3", join(import.meta.dirname, "flood.py"), mdnsGroup[4], "5353", "eth0"]);
  await flooding.waitFor(/(\d+) a second/, 5_000);

  const sent = new Map<string, number>();
  for (let index = 0; index < discoveries; index += 1) {
    const name = `${word}-${index}.local`;
    sent.set(name, await asker.send(toMessage({ questions: [{ name, type: recordType.a }] }), toMdns(4)));
    await sleep(everyMs);
  }
  await sleep(1_000);
  const waits = asker.heard.flatMap(({ data, at }) => {
    const name = tryReadMessage(data)?.answers[0]?.name ?? "";
    return [at - (sent.get(name) ?? Number.NEGATIVE_INFINITY)];
  });
  expect(waits).toHaveLength(discoveries);
  const p99 = waits.toSorted((left, right) => left - right)[Math.floor(waits.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  // The bench holds it to 50 ms; here a machine with other work must not fail it.
  expect(p99).toBeLessThan(250);
  const [, rate] = await flooding.waitFor(/(\d+) a second/);
  expect(Number(rate)).toBeGreaterThan(1_000);
  expect(relay.output).toMatch(/10\.71\.1\.11 floods lan-a/);
});
