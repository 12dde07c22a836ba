import fc from "fast-check";
import { expect, test } from "vitest";
import { isOwnHost } from "./host-names.ts";

const loopback = { addresses: false, names: [] };
const exposed = { addresses: true, names: ["node-1", "aerial.example.org", "*.lan"] };

test.each([
  ["localhost", true, true],
  ["LocalHost.:18088", true, true],
  ["127.0.0.1:18088", true, true],
  ["[::1]:18088", true, true],
  ["[::1]", true, true],
  ["192.168.1.2:18089", false, true],
  ["[2001:db8::1]:18089", false, true],
  ["node-1:18089", false, true],
  ["NODE-1", false, true],
  ["aerial.example.org", false, true],
  ["a.b.lan:1", false, true],
  ["lan", false, false],
  [".lan", false, false],
  ["evil-lan", false, false],
  ["evil.example", false, false],
  ["localhost.evil.example", false, false],
  ["127.0.0.1.evil.example", false, false],
  ["node-1.evil.example", false, false],
  ["aerial.example.org.evil.example:80", false, false],
  // Other ways to write 127.0.0.1, which browsers put into the usual one.
  ["2130706433", false, false],
  ["0x7f.1", false, false],
  ["127.1", false, false],
  ["[localhost]", false, false],
  ["[127.0.0.1]", false, false],
  ["::1", false, false],
  ["localhost:", false, false],
  ["localhost:x", false, false],
  ["localhost/x", false, false],
  ["user@localhost", false, false],
  ["localhost, evil.example", false, false],
  ["", false, false],
  [undefined, false, false],
])("%s: on loopback %s, exposed %s", (host, onLoopback, onExposed) => {
  expect([isOwnHost(host, loopback), isOwnHost(host, exposed)]).toEqual([onLoopback, onExposed]);
});

test("no name of somebody else passes, whatever is put before or behind it", () => {
  const around = fc.string({ unit: fc.constantFrom(..."a b z 0 1 9 . - : [ ] @ /".split(" "), " "), maxLength: 12 });
  fc.assert(
    fc.property(around, around, (before, behind) => {
      const host = `${before}evil.example${behind}`;
      expect(isOwnHost(host, loopback)).toBe(false);
      if (!/\.lan\.?(:\d{1,5})?$/.test(host)) expect(isOwnHost(host, exposed)).toBe(false);
    }),
  );
});
