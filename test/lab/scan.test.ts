/** The scanner on a real kernel: every class of device, found because something was heard. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Device } from "../../src/core/device.ts";
import { type GuestLab, openGuestLab } from "./guest-lab.ts";
import type { LabProcess } from "./lab.ts";
import { conbee2, csrBluetooth, hostileStick, husbzb1, noDriverStick, sonoffDonglePlus } from "./sticks.ts";

const deadlineMs = 60_000;

interface Printed {
  readonly devices: readonly Device[];
  readonly blindSpots: readonly { readonly what: string }[];
  readonly conditions: readonly string[];
}

let lab: GuestLab;
let scanner: LabProcess;

const printed = (): Printed => JSON.parse(scanner.output.trimEnd().split("\n").at(-1) ?? "{}") as Printed;

/** The newest scan, once it is as wanted. */
async function until(wanted: (scan: Printed) => boolean): Promise<Printed> {
  await expect.poll(() => scanner.output.endsWith("\n") && wanted(printed()), { timeout: deadlineMs, interval: 100 }).toBe(true);
  return printed();
}

const byPort = (scan: Printed, vendorId: string): readonly Device[] => scan.devices.filter(({ usb }) => usb?.vendorId === vendorId);
const of = (scan: Printed, kind: Device["function"]): readonly Device[] => scan.devices.filter((device) => device.function === kind);

beforeAll(async () => {
  lab = await openGuestLab();
  const start = "mkdir -p /run/dbus; dbus-daemon --system --fork; bluetoothd >/dev/null 2>&1 & sleep 0.2";
  expect((await lab.run(["sh", "-c", start])).exitCode).toBe(0);
  scanner = await lab.start(["node", "--conditions=source", "--disable-warning=ExperimentalWarning", "test/lab/guest/print-scan.ts"]);
  await scanner.waitForLine(/^\{"devices"/, deadlineMs);
});

afterAll(() => lab[Symbol.asyncDispose]());

it("finds the board's own port, and nothing else, on an empty node", async () => {
  const { devices, blindSpots } = printed();
  expect(blindSpots).toEqual([]);
  expect(devices.map(({ nodes, driver }) => [nodes[0]?.path, driver])).toEqual([["/dev/ttyS0", "serial"]]);
});

it("finds usb-serial and CDC-ACM sticks with what they say of themselves", async () => {
  await lab.plug(sonoffDonglePlus);
  await lab.plug(conbee2);
  const scan = await until((found) => byPort(found, "10c4").length === 1 && byPort(found, "1cf1").length === 1);
  const { manufacturer, product, serial } = sonoffDonglePlus;
  expect(byPort(scan, "10c4")).toMatchObject([
    {
      function: "serial",
      driver: "cp210x",
      nodes: [{ path: expect.stringMatching(/^\/dev\/ttyUSB\d$/), major: 188 }],
      byId: `usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_${serial}-if00-port0`,
      usb: { manufacturer, product, serial, interfaceNumber: 0, interfaces: [{ number: 0, classCode: "ff/00/00", driver: "cp210x" }] },
    },
  ]);
  expect(byPort(scan, "1cf1")).toMatchObject([{ function: "serial", driver: "cdc_acm", nodes: [{ major: 166 }] }]);
});

it("finds both ports of a stick that has two", async () => {
  const stick = await lab.plug(husbzb1);
  const scan = await until((found) => found.devices.filter(({ usb }) => usb?.productId === husbzb1.productId).length === 2);
  const ports = scan.devices.filter(({ usb }) => usb?.productId === husbzb1.productId);
  expect(ports.map(({ usb }) => usb?.interfaceNumber)).toEqual([0, 1]);
  await stick.unplug();
  await until((found) => found.devices.every(({ usb }) => usb?.productId !== husbzb1.productId));
});

it("makes hostile strings harmless", async () => {
  const stick = await lab.plug(hostileStick);
  const scan = await until((found) => byPort(found, hostileStick.vendorId).length === 2);
  const hostile = byPort(scan, hostileStick.vendorId).find(({ usb }) => usb?.release !== sonoffDonglePlus.release);
  // eslint-disable-next-line no-control-regex
  expect(JSON.stringify(hostile)).not.toMatch(/\\u00[01]|\\n|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  await stick.unplug();
});

it("says which module a stick without a driver wants", async () => {
  const stick = await lab.plug({ ...noDriverStick, vendorId: "067b", productId: "2303" });
  const scan = await until((found) => found.conditions.some((code) => code.endsWith(".driver-missing")));
  expect(byPort(scan, "067b")).toMatchObject([
    { function: "usb", nodes: [{ path: expect.stringMatching(/^\/dev\/bus\/usb\//), major: 189 }] },
  ]);
  await stick.unplug();
  await until((found) => found.conditions.length === 0);
});

it("finds Bluetooth controllers, and their addresses from BlueZ", async () => {
  await lab.plug(csrBluetooth);
  const scan = await until((found) => of(found, "bluetooth").some(({ bluetooth }) => bluetooth?.address !== undefined));
  expect(of(scan, "bluetooth")).toMatchObject([
    {
      driver: "btusb",
      nodes: [],
      usb: { vendorId: "0a12" },
      bluetooth: { controller: "hci0", address: expect.stringMatching(/^(..:){5}..$/) },
    },
  ]);
});

it("finds Wi-Fi phys and which can be access points, as they come and go", async () => {
  await lab.add("wifi");
  const station = await lab.add("wifi-station-only");
  const scan = await until((found) => of(found, "wifi").length === 2);
  expect(of(scan, "wifi").map(({ wifi }) => [wifi?.interfaces.length, wifi?.accessPoint])).toEqual([
    [1, true],
    [1, false],
  ]);
  await station[Symbol.asyncDispose]();
  const after = await until((found) => of(found, "wifi").length === 1);
  expect(of(after, "wifi")).toMatchObject([{ wifi: { accessPoint: true } }]);
});

it("finds 802.15.4 phys and spidev", async () => {
  await lab.add("ieee802154");
  await lab.add("spidev");
  const scan = await until((found) => of(found, "ieee802154").length === 1 && of(found, "spi").length === 1);
  expect(of(scan, "ieee802154")).toMatchObject([{ driver: "mac802154_hwsim", ieee802154: { interfaces: ["wpan0"] } }]);
  expect(of(scan, "spi")).toMatchObject([{ driver: "spidev", nodes: [{ path: "/dev/spidev0.0", major: 153 }] }]);
});
