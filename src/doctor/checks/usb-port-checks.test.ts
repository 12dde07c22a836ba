import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld } from "../../../test/fixtures/radio-world.ts";
import { sonoffDonglePlus } from "../../../test/lab/sticks.ts";
import { usbPortChecks } from "./usb-port-checks.ts";

const check = checkNamed(usbPortChecks);

function createWorld(): RadioWorld {
  const world = createRadioWorld();
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

/** Port 5 of the host tree is behind a hub: `1-5.1`. */
const behindHub = { port: 5 };
const counter = "/sys/bus/usb/devices/1-0:1.0/usb1-port1/over_current_count";

describe("USB-08, over-current", () => {
  test("passes at nought, fails from one on, for the radio in the port", async () => {
    const { tree, world, judge, scan } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.file(counter, "0").kernelLog("");
    expect(verdictsOf(await judge(check("USB-08")))).toEqual(["pass"]);
    world.file(counter, "2");
    await scan();
    expect(outcomesOf(await judge(check("USB-08")))).toMatchObject([
      {
        verdict: "fail",
        text: expect.stringMatching(/2 times/),
        subject: "1-1",
        radioId: expect.any(String),
        evidence: [{ source: counter, value: "2" }],
      },
    ]);
  });

  test("counts for the hub that a radio hangs on, and not for a port that nobody uses", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus, behindHub);
    world.kernelLog("").file("/sys/bus/usb/devices/1-0:1.0/usb1-port3/over_current_count", "9000");
    world.file("/sys/bus/usb/devices/1-0:1.0/usb1-port5/over_current_count", "0");
    expect(verdictsOf(await judge(check("USB-08")))).toEqual(["pass", "pass"]);
    world.file("/sys/bus/usb/devices/1-0:1.0/usb1-port5/over_current_count", "1");
    expect(outcomesOf(await judge(check("USB-08"))).map(({ subject, verdict }) => [subject, verdict])).toEqual([
      ["1-5", "fail"],
      ["1-5.1", "pass"],
    ]);
  });

  test("fails for any port while the kernel complains of it", async () => {
    const { world, judge } = createWorld();
    world.kernelLog("usb usb1-port3: over-current condition");
    expect(outcomesOf(await judge(check("USB-08")))).toMatchObject([{ verdict: "fail", subject: "1-3" }]);
    world.file("/proc/uptime", "5000.00 1.00");
    expect(await judge(check("USB-08"))).toBeTypeOf("string");
  });

  test("cannot tell without counter and log", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-08")))).toEqual(["unknown"]);
  });
});

const lost = "usb 1-1: USB disconnect, device number 4";

describe("USB-09, a stick that comes and goes", () => {
  test("fails from three times on, also while it is away", async () => {
    const { tree, world, judge } = createWorld();
    const stick = tree.plug(sonoffDonglePlus);
    world.kernelLog(lost, lost, "usb 1-2: USB disconnect, device number 9");
    expect(verdictsOf(await judge(check("USB-09")))).toEqual(["pass"]);
    stick.remove();
    world.kernelLog(lost, lost, lost);
    expect(outcomesOf(await judge(check("USB-09")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/last seen in USB port 1-1, was lost 3 times/) },
    ]);
  });

  test("forgets what was long ago, and other people's disks", async () => {
    const { tree, world, judge } = createWorld();
    world.kernelLog(lost, lost, lost);
    expect(await judge(check("USB-09"))).toBeTypeOf("string");
    tree.plug(sonoffDonglePlus);
    world.file("/proc/uptime", "603.50 100.00");
    expect(verdictsOf(await judge(check("USB-09")))).toEqual(["pass"]);
  });

  test("takes the log's end for now where a container has an uptime of its own", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    world.kernelLog(lost, lost, lost, ...Array.from({ length: 700 }, () => "later")).file("/proc/uptime", "12.00 1.00");
    expect(verdictsOf(await judge(check("USB-09")))).toEqual(["pass"]);
  });

  test("cannot tell without the log", async () => {
    const { tree, judge } = createWorld();
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-09")))).toEqual(["unknown"]);
    expect(verdictsOf(await judge(check("USB-11")))).toEqual(["unknown"]);
  });
});

describe("USB-11, noise", () => {
  test.each([
    ["usb usb1-port5: disabled by hub (EMI?), re-enabling...", ["fail", "pass"]],
    ["usb 1-5-port1: disabled by hub (EMI?), re-enabling...", ["pass", "fail"]],
    ["usb usb1-port2: disabled by hub (EMI?), re-enabling...", ["pass", "pass"]],
  ])("%s", async (line, verdicts) => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus, behindHub);
    world.kernelLog(line);
    expect(verdictsOf(await judge(check("USB-11")))).toEqual(verdicts);
  });
});

describe("USB-10, what is plugged in comes up", () => {
  const refused = ["usb 1-3: device descriptor read/64, error -71", "usb 1-3: device not accepting address 7, error -71"];

  test("fails for a port that was given up, whatever sits in it", async () => {
    const { world, judge } = createWorld();
    world.kernelLog(...refused, "usb usb1-port3: unable to enumerate USB device");
    expect(outcomesOf(await judge(check("USB-10")))).toMatchObject([
      {
        verdict: "fail",
        subject: "1-3",
        text: expect.stringMatching(/does not answer well enough/),
        evidence: [{}, {}, { value: expect.stringContaining("unable") }],
      },
    ]);
  });

  test("one stumble, and one that came up in the end, are nothing; many are", async () => {
    const { tree, world, judge } = createWorld();
    tree.plug(sonoffDonglePlus, { port: 3 });
    world.kernelLog(...refused);
    expect(verdictsOf(await judge(check("USB-10")))).toEqual(["pass"]);
    world.kernelLog(refused[0] ?? "", "usb usb1-port3: unable to enumerate USB device");
    expect(verdictsOf(await judge(check("USB-10")))).toEqual(["pass"]);
    world.kernelLog(...refused, ...refused);
    expect(outcomesOf(await judge(check("USB-10")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/only after several attempts/) },
    ]);
  });

  test("a bad cable is one word of the kernel's", async () => {
    const { world, judge } = createWorld();
    const line = "usb usb1-port2: Cannot enable. Maybe the USB cable is bad?";
    world.kernelLog(line, line, line);
    expect(verdictsOf(await judge(check("USB-10")))).toEqual(["fail"]);
  });

  test("cannot tell without the log", async () => {
    expect(verdictsOf(await createWorld().judge(check("USB-10")))).toEqual(["unknown"]);
  });
});

describe("USB-12, controllers", () => {
  const dead = ["xhci_hcd 0000:00:14.0: xHCI host controller not responding, assume dead", "xhci_hcd 0000:00:14.0: HC died; cleaning up"];

  test("fails however long ago it was", async () => {
    const { world, judge } = createWorld();
    world.kernelLog("xhci_hcd 0000:00:14.0: xHCI Host Controller");
    expect(verdictsOf(await judge(check("USB-12")))).toEqual(["pass"]);
    world.kernelLog(...dead, "xhci_hcd 0000:05:00.0: new USB bus registered, assigned bus number 4").file("/proc/uptime", "90000.00 1.00");
    expect(verdictsOf(await judge(check("USB-12")))).toEqual(["fail"]);
  });

  test.each(["xhci_hcd 0000:00:14.0: USB bus 3 deregistered", "xhci_hcd 0000:00:14.0: new USB bus registered, assigned bus number 3"])(
    "a dock that was taken away, or a controller started again: %s",
    async (line) => {
      const { world, judge } = createWorld();
      world.kernelLog(...dead, line);
      expect(verdictsOf(await judge(check("USB-12")))).toEqual(["pass"]);
    },
  );

  test("cannot tell without the log, and has nothing to say without USB", async () => {
    const { world, judge } = createWorld();
    expect(verdictsOf(await judge(check("USB-12")))).toEqual(["unknown"]);
    world.remove("/sys/bus/usb/devices");
    expect(check("USB-12").judge(await world.gather(usbPortChecks))).toBeTypeOf("string");
    expect(check("USB-10").judge(await world.gather(usbPortChecks))).toBeTypeOf("string");
  });
});

describe("USB-07, USB 3 beside a radio", () => {
  const disk = { name: "disk", vendorId: "0781", productId: "5581", driver: "none" } as const;

  test("says so for a radio and a fast disk in the machine's own sockets", async () => {
    const { tree, world, judge } = createWorld();
    expect(await judge(check("USB-07"))).toBeTypeOf("string");
    const { path } = tree.plug(disk);
    tree.plug(sonoffDonglePlus);
    expect(verdictsOf(await judge(check("USB-07")))).toEqual(["pass"]);
    world.file(`/sys/${path}/speed`, "5000");
    expect(outcomesOf(await judge(check("USB-07")))).toMatchObject([
      { verdict: "fail", evidence: [{ source: "/sys/bus/usb/devices/1-1/speed", value: "5000" }] },
    ]);
  });

  test("not for a stick on a hub, but for one on a hub that is part of the machine", async () => {
    const { tree, world, judge } = createWorld();
    const { path } = tree.plug(disk);
    world.file(`/sys/${path}/speed`, "10000");
    tree.plug(sonoffDonglePlus, behindHub);
    expect(verdictsOf(await judge(check("USB-07")))).toEqual(["pass"]);
    world.file("/sys/bus/usb/devices/1-5/removable", "fixed");
    expect(verdictsOf(await judge(check("USB-07")))).toEqual(["fail"]);
  });
});
