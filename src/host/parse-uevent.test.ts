import fc from "fast-check";
import { expect, test } from "vitest";
import { mayMatter, parseUevent } from "./parse-uevent.ts";

const payload = (header: string, ...variables: readonly string[]): Uint8Array =>
  Buffer.from([header, ...variables].map((part) => `${part}\0`).join(""));

const ttyPath = "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0";

test("a kernel event tells action, path and subsystem", () => {
  const event = payload(`add@${ttyPath}`, "ACTION=add", `DEVPATH=${ttyPath}`, "SUBSYSTEM=tty", "MAJOR=188", "SEQNUM=4711");
  expect(parseUevent(event)).toEqual({ action: "add", path: ttyPath, subsystem: "tty" });
});

test("udevd's own messages and rubbish are none", () => {
  expect(parseUevent(Buffer.from("libudev\0\xfe\xed\xca\xfe", "latin1"))).toBeUndefined();
  expect(parseUevent(new Uint8Array())).toBeUndefined();
  expect(parseUevent(payload("add@relative", "SUBSYSTEM=tty"))).toBeUndefined();
});

test.each([
  [payload(`add@${ttyPath}`, "SUBSYSTEM=tty"), true],
  [payload("add@/devices/pci0000:00/usb1/1-1", "SUBSYSTEM=usb"), true],
  [payload("add@/devices/virtual/bluetooth/hci0", "SUBSYSTEM=bluetooth"), true],
  [payload("add@/devices/pci0000:00/0000:01:00.0/net/wlan0", "SUBSYSTEM=net"), true],
  [payload("add@/devices/virtual/net/veth1234", "SUBSYSTEM=net"), false],
  [payload("add@/kernel/slab/:0000104/cgroup/x", "SUBSYSTEM=cgroup"), false],
  [payload("change@/devices/virtual/block/dm-0", "SUBSYSTEM=block"), false],
  [payload("add@/devices/nothing/said"), true],
  [Buffer.from("rubbish"), true],
])("event %# matters or not", (event, matters) => {
  expect(mayMatter(parseUevent(event))).toBe(matters);
});

test("no bytes make it throw", () => {
  const header = fc.constantFrom("add@/devices/a\0", "remove@/", "@", "add@", "");
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 300 }), (start, rest) => {
      const uevent = parseUevent(Buffer.concat([Buffer.from(start), rest]));
      expect(uevent === undefined || uevent.path.startsWith("/")).toBe(true);
      expect(typeof mayMatter(uevent)).toBe("boolean");
    }),
  );
});
