/** How right identification is about sightings of which the truth is known. */
import type { Identity } from "../src/core/identity.ts";
import type { Sighting } from "./sightings.ts";

interface Tally {
  total: number;
  right: number;
  /** Includes ambiguous: it did not say. */
  unknown: number;
  wrong: number;
}

interface Mistake {
  readonly id: string;
  readonly truth: string;
  readonly said: string;
  readonly why: string;
}

export interface IdentificationScore {
  total: number;
  /** Rows marked `trap`. `calledRadio`: identified as one of the classes that the truth knows, certainly or likely. */
  traps: { total: number; calledRadio: number };
  /** Rows marked `ambiguous`, traps among them. `calledCertain`: identified with certainty `certain`, as whatever. */
  ambiguous: { total: number; calledCertain: number };
  /** Neither trap nor ambiguous nor generic. `exact`: what was said first is the truth, not only an alternative. */
  decidable: Tally & { exact: number };
  /** Marked generic only: the bridge chip's own identity, which names no product. Here unknown is the honest answer. */
  generic: Tally;
  /** The decidable rows by their truth. */
  byKind: Record<string, Tally>;
  mistakes: Mistake[];
}

/** The classes of the truth, in the words of identification. `none` is no class. */
const classes = new Map([
  ["zigbee", ["zigbee"]],
  ["thread", ["thread"]],
  ["zigbee+thread", ["thread", "zigbee"]],
  ["zwave", ["zwave"]],
  ["zwave+zigbee", ["zigbee", "zwave"]],
  ["lora", ["lora"]],
  ["meshtastic", ["meshtastic"]],
  ["ble", ["bluetooth"]],
  ["wifi", ["wifi"]],
  ["enocean", ["enocean"]],
  ["none", []],
]);
const classKinds = new Set([...classes.values()].flat());

/** Scores what was said of each sighting; both lists in the same order. */
export function scoreIdentification(sightings: readonly Sighting[], identities: readonly Identity[]): IdentificationScore {
  const score: IdentificationScore = {
    total: sightings.length,
    traps: { total: 0, calledRadio: 0 },
    ambiguous: { total: 0, calledCertain: 0 },
    decidable: { ...emptyTally(), exact: 0 },
    generic: emptyTally(),
    byKind: {},
    mistakes: [],
  };
  for (const [index, sighting] of sightings.entries()) {
    const identity = identities[index];
    if (identity !== undefined) count(score, sighting, identity);
  }
  return score;
}

function count(score: IdentificationScore, sighting: Sighting, identity: Identity): void {
  let mistaken = false;
  if (sighting.trap) {
    score.traps.total += 1;
    if (callsRadio(identity)) {
      score.traps.calledRadio += 1;
      mistaken = true;
    }
  }
  if (sighting.ambiguous) {
    score.ambiguous.total += 1;
    if (identity.state === "identified" && identity.certainty === "certain") {
      score.ambiguous.calledCertain += 1;
      mistaken = true;
    }
  }
  if (!sighting.trap && !sighting.ambiguous) {
    const verdict = judge(sighting.truth.radio, identity);
    if (sighting.generic) {
      add(score.generic, verdict);
      mistaken = verdict === "wrong";
    } else {
      add(score.decidable, verdict);
      add((score.byKind[sighting.truth.radio] ??= emptyTally()), verdict);
      if (verdict === "right" && isExact(sighting.truth.radio, identity)) score.decidable.exact += 1;
      mistaken = verdict !== "right";
    }
  }
  if (mistaken)
    score.mistakes.push({ id: sighting.id, truth: sighting.truth.radio, said: toWords(identity), why: identity.evidence[0]?.detail ?? "" });
}

/** Certain must name the truth exactly; likely must have it among what it names. */
function judge(truth: string, identity: Identity): "right" | "unknown" | "wrong" {
  const kinds = classes.get(truth) ?? [];
  if (kinds.length === 0) return callsRadio(identity) ? "wrong" : "right";
  if (identity.state !== "identified") return "unknown";
  if (identity.certainty === "certain") return isExact(truth, identity) ? "right" : "wrong";
  return kinds.every((kind) => identity.kinds.includes(kind) || identity.alternatives.includes(kind)) ? "right" : "wrong";
}

function isExact(truth: string, identity: Identity): boolean {
  const said = identity.state === "identified" ? identity.kinds : [];
  return said.toSorted().join("+") === (classes.get(truth) ?? []).join("+");
}

function callsRadio(identity: Identity): boolean {
  return identity.state === "identified" && identity.kinds.some((kind) => classKinds.has(kind));
}

function toWords(identity: Identity): string {
  if (identity.state === "unknown") return "unknown";
  if (identity.state === "ambiguous") return `ambiguous: ${identity.candidates.join(" or ")}`;
  const rest = identity.alternatives.length === 0 ? "" : ` (or ${identity.alternatives.join(" or ")})`;
  return `${identity.certainty} ${identity.kinds.join(" and ")}${rest}`;
}

function emptyTally(): Tally {
  return { total: 0, right: 0, unknown: 0, wrong: 0 };
}

function add(tally: Tally, verdict: "right" | "unknown" | "wrong"): void {
  tally.total += 1;
  tally[verdict] += 1;
}
