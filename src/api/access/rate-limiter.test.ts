import fc from "fast-check";
import { expect, test } from "vitest";
import { clientOf, isLoopback } from "./client-address.ts";
import { createRateLimiter } from "./rate-limiter.ts";

test("a burst, then as many as the rate, and how long to wait", () => {
  const limiter = createRateLimiter({ perSecond: 2, burst: 3, mostClients: 10 });
  expect([0, 0, 0, 0].map((now) => limiter.take("a", now))).toEqual([0, 0, 0, 500]);
  expect(limiter.wait("a", 100)).toBe(400);
  expect(limiter.take("b", 100)).toBe(0);
  expect(limiter.take("a", 500)).toBe(0);
  expect(limiter.take("a", 500)).toBe(500);
  expect([10_000, 10_000, 10_000, 10_000].map((now) => limiter.take("a", now))).toEqual([0, 0, 0, 500]);
});

test("a clock that goes back neither gives nor takes", () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1, mostClients: 10 });
  expect(limiter.take("a", 100_000)).toBe(0);
  expect(limiter.take("a", 0)).toBe(1_000);
  expect(limiter.take("a", 1_000)).toBe(0);
});

test("memory is bounded, and who knocks all the time is not forgotten", () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1, mostClients: 100 });
  expect(limiter.take("busy", 0)).toBe(0);
  for (let index = 0; index < 10_000; index += 1) {
    expect(limiter.take(`other ${index}`, 0)).toBe(0);
    expect(limiter.take("busy", 0)).toBe(1_000);
  }
  expect(limiter.clients).toBe(100);
});

test("whatever the pace, no more pass than the burst and what has come since", () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 });
  fc.assert(
    fc.property(pauses, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (steps, perSecond, burst) => {
      const limiter = createRateLimiter({ perSecond, burst, mostClients: 2 });
      let now = 0;
      let passed = 0;
      for (const step of steps) {
        now += step;
        if (limiter.take("a", now) === 0) passed += 1;
      }
      expect(passed).toBeLessThanOrEqual(burst + (now * perSecond) / 1_000 + 1e-6);
    }),
  );
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "20010db800010002::/64"],
  ["2001:db8:1:2::", "20010db800010002::/64"],
  ["fe80::1%eth0", "fe80000000000000::/64"],
  ["::1", "0000000000000000::/64"],
  [undefined, "none"],
])("%s is counted as %s", (address, client) => {
  expect(clientOf(address)).toBe(client);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["192.0.2.7", false],
  ["::ffff:192.0.2.7", false],
  ["::127.0.0.1", false],
  [undefined, false],
])("%s is this machine: %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
