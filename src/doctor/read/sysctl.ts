/** Kernel parameters of interfaces, as files and as keys. */
import type { Facts, Reading, Remedy } from "../../core/check.ts";

const directory = "/proc/sys/net/ipv6/conf";

/** For `reads`: the parameter of every interface. */
export function everyIpv6Parameter(parameter: string): string {
  return `${directory}/*/${parameter}`;
}

export function ipv6ParameterPath(name: string, parameter: string): string {
  return `${directory}/${name}/${parameter}`;
}

export function ipv6Parameter(facts: Facts, name: string, parameter: string): Reading<string> {
  return facts.file(ipv6ParameterPath(name, parameter));
}

/**
 * The parameter's key for sysctl(8) and for Talos. With dots, unless a name in it has one (`enp1s0.30`): then with
 * slashes, which both leave as they are (sysctl.d(5)).
 */
function sysctlKey(path: string): string {
  const segments = path.replace(/^\/proc\/sys\//, "").split("/");
  return segments.some((segment) => segment.includes(".")) ? segments.join("/") : segments.join(".");
}

/** Sets parameters now, and on Talos for good. `paths` → value. */
export function sysctlRemedy(text: string, values: Readonly<Record<string, string>>): Required<Remedy> {
  const entries = Object.entries(values);
  return {
    text,
    talos: entries.map(([path, value]) => ({ change: "sysctl", name: sysctlKey(path), value })),
    linux: entries.map(([path, value]) => `sysctl -w ${sysctlKey(path)}=${/\s/.test(value) ? `"${value}"` : value}`),
  };
}
