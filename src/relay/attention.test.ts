import { expect, test } from "vitest";
import { createAttention } from "./attention.ts";

const from = (link: string, host: number) => ({
  link: { name: link },
  payload: { length: 300 },
  source: { bytes: Uint8Array.of(10, 1, 0, host) },
});

test("a home that wakes up, and a bridge with a hundred services, are heard out", () => {
  const attention = createAttention();
  let missed = 0;
  const hear = (host: number, messages: number): void => {
    for (let index = 0; index < messages; index += 1) if (!attention.take(from("a", host), 1_000 + index)) missed += 1;
  };
  // Three probes and two announcements for each service.
  hear(1, 100 * 5);
  for (let host = 2; host < 62; host += 1) hear(host, 20);
  expect(missed).toBe(0);
});

test("who says much is heard less, and nobody else for it: on the link or on another", () => {
  const attention = createAttention();
  const taken = { chatty: 0, neighbor: 0, elsewhere: 0 };
  for (let now = 0; now < 60_000; now += 2) {
    if (attention.take(from("a", 1), now)) taken.chatty += 1;
    if (now % 100 !== 0) continue;
    if (attention.take(from("a", 2), now)) taken.neighbor += 1;
    if (attention.take(from("b", 1), now)) taken.elsewhere += 1;
  }
  expect(taken).toEqual({ chatty: expect.closeTo(60 * 50 + 500, -2) as number, neighbor: 600, elsewhere: 600 });
});

test("any number of senders have no more than their link's share", () => {
  const attention = createAttention();
  let taken = 0;
  for (let index = 0; index < 20_000; index += 1) if (attention.take(from("a", index % 256), 1)) taken += 1;
  expect(taken).toBe(2_000);
  expect(attention.take(from("b", 1), 1)).toBe(true);
});
