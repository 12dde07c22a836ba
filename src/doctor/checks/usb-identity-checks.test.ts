import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { clusterOf, samplePod } from "../../../test/fixtures/cluster-pods.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld, type RadioWorldOptions } from "../../../test/fixtures/radio-world.ts";
import type { VirtualStick } from "../../../test/lab/lab.ts";
import { conbee2, sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import type { PodFacts } from "../../core/check.ts";
import { usbIdentityChecks } from "./usb-identity-checks.ts";

const check = checkNamed(usbIdentityChecks);
const bare: VirtualStick = { name: "CH340", vendorId: "1a86", productId: "7523", product: "USB Serial", driver: "ch341" };
const byId = "/dev/serial/by-id/usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_62a88fbb4d19ec1182f53bcc47486eb0-if00-port0";

function createWorld(options: RadioWorldOptions = {}): RadioWorld {
  const world = createRadioWorld(options);
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

test("without sticks there is nothing to say", async () => {
  const { judge, tree } = createWorld();
  for (const each of usbIdentityChecks) expect(await judge(each)).toBeTypeOf("string");
  tree.addBluetooth();
  for (const each of usbIdentityChecks) expect(await judge(each)).toBeTypeOf("string");
});

describe("USB-05, a name that stays", () => {
  test("passes with udev's link, fails without, and says whether there is an udev", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(outcomesOf(await judge(check("USB-05")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/no udev is running/), evidence: [{ source: byId }, {}] },
    ]);
    world.file("/run/udev/control", "");
    expect(outcomesOf(await judge(check("USB-05")))).toMatchObject([{ verdict: "fail", text: expect.not.stringMatching(/no udev/) }]);
    world.link(byId, "../../ttyUSB0");
    expect(verdictsOf(await judge(check("USB-05")))).toEqual(["pass"]);
    world.remove(byId).directory(byId);
    expect(outcomesOf(await judge(check("USB-05")))).toMatchObject([
      { verdict: "fail", evidence: [{ value: "is no link (directory)" }, {}] },
    ]);
  });

  test("cannot tell where /dev cannot be listed", async () => {
    const { tree, judge, gather } = createWorld();
    tree.plug(sonoffDonglePlus);
    const facts = await gather([check("USB-05")]);
    const deviceNode = () => ({ state: "unreadable", why: "EACCES" }) as const;
    expect(verdictsOf(check("USB-05").judge({ ...facts, deviceNode }))).toEqual(["unknown"]);
    expect(verdictsOf(await judge(check("USB-05")))).toEqual(["fail"]);
  });
});

describe("USB-13, twins", () => {
  test("passes for different sticks, fails for both of two that say the same", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    tree.plug(conbee2);
    expect(verdictsOf(await judge(check("USB-13")))).toEqual(["pass", "pass"]);
    tree.plug(sonoffDonglePlus);
    const outcomes = outcomesOf(await judge(check("USB-13")));
    expect(outcomes.map(({ verdict }) => verdict).toSorted()).toEqual(["fail", "fail", "pass"]);
    expect(outcomes.find(({ verdict }) => verdict === "fail")?.evidence.map(({ source }) => source)).toEqual([
      "/sys/bus/usb/devices/1-1/serial",
      "/sys/bus/usb/devices/1-3/serial",
    ]);
  });

  test("a stick with two ports is no twin of itself", async () => {
    const { tree, judge } = createWorld();
    tree.plug({ ...sonoffDonglePlus, productId: "8a2a", product: "HubZ Smart Home Controller", ports: 2 });
    const verdicts = verdictsOf(await judge(check("USB-13")));
    expect(verdicts).toEqual(["pass", "pass"]);
  });
});

test("USB-14, a serial number of its own", async () => {
  const { tree, judge } = createWorld();
  tree.plug(sonoffDonglePlus);
  tree.plug(bare);
  const outcomes = outcomesOf(await judge(check("USB-14")));
  expect(outcomes.map(({ verdict }) => verdict).toSorted()).toEqual(["fail", "pass"]);
  expect(outcomes.find(({ verdict }) => verdict === "fail")).toMatchObject({
    text: expect.stringMatching(/by the USB port 1-2/),
    evidence: [{ value: "not there" }],
  });
  expect(check("USB-14").level).toBe("info");
});

describe("USB-27, one workload", () => {
  const judgePods = async (...pods: readonly PodFacts[]) => {
    const { tree, world, judge } = createWorld({ known: { cluster: clusterOf(pods) } });
    tree.plug(sonoffDonglePlus);
    world.link(byId, "../../ttyUSB0");
    return judge(check("USB-27"));
  };
  const zigbee = samplePod("zigbee2mqtt", { hostDevices: [byId] });
  const thread = samplePod("otbr", { environment: { OT_RCP_DEVICE: "spinel+hdlc+uart:///dev/ttyUSB0?uart-baudrate=460800" } });

  test("passes with none and with one", async () => {
    expect(verdictsOf(await judgePods())).toEqual(["pass"]);
    expect(verdictsOf(await judgePods(zigbee, samplePod("other", { hostDevices: ["/dev/ttyUSB1"] })))).toEqual(["pass"]);
  });

  test("fails with two, by whichever names they call it", async () => {
    expect(outcomesOf(await judgePods(zigbee, thread))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/home\/zigbee2mqtt and home\/otbr/) },
    ]);
  });

  test("one that has ended does not count", async () => {
    expect(verdictsOf(await judgePods(zigbee, { ...thread, phase: "Succeeded" }))).toEqual(["pass"]);
  });

  test("cannot tell when the API server does not", async () => {
    const { tree, judge } = createWorld({ known: { cluster: clusterOf("timeout") } });
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-27")))).toEqual(["unknown"]);
  });
});
