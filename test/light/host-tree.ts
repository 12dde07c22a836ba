/** A made-up host: `/sys` and `/dev` with pluggable radios below any directory. Needs no root and no namespace. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { VirtualStick } from "../lab/lab.ts";
import { createKernelObjects, plainHooks, type KernelDevice, type KernelHooks } from "./kernel-objects.ts";
import { ieee802154Device, serialPortDevice, spidevDevice, wifiDevice, type SerialPortOptions } from "./platform-objects.ts";
import { bluetoothDevice, hubDevice, stickDevice, usbPath, type UsbPlace } from "./usb-objects.ts";

/** Something in the tree that can be taken out again. */
export interface TreeDevice {
  /** Below `/sys`, without leading slash. */
  readonly path: string;
  /** Device nodes, as the host names them: `/dev/ttyUSB0`. USB's own (`/dev/bus/usb/…`) are left out. */
  readonly nodes: readonly string[];
  remove(): void;
}

interface TreeStick extends TreeDevice {
  readonly stick: VirtualStick;
  readonly port: number;
  readonly busNumber: number;
  readonly deviceNumber: number;
  /** The kernel's port path: `1-2`, `1-5.3`. */
  readonly portPath: string;
}

export interface HostTree {
  readonly root: string;
  /**
   * Plugs a stick into port 1, 2, …; without a number into the lowest that is free. Ports 1 to 4 of each 64 are on the
   * root hub (`1-1` to `1-4`), the others behind six ten-port hubs (`1-5.1` to `1-10.10`); each 64 ports have their bus.
   */
  plug(stick: VirtualStick, options?: { readonly port?: number }): TreeStick;
  addBluetooth(): TreeDevice;
  /** A PCIe card with one phy. Whether it can be an access point is not in sysfs. */
  addWifi(): TreeDevice;
  addIeee802154(): TreeDevice;
  addSpidev(): TreeDevice;
  addSerialPort(options: SerialPortOptions): TreeDevice;
  /** Gives the board its device-tree `model`: `Raspberry Pi 4 Model B Rev 1.4`. */
  setBoard(model: string): void;
}

export interface HostTreeOptions {
  readonly hooks?: KernelHooks;
  /** Whether a node that is gone is still held open (`/dev/ttyUSB0`): the kernel then gives the next stick the next number. */
  readonly isHeld?: (node: string) => boolean;
}

const portsPerBus = 64;
const rootPorts = 4;
const portsPerHub = 10;
/** USB 2.0 §9.4.6: addresses are 7 bits. */
const lastDeviceNumber = 127;

/** Makes the tree below `root`, with one USB bus and nothing plugged in. */
export function createHostTree(root: string, { hooks = plainHooks, isHeld = () => false }: HostTreeOptions = {}): HostTree {
  const kernel = createKernelObjects(root, hooks);
  const taken = new Set<string>();
  const ports = new Map<number, TreeStick>();
  const buses = new Map<number, { readonly inUse: Set<number>; last: number }>();
  const hubs = new Set<string>();

  const take = (prefix: string, first = 0): number => {
    let number = first;
    while (taken.has(`${prefix}${number}`) || isHeld(`/dev/${prefix}${number}`)) number += 1;
    taken.add(`${prefix}${number}`);
    return number;
  };

  const insert = (device: KernelDevice, names: readonly string[]): TreeDevice => {
    kernel.add(device);
    return {
      path: device.path,
      nodes: nodesOf(device).map((node) => `/dev/${node}`),
      remove() {
        kernel.remove(device);
        for (const name of names) taken.delete(name);
      },
    };
  };

  const busOf = (bus: number): { readonly inUse: Set<number>; last: number } => {
    const known = buses.get(bus);
    if (known !== undefined) return known;
    const numbers = { inUse: new Set<number>([1]), last: 1 };
    buses.set(bus, numbers);
    kernel.add(hubDevice({ parent: pciPath(bus), bus, devicePath: "0", deviceNumber: 1 }, rootPorts + 6));
    return numbers;
  };

  // As choose_devnum() in drivers/usb/core/hub.c: upwards, and from the start again after 127.
  const enumerate = (bus: number): number => {
    const numbers = busOf(bus);
    do numbers.last = numbers.last >= lastDeviceNumber ? 2 : numbers.last + 1;
    while (numbers.inUse.has(numbers.last));
    numbers.inUse.add(numbers.last);
    return numbers.last;
  };

  const placeOf = (port: number): Omit<UsbPlace, "deviceNumber"> => {
    const bus = 1 + Math.floor((port - 1) / portsPerBus);
    const index = (port - 1) % portsPerBus;
    busOf(bus);
    const parent = usbPath({ parent: pciPath(bus), bus, devicePath: "0", deviceNumber: 1 });
    if (index < rootPorts) return { parent, bus, devicePath: String(index + 1) };
    const hubPort = rootPorts + 1 + Math.floor((index - rootPorts) / portsPerHub);
    const hubPlace = { parent, bus, devicePath: String(hubPort) };
    const hub = usbPath({ ...hubPlace, deviceNumber: 0 });
    if (!hubs.has(hub)) {
      hubs.add(hub);
      kernel.add(hubDevice({ ...hubPlace, deviceNumber: enumerate(bus) }, portsPerHub));
    }
    return { parent: hub, bus, devicePath: `${hubPort}.${((index - rootPorts) % portsPerHub) + 1}` };
  };

  const lowestFreePort = (): number => {
    let port = 1;
    while (ports.has(port)) port += 1;
    return port;
  };

  const plug = (stick: VirtualStick, options: { readonly port?: number } = {}): TreeStick => {
    const port = options.port ?? lowestFreePort();
    if (ports.has(port)) throw new RangeError(`port ${port} holds ${ports.get(port)?.stick.name ?? ""}`);
    const free = placeOf(port);
    const place = { ...free, deviceNumber: enumerate(free.bus) };
    const names: string[] = [];
    const device = stickDevice(stick, place, (prefix) => {
      const number = take(prefix);
      names.push(`${prefix}${number}`);
      return number;
    });
    const inserted = insert(device, names);
    const { bus: busNumber, devicePath, deviceNumber } = place;
    const plugged: TreeStick = {
      stick,
      port,
      busNumber,
      deviceNumber,
      path: inserted.path,
      nodes: inserted.nodes,
      portPath: `${busNumber}-${devicePath}`,
      remove() {
        if (ports.get(port) !== plugged) return;
        inserted.remove();
        ports.delete(port);
        busOf(busNumber).inUse.delete(deviceNumber);
      },
    };
    ports.set(port, plugged);
    return plugged;
  };

  busOf(1);
  for (const directory of ["class/tty", "bus/usb/devices"]) mkdirSync(join(root, "sys", directory), { recursive: true });

  return {
    root,
    plug,
    addBluetooth() {
      const number = take("hci");
      return insert(bluetoothDevice("devices/virtual", number), [`hci${number}`]);
    },
    addWifi() {
      const number = take("wlan");
      return insert(wifiDevice(number), [`wlan${number}`]);
    },
    addIeee802154() {
      const number = take("wpan");
      return insert(ieee802154Device(number), [`wpan${number}`]);
    },
    addSpidev() {
      const number = take("spidev0.");
      return insert(spidevDevice(0, number), [`spidev0.${number}`]);
    },
    addSerialPort(options) {
      const index = take("serial");
      const { device, deviceTree } = serialPortDevice(options, index);
      if (deviceTree !== undefined) {
        const directory = join(root, "sys", deviceTree.path);
        mkdirSync(directory, { recursive: true });
        for (const [name, content] of Object.entries(deviceTree.attributes ?? {})) writeFileSync(join(directory, name), content);
      }
      const inserted = insert(device, [`serial${index}`]);
      return {
        ...inserted,
        remove() {
          inserted.remove();
          if (deviceTree !== undefined) rmSync(join(root, "sys", deviceTree.path), { recursive: true });
        },
      };
    },
    setBoard(model) {
      const base = join(root, "sys/firmware/devicetree/base");
      mkdirSync(base, { recursive: true });
      writeFileSync(join(base, "model"), `${model}\0`);
      const link = join(root, "proc/device-tree");
      mkdirSync(dirname(link), { recursive: true });
      rmSync(link, { force: true });
      symlinkSync("../sys/firmware/devicetree/base", link);
    },
  };
}

function pciPath(bus: number): string {
  return `devices/pci0000:00/0000:00:${(0x13 + bus).toString(16)}.0`;
}

function nodesOf(device: KernelDevice): string[] {
  const own = device.node === undefined || device.node.path.startsWith("bus/usb/") ? [] : [device.node.path];
  return [...own, ...(device.children ?? []).flatMap(nodesOf)];
}
