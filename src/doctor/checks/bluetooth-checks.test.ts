import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld } from "../../../test/fixtures/radio-world.ts";
import { descriptorsOf } from "../../../test/light/usb-descriptors.ts";
import type { VirtualStick } from "../../../test/lab/lab.ts";
import type { BluezFacts, Reading } from "../../core/check.ts";
import { isUnreadable, wasRead } from "../../core/reading.ts";
import { bluetoothChecks } from "./bluetooth-checks.ts";

const check = checkNamed(bluetoothChecks);
const adapter: VirtualStick = { name: "CSR", vendorId: "0a12", productId: "0001", driver: "btusb" };
const unbound: VirtualStick = { ...adapter, driver: "none", descriptors: Uint8Array.from(descriptorsOf(adapter)) };
const btusb = { "usb:v*p*d*dc*dsc*dp*icE0isc01ip01in*": "btusb" };

function createWorld(): RadioWorld {
  const world = createRadioWorld();
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

test("without adapters there is nothing to say", async () => {
  const { judge, world } = createWorld();
  world.kernelConfig({ CONFIG_USB: "y" });
  for (const each of bluetoothChecks) expect(await judge(each)).toBeTypeOf("string");
});

describe("BLE-01, a kernel with Bluetooth", () => {
  test("passes with it, fails without, is good to know of what is part of the machine", async () => {
    const { tree, judge, world } = createWorld();
    const { path } = tree.plug(unbound);
    expect(verdictsOf(await judge(check("BLE-01")))).toEqual(["unknown"]);
    world.kernelConfig({ CONFIG_BT: "m" });
    expect(verdictsOf(await judge(check("BLE-01")))).toEqual(["pass"]);
    world.kernelConfig({ CONFIG_USB: "y" });
    const [outcome] = outcomesOf(await judge(check("BLE-01")));
    expect(outcome).toMatchObject({ verdict: "fail", text: expect.stringMatching(/built without Bluetooth/), radioId: expect.any(String) });
    expect(outcome).not.toHaveProperty("level");
    world.file(`/sys/${path}/removable`, "fixed");
    expect(outcomesOf(await judge(check("BLE-01")))).toMatchObject([{ verdict: "fail", level: "info" }]);
    world.directory("/sys/class/bluetooth");
    expect(verdictsOf(await judge(check("BLE-01")))).toEqual(["pass"]);
  });
});

describe("BLE-02, its driver", () => {
  test("passes when bound", async () => {
    const { tree, judge } = createWorld();
    tree.plug(adapter);
    expect(verdictsOf(await judge(check("BLE-02")))).toEqual(["pass"]);
  });

  test("fails when not loaded, and names the module", async () => {
    const { tree, judge, world } = createWorld();
    tree.plug(unbound);
    world.kernelConfig({ CONFIG_BT: "m" }).modules(btusb);
    expect(outcomesOf(await judge(check("BLE-02")))).toMatchObject([
      { verdict: "fail", remedy: { talos: [{ change: "module", name: "btusb" }] } },
    ]);
    world.directory("/sys/bus/usb/drivers/btusb");
    expect(outcomesOf(await judge(check("BLE-02")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/loaded but has not taken/) },
    ]);
    world.modules({});
    expect(outcomesOf(await judge(check("BLE-02")))).toMatchObject([{ verdict: "fail", text: expect.stringMatching(/no driver for it/) }]);
  });

  test("leaves a kernel without Bluetooth to BLE-01, and cannot tell without lists", async () => {
    const { tree, judge, world } = createWorld();
    tree.plug(unbound);
    expect(verdictsOf(await judge(check("BLE-02")))).toEqual(["unknown"]);
    world.kernelConfig({ CONFIG_USB: "y" });
    expect(await judge(check("BLE-02"))).toBeTypeOf("string");
  });
});

describe("BLE-03, started", () => {
  test("passes with a controller, fails without, and shows the firmware that is missing", async () => {
    const { tree, judge, world } = createWorld();
    const { path } = tree.plug(adapter);
    expect(outcomesOf(await judge(check("BLE-03")))).toMatchObject([{ verdict: "pass", text: expect.stringMatching(/is hci0/) }]);
    world.remove(`/sys/${path}/1-1:1.0/bluetooth`);
    expect(outcomesOf(await judge(check("BLE-03")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/has not started\.$/) },
    ]);
    world.kernelLog(
      "bluetooth hci0: Direct firmware load for rtl_bt/rtl8761bu_fw.bin failed with error -2",
      "r8169 0000:01:00.0: Direct firmware load for rtl_nic/rtl8168h-2.fw failed with error -2",
    );
    const [outcome] = outcomesOf(await judge(check("BLE-03")));
    expect(outcome?.text).toMatch(/firmware is missing/);
    expect(outcome?.evidence.filter(({ source }) => source.startsWith("kernel log"))).toHaveLength(1);
  });

  test("one adapter's controller is not another's", async () => {
    const { tree, judge, world } = createWorld();
    tree.plug(adapter);
    const second = tree.plug(adapter);
    world.remove(`/sys/${second.path}/1-2:1.0/bluetooth`);
    expect(verdictsOf(await judge(check("BLE-03"))).toSorted()).toEqual(["fail", "pass"]);
  });

  test("says nothing of an adapter without driver", async () => {
    const { tree, judge } = createWorld();
    tree.plug(unbound);
    expect(await judge(check("BLE-03"))).toBeTypeOf("string");
  });
});

describe("BLE-04, switches", () => {
  const one = (type: string, soft: string, hard: string) => ({
    "/sys/class/rfkill/rfkill0/type": type,
    "/sys/class/rfkill/rfkill0/soft": soft,
    "/sys/class/rfkill/rfkill0/hard": hard,
    "/sys/class/rfkill/rfkill0/name": "hci0",
  });

  test.each([
    ["0", "0", "pass", /not switched off/],
    ["1", "0", "fail", /by software/],
    ["0", "1", "fail", /by a switch or key/],
    ["1", "1", "fail", /by a switch or key/],
  ] as const)("soft %s, hard %s: %s", async (...[soft, hard, verdict, text]) => {
    const { judge, world } = createWorld();
    world.files(one("bluetooth", soft, hard));
    expect(outcomesOf(await judge(check("BLE-04")))).toMatchObject([{ subject: "hci0", verdict, text: expect.stringMatching(text) }]);
  });

  test("Wi-Fi's are not asked; what cannot be read cannot be told", async () => {
    const { judge, world } = createWorld();
    world.files(one("wlan", "1", "1"));
    expect(await judge(check("BLE-04"))).toBeTypeOf("string");
    world.files(one("bluetooth", "0", "0")).unreadable("/sys/class/rfkill/rfkill0/hard");
    expect(verdictsOf(await judge(check("BLE-04")))).toEqual(["unknown"]);
  });
});

/** What a check makes of this word of BlueZ's, on a machine with a controller. */
async function judgeBluez(id: string, bluez: Reading<BluezFacts>) {
  const { tree, gather, world } = createWorld();
  tree.addBluetooth();
  world.files({
    "/sys/class/rfkill/rfkill0/type": "bluetooth",
    "/sys/class/rfkill/rfkill0/soft": "1",
    "/sys/class/rfkill/rfkill0/hard": "0",
  });
  return check(id).judge({ ...(await gather([check(id)])), bluez });
}

describe("BLE-05 to BLE-07, BlueZ", () => {
  const adapters = (powered?: boolean) => wasRead({ adapters: [{ name: "hci0", ...(powered !== undefined && { powered }) }] });
  const refused = isUnreadable("cannot ask BlueZ: D-Bus refuses this process");

  test.each([
    ["BLE-05", adapters(true), "pass"],
    ["BLE-05", adapters(false), "fail"],
    ["BLE-05", adapters(), "unknown"],
    ["BLE-05", refused, "unknown"],
    ["BLE-06", adapters(true), "pass"],
    ["BLE-06", { state: "absent" } as const, "fail"],
    ["BLE-06", refused, "unknown"],
    ["BLE-07", adapters(true), "pass"],
    ["BLE-07", refused, "fail"],
    ["BLE-07", isUnreadable("D-Bus does not answer"), "unknown"],
  ])("%s of %o: %s", async (id, bluez, verdict) => {
    expect(verdictsOf(await judgeBluez(id, bluez))).toEqual([verdict]);
  });

  test("an adapter that is off because it is blocked says so", async () => {
    expect(outcomesOf(await judgeBluez("BLE-05", adapters(false)))[0]?.text).toMatch(/BLE-04/);
  });

  test("no BlueZ, nothing to power or to refuse; no adapter of BlueZ's, nothing either", async () => {
    for (const id of ["BLE-05", "BLE-07"]) expect(await judgeBluez(id, { state: "absent" })).toBeTypeOf("string");
    expect(await judgeBluez("BLE-05", wasRead({ adapters: [] }))).toBeTypeOf("string");
  });
});

test("BLE-08, a Raspberry Pi's own", async () => {
  const { tree, judge, world } = createWorld();
  tree.setBoard("Raspberry Pi 4 Model B Rev 1.4");
  expect(await judge(check("BLE-08"))).toBeTypeOf("string");
  const status = "/sys/firmware/devicetree/base/soc/serial@7e201000/bluetooth/status";
  world.file(status, "okay\0");
  expect(verdictsOf(await judge(check("BLE-08")))).toEqual(["pass"]);
  world.file(status, "disabled\0");
  expect(outcomesOf(await judge(check("BLE-08")))).toMatchObject([
    { verdict: "fail", evidence: [{ source: "/proc/device-tree/soc/serial@7e201000/bluetooth/status" }] },
  ]);
  world.unreadable(status);
  expect(verdictsOf(await judge(check("BLE-08")))).toEqual(["unknown"]);
});
