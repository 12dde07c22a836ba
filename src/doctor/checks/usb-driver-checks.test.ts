import { describe, expect, onTestFinished, test } from "vitest";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld, type RadioWorldOptions } from "../../../test/fixtures/radio-world.ts";
import { conbee2, sonoffDonglePlus, zbt1 } from "../../../test/lab/sticks.ts";
import type { VirtualStick } from "../../../test/lab/lab.ts";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { usbDriverChecks } from "./usb-driver-checks.ts";

const check = checkNamed(usbDriverChecks);

const cp210x = { "usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in*": "cp210x" };
const cdcAcm = { "usb:v*p*d*dc*dsc*dp*ic02isc02ip01in*": "cdc_acm" };
const bridgePath = "/sys/bus/usb/devices/1-1:1.0";
const driverless: VirtualStick = { ...zbt1, driver: "none" };
/** What no radio is: a bare TV receiver, which programs may drive by way of libusb. */
const receiver: VirtualStick = { name: "receiver", vendorId: "abcd", productId: "0001", product: "Tuner", driver: "none" };
const rtlSdr: VirtualStick = { name: "RTL-SDR", vendorId: "0bda", productId: "2838", product: "RTL2838UHIDIR", driver: "none" };

function createWorld(options: RadioWorldOptions = {}): RadioWorld {
  const world = createRadioWorld(options);
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

describe("USB-01, the driver is loaded", () => {
  test("passes for a bound bridge and for both interfaces of CDC ACM", async () => {
    const { tree, world, judge } = createWorld();
    world.modules({ ...cp210x, ...cdcAcm });
    tree.plug(sonoffDonglePlus);
    tree.plug(conbee2);
    expect(verdictsOf(await judge(check("USB-01")))).toEqual(["pass", "pass"]);
    expect(outcomesOf(await judge(check("USB-01")))[0]?.text).toMatch(/is driven by cp210x/);
  });

  test("asks of a serial port that is no known radio, too", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cdcAcm);
    tree.plug({ name: "unknown", vendorId: "abcd", productId: "0002", product: "Thing", driver: "cdc_acm" });
    expect(outcomesOf(await judge(check("USB-01")))).toMatchObject([{ verdict: "pass", subject: "1-1" }]);
    expect(verdictsOf(await judge(check("USB-03")))).toEqual(["pass"]);
  });

  test("fails where the module lies on the machine unused, and names it for Talos", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cp210x);
    tree.plug(driverless);
    const [outcome, ...more] = outcomesOf(await judge(check("USB-01")));
    expect(more).toEqual([]);
    expect(outcome).toMatchObject({
      verdict: "fail",
      text: expect.stringMatching(/cp210x is on this machine but not loaded/),
      radioId: expect.any(String),
      remedy: { talos: [{ change: "module", name: "cp210x" }] },
    });
    expect(outcome?.evidence).toContainEqual({ source: `${bridgePath}/driver`, value: expect.any(String) });
  });

  test("a driver that is there, loaded or built in, is not missing", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cp210x).directory("/sys/bus/usb/drivers/cp210x");
    tree.plug(driverless);
    expect(verdictsOf(await judge(check("USB-01")))).toEqual(["pass"]);
    world
      .remove("/sys/bus/usb/drivers/cp210x")
      .file("/usr/lib/modules/6.18.45-talos/modules.builtin", "kernel/drivers/usb/serial/cp210x.ko");
    expect(verdictsOf(await judge(check("USB-01")))).toEqual(["pass"]);
  });

  test("cannot tell without the lists of modules", async () => {
    const { tree, judge } = createWorld();
    tree.plug(driverless);
    expect(outcomesOf(await judge(check("USB-01")))).toMatchObject([{ verdict: "unknown", text: expect.stringMatching(/modules\.alias/) }]);
    expect(outcomesOf(await judge(check("USB-02")))).toMatchObject([{ verdict: "unknown" }]);
  });

  test("has nothing to say without sticks, and of what needs no serial port", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cp210x);
    for (const id of ["USB-01", "USB-02", "USB-03"]) expect(await judge(check(id))).toBeTypeOf("string");
    tree.plug(receiver);
    tree.plug(rtlSdr);
    tree.plug({ name: "Bluetooth", vendorId: "0a12", productId: "0001", driver: "none" });
    for (const id of ["USB-01", "USB-02", "USB-03"]) expect(await judge(check(id))).toBeTypeOf("string");
  });
});

describe("USB-02, the kernel has a driver", () => {
  test("fails where no module takes the stick", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cdcAcm);
    tree.plug(driverless);
    expect(outcomesOf(await judge(check("USB-02")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/no driver for 10c4:ea60/), radioId: expect.any(String) },
    ]);
    expect(await judge(check("USB-01"))).toBeTypeOf("string");
  });

  test("passes where one would, and where one has", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cp210x);
    tree.plug(driverless);
    tree.plug(conbee2);
    expect(verdictsOf(await judge(check("USB-02")))).toEqual(["pass", "pass"]);
  });

  test("a bridge of a known maker that is no known radio may well be somebody's own", async () => {
    const { tree, world, judge } = createWorld();
    world.modules({});
    tree.plug({ name: "board", vendorId: "0403", productId: "ffff", product: "Lab board", driver: "none" });
    expect(await judge(check("USB-02"))).toBeTypeOf("string");
  });
});

describe("USB-03, the driver has made a port", () => {
  test("passes and names the ports", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    tree.plug(conbee2);
    expect(outcomesOf(await judge(check("USB-03"))).map(({ text }) => text)).toEqual([
      expect.stringMatching(/\/dev\/ttyUSB0/),
      expect.stringMatching(/\/dev\/ttyACM0/),
    ]);
  });

  test.each([
    [sonoffDonglePlus, "cp210x", "1-1:1.0/ttyUSB0"],
    [conbee2, "cdc_acm", "1-1:1.0/tty"],
  ])("fails where %s is bound by %s and there is no port", async (stick, driver, gone) => {
    const { tree, world, judge } = createWorld();
    const { path } = tree.plug(stick);
    world
      .remove(`/sys/${path}/${gone}`)
      .kernelLog(`${driver} 1-1:1.0: probe with driver ${driver} failed with error -32`, "usb 1-2: device descriptor read/64, error -71");
    const [outcome] = outcomesOf(await judge(check("USB-03")));
    expect(outcome).toMatchObject({ verdict: "fail", text: expect.stringContaining(`The driver ${driver} is there but could not start`) });
    const said = outcome?.evidence.filter(({ source }) => source.startsWith("kernel log"));
    expect(said).toEqual([{ source: "kernel log, 1 s after boot", value: expect.stringContaining("error -32") }]);
  });

  test("fails where the loaded driver has not taken the stick", async () => {
    const { tree, world, judge } = createWorld();
    world.modules(cp210x).directory("/sys/bus/usb/drivers/cp210x");
    tree.plug(driverless);
    expect(verdictsOf(await judge(check("USB-03")))).toEqual(["fail"]);
  });
});

describe("USB-19, nothing is deauthorised", () => {
  const authorized = (path: string): string => `/sys/${path}/authorized`;

  test("passes for a stick, and says nothing of keyboards", async () => {
    const { tree, judge, world } = createWorld();
    expect(await judge(check("USB-19"))).toBeTypeOf("string");
    const keyboard = tree.plug({ name: "keyboard", vendorId: "046d", productId: "c31c", driver: "none" });
    world.file(authorized(keyboard.path), "0");
    expect(await judge(check("USB-19"))).toBeTypeOf("string");
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-19")))).toEqual(["pass"]);
  });

  test("fails for a stick that was locked after it had been seen, whose interfaces are gone", async () => {
    const { tree, judge, world, scan } = createWorld();
    const stick = tree.plug(sonoffDonglePlus);
    await scan();
    stick.remove();
    const locked = tree.plug({ ...sonoffDonglePlus, driver: "none" });
    world.remove(`/sys/${locked.path}/1-1:1.0`).remove("/sys/bus/usb/devices/1-1:1.0").file(authorized(locked.path), "0");
    expect(outcomesOf(await judge(check("USB-19")))).toMatchObject([
      {
        verdict: "fail",
        evidence: [{ source: "/sys/bus/usb/devices/1-1/authorized", value: "0" }],
        remedy: { talos: [{ change: "udev-rule", rule: expect.stringContaining('ATTR{idVendor}=="10c4"') }] },
      },
    ]);
  });

  test("fails for one locked interface, and for a bridge that was never seen unlocked", async () => {
    const { tree, judge, world } = createWorld();
    const stick = tree.plug(conbee2);
    world.file(`/sys/${stick.path}/1-1:1.0/authorized`, "0");
    expect(verdictsOf(await judge(check("USB-19")))).toEqual(["fail"]);
    world.file(`/sys/${stick.path}/1-1:1.0/authorized`, "1");
    const bridge = tree.plug({ name: "bridge", vendorId: "1a86", productId: "7523", driver: "none" });
    world.remove(`/sys/${bridge.path}/1-2:1.0`).remove("/sys/bus/usb/devices/1-2:1.0").file(authorized(bridge.path), "0");
    expect(verdictsOf(await judge(check("USB-19"))).toSorted()).toEqual(["fail", "pass"]);
  });

  test("cannot tell where the file cannot be read", async () => {
    const { tree, judge, world } = createWorld();
    const stick = tree.plug(sonoffDonglePlus);
    world.unreadable(authorized(stick.path));
    expect(verdictsOf(await judge(check("USB-19")))).toEqual(["unknown"]);
  });
});

describe("USB-21, bridges answer", () => {
  test.each(["ch341-uart ttyUSB0: failed to receive control message: -32", "cdc_acm 1-1:1.0: failed to set dtr/rts"])(
    "fails after %s",
    async (line) => {
      const { tree, world, judge } = createWorld();
      tree.plug(sonoffDonglePlus);
      world.kernelLog(line);
      expect(verdictsOf(await judge(check("USB-21")))).toEqual(["fail"]);
    },
  );

  test("passes when it was another's port, long ago, or the farewell of a stick that was pulled out", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.kernelLog("ch341-uart ttyUSB3: failed to receive control message: -32", "cdc_acm 1-2:1.0: failed to set dtr/rts");
    expect(verdictsOf(await judge(check("USB-21")))).toEqual(["pass"]);
    world.kernelLog("usb 1-1: USB disconnect, device number 4", "cdc_acm 1-1:1.0: failed to set dtr/rts");
    expect(verdictsOf(await judge(check("USB-21")))).toEqual(["pass"]);
    world.kernelLog("cdc_acm 1-1:1.0: failed to set dtr/rts").file("/proc/uptime", "700.00 100.00");
    expect(verdictsOf(await judge(check("USB-21")))).toEqual(["pass"]);
    world.file("/proc/uptime", "600.00 100.00");
    expect(verdictsOf(await judge(check("USB-21")))).toEqual(["fail"]);
  });

  test("cannot tell without the kernel's log", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-21")))).toEqual(["unknown"]);
  });
});
