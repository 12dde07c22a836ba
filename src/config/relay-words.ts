/** What people write in the relay's rules, checked, with the word they may have meant. */
import { parseNetworkPrefix } from "../core/network-prefix.ts";
import { relayPresets } from "../core/relay-presets.ts";
import { quoted } from "./config-problem.ts";
import { nearest } from "./nearest.ts";

/** RFC 6763 §7, without its limit of 15 letters, which not all devices keep; and UPnP types and other search targets. */
const serviceType = /^_[a-z0-9_*-]{1,62}\._(tcp|udp|\*)$/i;
const searchTarget = /^[a-z][a-z0-9-]*:[\x21-\x7e]{1,500}$/i;

/** Said where everything is meant, which is what leaving the key out says. */
const everything = /^(any|all|every|\*)$/i;

/** What is wrong with a service in a rule. */
export function serviceProblem(word: string): string | undefined {
  if (Object.hasOwn(relayPresets, word) || serviceType.test(word) || searchTarget.test(word)) return undefined;
  const spoken = `is ${quoted(word)}`;
  if (everything.test(word)) return `${spoken}; leave the key out to mean every service`;
  const meant = repairType(word) ?? nearestType(word);
  if (word.startsWith("_") || word.includes(".")) {
    return `${spoken}, which is no service type${meant === undefined ? " such as _hap._tcp" : `; did you mean "${meant}"?`}`;
  }
  const presets = Object.keys(relayPresets);
  const preset = nearest(word, presets) ?? meant;
  if (preset !== undefined) return `${spoken}, which is no preset; did you mean "${preset}"?`;
  return `${spoken}, which is no service type such as _hap._tcp, and no preset: those are ${presets.join(", ")}`;
}

/** The known type whose name, up to its first dot, is nearest. */
function nearestType(word: string): string | undefined {
  const types = Object.values(relayPresets)
    .flat()
    .filter((type) => type.startsWith("_"));
  const names = new Map(types.map((type) => [type.split(".")[0] ?? "", type]));
  const [name = ""] = word.split(".");
  return names.get(nearest(name, [...names.keys()]) ?? "");
}

/** `hap._tcp`, `_hap.tcp`, `_hap._tcp.local.`, `_a._sub._hap._tcp` → `_hap._tcp`. */
function repairType(word: string): string | undefined {
  const labels = word.replace(/\.?(local)?\.?$/i, "").split(".");
  const [name = "", protocol = ""] = labels.slice(-2).map((label) => `_${label.replace(/^_+/, "").toLowerCase()}`);
  const type = `${name}.${protocol}`;
  return labels.length >= 2 && serviceType.test(type) ? type : undefined;
}

/** What is wrong with the name of a link in a rule, as far as that can be said without the links. */
export function linkWordProblem(word: string): string | undefined {
  return everything.test(word) ? `is ${quoted(word)}; leave the key out to mean every link` : undefined;
}

/** What is wrong with an address or a prefix. */
export function prefixProblem(word: string): string | undefined {
  return parseNetworkPrefix(word) === undefined ? "must be an address or a prefix, such as 192.0.2.7, 192.0.2.0/24 or fd00::/8" : undefined;
}
