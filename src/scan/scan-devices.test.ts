import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, expect, test } from "vitest";
import { createHostTree, type HostTree } from "../../test/light/host-tree.ts";
import type { VirtualStick } from "../../test/lab/lab.ts";
import { systemClock } from "../core/clock.ts";
import type { Device } from "../core/device.ts";
import { hasCode } from "../core/errors.ts";
import { hostPathsBelow } from "../host/host-paths.ts";
import { type Host, openHost } from "../host/host.ts";
import type { Scan } from "./scan.ts";
import { scanDevices } from "./scan-devices.ts";
import { findUsbPlace } from "./usb.ts";

const sonoff: VirtualStick = {
  name: "SONOFF Dongle Plus",
  vendorId: "10c4",
  productId: "ea60",
  release: "0100",
  manufacturer: "Silicon Labs",
  product: "Sonoff Zigbee 3.0 USB Dongle Plus",
  serial: "0001",
  driver: "cp210x",
};
const zbt2: VirtualStick = {
  name: "ZBT-2",
  vendorId: "303a",
  productId: "831a",
  manufacturer: "Nabu Casa",
  product: "ZBT-2",
  serial: "80B54E000000",
  driver: "cdc_acm",
};
const bare: VirtualStick = { name: "CH340", vendorId: "1a86", productId: "7523", product: "USB Serial", driver: "ch341" };
const bluetoothStick: VirtualStick = { name: "CSR", vendorId: "0a12", productId: "0001", driver: "btusb" };
const driverless: VirtualStick = { name: "Conbee", vendorId: "1cf1", productId: "0030", driver: "none" };

const kinds = ["serial", "spi", "bluetooth", "wifi", "ieee802154", "usb"] as const;

function makeTree(): { readonly root: string; readonly tree: HostTree; readonly host: Host; readonly scan: () => Promise<Scan> } {
  const root = mkdtempSync(join(tmpdir(), "aerial-scan-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const tree = createHostTree(root);
  const host = openHost({ paths: hostPathsBelow(root), clock: systemClock });
  return { root, tree, host, scan: () => scanDevices(host, systemClock) };
}

test("a usb-serial stick is one serial device with its identity, interface, node and by-id name", async () => {
  const { tree, scan } = makeTree();
  const stick = tree.plug(sonoff);
  const { devices, blindSpots } = await scan();
  expect(blindSpots).toEqual([]);
  expect(devices).toEqual([
    {
      sysPath: expect.stringMatching(/^devices\/pci0000:00\/.*\/1-1\/1-1:1\.0\/ttyUSB0\/tty\/ttyUSB0$/),
      function: "serial",
      driver: "cp210x",
      nodes: [{ path: "/dev/ttyUSB0", major: 188, minor: 0 }],
      byId: "usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_0001-if00-port0",
      usb: {
        vendorId: "10c4",
        productId: "ea60",
        release: "0100",
        manufacturer: "Silicon Labs",
        product: "Sonoff Zigbee 3.0 USB Dongle Plus",
        serial: "0001",
        port: "1-1",
        busNumber: 1,
        deviceNumber: stick.deviceNumber,
        interfaceNumber: 0,
        interfaces: [{ number: 0, classCode: "ff/00/00", driver: "cp210x" }],
      },
    },
  ]);
});

test("a CDC-ACM stick has no port in its by-id name and both its interfaces", async () => {
  const { tree, scan } = makeTree();
  tree.plug(zbt2);
  const [device, ...others] = (await scan()).devices;
  expect(others).toEqual([]);
  expect(device).toMatchObject({ function: "serial", driver: "cdc_acm", byId: "usb-Nabu_Casa_ZBT-2_80B54E000000-if00" });
  expect(device?.nodes).toEqual([{ path: "/dev/ttyACM0", major: 166, minor: 0 }]);
  expect(device?.usb?.interfaces.map(({ number, classCode }) => [number, classCode.slice(0, 2)])).toEqual([
    [0, "02"],
    [1, "0a"],
  ]);
});

test("the driver is the interface's, and missing strings stay missing", async () => {
  const { tree, scan } = makeTree();
  tree.plug(bare);
  const [device] = (await scan()).devices;
  expect(device?.driver).toBe("ch341");
  expect(device?.byId).toBe("usb-1a86_USB_Serial-if00-port0");
  expect(device?.usb).not.toHaveProperty("serial");
  expect(device?.usb).not.toHaveProperty("manufacturer");
});

test("a stick with two ports is two devices that share a USB device", async () => {
  const { tree, scan } = makeTree();
  tree.plug({ ...sonoff, ports: 2, product: "HubZ Smart Home Controller" });
  const { devices } = await scan();
  expect(devices.map((device) => [device.nodes[0]?.path, device.usb?.interfaceNumber, device.byId?.slice(-11)])).toEqual([
    ["/dev/ttyUSB0", 0, "-if00-port0"],
    ["/dev/ttyUSB1", 1, "-if01-port0"],
  ]);
  expect(devices[0]?.usb?.deviceNumber).toBe(devices[1]?.usb?.deviceNumber);
});

test("every class of radio is found, hubs are not", async () => {
  const { tree, scan } = makeTree();
  tree.plug(bluetoothStick);
  tree.plug(driverless, { port: 7 });
  tree.addBluetooth();
  tree.addWifi();
  tree.addIeee802154();
  tree.addSpidev();
  tree.setBoard("Raspberry Pi 4 Model B Rev 1.4");
  tree.addSerialPort({ name: "ttyAMA0", compatible: ["arm,pl011", "arm,primecell"] });
  const { devices } = await scan();
  const board = "Raspberry Pi 4 Model B Rev 1.4";
  expect(devices.map((device) => device.sysPath)).toEqual(devices.map((device) => device.sysPath).toSorted());
  const found = (kind: Device["function"]): readonly Device[] => devices.filter((device) => device.function === kind);
  expect(Object.fromEntries(kinds.map((kind) => [kind, found(kind)]))).toMatchObject({
    bluetooth: [
      { bluetooth: { controller: "hci0" }, driver: "btusb", usb: { vendorId: "0a12" }, nodes: [] },
      { bluetooth: { controller: "hci1" } },
    ],
    usb: [{ usb: { vendorId: "1cf1", port: "1-5.3", interfaces: [expect.not.objectContaining({ driver: expect.anything() })] } }],
    wifi: [{ wifi: { phy: "phy0", interfaces: ["wlan0"] }, driver: "mt7921e" }],
    ieee802154: [{ ieee802154: { phy: "phy0", interfaces: ["wpan0"] } }],
    spi: [{ nodes: [{ path: "/dev/spidev0.0", major: 153, minor: 0 }], driver: "spidev", platform: { compatible: [], board } }],
    serial: [
      {
        nodes: [{ path: "/dev/ttyAMA0", major: 204, minor: 64 }],
        driver: "uart-pl011",
        platform: { compatible: ["arm,pl011", "arm,primecell"], board },
      },
    ],
  });
  expect(devices).toHaveLength(7);
});

test("of the ttys only those with hardware count", async () => {
  const { root, tree, scan } = makeTree();
  tree.addSerialPort({ name: "ttyS0", type: 4, serialCore: false });
  tree.addSerialPort({ name: "ttyS1", type: 0 });
  for (const name of ["tty7", "ptmx", "console", "ttyprintk"]) {
    mkdirSync(join(root, "sys/devices/virtual/tty", name), { recursive: true });
    writeFileSync(join(root, "sys/devices/virtual/tty", name, "dev"), "5:2\n");
    symlinkSync(`../../devices/virtual/tty/${name}`, join(root, "sys/class/tty", name));
    writeFileSync(join(root, "dev", name), "");
  }
  expect((await scan()).devices.map((device) => device.nodes[0]?.path)).toEqual(["/dev/ttyS0"]);
});

test("a port is there only when sysfs and /dev agree, and without its node it is nothing else either", async () => {
  const { root, tree, scan } = makeTree();
  tree.plug(sonoff);
  unlinkSync(join(root, "dev/ttyUSB0"));
  expect((await scan()).devices).toEqual([]);
});

test("hostile strings come out printable and short", async () => {
  const { tree, scan } = makeTree();
  tree.plug({ ...sonoff, product: "a\u001b[31mb\nc\u202ed", serial: "x".repeat(400), manufacturer: "\u0085é" });
  const usb = (await scan()).devices[0]?.usb;
  expect(usb?.product).toBe("a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
  expect(usb?.serial?.length).toBeLessThanOrEqual(255);
  expect(usb?.manufacturer).toBe("\u{fffd}é");
});

test("a replugged stick is read anew although it is in the same place", async () => {
  const { tree, scan } = makeTree();
  const first = tree.plug(sonoff);
  const before = (await scan()).devices[0]?.usb;
  first.remove();
  tree.plug({ ...sonoff, product: "another", serial: "0002" });
  const after = (await scan()).devices[0]?.usb;
  expect([before?.serial, after?.serial]).toEqual(["0001", "0002"]);
  expect(after?.port).toBe(before?.port);
  expect(after?.deviceNumber).not.toBe(before?.deviceNumber);
});

test("plugging and unplugging while a scan runs never throws and the last scan is right", async () => {
  const { tree, scan } = makeTree();
  for (let round = 0; round < 8; round += 1) {
    const sticks = [tree.plug(sonoff), tree.plug(zbt2), tree.plug(bare)];
    const scans = [scan(), scan()];
    sticks[round % 3]?.remove();
    await Promise.all(scans);
    expect((await scan()).devices).toHaveLength(2);
    for (const stick of sticks) stick.remove();
  }
  expect((await scan()).devices).toEqual([]);
});

test("no sysfs is a failure, not an empty house", async () => {
  const { root, scan } = makeTree();
  rmSync(join(root, "sys/class"), { recursive: true });
  await expect(scan()).rejects.toSatisfy((error) => hasCode(error, "host.read"));
});

test("what cannot be seen is said: no USB bus, no /dev", async () => {
  const { root, tree, scan } = makeTree();
  tree.addSerialPort({ name: "ttyAMA0" });
  rmSync(join(root, "sys/bus/usb"), { recursive: true });
  rmSync(join(root, "dev"), { recursive: true });
  const { devices, blindSpots } = await scan();
  expect(blindSpots.map((spot) => spot.what)).toEqual(["USB devices", "device nodes"]);
  expect(devices.map((device) => device.nodes[0]?.path)).toEqual(["/dev/ttyAMA0"]);
});

test("what may not be read is said", async () => {
  const { tree, host } = makeTree();
  tree.plug(sonoff);
  const confined: Host = {
    ...host,
    sysfs(denied) {
      const sysfs = host.sysfs(denied);
      return {
        ...sysfs,
        bytes(path) {
          if (!path.startsWith("firmware/")) return sysfs.bytes(path);
          denied(path);
          return undefined;
        },
      };
    },
  };
  tree.addSpidev();
  const { blindSpots } = await scanDevices(confined, systemClock);
  expect(blindSpots).toEqual([{ what: "parts of sysfs", why: expect.stringContaining("/sys/firmware/devicetree/base/model") }]);
});

test("a device that the kernel keeps locked is left out, and said", async () => {
  const { tree, host } = makeTree();
  tree.plug(sonoff, { port: 2 });
  tree.plug(zbt2);
  const usbStrings: Host["usbStrings"] = {
    read: (path, ...rest) => (path.endsWith("/1-2") ? Promise.resolve("busy") : host.usbStrings.read(path, ...rest)),
  };
  const { devices, blindSpots } = await scanDevices({ ...host, usbStrings }, systemClock);
  expect(devices.map((device) => device.usb?.port)).toEqual(["1-1"]);
  expect(blindSpots).toEqual([{ what: "USB device in port 1-2", why: expect.stringContaining("busy") }]);
});

test.each([
  ["devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0", "1-1", "1-1:1.0"],
  ["devices/pci0000:00/0000:00:14.0/usb1/1-5/1-5.10/1-5.10.3/1-5.10.3:1.2/tty/ttyACM0", "1-5.10.3", "1-5.10.3:1.2"],
  ["devices/platform/soc/fe980000.usb/usb3/3-1", "3-1", undefined],
  ["devices/pci0000:00/0000:00:14.0/usb12/12-4/ieee80211/phy0", "12-4", undefined],
  ["devices/pci0000:00/0000:00:14.0/usb1/1-0:1.0/usb1-port1", undefined, undefined],
  ["devices/platform/soc/fe201000.serial/tty/ttyAMA0", undefined, undefined],
])("%s hangs on USB device %s, interface %s", (path, device, usbInterface) => {
  const place = findUsbPlace(path);
  expect(place?.devicePath.split("/").at(-1)).toBe(device);
  expect(place?.interfacePath?.split("/").at(-1)).toBe(usbInterface);
});
