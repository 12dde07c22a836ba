/** All that findings ask of Talos' machine configuration, as one set of changes without doubles. */
import type { Finding, TalosChange } from "../../core/check.ts";

/** A change, and the findings that ask for it. */
export interface MergedChange<Change extends TalosChange = TalosChange> {
  readonly change: Change;
  /** `THR-05 enp1s0`, each once. */
  readonly reasons: readonly string[];
  /** What else was asked for the same thing and is not done: `128 (my-plugin-1)`. */
  readonly overruled: readonly string[];
}

/** In the order of the findings, which is that of their weight: where two contradict each other, the first holds. */
export function mergeChanges(findings: readonly Finding[]): readonly MergedChange[] {
  const merged = new Map<string, { change: TalosChange; reasons: Set<string>; overruled: Set<string> }>();
  for (const { id, subject, verdict, remedy } of findings) {
    if (verdict !== "fail") continue;
    const reason = subject === undefined ? id : `${id} ${subject}`;
    for (const change of remedy?.talos ?? []) {
      const key = keyOf(change);
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { change: normalize(change), reasons: new Set([reason]), overruled: new Set() });
      else if (saysTheSame(known.change, change)) known.reasons.add(reason);
      else known.overruled.add(`${describeValue(change)} (${reason})`);
    }
  }
  return [...merged.values()].map(({ change, reasons, overruled }) => ({ change, reasons: [...reasons], overruled: [...overruled] }));
}

/** What a change is about: two with the same key cannot both be. */
function keyOf(change: TalosChange): string {
  if (change.change === "sysctl" || change.change === "sysfs") return `${change.change} ${parameterPath(change.name)}`;
  return `${change.change} ${change.change === "udev-rule" ? change.rule : change.name}`;
}

/**
 * Segments of a parameter's name with slashes between them. Where its first separator is a dot, dots separate and slashes
 * stand for dots; else it is written as it is (sysctl.d(5), which Talos follows: pkg/machinery/kernel).
 */
export function parameterPath(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === "." ? name.replaceAll(/[./]/g, (character) => (character === "." ? "/" : ".")) : name;
}

/** The one way in which a parameter is written: with dots where none of its segments has one. */
function parameterName(name: string): string {
  const path = parameterPath(name);
  return path.includes(".") ? path : path.replaceAll("/", ".");
}

function normalize(change: TalosChange): TalosChange {
  return change.change === "sysctl" || change.change === "sysfs" ? { ...change, name: parameterName(change.name) } : change;
}

function saysTheSame(left: TalosChange, right: TalosChange): boolean {
  return JSON.stringify(normalize(left)) === JSON.stringify(normalize(right));
}

function describeValue(change: TalosChange): string {
  if (change.change === "sysctl" || change.change === "sysfs") return change.value;
  if (change.change === "module") return (change.parameters ?? []).join(" ") || "no parameters";
  if (change.change === "vlan") return `VLAN ${change.id} of ${change.parent}`;
  if (change.change === "udev-rule") return change.rule;
  return `${change.protocol} ${change.port} from ${change.subnets.join(", ")}`;
}
