import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFactsWorld } from "../../../test/fixtures/facts-world.ts";
import type { Check } from "../../core/check.ts";
import { systemClock } from "../../core/clock.ts";
import { gatherFacts } from "./gather-facts.ts";

const asking = (...reads: readonly string[]): readonly Check[] => [
  { id: "X-1", level: "info", title: "", source: "", reads, judge: () => "nothing" },
];

describe("gathered facts", () => {
  it("keep what was read, what is not there and what cannot be known apart", async () => {
    using world = createFactsWorld();
    world.file("/proc/sys/net/ipv6/conf/eth0/accept_ra", "2").unreadable("/proc/sys/net/ipv6/conf/eth1/accept_ra");
    const facts = await world.gather(asking("/proc/sys/net/ipv6/conf/*/accept_ra"));
    expect(facts.file("/proc/sys/net/ipv6/conf/eth0/accept_ra")).toEqual({ state: "read", value: "2" });
    expect(facts.file("/proc/sys/net/ipv6/conf/eth1/accept_ra")).toEqual({ state: "unreadable", why: "is a directory" });
    expect(facts.file("/proc/sys/net/ipv6/conf/eth2/accept_ra")).toEqual({ state: "absent" });
    expect(facts.file("/proc/version")).toEqual({ state: "unreadable", why: "no check has asked for it" });
    expect(facts.paths("/proc/sys/net/ipv6/conf/*/accept_ra")).toEqual([
      "/proc/sys/net/ipv6/conf/eth0/accept_ra",
      "/proc/sys/net/ipv6/conf/eth1/accept_ra",
    ]);
  });

  it("never open what waits: FIFOs, sockets, the kernel's own log file, environments", async () => {
    using world = createFactsWorld();
    world.directory("/run").file("/proc/kmsg", "x").file("/proc/1/environ", "SECRET=1").file("/sys/kernel/tracing/trace_pipe", "x");
    execFileSync("mkfifo", [join(world.root, "run/pipe")]);
    const reads = ["/run/pipe", "/proc/kmsg", "/proc/*/environ", "/sys/kernel/tracing/trace_pipe"];
    const facts = await world.gather(asking(...reads));
    for (const path of ["/run/pipe", "/proc/kmsg", "/proc/1/environ", "/sys/kernel/tracing/trace_pipe"])
      expect(facts.file(path)).toMatchObject({ state: "unreadable" });
    expect(facts.paths("/run/pipe")).toEqual(["/run/pipe"]);
  });

  it("refuse a file that is longer than anything worth reading", async () => {
    using world = createFactsWorld();
    world.file("/sys/long", "x".repeat(70_000)).file("/proc/net/ipv6_route", "x".repeat(70_000));
    const facts = await world.gather(asking("/sys/long", "/proc/net/ipv6_route"));
    expect(facts.file("/sys/long")).toEqual({ state: "unreadable", why: "is longer than 65536 bytes" });
    expect(facts.file("/proc/net/ipv6_route").state).toBe("read");
  });

  it("follow links and give the last segment of where they lead", async () => {
    using world = createFactsWorld();
    world.link("/sys/bus/usb/devices/1-1:1.0/driver", "../../../bus/usb/drivers/cp210x").file("/sys/bus/usb/devices/1-1:1.0/modalias", "x");
    const facts = await world.gather(asking("/sys/bus/usb/devices/*/driver", "/sys/bus/usb/devices/*/modalias"));
    expect(facts.link("/sys/bus/usb/devices/1-1:1.0/driver")).toEqual({ state: "read", value: "cp210x" });
    expect(facts.link("/sys/bus/usb/devices/1-2:1.0/driver")).toEqual({ state: "absent" });
    expect(facts.link("/sys/bus/usb/devices/1-1:1.0/modalias")).toEqual({ state: "unreadable", why: "is no symbolic link" });
  });

  it("know nodes, who holds them, and which pod that is", async () => {
    using world = createFactsWorld();
    const uid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    world
      .node("/dev/ttyUSB0", { major: 188, minor: 0, mode: 0o600 })
      .directory("/dev/ttyUSB1")
      .link("/dev/serial/by-id/usb-Acme", "../../ttyUSB0")
      .process({
        pid: 42,
        name: "zigbee2mqtt",
        cgroup: `/kubepods.slice/kubepods-pod${uid.replaceAll("-", "_")}.slice/cri-containerd-${"ab".repeat(32)}.scope`,
        open: ["/dev/null", "/dev/ttyUSB0", "/dev/ttyUSB9 (deleted)", "socket:[4711]"],
      });
    const facts = await world.gather([]);
    expect(facts.deviceNode("/dev/ttyUSB0")).toMatchObject({ state: "read", value: { type: "character", major: 188, mode: 0o600 } });
    expect(facts.deviceNode("/dev/ttyUSB1")).toMatchObject({ state: "read", value: { type: "directory" } });
    expect(facts.deviceNode("/dev/serial/by-id/usb-Acme")).toMatchObject({ value: { type: "link", target: "../../ttyUSB0" } });
    expect(facts.deviceNode("/dev/ttyUSB7")).toEqual({ state: "absent" });
    expect(facts.processes).toEqual({
      state: "read",
      value: [
        {
          pid: 42,
          name: "zigbee2mqtt",
          podUid: uid,
          containerId: "ab".repeat(32),
          nodes: [
            { path: "/dev/ttyUSB0", major: 188, minor: 0, deleted: false },
            { path: "/dev/ttyUSB9", major: 188, minor: 0, deleted: true },
          ],
          socketInodes: [4711],
        },
      ],
    });
  });

  it("know how the kernel was built, which module takes a device, and what the kernel said", async () => {
    using world = createFactsWorld();
    const none = await world.gather([]);
    expect(none.kernelOption("CONFIG_BT").state).toBe("unreadable");
    expect(none.moduleFor("usb:v10C4pEA60").state).toBe("unreadable");
    expect(none.kernelLog).toEqual({ state: "absent" });
    world
      .kernelConfig({ CONFIG_BT: "m", CONFIG_LSM: '"a,b"' })
      .modules({ "usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in*": "cp210x" })
      .kernelLog("usb 1-1: USB disconnect, device number 5");
    const facts = await world.gather([]);
    expect(facts.kernelOption("CONFIG_BT")).toEqual({ state: "read", value: "m" });
    expect(facts.kernelOption("CONFIG_LSM")).toEqual({ state: "read", value: "a,b" });
    expect(facts.kernelOption("CONFIG_CFG80211")).toEqual({ state: "absent" });
    expect(facts.moduleFor("usb:v10C4pEA60d0100dc00dsc00dp00icFFisc00ip00in00")).toEqual({ state: "read", value: "cp210x" });
    expect(facts.moduleFor("usb:v1234p5678d0100dc00dsc00dp00icFFisc00ip00in00")).toEqual({ state: "absent" });
    expect(facts.kernelLog).toEqual({ state: "read", value: [{ seconds: 1, text: "usb 1-1: USB disconnect, device number 5" }] });
    expect(facts.os.id).toBe("talos");
  });

  it("take no more than a slice of the daemon's time at once, on this machine's own trees", async () => {
    const globs = ["/proc/sys/net/ipv6/conf/*/*", "/sys/class/*/*/uevent", "/sys/bus/*/devices/*/*", "/proc/*/stat"];
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    const known = { devices: () => ({ radios: [], others: [] }), conditions: () => new Set<string>(), services: () => [] };
    const paths = { sys: "/sys", dev: "/dev", proc: "/proc", run: "/run" };
    const facts = await gatherFacts(
      { paths, node: "n1", kernel: "6.1.0", machine: "x86_64", inContainer: false, clock: systemClock, known },
      globs,
      new AbortController().signal,
    );
    clearInterval(timer);
    expect(facts.paths("/proc/*/stat").length).toBeGreaterThan(1);
    expect(facts.processes.state).toBe("read");
    // A busy machine adds its own delays; without slices this takes several times as long.
    expect(longest).toBeLessThan(500);
  });
});
