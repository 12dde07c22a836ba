import fc from "fast-check";
import { expect, test } from "vitest";
import { relayLeaseName } from "./lease-name.ts";

test("is readable where names are simple, in whatever order", () => {
  expect(relayLeaseName(["iot", "home"])).toBe("aerial-relay-home-iot");
  expect(relayLeaseName(["home", "iot"])).toBe("aerial-relay-home-iot");
});

test("tells apart what looks alike", () => {
  const names = [
    ["a-b", "c"],
    ["a", "b-c"],
    ["A", "bc"],
    ["a", "bc"],
    ["ä", "bc"],
    ["ö", "bc"],
  ] as const;
  expect(new Set(names.map(relayLeaseName)).size).toBe(names.length);
  expect(relayLeaseName(["eth0.20", "Küche"])).toMatch(/^aerial-relay-k-che-eth0-20-[0-9a-f]{8}$/);
});

test("is a name that Kubernetes takes, and one for each pair", () => {
  const name = fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom("home", "iot", "guest", "eth0.20", "a-b", "-"));
  const pair = fc.tuple(name, name);
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      expect(relayLeaseName(one)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      const same = JSON.stringify(one.toSorted()) === JSON.stringify(other.toSorted());
      expect(relayLeaseName(one) === relayLeaseName(other)).toBe(same);
    }),
  );
});
