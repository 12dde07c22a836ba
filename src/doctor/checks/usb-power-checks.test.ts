import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld } from "../../../test/fixtures/radio-world.ts";
import { conbee2, sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import { usbPowerChecks } from "./usb-power-checks.ts";

const check = checkNamed(usbPowerChecks);

function createWorld(): RadioWorld {
  const world = createRadioWorld();
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

const devices = "/sys/bus/usb/devices";

describe("USB-06, asleep", () => {
  test.each([
    ["on", "active", "pass"],
    ["auto", "active", "pass"],
    ["on", "suspended", "pass"],
    ["auto", "suspended", "fail"],
  ])("power/control %s, %s: %s", async (control, status, verdict) => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.files({ [`${devices}/1-1/power/control`]: control, [`${devices}/1-1/power/runtime_status`]: status });
    const [outcome] = outcomesOf(await judge(check("USB-06")));
    expect(outcome?.verdict).toBe(verdict);
    if (verdict === "fail")
      expect(outcome?.remedy?.talos).toEqual([{ change: "udev-rule", rule: expect.stringContaining('ATTR{power/control}="on"') }]);
  });

  test("a kernel without power management puts nothing to sleep; what cannot be read cannot be told", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-06")))).toEqual(["pass"]);
    world.unreadable(`${devices}/1-1/power/control`);
    expect(verdictsOf(await judge(check("USB-06")))).toEqual(["unknown"]);
  });

  test("Bluetooth may sleep", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug({ name: "Bluetooth", vendorId: "0a12", productId: "0001", driver: "btusb" });
    world.files({ [`${devices}/1-1/power/control`]: "auto", [`${devices}/1-1/power/runtime_status`]: "suspended" });
    expect(await judge(check("USB-06"))).toBeTypeOf("string");
  });
});

describe("USB-15, hubs", () => {
  const busPowered = { [`${devices}/1-5/bmAttributes`]: "a0", [`${devices}/1-5/bMaxPower`]: "100mA" };

  test("adds up what hangs on a hub without a supply of its own", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus, { port: 5 });
    tree.plug(conbee2, { port: 6 });
    world.files(busPowered);
    expect(outcomesOf(await judge(check("USB-15")))).toMatchObject([{ verdict: "pass", text: expect.stringMatching(/300 of 500 mA/) }]);
    world.file(`${devices}/1-5.2/bMaxPower`, "310mA");
    expect(outcomesOf(await judge(check("USB-15")))).toMatchObject([
      { verdict: "fail", subject: "1-5", text: expect.stringMatching(/510 mA, but its port gives 500 mA/) },
    ]);
    world.file(`${devices}/1-5/speed`, "5000");
    expect(verdictsOf(await judge(check("USB-15")))).toEqual(["pass"]);
    world.files({ [`${devices}/1-5/speed`]: "480", [`${devices}/1-5/bmAttributes`]: "e0" });
    expect(outcomesOf(await judge(check("USB-15")))).toMatchObject([{ verdict: "pass", text: expect.stringMatching(/of its own/) }]);
  });

  test("says what the kernel refused for want of power, as long as it is still there", async () => {
    const { tree, world, judge } = createWorld();
    const device = tree.plug({ name: "unconfigured", vendorId: "10c4", productId: "ea60", driver: "none" });
    world.kernelLog("usb 1-1: rejected 1 configuration due to insufficient available bus power");
    expect(await judge(check("USB-15"))).toBeTypeOf("string");
    world.remove(`/sys/${device.path}/1-1:1.0`).remove(`${devices}/1-1:1.0`);
    expect(outcomesOf(await judge(check("USB-15")))).toMatchObject([{ verdict: "fail", subject: "1-1" }]);
    world.remove(`${devices}/1-1`);
    expect(await judge(check("USB-15"))).toBeTypeOf("string");
  });

  test("cannot tell where the hub does not say", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus, { port: 5 });
    world.unreadable(`${devices}/1-5/bmAttributes`);
    expect(verdictsOf(await judge(check("USB-15")))).toEqual(["unknown"]);
  });
});

test("USB-16, a Raspberry Pi's voltage", async () => {
  const { world, judge } = createWorld();
  world.files({ "/sys/class/hwmon/hwmon0/name": "coretemp", "/sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1" });
  expect(await judge(check("USB-16"))).toBeTypeOf("string");
  world.files({ "/sys/class/hwmon/hwmon1/name": "rpi_volt", "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0" });
  expect(verdictsOf(await judge(check("USB-16")))).toEqual(["pass"]);
  world.file("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1");
  expect(verdictsOf(await judge(check("USB-16")))).toEqual(["fail"]);
  world.unreadable("/sys/class/hwmon/hwmon1/in0_lcrit_alarm");
  expect(verdictsOf(await judge(check("USB-16")))).toEqual(["unknown"]);
});
