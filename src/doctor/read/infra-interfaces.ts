/** Over which interfaces this node meets Thread border routers: what their documents call the infrastructure interface. */
import type { Facts, FindingEvidence } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { type ThreadUsers, threadUsers } from "./thread-users.ts";

export interface InfraInterface {
  readonly name: string;
  readonly why: FindingEvidence;
}

const routes6 = "/proc/net/ipv6_route";
const routes4 = "/proc/net/route";
const types = "/sys/class/net/*/type";

export const infraReads: readonly string[] = [routes6, routes4, types];

/** ARPHRD_ETHER, include/uapi/linux/if_arp.h: Wi-Fi, bridges and VLANs have it too, tunnels do not. */
const ethernet = "1";
/** RTF_REJECT, include/uapi/linux/route.h. */
const rejecting = 0x0200;

/**
 * What a border router here was told to use; else where default routes lead and where border routers are heard. Only
 * interfaces that exist. Empty where there is none of all that.
 */
export function infraInterfaces(facts: Facts, users: ThreadUsers = threadUsers(facts)): readonly InfraInterface[] {
  const exists = new Set(
    facts
      .paths(types)
      .filter((path) => valueOf(facts.file(path)) === ethernet)
      .map((path) => path.split("/")[4] ?? ""),
  );
  const found = new Map<string, FindingEvidence>();
  const add = (name: string, why: FindingEvidence): void => {
    if (exists.has(name) && !found.has(name)) found.set(name, why);
  };
  for (const { namespace, name, environment } of users.borderRouterPods) {
    const told = environment["OT_INFRA_IF"];
    if (told !== undefined) add(told, { source: `pod ${namespace}/${name}`, value: `OT_INFRA_IF=${told}` });
  }
  if (found.size > 0) return toList(found);
  for (const name of defaultRoutes6(facts)) add(name, { source: routes6, value: `the default route leads over ${name}` });
  for (const name of defaultRoutes4(facts)) add(name, { source: routes4, value: `the default route leads over ${name}` });
  for (const { service, link, instance } of facts.services) {
    const name = facts.relay?.links.find((candidate) => candidate.name === link)?.interface;
    if (service === "_meshcop._udp" && name !== undefined)
      add(name, { source: "mDNS", value: `the border router "${instance}" is heard on ${name}` });
  }
  return toList(found);
}

function toList(found: ReadonlyMap<string, FindingEvidence>): readonly InfraInterface[] {
  return [...found].map(([name, why]) => ({ name, why }));
}

/** A row of `/proc/net/ipv6_route`. */
export interface Route6 {
  readonly destination: string;
  readonly prefixLength: number;
  readonly flags: number;
  readonly interface: string;
  readonly line: string;
}

/** Rows that are none are skipped. */
export function parseRoutes6(text: string): readonly Route6[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination = "", length = "", , , , , , , flags = "", name = ""] = fields;
    if (fields.length !== 10 || !/^[0-9a-f]{32}$/.test(destination) || !/^[0-9a-f]{2}$/.test(length) || !/^[0-9a-f]{8}$/.test(flags))
      return [];
    return [
      { destination, prefixLength: Number.parseInt(length, 16), flags: Number.parseInt(flags, 16), interface: name, line: line.trim() },
    ];
  });
}

function defaultRoutes6(facts: Facts): readonly string[] {
  return parseRoutes6(valueOf(facts.file(routes6)) ?? "")
    .filter(({ destination, prefixLength, flags }) => prefixLength === 0 && /^0+$/.test(destination) && (flags & rejecting) === 0)
    .map((route) => route.interface);
}

function defaultRoutes4(facts: Facts): readonly string[] {
  return (valueOf(facts.file(routes4)) ?? "").split("\n").flatMap((line) => {
    const [name = "", destination, , , , , , mask] = line.trim().split(/\s+/);
    return destination === "00000000" && mask === "00000000" ? [name] : [];
  });
}
