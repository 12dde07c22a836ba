/** One host floods a link: the others go on, and it is named. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { recordType, toMessage } from "./dns-wire.ts";
import { fresh, mdnsGroup, mdnsPort, respond, toMdns } from "./must-world.ts";
import { openNetworkLab } from "./network-lab.ts";
import { openRelay } from "./relays.ts";

const discoveries = 200;
const everyMs = 20;

it("lets B find what is on C while a host on A sends as fast as it can, and names that host", { timeout: 60_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b", "c"] });
  await using relay = await openRelay(lab);
  const word = fresh("wanted");
  const name = `${word}.local`;
  // What is relayed of the flood is none of these two sockets' business.
  const listen = (host: string) =>
    lab.host(host).listen({ family: 4, port: mdnsPort, groups: [mdnsGroup[4]], contains: Uint8Array.from(Buffer.from(word)) });
  await using asker = await listen("B");
  await using device = await listen("C");
  respond({ socket: device, family: 4, name, answers: [{ name, type: recordType.a, flush: true, data: Uint8Array.of(10, 71, 3, 13) }] });
  const flood = join(import.meta.dirname, "flood.py");
  await using flooding = await lab.host("A").start(["/usr/bin/python3", flood, mdnsGroup[4], "5353", "eth0"]);
  await flooding.waitFor(/flooding/);
  await sleep(1_000);

  const sent: number[] = [];
  for (let index = 0; index < discoveries; index += 1) {
    sent.push(await asker.send(toMessage({ questions: [{ name, type: recordType.a }] }), toMdns(4)));
    await sleep(everyMs);
  }
  await sleep(1_000);
  const answers = asker.heard.filter(({ port }) => port === mdnsPort);

  // Each answer belongs to the last question before it: those that were lost are the difference.
  const waits = answers.map(({ at }) => at - (sent.findLast((time) => time <= at) ?? at));
  const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? Infinity;
  expect(answers.length).toBeGreaterThanOrEqual(discoveries * 0.99);
  // The bench holds it to 50 ms; here a machine with other work must not fail it.
  expect(p99).toBeLessThan(250);
  await relay.waitFor(/10\.71\.1\.11/, 5_000);
  const [, rate] = await flooding.waitFor(/(\d+) a second/, 5_000);
  expect(Number(rate)).toBeGreaterThan(1_000);
});
