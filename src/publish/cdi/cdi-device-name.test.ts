import fc from "fast-check";
import { expect, test } from "vitest";
import { cdiDeviceName } from "./cdi-device-name.ts";

test("the first radio of a group has its id, the others a number beside it", () => {
  expect(cdiDeviceName("radio.mi.house", "10c4-ea60-0001", 1)).toBe("radio.mi.house/radio=10c4-ea60-0001");
  expect(cdiDeviceName("radio.mi.house", "10c4-ea60-0001", 2)).toBe("radio.mi.house/radio=10c4-ea60-0001:2");
});

test("no two radios share a name, whatever their serial numbers", () => {
  const place = fc.tuple(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?$/), fc.integer({ min: 1, max: 8 }));
  fc.assert(
    fc.property(place, place, ([id, ordinal], [otherId, otherOrdinal]) => {
      const isSame = id === otherId && ordinal === otherOrdinal;
      expect(cdiDeviceName("x.y", id, ordinal) === cdiDeviceName("x.y", otherId, otherOrdinal)).toBe(isSame);
    }),
  );
});
