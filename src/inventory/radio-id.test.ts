import fc from "fast-check";
import { expect, test } from "vitest";
import { allocateRadioId } from "./radio-id.ts";
import type { Origin } from "./origin.ts";

const place = { controller: "devices/pci0000:00/0000:00:14.0", port: "1-1.2" };
const stick: Origin = { family: "10c4-ea60", serial: "7a43d3a954a2ef11", lane: "", place };
const free = (): boolean => false;
const labelValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

test("readable ids from serial number, port and path", () => {
  expect(allocateRadioId({ origin: stick, basis: "serial", node: "n1", taken: free })).toBe("10c4-ea60-7a43d3a954a2ef11");
  expect(allocateRadioId({ origin: { ...stick, lane: "if01" }, basis: "serial", node: "n1", taken: free })).toBe(
    "10c4-ea60-7a43d3a954a2ef11-if01",
  );
  expect(allocateRadioId({ origin: stick, basis: "port", node: "n1", taken: free })).toBe("10c4-ea60-n1-1-1.2");
  expect(allocateRadioId({ origin: { ...stick, lane: "if01" }, basis: "port", node: "n1", taken: free })).toBe("10c4-ea60-n1-1-1.2-if01");
  const wifi: Origin = { family: "wifi", lane: "", place: { controller: "", port: "devices/pci0000:00/0000:03:00.0" } };
  expect(allocateRadioId({ origin: wifi, basis: "path", node: "n1", taken: free })).toBe("wifi-n1-0000-03-00.0");
  const spi: Origin = { family: "spi", lane: "", place: { controller: "", port: "0.1" } };
  expect(allocateRadioId({ origin: spi, basis: "path", node: "n1", taken: free })).toBe("spi-n1-0.1");
});

test("on the network the id comes from serial number or host name, on every node the same", () => {
  const radio: Origin = { family: "network", lane: "", place: { controller: "", port: "slzb-06.local:6638" } };
  const idOf = (origin: Origin, basis: "serial" | "name", node: string): string => allocateRadioId({ origin, basis, node, taken: free });
  for (const node of ["n1", "n2"]) {
    expect(idOf(radio, "name", node)).toBe("network-slzb-06-6638");
    expect(idOf({ ...radio, serial: "00124b0001020304" }, "serial", node)).toBe("network-00124b0001020304");
    expect(idOf({ ...radio, serial: "aabbccddee0f", lane: "p6638" }, "serial", node)).toBe("network-aabbccddee0f-p6638");
  }
  expect(idOf({ ...radio, place: { controller: "", port: "küche.local:6638" } }, "name", "n1")).toMatch(/^network-k-che-6638-[0-9a-f]{8}$/);
});

test("a serial number is the same id on every node and in every port", () => {
  const there = allocateRadioId({
    origin: { ...stick, place: { controller: "x", port: "9-9" } },
    basis: "serial",
    node: "other",
    taken: free,
  });
  expect(there).toBe("10c4-ea60-7a43d3a954a2ef11");
});

test("serial numbers that differ only in what a label can't say stay different", () => {
  const ids = ["00:12:4B", "00-12-4B", "00 12 4B", "00_12_4B", "00.12.4B", "-00-12-4B", "00-12-4B\n"].map((serial) =>
    allocateRadioId({ origin: { ...stick, serial }, basis: "serial", node: "n1", taken: free }),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test("a serial number can't pose as another stick's second port", () => {
  const posing = allocateRadioId({ origin: { ...stick, serial: "abcd-if01" }, basis: "serial", node: "n1", taken: free });
  const second = allocateRadioId({ origin: { ...stick, serial: "abcd", lane: "if01" }, basis: "serial", node: "n1", taken: free });
  expect(posing).not.toBe(second);
});

const anyText = fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 255 }), fc.string({ minLength: 1, maxLength: 80 }));
const anyOrigin = fc.record({
  family: fc.constantFrom("10c4-ea60", "1a86-7523", "wifi", "ieee802154", "network"),
  serial: anyText,
  lane: fc.constantFrom("", "if01", "if01p1", "n2"),
  place: fc.record({ controller: anyText, port: anyText }),
});

test("any text gives valid label values, and a taken id is never given again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyOrigin, fc.constantFrom("serial", "port", "path", "name"), anyText), { maxLength: 20 }),
      (requests) => {
        const given = new Set<string>();
        for (const [origin, basis, node] of requests) {
          const id = allocateRadioId({ origin, basis, node, taken: (one) => given.has(one) });
          expect(id).toMatch(labelValue);
          expect(id.length).toBeLessThanOrEqual(63);
          expect(given.has(id)).toBe(false);
          given.add(id);
        }
      },
    ),
  );
});

test("different serial numbers never give one id, even with nothing taken", () => {
  fc.assert(
    fc.property(anyText, anyText, (left, right) => {
      fc.pre(left !== right);
      const idOf = (serial: string): string => allocateRadioId({ origin: { ...stick, serial }, basis: "serial", node: "n1", taken: free });
      expect(idOf(left)).not.toBe(idOf(right));
    }),
  );
});
