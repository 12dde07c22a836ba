/**
 * One machine-config patch for everything that findings ask of Talos. Up to 1.13 parameters, modules and udev rules are
 * parts of the v1alpha1 document (`machine.*`); from 1.14 on they are documents of their own, and the old parts deprecated.
 * VLANs, DHCP and firewall rules are documents in all three (schemas: pkg/machinery/config/schemas of siderolabs/talos at
 * v1.12, v1.13 and v1.14).
 */
import type { DoctorReport, TalosChange } from "../../core/check.ts";
import { printable } from "../../core/printable.ts";
import { type MergedChange, mergeChanges } from "./merge-changes.ts";

/** Forms of the machine configuration. */
export const talosVersions = ["1.12", "1.13", "1.14"] as const;
export type TalosVersion = (typeof talosVersions)[number];

/** A YAML document, and what is said above it. */
interface PatchDocument {
  readonly comments: readonly string[];
  readonly content: Readonly<Record<string, unknown>>;
}

/** The form for the machine of the report; the newest where that is not known. */
export function versionFor({ os }: Pick<DoctorReport, "os">): TalosVersion {
  const [, major, minor] = os.id === "talos" ? (/^(\d+)\.(\d+)/.exec(os.version ?? "") ?? []) : [];
  if (major !== "1" || minor === undefined) return "1.14";
  return Number(minor) >= 14 ? "1.14" : Number(minor) === 13 ? "1.13" : "1.12";
}

/** YAML for `talosctl patch machineconfig`; only a comment where nothing is to be changed. Loads the YAML library when first called. */
export async function writeTalosPatch(report: DoctorReport, version: TalosVersion = versionFor(report)): Promise<string> {
  const { stringify } = await import("yaml");
  const changes = mergeChanges(report.findings);
  const head = [
    `Talos machine configuration ${version}, for what was found wrong at ${report.at}.`,
    "talosctl patch machineconfig --nodes NODE --patch @FILE",
  ];
  const documents = version === "1.14" ? newDocuments(changes) : oldDocuments(changes);
  if (documents.length === 0) return toComments([`Nothing was found at ${report.at} that a machine-config patch would mend.`]);
  return (
    toComments(head) +
    documents
      .map(({ comments, content }) => toComments(comments) + stringify(content, { lineWidth: 0, defaultStringType: "PLAIN" }))
      .join("---\n")
  );
}

function toComments(lines: readonly string[]): string {
  return lines.map((line) => `# ${printable(line)}\n`).join("");
}

function only<Kind extends TalosChange["change"]>(changes: readonly MergedChange[], kind: Kind) {
  type Wanted = Extract<TalosChange, { readonly change: Kind }>;
  return changes.filter((merged): merged is MergedChange<Wanted> => merged.change.change === kind);
}

function oldDocuments(changes: readonly MergedChange[]): readonly PatchDocument[] {
  const sysctls = only(changes, "sysctl");
  const sysfs = only(changes, "sysfs");
  const modules = only(changes, "module");
  const rules = only(changes, "udev-rule");
  const machine = {
    ...(sysctls.length > 0 && { sysctls: toParameters(sysctls) }),
    ...(sysfs.length > 0 && { sysfs: toParameters(sysfs) }),
    ...(modules.length > 0 && { kernel: { modules: modules.map(({ change }) => toModule(change)) } }),
    ...(rules.length > 0 && { udev: { rules: rules.map(({ change }) => change.rule) } }),
  };
  const comments = [...sysctls, ...sysfs, ...modules, ...rules].flatMap(explain);
  return [...(comments.length > 0 ? [{ comments, content: { machine } }] : []), ...commonDocuments(changes)];
}

function newDocuments(changes: readonly MergedChange[]): readonly PatchDocument[] {
  const documents: PatchDocument[] = [];
  for (const [kind, list] of [
    ["SysctlConfig", only(changes, "sysctl")],
    ["SysfsConfig", only(changes, "sysfs")],
  ] as const) {
    if (list.length > 0) documents.push({ comments: list.flatMap(explain), content: { ...headOf(kind), params: toParameters(list) } });
  }
  for (const merged of only(changes, "module"))
    documents.push({ comments: explain(merged), content: { ...headOf("KernelModuleConfig"), ...toModule(merged.change) } });
  const rules = only(changes, "udev-rule");
  if (rules.length > 0) {
    const comments = [...rules.flatMap(explain), "If machine.udev.rules is in use, move its rules here: this document takes its place."];
    documents.push({ comments, content: { ...headOf("UdevRulesConfig"), rules: rules.map(({ change }) => change.rule) } });
  }
  return [...documents, ...commonDocuments(changes)];
}

function commonDocuments(changes: readonly MergedChange[]): readonly PatchDocument[] {
  const vlans = only(changes, "vlan").flatMap((merged): PatchDocument[] => {
    const { name, id, parent, mtu } = merged.change;
    return [
      { comments: explain(merged), content: { ...headOf("VLANConfig"), name, vlanID: id, parent, ...(mtu !== undefined && { mtu }) } },
      { comments: [`Else ${name} has no IPv4 address.`], content: { ...headOf("DHCPv4Config"), name } },
    ];
  });
  const rules = only(changes, "firewall-rule").map((merged): PatchDocument => {
    const { name, port, protocol, subnets } = merged.change;
    const content = {
      ...headOf("NetworkRuleConfig"),
      name,
      portSelector: { ports: [port], protocol },
      ingress: subnets.map((subnet) => ({ subnet })),
    };
    return { comments: explain(merged), content };
  });
  return [...vlans, ...rules];
}

function headOf(kind: string): { readonly apiVersion: "v1alpha1"; readonly kind: string } {
  return { apiVersion: "v1alpha1", kind };
}

function toParameters(
  list: readonly MergedChange<Extract<TalosChange, { readonly change: "sysctl" | "sysfs" }>>[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(list.map(({ change }) => [change.name, change.value]));
}

function toModule({ name, parameters = [] }: Extract<TalosChange, { readonly change: "module" }>): object {
  return { name, ...(parameters.length > 0 && { parameters }) };
}

/** `net.ipv6.conf.all.forwarding: THR-02`, and what was asked for besides. */
function explain({ change, reasons, overruled }: MergedChange): readonly string[] {
  const name = change.change === "udev-rule" ? "udev rule" : change.name;
  return [`${name}: ${reasons.join(", ")}${overruled.length === 0 ? "" : `; not done: ${overruled.join(", ")}`}`];
}
