/** What a name in a packet is about, where that is plain to see. */
import type { DnsName } from "../dns/dns-message.ts";
import { ReadName } from "../dns/read-name.ts";

/**
 * By its last three labels: a service (`_hap._tcp`), or `host`. Upper case, and all that is not common, is left to those who
 * take their time. Asked for each name of each packet, so what was found stays with the name.
 */
export function aboutName(name: DnsName): string | undefined {
  if (!(name instanceof ReadName)) return undefined;
  let end: ReadName = name;
  while (end.depth > 3 && end.rest !== undefined) end = end.rest;
  end.about ??= aboutOf(end) ?? false;
  return end.about === false ? undefined : end.about;
}

function aboutOf(name: ReadName): string | undefined {
  const third = name.depth === 3 ? name : undefined;
  const second = third === undefined ? name : third.rest;
  if (second?.depth !== 2 || second.rest?.label !== "local") return undefined;
  const { label } = second;
  if (label !== "_tcp" && label !== "_udp") return label.startsWith("_") ? undefined : "host";
  if (third === undefined || !isServiceLabel(third.label)) return undefined;
  return label === "_tcp" ? `${third.label}._tcp` : `${third.label}._udp`;
}

const underscore = 0x5f;

/** `_hap`, in small letters; not `_dns-sd`, which speaks of all types. */
function isServiceLabel(label: string): boolean {
  if (label.charCodeAt(0) !== underscore || label === "_dns-sd") return false;
  for (let index = 1; index < label.length; index += 1) {
    const code = label.charCodeAt(index);
    const fine = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === underscore;
    if (!fine) return false;
  }
  return true;
}
