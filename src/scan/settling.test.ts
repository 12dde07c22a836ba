import { expect, it } from "vitest";
import type { Device, DeviceFunction } from "../core/device.ts";
import { createManualClock } from "../../test/fixtures/manual-clock.ts";
import { createSettling } from "./settling.ts";

function stick(kind: DeviceFunction, deviceNumber = 7): Device {
  const usb = { vendorId: "10c4", productId: "ea60", port: "1-1", busNumber: 1, deviceNumber, interfaces: [] };
  return { sysPath: `devices/usb1/1-1/${kind}`, function: kind, nodes: [], usb };
}

it("tells what is there at the start at once, since it has been there for long", () => {
  const settle = createSettling(createManualClock(0));
  expect(settle([stick("usb")])).toEqual({ devices: [stick("usb")], wakeAt: undefined });
});

it("never shows a stick as a bare USB device on its way to a serial port and back", () => {
  const clock = createManualClock(0);
  const settle = createSettling(clock);
  settle([]);
  expect(settle([stick("usb")]).devices).toEqual([]);
  expect(settle([stick("serial")])).toEqual({ devices: [stick("serial")], wakeAt: undefined });
  expect(settle([stick("usb")]).devices).toEqual([]);
});

it("shows one without a driver after a second, and asks to be called then", async () => {
  const clock = createManualClock(5_000);
  const settle = createSettling(clock);
  settle([]);
  expect(settle([stick("usb")])).toEqual({ devices: [], wakeAt: 6_000 });
  await clock.advance(1_000);
  expect(settle([stick("usb")])).toEqual({ devices: [stick("usb")], wakeAt: undefined });
  expect(settle([stick("usb", 8)])).toEqual({ devices: [], wakeAt: 7_000 });
});
