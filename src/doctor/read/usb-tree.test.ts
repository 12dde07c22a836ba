import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createRadioWorld } from "../../../test/fixtures/radio-world.ts";
import { sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import type { Check } from "../../core/check.ts";
import { usbPortOf } from "./kernel-log.ts";
import { hubOf, hubsAbove, portNamed, readUsbTree, usbTreeReads } from "./usb-tree.ts";

/** Bus and the ports on the way, as of a real tree: at most seven tiers, 255 ports a hub (USB 2.0 §4.1.1, §11.23.2.1). */
const place = fc.tuple(fc.integer({ min: 1, max: 63 }), fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 6 }));

test("each port hangs on the hub whose path is one port shorter, up to the root hub", () => {
  fc.assert(
    fc.property(place, ([bus, ports]) => {
      const path = `${bus}-${ports.join(".")}`;
      const hub = ports.length === 1 ? `usb${bus}` : `${bus}-${ports.slice(0, -1).join(".")}`;
      expect(hubOf(path)).toBe(hub);
      expect(portNamed(`${hub}-port${ports.at(-1)}`)).toBe(path);
      expect(hubsAbove(path)).toHaveLength(ports.length - 1);
      for (const text of [`usb ${path}: x`, `usb ${hub}-port${ports.at(-1)}: x`, `cdc_acm ${path}:1.0: x`]) {
        expect(usbPortOf({ seconds: 1, text })).toBe(path);
      }
    }),
  );
});

test("what is no port is none, whatever the log holds", () => {
  for (const name of ["usb1", "1-0", "1-", "-1", "1-1:1.0", "1-1.", ""]) expect(hubOf(name) === undefined || name === "1-0").toBe(true);
  for (const text of [
    "hub 1-0:1.0: USB hub found",
    "xhci_hcd 0000:00:14.0: HC died; cleaning up",
    "usb 1-1",
    "1-1: x",
    "usbcore: registered",
  ]) {
    expect(usbPortOf({ seconds: 1, text })).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const port = usbPortOf({ seconds: 1, text });
      expect(port === undefined || /^\d+-[\d.]+$/.test(port)).toBe(true);
      void [hubOf(text), hubsAbove(text), portNamed(text)];
    }),
  );
});

test("a tree that the kernel's device model made: root hub, hub, stick and its interface", async () => {
  const { tree, gather, ...world } = createRadioWorld();
  onTestFinished(() => world[Symbol.dispose]());
  tree.plug(sonoffDonglePlus, { port: 5 });
  const reader: Check = { id: "X-1", level: "info", title: "", source: "", reads: usbTreeReads, judge: () => "" };
  const found = readUsbTree(await gather([reader]));
  expect([...found.keys()].toSorted()).toEqual(["1-5", "1-5.1", "usb1"]);
  expect(found.get("usb1")).toMatchObject({ isHub: true, interfaces: [{ path: "/sys/bus/usb/devices/1-0:1.0", classCode: "09/00/00" }] });
  expect(found.get("usb1")).not.toHaveProperty("hub");
  expect(found.get("1-5")).toMatchObject({ isHub: true, hub: "usb1" });
  expect(found.get("1-5.1")).toMatchObject({ isHub: false, hub: "1-5", vendorId: "10c4", interfaces: [{ classCode: "ff/00/00" }] });
});
