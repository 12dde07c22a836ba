import fc from "fast-check";
import { expect, test } from "vitest";
import { husbzb1, sonoffDonglePlus, stickCatalogue } from "../sticks.ts";
import { endpointPairs, stickDescriptors } from "./usb-descriptors.ts";

test.each(Object.entries(stickCatalogue))("the descriptors of %s are consistent", (_name, stick) => {
  const { device, configurations } = stickDescriptors(stick);
  expect(device).toHaveLength(18);
  expect(device.readUInt16LE(8).toString(16).padStart(4, "0")).toBe(stick.vendorId);
  expect(device.readUInt16LE(10).toString(16).padStart(4, "0")).toBe(stick.productId);
  const [configuration = Buffer.alloc(0)] = configurations;
  expect(configuration.readUInt16LE(2)).toBe(configuration.length);
  const types: number[] = [];
  const endpoints: number[] = [];
  for (let at = 0; at < configuration.length; at += configuration.readUInt8(at)) {
    types.push(configuration.readUInt8(at + 1));
    if (configuration.readUInt8(at + 1) === 5) endpoints.push(configuration.readUInt8(at + 2));
  }
  expect(types.filter((type) => type === 4)).toHaveLength(configuration.readUInt8(4));
  expect(new Set(endpoints).size).toBe(endpoints.length);
  expect(endpointPairs(configuration)).toHaveLength(stick.ports ?? 1);
});

test("each port of a stick has endpoints of its own", () => {
  const [configuration = Buffer.alloc(0)] = stickDescriptors(husbzb1).configurations;
  expect(endpointPairs(configuration)).toEqual([
    { interfaceNumber: 0, bulkIn: 0x81, bulkOut: 0x01 },
    { interfaceNumber: 1, bulkIn: 0x82, bulkOut: 0x02 },
  ]);
});

test("a replayed blob comes apart into what it was put together from", () => {
  const { device, configurations } = stickDescriptors(husbzb1);
  const blob = Buffer.concat([device, ...configurations, ...configurations]);
  const replayed = stickDescriptors({ ...sonoffDonglePlus, descriptorsBase64: blob.toString("base64") });
  expect(replayed.device).toEqual(device);
  expect(replayed.configurations).toEqual([...configurations, ...configurations]);
});

test("arbitrary bytes are taken apart or refused, and never loop", () => {
  const failure = (bytes: Uint8Array): unknown => {
    const stick = { ...sonoffDonglePlus, descriptorsBase64: Buffer.from(bytes).toString("base64") };
    try {
      for (const configuration of stickDescriptors(stick).configurations) endpointPairs(configuration);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const error = failure(bytes);
      expect(error === undefined || error instanceof RangeError).toBe(true);
    }),
  );
});
