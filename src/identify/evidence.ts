/** The words behind a verdict, for `aerial explain`: what spoke, what was outranked, and why nothing did. */
import type { Evidence } from "../core/identity.ts";
import type { Claim } from "./match-fingerprint.ts";
import type { DeviceView } from "./device-view.ts";

/** More would bury what decided. */
const longestEvidence = 12;

/** The deciding claim first, the others by weight. */
export function evidenceOf(ranked: readonly Claim[], decisive: Claim): readonly Evidence[] {
  const others = ranked.filter((claim) => claim !== decisive);
  return [decisive, ...others].slice(0, longestEvidence).map((claim) => ({
    source: claim.basis === "kernel" ? "kernel" : "fingerprint",
    plugin: claim.plugin,
    rule: claim.answer.id,
    score: claim.score,
    detail: `${claim.matched.length === 0 ? "place" : claim.matched.join(", ")}: ${conclusionOf(claim)}`,
  }));
}

/** Why a device that no row fits stays unknown. */
export function unclaimedEvidence(view: DeviceView): readonly Evidence[] {
  return [{ source: "kernel", plugin: "aerial", rule: "unclaimed", score: 0, detail: whyUnclaimed(view) }];
}

function conclusionOf({ answer }: Claim): string {
  const title = [answer.vendor, answer.model].filter((part) => part !== undefined).join(" ");
  const what = title === "" ? "" : ` (${title})`;
  const note = answer.note === undefined ? "" : `; ${answer.note}`;
  if (answer.says === "is") {
    const others = answer.alternatives ?? [];
    const rest = others.length === 0 ? "" : `; with other firmware the same hardware is ${others.join(" or ")}`;
    return `${answer.certainty === "certain" ? "is" : "is most likely"} ${answer.kinds.join(" and ")}${what}${rest}${note}`;
  }
  if (answer.says === "may-be") return `proves nothing${what}: it may be ${answer.kinds.join(", ")}, or no radio at all${note}`;
  return answer.says === "is-not" ? `is no radio that aerial handles${what}${note}` : `waits in a bootloader${what}${note}`;
}

function whyUnclaimed({ device, name, vendorId, productId }: DeviceView): string {
  const ids = vendorId === undefined ? "" : ` with USB id ${vendorId}:${productId ?? "????"}`;
  if (device.network !== undefined) return `no rule knows "${device.network.instance}" of ${device.network.service}`;
  if (name !== undefined) return `no rule knows "${name}"${ids}`;
  if (device.function === "serial") return "a built-in serial port does not tell what is wired to it";
  return `no rule knows this ${device.function} device${device.driver === undefined ? "" : ` of driver ${device.driver}`}`;
}
