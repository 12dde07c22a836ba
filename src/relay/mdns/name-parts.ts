/** What a DNS name in `.local` stands for (RFC 6763 §4, §7.1, §9; RFC 6762 §4). */
import type { DnsName } from "../dns/dns-message.ts";
import { hostOf, splitServiceName, toAsciiLowerCase } from "../dns/dns-name.ts";

/** Texts are plain, with ASCII letters in lower case. */
export type NameParts =
  /** `_services._dns-sd._udp`: all types there are. */
  | { readonly kind: "types"; readonly service: string }
  /** A type, or a subtype of it, which stands for its type. */
  | { readonly kind: "type"; readonly service: string }
  | { readonly kind: "instance"; readonly service: string; readonly instance: string }
  | { readonly kind: "host"; readonly host: string }
  /** An address written as a name; link-local ones mean nothing on another link. */
  | { readonly kind: "reverse"; readonly linkLocal: boolean }
  | { readonly kind: "other" };

export function toNameParts(name: DnsName): NameParts {
  const { service, instance } = splitServiceName(name);
  if (service === "_dns-sd._udp" && instance !== undefined && toAsciiLowerCase(instance) === "_services") {
    return { kind: "types", service: `_services.${service}` };
  }
  if (service !== undefined) {
    return instance === undefined ? { kind: "type", service } : { kind: "instance", service, instance: toAsciiLowerCase(instance) };
  }
  const host = hostOf(name);
  if (host !== undefined) return { kind: "host", host };
  const { key } = name;
  return key.endsWith(".arpa") ? { kind: "reverse", linkLocal: linkLocalReverse.test(key) } : { kind: "other" };
}

/** 169.254/16, and fe80::/10, which begins with fe8, fe9, fea or feb. */
const linkLocalReverse = /(?:^|\.)(?:254\.169\.in-addr|[89ab]\.e\.f\.ip6)\.arpa$/;
