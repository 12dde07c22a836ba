/** Patches of the doctor, put to Talos' own parser (1.12, 1.13) and to its published schema (1.14, whose Go module is not to be had yet). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { DoctorReport, Finding, TalosChange } from "../../src/core/check.ts";
import { threadChecks } from "../../src/doctor/checks/thread-checks.ts";
import { runChecks } from "../../src/doctor/run-checks.ts";
import { writeTalosPatch } from "../../src/doctor/talos/write-patch.ts";
import { createThreadWorld, threadPod } from "../fixtures/thread-world.ts";
import { openTalosParser, type ParsedVersion, type TalosParser } from "./talos-parser.ts";

const at = "2026-01-01T00:00:00.000Z";

/** One of each kind that no Thread check asks for. */
const others: readonly TalosChange[] = [
  { change: "module", name: "cp210x" },
  { change: "module", name: "cfg80211", parameters: ["ieee80211_regdom=DE"] },
  { change: "udev-rule", rule: 'SUBSYSTEM=="tty", ATTRS{idVendor}=="10c4", ATTRS{idProduct}=="ea60", GROUP="20", MODE="0660"' },
  { change: "sysfs", name: "class.net.br0.bridge.multicast_querier", value: "1" },
  { change: "vlan", name: "enp1s0.40", id: 40, parent: "enp1s0", mtu: 1500 },
  { change: "firewall-rule", name: "mdns", port: 5353, protocol: "udp", subnets: ["0.0.0.0/0", "::/0"] },
];

/** What the checks of Thread find on a node where every parameter is as the kernel makes it, and the others' changes. */
async function report(): Promise<DoctorReport> {
  const name = "enp1s0.30";
  using world = createThreadWorld({ interface: name, pods: [threadPod({ environment: { OT_INFRA_IF: name } })] });
  const conf = `/proc/sys/net/ipv6/conf/${name}`;
  world.files({
    [`${conf}/disable_ipv6`]: "1",
    [`${conf}/accept_ra`]: "1",
    [`${conf}/accept_ra_rt_info_max_plen`]: "0",
    [`${conf}/accept_ra_rt_info_min_plen`]: "128",
    [`${conf}/accept_ra_rtr_pref`]: "0",
    "/proc/sys/net/ipv6/conf/all/forwarding": "0",
    "/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream": "120",
    "/proc/sys/net/ipv4/igmp_max_memberships": "20",
    "/proc/sys/net/core/optmem_max": "20480",
  });
  const { findings } = runChecks(threadChecks, await world.gather(threadChecks));
  const more: Finding = {
    id: "X-1",
    level: "fail",
    title: "",
    source: "",
    verdict: "fail",
    text: "",
    evidence: [],
    remedy: { text: "", talos: others },
  };
  return { at, durationMs: 1, os: { id: "talos", name: "Talos" }, findings: [...findings, more], notApplicable: [] };
}

const sysctls = {
  "net/ipv6/conf/enp1s0.30/disable_ipv6": "0",
  "net/ipv6/conf/enp1s0.30/accept_ra": "2",
  "net/ipv6/conf/enp1s0.30/accept_ra_rt_info_max_plen": "64",
  "net/ipv6/conf/enp1s0.30/accept_ra_rt_info_min_plen": "0",
  "net/ipv6/conf/enp1s0.30/accept_ra_rtr_pref": "1",
  "net.ipv6.conf.default.accept_ra_rt_info_max_plen": "64",
  "net.ipv6.conf.default.accept_ra_rt_info_min_plen": "0",
  "net.ipv6.conf.default.accept_ra_rtr_pref": "1",
  "net.ipv6.conf.all.forwarding": "1",
  "net.netfilter.nf_conntrack_udp_timeout_stream": "3600",
  "net.ipv4.igmp_max_memberships": "1024",
  "net.core.optmem_max": "65536",
};

describe.each(["1.12", "1.13"] as const)("Talos %s", (version: ParsedVersion) => {
  let talos: TalosParser;
  beforeAll(() => {
    talos = openTalosParser(version);
  }, 1_200_000);

  it("takes the patch, and has what was asked for afterwards", async () => {
    const applied = talos.apply(await writeTalosPatch(await report(), version));
    if ("refused" in applied) expect.unreachable(applied.refused);
    const { documents } = applied;
    expect(documents[0]).toMatchObject({
      machine: {
        type: "worker",
        sysctls,
        sysfs: { "class.net.br0.bridge.multicast_querier": "1" },
        kernel: { modules: [{ name: "cp210x" }, { name: "cfg80211", parameters: ["ieee80211_regdom=DE"] }] },
        udev: { rules: [(others[2] as Extract<TalosChange, { change: "udev-rule" }>).rule] },
      },
    });
    const kinds = documents.map(({ kind }) => kind);
    expect(kinds).toContain("VLANConfig");
    expect(kinds).toContain("DHCPv4Config");
    expect(kinds).toContain("NetworkRuleConfig");
  });

  it("would refuse what it does not know", async () => {
    const patch = (await writeTalosPatch(await report(), version)).replace("sysctls:", "sysctlz:");
    expect(talos.apply(patch)).toMatchObject({ refused: expect.stringContaining("sysctlz") as string });
    // The form of 1.14 is none of theirs.
    expect(talos.apply(await writeTalosPatch(await report(), "1.14"))).toMatchObject({
      refused: expect.stringContaining("SysctlConfig") as string,
    });
  });
});

describe("Talos 1.14", () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "talos/schema-1.14.json"), "utf8")) as object;
  const validate = new Ajv2020({ strict: false }).compile(schema);

  it("has a schema that every document of the patch fits", async () => {
    const documents = parseAllDocuments(await writeTalosPatch(await report(), "1.14")).map(
      (document) => document.toJS() as { kind: string; params?: object },
    );
    for (const document of documents) expect(validate(document) ? [] : [document, validate.errors]).toEqual([]);
    expect(documents.find(({ kind }) => kind === "SysctlConfig")?.params).toEqual(sysctls);
    expect(new Set(documents.map(({ kind }) => kind))).toEqual(
      new Set(["SysctlConfig", "SysfsConfig", "KernelModuleConfig", "UdevRulesConfig", "VLANConfig", "DHCPv4Config", "NetworkRuleConfig"]),
    );
  });

  it("has one that refuses what Talos does not know", () => {
    expect(validate({ apiVersion: "v1alpha1", kind: "SysctlConfig", sysctls: {} })).toBe(false);
    expect(validate({ apiVersion: "v1alpha1", kind: "SysctlConfig", params: { "net.ipv6.conf.all.forwarding": 1 } })).toBe(false);
    expect(validate({ apiVersion: "v1alpha1", kind: "VLANConfig", name: "a", vlanID: 30 })).toBe(false);
  });
});
