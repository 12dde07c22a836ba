import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  conbee2,
  cp2102OtherTwin,
  cp2102Twin,
  csrBluetooth,
  hostileStick,
  husbzb1,
  longStringsStick,
  noDriverStick,
  sonoffDonglePlus,
} from "../lab/sticks.ts";
import { createHostTree, type HostTree } from "./host-tree.ts";
import { plainHooks } from "./kernel-objects.ts";
import { descriptorsOf, parseDescriptors } from "./usb-descriptors.ts";

let root: string;
let tree: HostTree;

beforeEach(() => {
  // In memory where there is such a place: a tree is thousands of small files.
  root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "host-tree-"));
  tree = createHostTree(root);
});

afterEach(() => rmSync(root, { recursive: true }));

const sys = (path: string): string => join(root, "sys", path);
const read = (path: string): string => readFileSync(sys(path), "utf8");
/** Every path below a directory; links are not followed (readdir's own recursion would go round in circles). */
const everything = (directory: string): string[] => {
  const paths: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    paths.push(entry.name);
    if (entry.isDirectory()) for (const below of everything(join(directory, entry.name))) paths.push(join(entry.name, below));
  }
  return paths.sort();
};

describe("a plugged stick", () => {
  it("leads from its tty to its USB device by the links that the kernel makes", () => {
    const plugged = tree.plug(sonoffDonglePlus, { port: 2 });
    expect(readlinkSync(sys("class/tty/ttyUSB0"))).toBe("../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0");
    expect(readlinkSync(sys("class/tty/ttyUSB0/device"))).toBe("../../../ttyUSB0");
    expect(basename(readlinkSync(sys("class/tty/ttyUSB0/device/driver")))).toBe("cp210x");
    expect(basename(realpathSync(sys("class/tty/ttyUSB0/device/subsystem")))).toBe("usb-serial");
    expect(realpathSync(sys("bus/usb/devices/1-2"))).toBe(realpathSync(sys(plugged.path)));
    expect(realpathSync(sys("bus/usb/drivers/cp210x/1-2:1.0/driver"))).toBe(realpathSync(sys("bus/usb/drivers/cp210x")));
    expect(realpathSync(sys("dev/char/188:0"))).toBe(realpathSync(sys("class/tty/ttyUSB0")));
    expect(read("class/tty/ttyUSB0/dev")).toBe("188:0\n");
    expect(read(`${plugged.path}/product`)).toBe("Sonoff Zigbee 3.0 USB Dongle Plus\n");
    expect(read(`${plugged.path}/1-2:1.0/uevent`)).toContain("DRIVER=cp210x\n");
    expect(existsSync(join(root, "dev/ttyUSB0"))).toBe(true);
    expect(plugged.nodes).toEqual(["/dev/ttyUSB0"]);
  });

  it("leaves nothing behind when it is taken out", () => {
    const bare = [everything(join(root, "sys/devices")), everything(join(root, "dev")), everything(sys("class"))];
    const plugged = [tree.plug(sonoffDonglePlus), tree.plug(conbee2), tree.plug(husbzb1), tree.plug(csrBluetooth)];
    for (const each of plugged) each.remove();
    const known = new Set(["bluetooth"]);
    expect([
      everything(join(root, "sys/devices")),
      everything(join(root, "dev")),
      everything(sys("class")).filter((name) => !known.has(name)),
    ]).toEqual(bare);
    expect(readdirSync(sys("bus/usb/drivers/cp210x"))).toEqual([]);
  });

  it("gets a new device number with each plug, the lowest free tty, and after 127 the first free number", () => {
    const first = tree.plug(cp2102Twin, { port: 1 });
    const second = tree.plug(cp2102OtherTwin, { port: 2 });
    expect([first.deviceNumber, second.deviceNumber]).toEqual([2, 3]);
    first.remove();
    const again = tree.plug(cp2102Twin, { port: 1 });
    expect([again.deviceNumber, again.nodes]).toEqual([4, ["/dev/ttyUSB0"]]);
    let last = again;
    for (let plugs = 0; plugs < 123; plugs += 1) {
      last.remove();
      last = tree.plug(cp2102Twin, { port: 1 });
    }
    expect(last.deviceNumber).toBe(127);
    last.remove();
    expect(tree.plug(cp2102Twin, { port: 1 }).deviceNumber).toBe(2);
    expect(tree.plug(cp2102Twin, { port: 3 }).deviceNumber).toBe(4);
  });

  it("gets the next tty number while the old node is held open", () => {
    const held = new Set<string>();
    const other = createHostTree(join(root, "other"), { isHeld: (node) => held.has(node) });
    other.plug(sonoffDonglePlus).remove();
    held.add("/dev/ttyUSB0");
    expect(other.plug(sonoffDonglePlus).nodes).toEqual(["/dev/ttyUSB1"]);
  });

  it("has a tty for each port, none without a driver, and cdc_acm's on its control interface", () => {
    expect(tree.plug(husbzb1, { port: 1 }).nodes).toEqual(["/dev/ttyUSB0", "/dev/ttyUSB1"]);
    expect(read("bus/usb/drivers/cp210x/1-1:1.1/bInterfaceNumber")).toBe("01\n");
    const silent = tree.plug(noDriverStick, { port: 2 });
    expect(silent.nodes).toEqual([]);
    expect(existsSync(sys(`${silent.path}/1-2:1.0/driver`))).toBe(false);
    tree.plug(conbee2, { port: 3 });
    expect(readlinkSync(sys("class/tty/ttyACM0/device"))).toBe("../../../1-3:1.0");
    expect(basename(readlinkSync(sys(`bus/usb/devices/1-3:1.1/driver`)))).toBe("cdc_acm");
  });

  it("carries hostile and overlong strings as the kernel would: up to a NUL, 126 units, no lone surrogates", () => {
    const hostile = tree.plug(hostileStick);
    expect(read(`${hostile.path}/manufacturer`)).toBe(`${hostileStick.manufacturer ?? ""}\n`);
    expect(read(`${hostile.path}/product`)).toBe('"; rm -rf / #  ../../etc/passwd \u202eeteled\n');
    expect(read(`${hostile.path}/serial`)).toBe("-_.=/\t\\'\u007f\n");
    const long = tree.plug({ ...longStringsStick, serial: "9".repeat(200) });
    expect(read(`${long.path}/serial`)).toBe(`${"9".repeat(126)}\n`);
    expect(Buffer.byteLength(read(`${long.path}/product`))).toBe(253);
  });

  it("sits behind hubs and on further buses in ports with high numbers", () => {
    expect([1, 4, 5, 14, 15, 64, 65, 200].map((port) => tree.plug(cp2102Twin, { port }).portPath)).toEqual([
      "1-1",
      "1-4",
      "1-5.1",
      "1-5.10",
      "1-6.1",
      "1-10.10",
      "2-1",
      "4-5.4",
    ]);
    expect(read("bus/usb/devices/1-5/bDeviceClass")).toBe("09\n");
    expect(dirname(realpathSync(sys("bus/usb/devices/4-5.4")))).toBe(realpathSync(sys("bus/usb/devices/4-5")));
  });

  it("refuses a port that is taken", () => {
    tree.plug(sonoffDonglePlus, { port: 1 });
    expect(() => tree.plug(conbee2, { port: 1 })).toThrow(RangeError);
  });

  it("replays a real stick's descriptors", () => {
    const real = new Uint8Array(descriptorsOf({ ...husbzb1, ports: 2, driver: "cdc_acm" }));
    const plugged = tree.plug({ ...conbee2, descriptors: real });
    expect(new Uint8Array(readFileSync(sys(`${plugged.path}/descriptors`)))).toEqual(real);
    expect(parseDescriptors(real).interfaces.map((each) => each.class)).toEqual([0x02, 0x0a, 0x02, 0x0a]);
    expect(plugged.nodes).toEqual(["/dev/ttyACM0", "/dev/ttyACM1"]);
  });

  it("reads descriptors of whatever bytes to an end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (blob) => {
        const { interfaces } = parseDescriptors(blob);
        expect(interfaces.length).toBeLessThanOrEqual(blob.length / 9);
      }),
    );
  });
});

describe("uevents", () => {
  it("come in the kernel's order, the node before its event, the sysfs directory gone before remove", () => {
    const heard: string[] = [];
    const told = createHostTree(join(root, "told"), {
      hooks: {
        ...plainHooks,
        announce({ action, path, variables }) {
          const node = variables["DEVNAME"];
          const there = existsSync(join(root, "told/sys", path));
          const has = node === undefined ? "" : ` ${existsSync(join(root, "told/dev", String(node))) ? "node" : "no node"}`;
          heard.push(`${action} ${String(variables["SUBSYSTEM"])} ${basename(path)} ${there ? "here" : "gone"}${has}`);
        },
      },
    });
    heard.length = 0;
    told.plug(sonoffDonglePlus).remove();
    expect(heard).toEqual([
      "add usb 1-1 here node",
      "add usb 1-1:1.0 here",
      "add usb-serial ttyUSB0 here",
      "add tty ttyUSB0 here node",
      "bind usb-serial ttyUSB0 here",
      "bind usb 1-1:1.0 here",
      "bind usb 1-1 here node",
      "remove tty ttyUSB0 gone no node",
      "unbind usb-serial ttyUSB0 here",
      "remove usb-serial ttyUSB0 gone",
      "unbind usb 1-1:1.0 here",
      "remove usb 1-1:1.0 gone",
      "unbind usb 1-1 here no node",
      "remove usb 1-1 gone no node",
    ]);
  });
});

describe("radios that are not on USB", () => {
  it("are under their classes with what identifies them", () => {
    tree.addWifi();
    tree.addIeee802154();
    tree.addSpidev();
    tree.setBoard("Raspberry Pi 4 Model B Rev 1.4");
    tree.addSerialPort({ name: "ttyAMA0", compatible: ["arm,pl011", "arm,primecell"] });
    tree.addSerialPort({ name: "ttyS1", type: 0 });
    expect(readdirSync(sys("class")).sort()).toEqual(["ieee80211", "ieee802154", "net", "spidev", "tty"]);
    expect(realpathSync(sys("class/net/wlan0/phy80211"))).toBe(realpathSync(sys("class/ieee80211/phy0")));
    expect(realpathSync(sys("class/net/wpan0/phy802154"))).toBe(realpathSync(sys("class/ieee802154/phy0")));
    expect(read("class/spidev/spidev0.0/dev")).toBe("153:0\n");
    expect(read("bus/platform/devices/fe201000.serial/of_node/compatible")).toBe("arm,pl011\0arm,primecell\0");
    expect([read("class/tty/ttyAMA0/dev"), read("class/tty/ttyS1/dev"), read("class/tty/ttyS1/type")]).toEqual([
      "204:64\n",
      "4:65\n",
      "0\n",
    ]);
    expect(readFileSync(join(root, "proc/device-tree/model"), "utf8")).toBe("Raspberry Pi 4 Model B Rev 1.4\0");
  });

  it("go again", () => {
    const bluetooth = [tree.addBluetooth(), tree.addBluetooth()];
    expect(readdirSync(sys("class/bluetooth")).sort()).toEqual(["hci0", "hci1"]);
    bluetooth[0]?.remove();
    expect(readdirSync(sys("class/bluetooth"))).toEqual(["hci1"]);
    const wifi = tree.addWifi();
    wifi.remove();
    expect([readdirSync(sys("class/ieee80211")), readdirSync(sys("class/net"))]).toEqual([[], []]);
  });
});
