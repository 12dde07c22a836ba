import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { clusterOf, samplePod } from "../../../test/fixtures/cluster-pods.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld, type RadioWorldOptions } from "../../../test/fixtures/radio-world.ts";
import { conbee2, sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import type { PodFacts } from "../../core/check.ts";
import { ttyNodeChecks } from "./tty-node-checks.ts";

const check = checkNamed(ttyNodeChecks);

function createWorld(options: RadioWorldOptions = {}): RadioWorld {
  const world = createRadioWorld(options);
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

describe("USB-04, device nodes", () => {
  test("passes for nodes with the kernel's numbers", async () => {
    const self = createWorld();
    const { tree, judge } = self;
    expect(await judge(check("USB-04"))).toBeTypeOf("string");
    tree.plug(sonoffDonglePlus);
    tree.plug(conbee2);
    const outcomes = outcomesOf(await judge(check("USB-04")));
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(["pass", "pass"]);
    expect(new Set(outcomes.map(({ radioId }) => radioId))).toEqual(new Set(self.radios.map(({ id }) => id)));
  });

  test.each<[string, (world: RadioWorld["world"]) => unknown, RegExp]>([
    ["other numbers", (world) => world.node("/dev/ttyUSB0", { major: 188, minor: 1 }), /does not lead to the port/],
    ["a block device", (world) => world.node("/dev/ttyUSB0", { type: "block", major: 188, minor: 0 }), /does not lead to the port/],
    ["a plain file", (world) => world.remove("/dev/ttyUSB0").file("/dev/ttyUSB0", "AT"), /does not lead to the port/],
    ["nothing", (world) => world.remove("/dev/ttyUSB0"), /there is no \/dev\/ttyUSB0/],
    ["a directory", (world) => world.remove("/dev/ttyUSB0").directory("/dev/ttyUSB0"), /is a directory/],
  ])("fails for %s", async (_, change, text) => {
    const { tree, world, judge, scan } = createWorld();
    tree.plug(sonoffDonglePlus);
    await scan();
    change(world);
    expect(outcomesOf(await judge(check("USB-04")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(text), evidence: [{ value: "188:0" }, {}] },
    ]);
  });

  test("fails for a directory that waits for a stick, and names the pod that made it", async () => {
    const path = "/dev/serial/by-id/usb-ITead_Sonoff_0001-if00-port0";
    const { world, judge } = createWorld({ known: { cluster: clusterOf([samplePod("zigbee2mqtt", { hostDevices: [path] })]) } });
    world.directory(path);
    expect(outcomesOf(await judge(check("USB-04")))).toMatchObject([
      { verdict: "fail", subject: path, text: expect.stringContaining("home/zigbee2mqtt") },
    ]);
  });

  test("cannot tell without /dev or the port's numbers", async () => {
    const { tree, world, judge, scan } = createWorld();
    tree.plug(sonoffDonglePlus);
    await scan();
    world.unreadable("/sys/class/tty/ttyUSB0/dev");
    expect(verdictsOf(await judge(check("USB-04")))).toEqual(["unknown"]);
  });
});

interface NodeCase {
  readonly mode?: number;
  readonly uid?: number;
  readonly verdict: "pass" | "fail";
}

describe("TTY-01, who may open a port", () => {
  const judgePod = async (pod: Partial<PodFacts>, node: { mode?: number; uid?: number; gid?: number } = {}) => {
    const { tree, world, judge } = createWorld({
      known: { cluster: clusterOf([samplePod("zigbee2mqtt", { hostDevices: ["/dev/serial/by-id/stick"], ...pod })]) },
    });
    tree.plug(sonoffDonglePlus);
    world.node("/dev/ttyUSB0", { major: 188, minor: 0, mode: 0o660, uid: 0, gid: 20, ...node });
    world.link("/dev/serial/by-id/stick", "../../ttyUSB0");
    return judge(check("TTY-01"));
  };

  test.each<[string, Partial<PodFacts>, NodeCase]>([
    ["a user in the group", { user: 1000, groups: [20] }, { verdict: "pass" }],
    ["the owner", { user: 1000 }, { uid: 1000, verdict: "pass" }],
    ["anybody, where all may", { user: 1000 }, { mode: 0o666, verdict: "pass" }],
    ["a user in no group", { user: 1000 }, { verdict: "fail" }],
    ["a group that may not", { user: 1000, groups: [20] }, { mode: 0o600, verdict: "fail" }],
    ["the group that may not, where others may", { user: 1000, groups: [20] }, { mode: 0o606, verdict: "fail" }],
    ["an owner who may only read", { user: 1000, groups: [20] }, { uid: 1000, mode: 0o460, verdict: "fail" }],
  ])("%s", async (_, pod, { verdict, ...node }) => {
    const [outcome] = outcomesOf(await judgePod(pod, node));
    expect(outcome?.verdict).toBe(verdict);
    if (verdict === "fail") {
      expect(outcome?.remedy?.talos).toEqual([
        { change: "udev-rule", rule: 'SUBSYSTEM=="tty", ATTRS{idVendor}=="10c4", ATTRS{idProduct}=="ea60", GROUP="20", MODE="0660"' },
      ]);
    }
  });

  test.each<[string, Partial<PodFacts>]>([
    ["root", { user: 0 }],
    ["whoever the image says", {}],
    ["a pod that mounts no radio", { user: 1000, hostDevices: ["/dev/null"] }],
  ])("says nothing of %s", async (_, pod) => {
    expect(await judgePod(pod)).toBeTypeOf("string");
  });

  test("needs a cluster, and one that answers", async () => {
    const alone = createWorld();
    expect(await alone.judge(check("TTY-01"))).toBeTypeOf("string");
    const deaf = createWorld({ known: { cluster: clusterOf("connection refused") } });
    expect(verdictsOf(await deaf.judge(check("TTY-01")))).toEqual(["unknown"]);
  });
});

describe("TTY-04, consoles", () => {
  const hat = { name: "ttyAMA0", compatible: ["arm,pl011"] };

  test("fails where the kernel writes to the port of a radio", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.file("/proc/consoles", "tty0                 -WU (EC   p  )    4:2\nttyUSB0              -W- (EC   p a)  188:0");
    expect(outcomesOf(await judge(check("TTY-04")))).toMatchObject([
      { verdict: "fail", evidence: [{ source: "/proc/consoles", value: expect.stringMatching(/^ttyUSB0/) }] },
    ]);
    world.file("/proc/consoles", "ttyUSB01             -W- (EC   p a)  188:0");
    expect(verdictsOf(await judge(check("TTY-04")))).toEqual(["pass"]);
  });

  test("the console of a machine without radios is nobody's business", async () => {
    const { tree, world, judge } = createWorld();
    tree.addSerialPort(hat);
    world.file("/proc/consoles", "ttyAMA0              -W- (EC   p a)  204:64");
    expect(await judge(check("TTY-04"))).toBeTypeOf("string");
  });

  test("nor is that of a radio that is away", async () => {
    const { tree, world, judge, scan } = createWorld();
    const stick = tree.plug(sonoffDonglePlus);
    await scan();
    stick.remove();
    world.file("/proc/consoles", "ttyUSB0              -W- (EC   p a)  188:0");
    expect(await judge(check("TTY-04"))).toBeTypeOf("string");
  });

  test("cannot tell without /proc/consoles", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("TTY-04")))).toEqual(["unknown"]);
  });
});
