/** Whether a row for network radios fits what offers itself, and how much it asks for. Pure. */
import type { NetworkFacts, NetworkOffer } from "../core/device.ts";
import type { NetworkFingerprint } from "../sdk/plugin.ts";
import { fitsGlob } from "./glob.ts";

/** What each condition adds: what is said of the radio itself more than what a box is called, and both more than its type. */
const weights = { service: 40, instance: 10, text: 15 } as const;

/** 0 to 100: the same for everything the row fits. */
export function networkScoreOf({ instance, text = {} }: NetworkFingerprint): number {
  const score = weights.service + (instance === undefined ? 0 : weights.instance) + weights.text * Object.keys(text).length;
  return Math.min(score, 100);
}

/** What fitted, in words; undefined when a condition does not hold. One service has to meet them all. */
export function matchNetwork(row: NetworkFingerprint, facts: NetworkFacts): readonly string[] | undefined {
  for (const offer of [facts, ...facts.others]) {
    const matched = matchOffer(row, offer);
    if (matched !== undefined) return matched;
  }
  return undefined;
}

function matchOffer(row: NetworkFingerprint, offer: NetworkOffer): readonly string[] | undefined {
  if (offer.service !== row.service) return undefined;
  const matched = [`service ${offer.service}`];
  if (row.instance !== undefined) {
    if (!fitsGlob(row.instance, offer.instance)) return undefined;
    matched.push(`name "${offer.instance}"`);
  }
  for (const [key, glob] of Object.entries(row.text ?? {})) {
    const value = Object.hasOwn(offer.text, key) ? offer.text[key] : undefined;
    if (value === undefined || !fitsGlob(glob, value)) return undefined;
    matched.push(`${key}=${value}`);
  }
  return matched;
}
