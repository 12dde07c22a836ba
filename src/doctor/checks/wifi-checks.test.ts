import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { route } from "../../../test/fixtures/proc-net.ts";
import { createRadioWorld, type RadioWorld } from "../../../test/fixtures/radio-world.ts";
import type { VirtualStick } from "../../../test/lab/lab.ts";
import { wifiChecks } from "./wifi-checks.ts";

const check = checkNamed(wifiChecks);
/** A Wi-Fi stick (RTL8188EUS) without a driver; its interface is vendor-specific. */
const stick: VirtualStick = {
  name: "TL-WN725N",
  vendorId: "0bda",
  productId: "8179",
  manufacturer: "Realtek",
  product: "802.11n NIC",
  driver: "none",
};
const stickModule = { "usb:v0BDAp8179d*dc*dsc*dp*icFFiscFFipFFin*": "rtl8xxxu", "usb:v0BDAp8179d*dc*dsc*dp*ic*isc*ip*in*": "rtl8xxxu" };

function createWorld(): RadioWorld {
  const world = createRadioWorld();
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

/** The card without what its driver has made of it. */
function withoutPhy({ tree, world }: RadioWorld): string {
  const card = `/sys/${tree.addWifi().path}`;
  world.remove(`${card}/ieee80211`).remove("/sys/class/ieee80211");
  return card;
}

test("without adapters there is nothing to say, nor of a card that a virtual machine has", async () => {
  const self = createWorld();
  self.world.kernelConfig({ CONFIG_USB: "y" });
  for (const each of wifiChecks) expect(await self.judge(each)).toBeTypeOf("string");
  self.world.file("/sys/bus/pci/devices/0000:02:00.0/class", "0x020000");
  const card = withoutPhy(self);
  self.world.link(`${card}/driver`, "../../../bus/pci/drivers/vfio-pci");
  for (const each of wifiChecks) expect(await self.judge(each)).toBeTypeOf("string");
});

describe("WIFI-01, a kernel with Wi-Fi", () => {
  test("passes with it, fails without for a stick, and is good to know of a card", async () => {
    const self = createWorld();
    const { tree, judge, world } = self;
    tree.plug(stick);
    expect(verdictsOf(await judge(check("WIFI-01")))).toEqual(["unknown"]);
    world.kernelConfig({ CONFIG_CFG80211: "m" });
    expect(verdictsOf(await judge(check("WIFI-01")))).toEqual(["pass"]);
    world.kernelConfig({ CONFIG_USB: "y" });
    const [outcome] = outcomesOf(await judge(check("WIFI-01")));
    expect(outcome).toMatchObject({ verdict: "fail", radioId: expect.any(String) });
    expect(outcome).not.toHaveProperty("level");
    withoutPhy(self);
    expect(outcomesOf(await judge(check("WIFI-01")))).toMatchObject([{ verdict: "fail", level: "info" }, { verdict: "fail" }]);
    expect(await judge(check("WIFI-02"))).toBeTypeOf("string");
  });

  test("what runs is there, whatever the kernel's configuration says", async () => {
    const { tree, judge, world } = createWorld();
    tree.addWifi();
    world.kernelConfig({ CONFIG_USB: "y" });
    expect(verdictsOf(await judge(check("WIFI-01")))).toEqual(["pass"]);
  });
});

describe("WIFI-02, started", () => {
  test("passes with a phy", async () => {
    const { tree, judge } = createWorld();
    tree.addWifi();
    expect(outcomesOf(await judge(check("WIFI-02")))).toMatchObject([{ verdict: "pass", text: expect.stringMatching(/is phy0/) }]);
  });

  test("a card whose driver found no firmware", async () => {
    const self = createWorld();
    withoutPhy(self);
    self.world
      .kernelConfig({ CONFIG_CFG80211: "m" })
      .kernelLog("mt7921e 0000:01:00.0: Direct firmware load for mediatek/WIFI_RAM_CODE_MT7961_1.bin failed with error -2");
    expect(outcomesOf(await self.judge(check("WIFI-02")))).toMatchObject([
      {
        verdict: "fail",
        level: "warning",
        text: expect.stringMatching(/mt7921e but has not started, because its firmware/),
        evidence: [{ value: "mt7921e" }, {}],
      },
    ]);
    self.world.kernelLog("r8169 0000:02:00.0: Direct firmware load for rtl_nic/rtl8168h-2.fw failed with error -2");
    expect(outcomesOf(await self.judge(check("WIFI-02")))[0]?.text).toMatch(/has not started\.$/);
  });

  test("a stick whose driver is not loaded, not there, or does not take it", async () => {
    const { tree, judge, world } = createWorld();
    tree.plug(stick);
    world.kernelConfig({ CONFIG_CFG80211: "m" });
    expect(verdictsOf(await judge(check("WIFI-02")))).toEqual(["unknown"]);
    world.modules(stickModule);
    const [outcome] = outcomesOf(await judge(check("WIFI-02")));
    expect(outcome).toMatchObject({ verdict: "fail", remedy: { talos: [{ change: "module", name: "rtl8xxxu" }] } });
    expect(outcome).not.toHaveProperty("level");
    world.directory("/sys/module/rtl8xxxu");
    expect(outcomesOf(await judge(check("WIFI-02")))[0]?.text).toMatch(/loaded but has not taken/);
    world.modules({});
    expect(outcomesOf(await judge(check("WIFI-02")))[0]?.text).toMatch(/no driver for it/);
  });
});

test("WIFI-03, access point", async () => {
  const { tree, gather } = createWorld();
  tree.addWifi();
  const facts = await gather(wifiChecks);
  const verdict = (accessPoint?: boolean) =>
    verdictsOf(
      check("WIFI-03").judge({
        ...facts,
        radios: facts.radios.map((radio) => {
          const wifi = { phy: "phy0", interfaces: ["wlan0"], ...(accessPoint !== undefined && { accessPoint }) };
          return Object.assign({}, radio, { device: { ...radio.device, wifi } });
        }),
      }),
    );
  expect([verdict(true), verdict(false), verdict()]).toEqual([["pass"], ["fail"], ["unknown"]]);
  expect(check("WIFI-03").level).toBe("info");
});

test("WIFI-04, the country", async () => {
  const { tree, judge, world } = createWorld();
  const regdom = "/sys/module/cfg80211/parameters/ieee80211_regdom";
  world.file(regdom, "00");
  expect(await judge(check("WIFI-04"))).toBeTypeOf("string");
  tree.addWifi();
  expect(outcomesOf(await judge(check("WIFI-04")))).toMatchObject([{ verdict: "fail", evidence: [{ source: regdom, value: "00" }] }]);
  world.file(regdom, "DE");
  expect(verdictsOf(await judge(check("WIFI-04")))).toEqual(["pass"]);
  world.unreadable(regdom);
  expect(verdictsOf(await judge(check("WIFI-04")))).toEqual(["unknown"]);
  world.remove(regdom);
  expect(await judge(check("WIFI-04"))).toBeTypeOf("string");
});

test("WIFI-05, used by the machine", async () => {
  const { tree, judge, world } = createWorld();
  const card = tree.addWifi();
  expect(verdictsOf(await judge(check("WIFI-05")))).toEqual(["unknown"]);
  world.file("/proc/net/route", route.trimEnd());
  expect(verdictsOf(await judge(check("WIFI-05")))).toEqual(["pass"]);
  world.file("/proc/net/route", route.trimEnd().replaceAll("e0", "wlan0"));
  expect(verdictsOf(await judge(check("WIFI-05")))).toEqual(["fail"]);
  world.file("/proc/net/route", route.trimEnd()).link(`/sys/${card.path}/net/wlan0/master`, "../../br0");
  expect(outcomesOf(await judge(check("WIFI-05")))).toMatchObject([
    { verdict: "fail", evidence: [{ source: "/sys/class/net/wlan0/master", value: "br0" }] },
  ]);
});
