import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createHostTree, type HostTree } from "../../test/light/host-tree.ts";
import { createKernelObjects, type KernelDevice } from "../../test/light/kernel-objects.ts";
import { gpioChip, hidraw } from "../../test/light/platform-objects.ts";
import { systemClock } from "../core/clock.ts";
import { hostPathsBelow } from "../host/host-paths.ts";
import { openHost } from "../host/host.ts";
import { scanDevices } from "./scan-devices.ts";

interface World {
  readonly tree: HostTree;
  readonly add: (device: KernelDevice) => void;
  readonly remove: (device: KernelDevice) => void;
  /** Paths of the nodes of the only device. */
  readonly nodes: () => Promise<readonly string[]>;
}

function makeWorld(): World {
  const root = mkdtempSync(join(tmpdir(), "aerial-nodes-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const tree = createHostTree(root);
  const kernel = createKernelObjects(root);
  const host = openHost({ paths: hostPathsBelow(root), clock: systemClock });
  const nodes = async (): Promise<readonly string[]> => {
    const { devices } = await scanDevices(host, systemClock);
    expect(devices).toHaveLength(1);
    return devices.flatMap((device) => device.nodes.map(({ path }) => path));
  };
  return { tree, add: (device) => kernel.add(device), remove: (device) => kernel.remove(device), nodes };
}

test("an SPI device has the SoC's GPIO chips, and neither the firmware's nor a USB adapter's", async () => {
  const { tree, add, nodes } = makeWorld();
  tree.addSpidev();
  expect(await nodes()).toEqual(["/dev/spidev0.0"]);
  add(gpioChip(0, "devices/platform/soc/fe200000.gpio"));
  add(gpioChip(1, "devices/platform/soc/soc:firmware/soc:firmware:gpio"));
  add(gpioChip(2, "devices/pci0000:00/0000:00:14.0/usb1/1-4"));
  add(gpioChip(3, "devices/platform/axi/1000120000.pcie/1f00000000.rp1/1f000d0000.gpio"));
  expect(await nodes()).toEqual(["/dev/spidev0.0", "/dev/gpiochip0", "/dev/gpiochip3"]);
});

const stick = { name: "HID", vendorId: "10c4", productId: "ea90", driver: "none" } as const;

test("a USB device has its own hidraw nodes, as long as they are there", async () => {
  const { tree, add, remove, nodes } = makeWorld();
  const plugged = tree.plug(stick);
  const raw = `/dev/bus/usb/001/${String(plugged.deviceNumber).padStart(3, "0")}`;
  expect(await nodes()).toEqual([raw]);
  const own = hidraw(0, `${plugged.path}/${plugged.portPath}:1.0`);
  add(own);
  add(hidraw(1, "devices/virtual/misc/uhid"));
  expect((await nodes()).toSorted()).toEqual([raw, "/dev/hidraw0"].toSorted());
  remove(own);
  expect(await nodes()).toEqual([raw]);
});
