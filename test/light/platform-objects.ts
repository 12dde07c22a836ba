/** Radios that do not sit on USB, and the buses they sit on, as kernel objects. */
import type { KernelDevice } from "./kernel-objects.ts";

/** A built-in serial port. */
export interface SerialPortOptions {
  /** `ttyAMA0`, `ttyS0`. */
  readonly name: string;
  /** `of_node/compatible`, most specific first; none on a PC. */
  readonly compatible?: readonly string[];
  /** Driver of the platform device: `uart-pl011`, `bcm2835-aux-uart`, `serial8250`. */
  readonly driver?: string;
  /** The 8250's `type`; 0 is a port that is not there (include/uapi/linux/serial.h PORT_UNKNOWN). */
  readonly type?: number;
  /** Kernels from 6.5 on put the serial core's controller and port between device and tty. Default true. */
  readonly serialCore?: boolean;
}

// Documentation/admin-guide/devices.txt: ttyS from 4:64, ttyAMA from 204:64.
const builtInTtys: readonly { readonly prefix: string; readonly major: number; readonly first: number }[] = [
  { prefix: "ttyAMA", major: 204, first: 64 },
  { prefix: "ttyS", major: 4, first: 64 },
];

/** Device-tree path (below `/sys`) of the serial port with this address. */
function deviceTreeNode(unit: string): string {
  return `firmware/devicetree/base/soc/serial@${unit}`;
}

/** A built-in port with its platform device; `index` keeps ports of one board apart. */
export function serialPortDevice(options: SerialPortOptions, index: number): { device: KernelDevice; deviceTree?: KernelDevice } {
  const { name } = options;
  const unit = `fe${(0x201 + index).toString(16)}000`;
  const base = `devices/platform/soc/${unit}.serial`;
  const [controller, port] = [`${base}/${unit}.serial:0`, `${base}/${unit}.serial:0/${unit}.serial:0.0`];
  const serialCore = options.serialCore ?? true;
  const parent = serialCore ? port : base;
  const kind = builtInTtys.find(({ prefix }) => name.startsWith(prefix));
  const number = Number.parseInt(name.replace(/^\D+/u, ""), 10);
  const tty: KernelDevice = {
    path: `${parent}/tty/${name}`,
    subsystem: { kind: "class", name: "tty" },
    attributes: { type: `${options.type ?? 32}\n`, port: "0x0\n", line: `${number}\n`, uartclk: "48000000\n" },
    links: { device: parent },
    node: { path: name, major: kind?.major ?? 4, minor: (kind?.first ?? 64) + number },
  };
  const serialBase = { kind: "bus", name: "serial-base" } as const;
  const core: KernelDevice = {
    path: controller,
    subsystem: serialBase,
    driver: "ctrl",
    children: [{ path: port, subsystem: serialBase, driver: "port", children: [tty] }],
  };
  const node = options.compatible === undefined ? undefined : deviceTreeNode(unit);
  const device: KernelDevice = {
    path: base,
    subsystem: { kind: "bus", name: "platform" },
    driver: options.driver ?? (name.startsWith("ttyAMA") ? "uart-pl011" : "serial8250"),
    ...(node === undefined ? {} : { links: { of_node: node } }),
    children: [serialCore ? core : tty],
  };
  if (node === undefined || options.compatible === undefined) return { device };
  const strings = options.compatible.map((each) => `${each}\0`).join("");
  return { device, deviceTree: { path: node, attributes: { compatible: strings, name: "serial\0", status: "okay\0" } } };
}

/** `spidev<bus>.<select>`, bound to a bare SPI device of the board. Nodes: Documentation/spi/spidev.rst, major 153. */
export function spidevDevice(bus: number, select: number): KernelDevice {
  const parent = `devices/platform/soc/fe${(0x204 + bus).toString(16)}000.spi/spi_master/spi${bus}/spi${bus}.${select}`;
  return {
    path: parent,
    subsystem: { kind: "bus", name: "spi" },
    driver: "spidev",
    attributes: { modalias: "spi:spidev\n" },
    variables: { MODALIAS: "spi:spidev" },
    children: [
      {
        path: `${parent}/spidev/spidev${bus}.${select}`,
        subsystem: { kind: "class", name: "spidev" },
        links: { device: parent },
        node: { path: `spidev${bus}.${select}`, major: 153, minor: bus * 2 + select },
      },
    ],
  };
}

/** A GPIO chip: `parent` is what it is part of, such as `devices/platform/soc/fe200000.gpio`. */
export function gpioChip(number: number, parent: string): KernelDevice {
  const name = `gpiochip${number}`;
  return { path: `${parent}/${name}`, subsystem: { kind: "bus", name: "gpio" }, node: { path: name, major: 254, minor: number } };
}

/** What usbhid makes of a USB interface, below `hardware`. */
export function hidraw(number: number, hardware: string): KernelDevice {
  const parent = `${hardware}/0003:10C4:EA90.0001`;
  return {
    path: `${parent}/hidraw/hidraw${number}`,
    subsystem: { kind: "class", name: "hidraw" },
    links: { device: parent },
    node: { path: `hidraw${number}`, major: 240, minor: number },
  };
}

/** A PCIe Wi-Fi card with one phy and its interface. Modes (access point or not) are nl80211's to tell: sysfs has none. */
export function wifiDevice(number: number): KernelDevice {
  const slot = (number + 1).toString(16).padStart(2, "0");
  const parent = `devices/pci0000:00/0000:00:1c.${number % 8}/0000:${slot}:00.0`;
  const phy = `${parent}/ieee80211/phy${number}`;
  const address = `02:00:00:00:${slot}:00\n`;
  return {
    path: parent,
    subsystem: { kind: "bus", name: "pci" },
    driver: "mt7921e",
    attributes: { vendor: "0x14c3\n", device: "0x7961\n", class: "0x028000\n" },
    variables: { PCI_CLASS: "28000", PCI_ID: "14C3:7961", PCI_SLOT_NAME: `0000:${slot}:00.0` },
    children: [
      {
        path: phy,
        subsystem: { kind: "class", name: "ieee80211" },
        attributes: { index: `${number}\n`, name: `phy${number}\n`, macaddress: address, addresses: address },
        links: { device: parent },
      },
      networkDevice({ parent, name: `wlan${number}`, type: 1, index: 10 + number, link: { phy80211: phy }, deviceType: "wlan" }),
    ],
  };
}

/** A simulated IEEE 802.15.4 radio (drivers/net/ieee802154/mac802154_hwsim.c) with its interface. */
export function ieee802154Device(number: number): KernelDevice {
  const parent = `devices/platform/mac802154_hwsim.${number}`;
  const phy = `${parent}/ieee802154/phy${number}`;
  return {
    path: parent,
    subsystem: { kind: "bus", name: "platform" },
    driver: "mac802154_hwsim",
    children: [
      {
        path: phy,
        subsystem: { kind: "class", name: "ieee802154" },
        attributes: { index: `${number}\n`, name: `phy${number}\n` },
        links: { device: parent },
      },
      networkDevice({ parent, name: `wpan${number}`, type: 804, index: 30 + number, link: { phy802154: phy } }),
    ],
  };
}

interface NetworkDeviceOptions {
  readonly parent: string;
  readonly name: string;
  /** ARPHRD_…, include/uapi/linux/if_arp.h. */
  readonly type: number;
  readonly index: number;
  readonly link: Readonly<Record<string, string>>;
  readonly deviceType?: string;
}

function networkDevice({ parent, name, type, index, link, deviceType }: NetworkDeviceOptions): KernelDevice {
  return {
    path: `${parent}/net/${name}`,
    subsystem: { kind: "class", name: "net" },
    attributes: { type: `${type}\n`, ifindex: `${index}\n`, operstate: "down\n" },
    links: { device: parent, ...link },
    variables: { ...(deviceType === undefined ? {} : { DEVTYPE: deviceType }), INTERFACE: name, IFINDEX: index },
  };
}
