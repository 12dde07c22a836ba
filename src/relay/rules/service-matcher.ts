/** Service types as rules name them, held against those that messages name. */
import { relayPresets } from "../../core/relay-presets.ts";
import { compileGlob } from "./glob.ts";

/** Whether a type in lower case (`_hap._tcp`, `urn:…`) is one of those meant. */
export type ServiceMatcher = (service: string) => boolean;

/** Presets written out, in the order given, each type once. */
export function expandServices(words: readonly string[]): readonly string[] {
  return [...new Set(words.flatMap((word) => (Object.hasOwn(relayPresets, word) ? (relayPresets[word] ?? []) : [word])))];
}

/**
 * DNS-SD types are matched without regard to case; `*` is any run of characters. A UPnP type matches later versions of
 * itself too, since devices of a later version serve whoever asks for an earlier (UPnP Device Architecture 2.0 §1.3.2).
 */
export function compileServices(types: readonly string[]): ServiceMatcher {
  const lower = types.map((type) => type.toLowerCase());
  const globs = lower.filter((type) => type.includes("*")).map(compileGlob);
  const exact = new Set(lower.filter((type) => !type.includes("*")));
  const versions = new Map<string, number>();
  for (const type of exact) {
    const { base, version } = splitVersion(type);
    if (version !== undefined) versions.set(base, Math.min(version, versions.get(base) ?? version));
  }
  return (service) => {
    if (exact.has(service)) return true;
    if (versions.size > 0) {
      const { base, version } = splitVersion(service);
      if (version !== undefined && version >= (versions.get(base) ?? Infinity)) return true;
    }
    return globs.some((fits) => fits(service));
  };
}

/** `urn:schemas-upnp-org:device:MediaServer:2` → the type without its version, and 2. */
function splitVersion(type: string): { readonly base: string; readonly version?: number } {
  const at = type.lastIndexOf(":");
  const digits = type.slice(at + 1);
  return type.startsWith("urn:") && /^[0-9]{1,5}$/.test(digits) ? { base: type.slice(0, at), version: Number(digits) } : { base: type };
}
