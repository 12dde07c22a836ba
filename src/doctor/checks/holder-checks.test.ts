import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { clusterOf, samplePod } from "../../../test/fixtures/cluster-pods.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld, type RadioWorldOptions } from "../../../test/fixtures/radio-world.ts";
import { sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import { valueOf, wasRead } from "../../core/reading.ts";
import { holderChecks } from "./holder-checks.ts";

const check = checkNamed(holderChecks);

function createWorld(options: RadioWorldOptions = {}): RadioWorld {
  const world = createRadioWorld(options);
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

const podA = "1f2e3d4c-1111-2222-3333-444455556666";
const podB = "9f2e3d4c-1111-2222-3333-444455556666";
const inPod = (uid: string, container = "a".repeat(64)): string => `/kubepods/burstable/pod${uid}/${container}`;
const open = ["/dev/null", "/dev/ttyUSB0"];

describe("TTY-02, one owner", () => {
  test("passes with nobody, with one, and with one pod's several processes", async () => {
    const { tree, world, judge } = createWorld();
    world.process({ pid: 10, name: "sh" });
    expect(await judge(check("TTY-02"))).toBeTypeOf("string");
    tree.plug(sonoffDonglePlus);
    expect(outcomesOf(await judge(check("TTY-02")))).toMatchObject([{ verdict: "pass", text: expect.stringMatching(/^Nobody has/) }]);
    world.process({ pid: 11, name: "node", cgroup: inPod(podA), open });
    world.process({ pid: 12, name: "tail", cgroup: inPod(podA, "b".repeat(64)), open });
    expect(outcomesOf(await judge(check("TTY-02")))).toMatchObject([
      { verdict: "pass", text: expect.stringMatching(/one place: node in pod 1f2e/) },
    ]);
  });

  test("fails with two pods, and calls them by name", async () => {
    const cluster = clusterOf([samplePod("zigbee2mqtt", { uid: podA }), samplePod("zha", { uid: podB })]);
    const { tree, world, judge } = createWorld({ known: { cluster } });
    tree.plug(sonoffDonglePlus);
    world.process({ pid: 11, name: "node", cgroup: inPod(podA), open });
    world.process({ pid: 12, name: "python3", cgroup: inPod(podB), open });
    expect(outcomesOf(await judge(check("TTY-02")))).toMatchObject([
      {
        verdict: "fail",
        text: expect.stringMatching(/pod home\/zigbee2mqtt .* and pod home\/zha/),
        evidence: [{ source: "/proc/11/fd (node)", value: "/dev/ttyUSB0 (188:0)" }, { source: "/proc/12/fd (python3)" }],
      },
    ]);
  });

  test("a program and what it has started are one; two programs are two", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.process({ pid: 20, name: "node", parentPid: 1, open });
    world.process({ pid: 21, name: "sh", parentPid: 20 });
    world.process({ pid: 22, name: "logger", parentPid: 21, open });
    expect(verdictsOf(await judge(check("TTY-02")))).toEqual(["pass"]);
    world.process({ pid: 30, name: "screen", parentPid: 1, open });
    expect(verdictsOf(await judge(check("TTY-02")))).toEqual(["fail"]);
  });

  test("another port's holders do not count, nor does a descriptor of one that is gone", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.node("/dev/ttyUSB7", { major: 188, minor: 7 });
    world.process({ pid: 20, name: "one", open });
    world.process({ pid: 21, name: "two", open: ["/dev/ttyUSB7"] });
    world.process({ pid: 22, name: "three", open: ["/dev/ttyUSB0 (deleted)"] });
    expect(verdictsOf(await judge(check("TTY-02")))).toEqual(["pass"]);
  });

  test("cannot tell where open files, or all processes, are hidden", async () => {
    const { tree, world, judge, gather } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.process({ pid: 20, name: "one", open });
    const facts = await gather([check("TTY-02")]);
    const secret = { pid: 21, name: "secret", nodes: [], socketInodes: [], hidden: "its open files cannot be listed (EACCES)" };
    const processes = wasRead([...(valueOf(facts.processes) ?? []), secret]);
    expect(verdictsOf(check("TTY-02").judge({ ...facts, processes }))).toEqual(["unknown"]);
    world.remove("/proc");
    expect(verdictsOf(await judge(check("TTY-02")))).toEqual(["unknown"]);
    expect(verdictsOf(await judge(check("TTY-03")))).toEqual(["unknown"]);
    expect(verdictsOf(await judge(check("USB-18")))).toEqual(["unknown"]);
  });
});

describe("TTY-03, a port that is gone", () => {
  test("passes for an open port that is there", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.process({ pid: 20, name: "node", open });
    expect(verdictsOf(await judge(check("TTY-03")))).toEqual(["pass"]);
  });

  test("fails for one that was unplugged, and for one that a container has under its old number", async () => {
    const { world, judge } = createWorld();
    world.process({ pid: 20, name: "node", cgroup: inPod(podA), open: ["/dev/ttyUSB0 (deleted)"] });
    expect(outcomesOf(await judge(check("TTY-03")))).toMatchObject([
      { verdict: "fail", evidence: [{ value: "/dev/ttyUSB0 (188:0), which is gone" }] },
    ]);
    world
      .remove("/proc/20")
      .node("/dev/zigbee", { major: 166, minor: 3 })
      .process({ pid: 21, name: "node", open: ["/dev/zigbee"] });
    expect(verdictsOf(await judge(check("TTY-03")))).toEqual(["fail"]);
    world.directory("/sys/dev/char/166:3");
    expect(verdictsOf(await judge(check("TTY-03")))).toEqual(["pass"]);
  });

  test("other devices may go as they like", async () => {
    const { world, judge } = createWorld();
    world.node("/dev/input/event3", { major: 13, minor: 67 }).process({ pid: 20, name: "hass", open: ["/dev/input/event3"] });
    expect(verdictsOf(await judge(check("TTY-03")))).toEqual(["pass"]);
  });
});

test("LORA-04, a concentrator has one owner", async () => {
  const { tree, world, judge } = createWorld();
  world.process({ pid: 20, name: "one" });
  expect(await judge(check("LORA-04"))).toBeTypeOf("string");
  tree.setBoard("Raspberry Pi 4 Model B Rev 1.4");
  tree.addSpidev();
  expect(verdictsOf(await judge(check("LORA-04")))).toEqual(["pass"]);
  world.process({ pid: 20, name: "one", open: ["/dev/spidev0.0"] });
  expect(verdictsOf(await judge(check("LORA-04")))).toEqual(["pass"]);
  world.process({ pid: 21, name: "two", open: ["/dev/spidev0.0"] });
  expect(verdictsOf(await judge(check("LORA-04")))).toEqual(["fail"]);
});

describe("USB-17, a program took the stick", () => {
  test("passes for its own driver, fails for usbfs and names who it was", async () => {
    const { tree, world, judge } = createWorld();
    const stick = tree.plug(sonoffDonglePlus);
    world.process({ pid: 20, name: "sh" });
    expect(verdictsOf(await judge(check("USB-17")))).toEqual(["pass"]);
    world.remove(`/sys/${stick.path}/1-1:1.0/driver`).link(`/sys/${stick.path}/1-1:1.0/driver`, "../../../../../bus/usb/drivers/usbfs");
    const minor = stick.deviceNumber - 1;
    world.node("/dev/bus/usb/001/002", { major: 189, minor }).process({ pid: 21, name: "qemu-kvm", open: ["/dev/bus/usb/001/002"] });
    expect(outcomesOf(await judge(check("USB-17")))).toMatchObject([
      {
        verdict: "fail",
        text: expect.stringMatching(/^Qemu-kvm \(process 21\) has taken/),
        evidence: [{ value: "usbfs" }, { source: "/proc/21/fd (qemu-kvm)" }],
      },
    ]);
  });

  test("fails while the kernel says who pushes its driver aside", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    const line = "usb 1-1: usbfs: interface 0 claimed by cp210x while 'brltty' sets config #1";
    world.kernelLog(line);
    expect(outcomesOf(await judge(check("USB-17")))).toMatchObject([{ verdict: "fail", text: expect.stringMatching(/^Brltty has taken/) }]);
    world.kernelLog(line.replace("1-1", "1-2"));
    expect(verdictsOf(await judge(check("USB-17")))).toEqual(["pass"]);
  });

  test("software-defined radios are driven so", async () => {
    const { tree, world, judge } = createWorld();
    const stick = tree.plug({ name: "RTL-SDR", vendorId: "0bda", productId: "2838", product: "RTL2838UHIDIR", driver: "none" });
    world.link(`/sys/${stick.path}/1-1:1.0/driver`, "../../../../../bus/usb/drivers/usbfs");
    expect(await judge(check("USB-17"))).toBeTypeOf("string");
  });
});

test("USB-18, programs that try out ports", async () => {
  const { tree, world, judge } = createWorld();
  world.process({ pid: 20, name: "ModemManager" });
  expect(await judge(check("USB-18"))).toBeTypeOf("string");
  tree.plug(sonoffDonglePlus);
  expect(outcomesOf(await judge(check("USB-18")))).toMatchObject([{ verdict: "fail", subject: "ModemManager" }]);
  world.remove("/proc/20").process({ pid: 21, name: "zigbee2mqtt" });
  expect(verdictsOf(await judge(check("USB-18")))).toEqual(["pass"]);
});
