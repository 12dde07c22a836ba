import { describe, expect, it } from "vitest";
import { createFactsWorld } from "../../test/fixtures/facts-world.ts";
import type { Check, Outcome, TalosChange } from "../core/check.ts";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { hostPathsBelow } from "../host/host-paths.ts";
import { type DoctorDependencies, openDoctor } from "./open-doctor.ts";

const check = (id: string, judge: Check["judge"], level: Check["level"] = "fail"): Check => ({
  id,
  level,
  title: `title of ${id}`,
  source: "here",
  reads: [],
  judge,
});
const outcome = (verdict: Outcome["verdict"], changes: Partial<Outcome> = {}): Outcome => ({
  verdict,
  text: "So it is.",
  evidence: [],
  ...changes,
});
const idle = new AbortController().signal;

function dependencies(root: string, checks: readonly Check[], changes: Partial<DoctorDependencies> = {}): DoctorDependencies {
  return {
    paths: hostPathsBelow(root),
    node: "n1",
    kernel: "6.18.45-talos",
    machine: "x86_64",
    inContainer: true,
    clock: systemClock,
    log: silentLog,
    known: { devices: () => ({ radios: [], others: [] }), conditions: () => new Set(), services: () => [] },
    checks,
    ...changes,
  };
}

describe("the doctor", () => {
  it("goes on when a check throws, and says which", async () => {
    using world = createFactsWorld();
    const broken = check("X-1", () => {
      throw new TypeError("undefined is not a function");
    });
    const { findings, notApplicable } = await openDoctor(
      dependencies(world.root, [broken, check("X-2", () => [outcome("pass")]), check("X-3", () => "nobody is here")]),
      idle,
    ).report(0);
    expect(findings.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(["X-1 unknown", "X-2 pass"]);
    expect(findings[0]?.text).toContain("undefined is not a function");
    expect(notApplicable).toEqual([{ id: "X-3", title: "title of X-3", why: "nobody is here" }]);
  });

  it("tells the worst first", async () => {
    using world = createFactsWorld();
    const checks = [
      check("A", () => [outcome("pass")]),
      check("B", () => [outcome("fail")], "info"),
      check("C", () => [outcome("unknown")]),
      check("D", () => [outcome("fail")]),
      check("E", () => [outcome("fail")], "warning"),
    ];
    const { findings } = await openDoctor(dependencies(world.root, checks), idle).report(0);
    expect(findings.map(({ id }) => id)).toEqual(["D", "E", "B", "C", "A"]);
  });

  it("examines once for all who ask meanwhile, and again only when the report is too old", async () => {
    using world = createFactsWorld();
    let runs = 0;
    const counting = check("X-1", () => {
      runs += 1;
      return [outcome("pass")];
    });
    const clock = { ...systemClock, time: 1_000_000, now: () => clock.time };
    const doctor = openDoctor(dependencies(world.root, [counting], { clock }), idle);
    const [first, second] = await Promise.all([doctor.report(60_000), doctor.report(60_000)]);
    expect(first).toBe(second);
    clock.time += 60_000;
    expect(await doctor.report(60_000)).toBe(first);
    expect(runs).toBe(1);
    clock.time += 1;
    await doctor.report(60_000);
    await doctor.report(0);
    clock.time -= 3_600_000;
    await doctor.report(60_000);
    expect(runs).toBe(4);
  });

  it("asks for no parameter that is not there", async () => {
    using world = createFactsWorld();
    world.file("/proc/sys/net/ipv6/conf/enp1s0.30/accept_ra", "1").file("/sys/class/net/br0/bridge/multicast_querier", "0");
    const possible: readonly TalosChange[] = [
      { change: "sysctl", name: "net/ipv6/conf/enp1s0.30/accept_ra", value: "2" },
      { change: "sysfs", name: "class.net.br0.bridge.multicast_querier", value: "1" },
      { change: "module", name: "cp210x" },
    ];
    const impossible: readonly TalosChange[] = [
      { change: "sysctl", name: "net.ipv6.conf.gone.accept_ra", value: "2" },
      { change: "sysctl", name: "../../etc/shadow", value: "2" },
      { change: "sysfs", name: "class.net.br1.bridge.multicast_querier", value: "1" },
    ];
    const asking = check("X-1", () => [
      outcome("fail", { remedy: { text: "Do.", talos: [...possible, ...impossible] } }),
      outcome("fail", { remedy: { text: "Do.", talos: impossible } }),
    ]);
    const { findings } = await openDoctor(dependencies(world.root, [asking]), idle).report(0);
    expect(findings.map(({ remedy }) => remedy)).toEqual([{ text: "Do.", talos: possible }, { text: "Do." }]);
  });

  it("makes what checks say safe to print, and short", async () => {
    using world = createFactsWorld();
    const loud = check("X-1", () => [
      outcome("fail", { text: `\u001b[31m${"x".repeat(5_000)}`, subject: "a\u202eb", evidence: [{ source: "a", value: "b\nc" }] }),
    ]);
    const [finding] = (await openDoctor(dependencies(world.root, [loud]), idle).report(0)).findings;
    expect(finding?.text).toMatch(/^\\u\{1b\}\[31mx+…$/);
    expect(finding?.text.length).toBeLessThanOrEqual(600);
    expect(finding?.subject).toBe("a\\u{202e}b");
    expect(finding?.evidence).toEqual([{ source: "a", value: "b · c" }]);
  });

  it("takes checks from elsewhere, and their failure as nothing judged", async () => {
    using world = createFactsWorld();
    world.file("/sys/class/x/y", "1");
    const outside = {
      reads: () => ["/sys/class/*/y"],
      judge: async () => Promise.reject(new TypeError("the thread is gone")),
    };
    const { notApplicable } = await openDoctor(dependencies(world.root, [], { outside }), idle).report(0);
    expect(notApplicable).toEqual([{ id: "plugins", title: "The plugins' checks", why: "the thread is gone" }]);
  });
});
