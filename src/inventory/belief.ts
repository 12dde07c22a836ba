/** What we believe a radio is, out of what its strings, the radio itself and people say. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Device } from "../core/device.ts";
import type { Evidence, Identity, RadioKind } from "../core/identity.ts";

/** A name or kind that the configuration gives to whatever matches; all that is given must hold. */
export interface RadioOverride {
  readonly match: {
    readonly serial?: string;
    readonly port?: string;
    readonly vendorId?: string;
    readonly productId?: string;
    readonly byId?: string;
    /** Of what is not on USB, where names of nodes stay. */
    readonly node?: string;
  };
  readonly name?: string;
  readonly kind?: RadioKind;
}

/** What the first override that matches `device` and gives `what` says. */
export function overrideFor(overrides: readonly RadioOverride[], device: Device, what: "name" | "kind"): string | undefined {
  return overrides.find((override) => override[what] !== undefined && matches(override.match, device))?.[what];
}

function matches({ serial, port, vendorId, productId, byId, node }: RadioOverride["match"], device: Device): boolean {
  const { usb, network, nodes } = device;
  const wanted = [serial, port, vendorId, productId, byId, node];
  const found = [
    usb?.serial ?? network?.serial ?? network?.mac,
    usb?.port ?? (network && `${network.host}:${network.port}`),
    usb?.vendorId,
    usb?.productId,
    device.byId,
    usb === undefined ? nodes[0]?.path : undefined,
  ];
  return wanted.some((text) => text !== undefined) && wanted.every((text, index) => text === undefined || text === found[index]);
}

type Identified = Extract<Identity, { readonly state: "identified" }>;

export interface Testimony {
  readonly device: Device;
  readonly passive: Identity;
  readonly told?: Identified;
  /** What people say. */
  readonly kind?: RadioKind;
}

/** People go before the radio's own word, and that before its USB strings. */
export function believedIdentity({ device, passive, told, kind }: Testimony): Identity {
  const believed = told ?? passive;
  return kind === undefined ? believed : overridden(device, believed, kind);
}

function overridden({ usb }: Device, believed: Identity, kind: RadioKind): Identity {
  const evidence: Evidence = { source: "override", plugin: "inventory", rule: "override", score: 100, detail: `people say it is ${kind}` };
  const known = believed.state === "identified" ? believed : undefined;
  const agreed = known?.kinds.includes(kind) === true ? known : undefined;
  return {
    state: "identified",
    kinds: [kind],
    certainty: "certain",
    alternatives: [],
    vendor: known?.vendor ?? usb?.manufacturer ?? "unknown",
    model: believed.model ?? usb?.product ?? "unknown",
    mode: believed.mode,
    ...(agreed?.adapter === undefined ? {} : { adapter: agreed.adapter }),
    ...(agreed?.firmware === undefined ? {} : { firmware: agreed.firmware }),
    ...(agreed?.line === undefined ? {} : { line: agreed.line }),
    evidence: [evidence, ...believed.evidence],
  };
}

/** Whether two identities claim the same; how they came to it is left aside. */
export function claimsSame(left: Identity, right: Identity): boolean {
  return isDeepStrictEqual({ ...left, evidence: [] }, { ...right, evidence: [] });
}

/** What was said of a stick may not hold for what is in the port now, or after its firmware was changed. */
export function doubted(told: Identified): Identified {
  return told.certainty === "likely" ? told : { ...told, certainty: "likely" };
}

export interface Sighted {
  readonly device: Device;
  readonly identity: Identity;
}

/**
 * What to believe passively after an application-mode sighting: the newest, except that a vague sighting under other
 * strings (a virtual machine or hub that rewrites them) does not erase what the real strings had told.
 */
export function learnPassive(before: Sighted, now: Sighted): Identity {
  const vaguer = before.identity.state === "identified" && now.identity.state === "ambiguous";
  const kept = vaguer && !sameStrings(before.device, now.device) ? before.identity : now.identity;
  return isDeepStrictEqual(kept, before.identity) ? before.identity : kept;
}

function sameStrings(left: Device, right: Device): boolean {
  const strings = ({ usb }: Device): readonly unknown[] => [usb?.manufacturer, usb?.product];
  return isDeepStrictEqual(strings(left), strings(right));
}
