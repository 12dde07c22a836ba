import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "./ip-address.ts";

test.each([
  ["192.168.1.255", "192.168.1.255"],
  ["0.0.0.0", "0.0.0.0"],
  ["::", "::"],
  ["::1", "::1"],
  ["fe80:0:0:0:1:0:0:1", "fe80::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:DB8::0:1", "2001:db8::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["ff02:0:0:0:0:0:0:fb", "ff02::fb"],
  ["1::", "1::"],
  ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
])("%s is written %s", (text, written) => {
  expect(formatAddress(parseAddress(text) ?? new Uint8Array())).toBe(written);
});

test.each(["", "1.2.3", "fe80::1%eth0", "::1::", "host", "1.2.3.4:5", "12345::"])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});

test("every address comes back from its text", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(address, (bytes) => {
      expect(parseAddress(formatAddress(Uint8Array.from(bytes)))).toEqual(Uint8Array.from(bytes));
    }),
  );
});
