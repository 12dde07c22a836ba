import { expect, test } from "vitest";
import { createLog, type LogOptions } from "./open-log.ts";

const lines = (format: LogOptions["format"], level: LogOptions["level"] = "info") => {
  const written: string[] = [];
  return { log: createLog({ level, format, write: (line) => written.push(line) }), written };
};

test("serial numbers never get into the log, wherever they stand", () => {
  const { log, written } = lines("json");
  const device = { usb: { serial: "SECRET-1", vendorId: "10c4" }, byId: "usb-Acme_SECRET-2-if00" };
  log.info(
    {
      serial: "SECRET-3",
      serialNumber: "SECRET-4",
      devices: [device, { deep: { device } }],
      radios: new Map([["r", device]]),
      radio: "10c4-ea60-SECRET-7",
      labels: { "radio.mi.house/id.0": "1a86-7523-SECRET_8.x-if01" },
      "10c4-ea60-SECRET-9": true,
      text: 'lease on "10c4-ea60-SECRET-10" of usb-Acme_Stick_SECRET-11-if00-port0, since',
      boot: "550e8400-e29b-41d4-a716-446655440000",
      err: "cannot open /dev/serial/by-id/usb-Acme_SECRET-5-if00: EBUSY",
      cause: new TypeError("/dev/serial/by-id/usb-Acme_SECRET-6-if00 is gone"),
    },
    "seen",
  );
  expect(written).toHaveLength(1);
  expect(written[0]).not.toContain("SECRET");
  expect(JSON.parse(written[0] ?? "")).toMatchObject({
    level: "info",
    msg: "seen",
    serial: "[redacted]",
    devices: [{ usb: { serial: "[redacted]", vendorId: "10c4" } }, {}],
    radio: "10c4-ea60-[redacted]",
    text: 'lease on "10c4-ea60-[redacted]" of usb-[redacted], since',
    boot: "550e8400-e29b-41d4-a716-446655440000",
    err: "cannot open /dev/serial/by-id/[redacted]: EBUSY",
  });
});

test("data that contains itself does not hang it", () => {
  const { log, written } = lines("json");
  const loop: Record<string, unknown> = {};
  loop["loop"] = loop;
  log.info(loop, "round");
  expect(written[0]).toContain("[too deep]");
});

test("text is a line for people, safe to show", () => {
  const { log, written } = lines("text");
  log.warn({ radio: "attic", count: 2, product: "a\n\u001b[31mb" }, "plugin cut off");
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}plugin cut off {2}radio=attic count=2 product=a\\u\{a\}\\u\{1b\}\[31mb\n$/);
});

test("the level holds back what is below it", () => {
  const { log, written } = lines("json", "warn");
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  expect(written.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["c", "d"]);
});
