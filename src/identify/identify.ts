/**
 * From the fingerprints that fit a device to what we say it is. Pure, and the same whatever order the plugins come in.
 *
 * What counts, in this order:
 * 1. The row that asks for most decides (see `scoreOf`): strings outweigh ids, the kernel's own word outweighs both.
 * 2. Words alone, whoever made them, do not overrule an id that is known to be something else.
 * 3. At equal weight `is-not` wins over `is`, and `is` over `may-be`.
 * 4. Rows of equal weight that name different radios contradict each other: then the device is ambiguous.
 * 5. `may-be` rows never identify; all that fit are united into the candidates.
 * 6. A `bootloader` row says in which mode the device is; which radio it is, if any, the other rows say.
 */
import type { Device } from "../core/device.ts";
import type { Identity, Mode, RadioKind } from "../core/identity.ts";
import { evidenceOf, unclaimedEvidence } from "./evidence.ts";
import type { Claim, FingerprintAnswer } from "./match-fingerprint.ts";
import { toDeviceView, type DeviceView } from "./device-view.ts";

type Says = FingerprintAnswer["says"];
type ClaimThat<S extends Says> = Claim & { readonly answer: Extract<FingerprintAnswer, { readonly says: S }> };

/** What the claims of all plugins together make of a device. Never throws. */
export function identify(device: Device, claims: readonly Claim[]): Identity {
  const view = toDeviceView(device);
  const ranked = claims.toSorted(byWeight);
  const is = only(ranked, "is");
  const isNot = only(ranked, "is-not");
  const mayBe = only(ranked, "may-be");
  const booting = only(ranked, "bootloader")[0];
  const mode: Mode = booting === undefined ? "application" : "bootloader";

  const positive = is[0];
  const negative = isNot[0];
  const refused = positive !== undefined && negative !== undefined && outranks(negative, positive);
  const decisive = refused ? negative : (positive ?? negative);
  const vague = mayBe[0];

  if (vague !== undefined && booting === undefined && (decisive === undefined || outweighs(vague, decisive))) {
    return ambiguous(view, ranked, { lead: vague, candidates: uniteKinds(mayBe), mode });
  }
  if (positive !== undefined && decisive === positive) {
    const equals = is.filter((claim) => claim.score === positive.score);
    if (contradict(equals)) return ambiguous(view, ranked, { lead: positive, candidates: uniteKinds(equals), mode });
    return identified(view, ranked, { lead: positive, equals, mode });
  }
  const known = decisive ?? booting;
  if (known === undefined) return { state: "unknown", mode, evidence: unclaimedEvidence(view) };
  return { state: "unknown", mode, model: titleOf(known, view), evidence: evidenceOf(ranked, known) };
}

interface Verdict {
  readonly lead: Claim;
  readonly mode: Mode;
}

function identified(
  view: DeviceView,
  ranked: readonly Claim[],
  verdict: Verdict & { lead: ClaimThat<"is">; equals: readonly ClaimThat<"is">[] },
): Identity {
  const { answer } = verdict.lead;
  const alternatives = new Set(verdict.equals.flatMap((claim) => claim.answer.alternatives ?? []));
  for (const kind of answer.kinds) alternatives.delete(kind);
  const certain = alternatives.size === 0 && verdict.equals.every((claim) => claim.answer.certainty === "certain");
  return {
    state: "identified",
    kinds: answer.kinds,
    certainty: certain ? "certain" : "likely",
    alternatives: [...alternatives].toSorted(),
    vendor: vendorOf(verdict.lead, view),
    model: modelOf(verdict.lead, view),
    mode: answer.mode ?? verdict.mode,
    ...(answer.adapter === undefined ? {} : { adapter: answer.adapter }),
    ...(answer.line === undefined ? {} : { line: answer.line }),
    evidence: evidenceOf(ranked, verdict.lead),
  };
}

function ambiguous(view: DeviceView, ranked: readonly Claim[], verdict: Verdict & { candidates: readonly RadioKind[] }): Identity {
  return {
    state: "ambiguous",
    candidates: verdict.candidates,
    mode: verdict.mode,
    model: titleOf(verdict.lead, view),
    evidence: evidenceOf(ranked, verdict.lead),
  };
}

/** Strings or ids that say it is something else, against a row that says it is a radio. */
function outranks(negative: Claim, positive: Claim): boolean {
  if (negative.score >= positive.score) return true;
  return positive.basis === "words" && (negative.basis === "ids" || negative.basis === "identity");
}

function outweighs(vague: Claim, decisive: Claim): boolean {
  if (vague.score <= decisive.score) return false;
  return !(decisive.answer.says === "is-not" && outranks(decisive, vague));
}

function contradict(claims: readonly ClaimThat<"is">[]): boolean {
  return new Set(claims.map((claim) => claim.answer.kinds.toSorted().join(" "))).size > 1;
}

function uniteKinds(claims: readonly (ClaimThat<"is"> | ClaimThat<"may-be">)[]): readonly RadioKind[] {
  return [...new Set(claims.flatMap((claim) => claim.answer.kinds))].toSorted();
}

function only<S extends Says>(claims: readonly Claim[], says: S): ClaimThat<S>[] {
  return claims.filter((claim): claim is ClaimThat<S> => claim.answer.says === says);
}

const saysOrder: readonly Says[] = ["is-not", "is", "bootloader", "may-be"];

function byWeight(left: Claim, right: Claim): number {
  return (
    right.score - left.score ||
    saysOrder.indexOf(left.answer.says) - saysOrder.indexOf(right.answer.says) ||
    compareText(left.plugin, right.plugin) ||
    compareText(left.answer.id, right.answer.id)
  );
}

/** By code unit, so that no locale can change the outcome. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function vendorOf({ answer }: Claim, { device }: DeviceView): string {
  return answer.vendor ?? device.usb?.manufacturer ?? saidOf(device, ["vn"]) ?? "unknown vendor";
}

function modelOf({ answer }: Claim, { device, name }: DeviceView): string {
  return (
    answer.model ??
    device.usb?.product ??
    saidOf(device, ["board", "mn", "pio_env"]) ??
    device.network?.instance ??
    name ??
    device.driver ??
    device.function
  );
}

/** What something on the network says of itself: the first of `keys` that any of its TXT records has. */
function saidOf({ network }: Device, keys: readonly string[]): string | undefined {
  if (network === undefined) return undefined;
  const texts = [network, ...network.others].map(({ text }) => text);
  return keys.flatMap((key) => texts.flatMap((text) => text[key] ?? [])).find((value) => value !== "");
}

/** Vendor and model in one, without saying the vendor twice. */
function titleOf(claim: Claim, view: DeviceView): string {
  const model = modelOf(claim, view);
  const { vendor } = claim.answer;
  return vendor === undefined || model.toLowerCase().startsWith(vendor.toLowerCase()) ? model : `${vendor} ${model}`;
}
