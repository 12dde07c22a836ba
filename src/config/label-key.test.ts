import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelKeyProblem, labelPrefixProblem } from "./label-key.ts";

describe("keys", () => {
  test.each([
    "radio",
    "zigbee",
    "Radio_1.a",
    "a",
    "example.org/zigbee",
    "a.b-c.d/x",
    "a".repeat(63),
    `${"a".repeat(63)}.org/${"b".repeat(63)}`,
  ])("%s can be one", (key) => {
    expect(labelKeyProblem(key)).toBeUndefined();
  });

  test.each([
    "",
    "-a",
    "a-",
    "a b",
    "a".repeat(64),
    "/a",
    "a/",
    "a/b/c",
    "Example.org/a",
    "a..b/c",
    "-a.org/c",
    `${"a".repeat(64)}.org/a`,
    `${"a.".repeat(130)}org/a`,
    "kubernetes.io/a",
    "node.kubernetes.io/a",
    "k8s.io/a",
    "x.k8s.io/a",
    "a\n",
    "é",
  ])("%j can't", (key) => {
    expect(labelKeyProblem(key)).toMatch(/^must /);
  });
});

test("a domain that only ends like a reserved one is free", () => {
  expect(labelPrefixProblem("notkubernetes.io")).toBeUndefined();
  expect(labelPrefixProblem("k8s.io.example.org")).toBeUndefined();
});

test("what passes is what the API server's own patterns accept", () => {
  // apimachinery, util/validation: qualifiedNameFmt and dns1123SubdomainFmt.
  const name = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
  const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  fc.assert(
    fc.property(fc.stringMatching(/^[aZ0._/-]{0,12}$/), (key) => {
      const parts = key.split("/");
      const [prefix, last] = parts.length === 1 ? [undefined, key] : parts;
      const accepted = parts.length <= 2 && name.test(last ?? "") && (prefix === undefined || subdomain.test(prefix));
      expect(labelKeyProblem(key) === undefined).toBe(accepted);
    }),
    { numRuns: 2_000 },
  );
});
