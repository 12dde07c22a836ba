import { describe, expect, onTestFinished, test } from "vitest";
import { createRadioWorld, type RadioWorld, type RadioWorldOptions } from "../../../test/fixtures/radio-world.ts";
import { conbee2, conbee3, sonoffDongleE, sonoffDonglePlus, zbt1, zstickGen5 } from "../../../test/lab/sticks.ts";
import { catalogueIds, leftOut } from "../left-out.ts";
import { runChecks } from "../run-checks.ts";
import { builtInChecks } from "./built-in-checks.ts";

const ids = builtInChecks.map(({ id }) => id);

test("every check of the catalogue is there, or there is a reason why not", () => {
  expect(new Set(ids).size).toBe(ids.length);
  const there = catalogueIds.filter((id) => ids.includes(id));
  expect([...there, ...Object.keys(leftOut)].toSorted()).toEqual(catalogueIds.toSorted());
});

test.each(builtInChecks.map((check) => [check.id, check] as const))("%s says what it asks, and where the rule comes from", (_, check) => {
  expect(check.title).toMatch(/^[\p{L}]/u);
  expect(check.source).not.toBe("");
  for (const glob of check.reads) expect(glob).toMatch(/^\/(?:proc|sys|run|var\/lib\/kubelet)\//);
});

function createWorld(options: RadioWorldOptions = {}): RadioWorld {
  const world = createRadioWorld(options);
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

async function failuresOf({ gather }: RadioWorld): Promise<readonly string[]> {
  const { findings } = runChecks(builtInChecks, await gather(builtInChecks));
  return findings.filter(({ verdict, level }) => verdict === "fail" && level === "fail").map(({ id, text }) => `${id} ${text}`);
}

describe("a healthy machine has nothing that fails", () => {
  test("with nothing plugged in", async () => {
    expect(await failuresOf(createWorld())).toEqual([]);
  });

  test("with all sorts of sticks, behind hubs and not", async () => {
    const self = createWorld();
    for (const stick of [sonoffDonglePlus, sonoffDongleE, conbee2, conbee3, zbt1, zstickGen5]) self.tree.plug(stick);
    self.tree.plug({ name: "Bluetooth", vendorId: "0a12", productId: "0001", driver: "btusb" });
    self.tree.plug({ name: "disk", vendorId: "0781", productId: "5581", driver: "none" });
    self.tree.addWifi();
    self.tree.addSpidev();
    self.tree.addIeee802154();
    self.tree.addSerialPort({ name: "ttyS0" });
    self.world
      .process({ pid: 1, name: "init" })
      .process({ pid: 20, name: "node", open: ["/dev/ttyUSB0"] })
      .kernelLog("Linux version 6.18.45-talos");
    expect(await failuresOf(self)).toEqual([]);
  });

  test("a small computer with Talos, whose own Wi-Fi and Bluetooth its kernel does not know", async () => {
    const self = createWorld();
    const card = self.tree.addWifi();
    self.world.remove(`/sys/${card.path}/ieee80211`).remove(`/sys/${card.path}/net`).remove(`/sys/${card.path}/driver`);
    self.world.remove("/sys/class/ieee80211").remove("/sys/class/net").kernelConfig({ CONFIG_USB: "y" });
    const bluetooth = self.tree.plug({ name: "AX200", vendorId: "8087", productId: "0029", driver: "btusb" });
    self.world.file(`/sys/${bluetooth.path}/removable`, "fixed").remove(`/sys/${bluetooth.path}/1-1:1.0/driver`);
    self.world.remove(`/sys/${bluetooth.path}/1-1:1.0/bluetooth`).remove("/sys/class/bluetooth");
    self.world.modules({});
    expect(await failuresOf(self)).toEqual([]);
  });
});
