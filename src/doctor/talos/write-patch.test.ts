import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { DoctorReport, Finding, TalosChange } from "../../core/check.ts";
import { mergeChanges, parameterPath } from "./merge-changes.ts";
import { talosVersions, versionFor, writeTalosPatch } from "./write-patch.ts";

function finding(id: string, talos: readonly TalosChange[], changes: Partial<Finding> = {}): Finding {
  return { id, level: "fail", title: "", source: "", verdict: "fail", text: "", evidence: [], remedy: { text: "", talos }, ...changes };
}

function report(findings: readonly Finding[], version = "1.14.0"): DoctorReport {
  const at = "2026-01-01T00:00:00.000Z";
  return { at, durationMs: 1, os: { id: "talos", name: "Talos", version }, findings, notApplicable: [] };
}

async function documents(findings: readonly Finding[], version: "1.12" | "1.13" | "1.14"): Promise<readonly unknown[]> {
  const text = await writeTalosPatch(report(findings), version);
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });
}

const all: readonly Finding[] = [
  finding("THR-02", [{ change: "sysctl", name: "net.ipv6.conf.all.forwarding", value: "1" }]),
  finding("THR-04", [{ change: "sysctl", name: "net/ipv6/conf/enp1s0.30/accept_ra", value: "2" }], { subject: "enp1s0.30" }),
  finding("USB-01", [{ change: "module", name: "cp210x" }]),
  finding("WIFI-04", [{ change: "module", name: "cfg80211", parameters: ["ieee80211_regdom=DE"] }]),
  finding("TTY-01", [{ change: "udev-rule", rule: 'SUBSYSTEM=="tty", GROUP="20", MODE="0660"' }]),
  finding("NET-01", [{ change: "sysfs", name: "class.net.br0.bridge.multicast_querier", value: "1" }]),
  finding("NET-06", [{ change: "vlan", name: "enp1s0.30", id: 30, parent: "enp1s0", mtu: 1500 }]),
  finding("THR-24", [{ change: "firewall-rule", name: "mdns", port: 5353, protocol: "udp", subnets: ["192.168.0.0/16", "fe80::/10"] }]),
];

describe("a patch", () => {
  it("is one document of machine and the common ones up to 1.13", async () => {
    for (const version of ["1.12", "1.13"] as const) {
      expect(await documents(all, version)).toEqual([
        {
          machine: {
            sysctls: { "net.ipv6.conf.all.forwarding": "1", "net/ipv6/conf/enp1s0.30/accept_ra": "2" },
            sysfs: { "class.net.br0.bridge.multicast_querier": "1" },
            kernel: { modules: [{ name: "cp210x" }, { name: "cfg80211", parameters: ["ieee80211_regdom=DE"] }] },
            udev: { rules: ['SUBSYSTEM=="tty", GROUP="20", MODE="0660"'] },
          },
        },
        { apiVersion: "v1alpha1", kind: "VLANConfig", name: "enp1s0.30", vlanID: 30, parent: "enp1s0", mtu: 1500 },
        { apiVersion: "v1alpha1", kind: "DHCPv4Config", name: "enp1s0.30" },
        {
          apiVersion: "v1alpha1",
          kind: "NetworkRuleConfig",
          name: "mdns",
          portSelector: { ports: [5353], protocol: "udp" },
          ingress: [{ subnet: "192.168.0.0/16" }, { subnet: "fe80::/10" }],
        },
      ]);
    }
  });

  it("is documents of their own from 1.14 on", async () => {
    const written = (await documents(all, "1.14")) as readonly { kind: string; params?: object }[];
    expect(written.map(({ kind }) => kind)).toEqual([
      "SysctlConfig",
      "SysfsConfig",
      "KernelModuleConfig",
      "KernelModuleConfig",
      "UdevRulesConfig",
      "VLANConfig",
      "DHCPv4Config",
      "NetworkRuleConfig",
    ]);
    expect(written[0]?.params).toEqual({ "net.ipv6.conf.all.forwarding": "1", "net/ipv6/conf/enp1s0.30/accept_ra": "2" });
  });

  it("has nothing of what passed, cannot be told, or is not to be patched", async () => {
    const [forwarding] = all;
    const none = [{ ...forwarding!, verdict: "pass" as const }, { ...forwarding!, verdict: "unknown" as const }, finding("X-1", [])];
    const text = await writeTalosPatch(report(none));
    expect(text).toMatch(/^# Nothing was found[^\n]*\n$/);
  });

  it("says each change once and names all who asked for it", async () => {
    const twice = [
      finding("THR-05", [{ change: "sysctl", name: "net.ipv6.conf.eth0.accept_ra", value: "2" }], { subject: "eth0" }),
      finding("THR-04", [{ change: "sysctl", name: "net/ipv6/conf/eth0/accept_ra", value: "2" }], { subject: "eth0" }),
      finding("X-9", [{ change: "sysctl", name: "net.ipv6.conf.eth0.accept_ra", value: "0" }]),
    ];
    const text = await writeTalosPatch(report(twice));
    expect(text).toContain("# net.ipv6.conf.eth0.accept_ra: THR-05 eth0, THR-04 eth0; not done: 0 (X-9)\n");
    expect(await documents(twice, "1.14")).toEqual([
      { apiVersion: "v1alpha1", kind: "SysctlConfig", params: { "net.ipv6.conf.eth0.accept_ra": "2" } },
    ]);
  });

  it("takes the form of the machine that was examined", () => {
    const of = (id: string, version?: string) => versionFor({ os: { id, name: "", ...(version !== undefined && { version }) } });
    expect([
      of("talos", "1.13.9"),
      of("talos", "1.14.0-rc.1"),
      of("talos", "1.12.0"),
      of("talos", "1.11.2"),
      of("talos", "1.20.1"),
    ]).toEqual(["1.13", "1.14", "1.12", "1.12", "1.14"]);
    expect([of("talos"), of("debian", "12")]).toEqual(["1.14", "1.14"]);
  });

  it("survives any text: what is parsed is what was meant", async () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, text, fc.constantFrom(...talosVersions), async (name, value, version) => {
        const [first] = await documents(
          [
            finding("X-1", [
              { change: "sysctl", name, value },
              { change: "udev-rule", rule: value },
            ]),
          ],
          version,
        );
        const flat = JSON.stringify(first);
        expect(flat).toContain(JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });
});

describe("names of parameters", () => {
  it("are the same with dots and with slashes", () => {
    expect(parameterPath("net.ipv6.conf.eth0.accept_ra")).toBe("net/ipv6/conf/eth0/accept_ra");
    expect(parameterPath("net/ipv6/conf/enp1s0.30/accept_ra")).toBe("net/ipv6/conf/enp1s0.30/accept_ra");
    expect(parameterPath("net.ipv6.conf.enp1s0/30.accept_ra")).toBe("net/ipv6/conf/enp1s0.30/accept_ra");
    const change = { change: "sysctl", name: "net.ipv6.conf.enp1s0/30.accept_ra", value: "2" } as const;
    expect(mergeChanges([finding("A", [change])])[0]?.change).toEqual({ ...change, name: "net/ipv6/conf/enp1s0.30/accept_ra" });
  });
});
