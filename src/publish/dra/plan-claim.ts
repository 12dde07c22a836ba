/** Which radios a claim gets, or why not. Pure. */
import { AerialError, hasCode } from "../../core/errors.ts";
import type { Radio } from "../../core/radio.ts";
import type { PreparedClaim, PreparedDevice } from "./claim-book.ts";
import type { AllocatedDevice, ClaimView } from "./claim-view.ts";
import { toDeviceName } from "./device-name.ts";

export interface AskedClaim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What decides. */
export interface ClaimFacts {
  readonly driver: string;
  readonly node: string;
  readonly radios: ReadonlyMap<string, Radio>;
  /** Radios that can be handed over, by their group. */
  readonly groups: ReadonlyMap<string, readonly Radio[]>;
  /** Claims that are prepared already, this one perhaps among them. */
  readonly prepared: Iterable<PreparedClaim>;
  /** The claim that has a radio. */
  readonly holderOf: (radioId: string) => AskedClaim | undefined;
  /** Who else has the radio, as the end of a sentence. */
  readonly takenBy: (radioId: string) => string | undefined;
}

/** As many as have names in the files for the container runtime. */
const mostOrdinals = 8;

/**
 * The same for a claim that is prepared again, whatever has come since. Throws `handover.unavailable` with a sentence for the
 * pod's events.
 */
export function planClaim(asked: AskedClaim, claim: ClaimView, facts: ClaimFacts): PreparedClaim {
  const { driver, node, prepared } = facts;
  if (claim.uid !== asked.uid) throw refused(`${asked.namespace}/${asked.name} is another claim by now, made after this pod's was deleted`);
  if (claim.allocated === undefined) throw refused(`${asked.namespace}/${asked.name} has nothing allocated to it`);
  const own = claim.allocated.filter((result) => result.driver === driver);
  if (own.length === 0) throw refused(`${asked.namespace}/${asked.name} has no radio allocated to it`);
  const devices: PreparedDevice[] = [];
  const others = [...prepared].filter(
    ({ uid, consumers }) => uid !== asked.uid && consumers.some((consumer) => claim.consumers.includes(consumer)),
  );
  const before = [...prepared].find(({ uid }) => uid === asked.uid)?.devices ?? [];
  const byName = new Map([...facts.radios.values()].map((radio) => [toDeviceName(radio.id), radio]));
  for (const result of inOrder(own)) {
    if (result.pool !== node) throw refused(`${result.device} is a radio of ${result.pool}, and this is ${node}`);
    const radio = byName.get(result.device);
    if (radio === undefined) throw refused(`${node} knows of no radio ${result.device}`);
    const group = checkRadio(radio, { asked, result, facts });
    const ordinal =
      before.find(({ radioId }) => radioId === radio.id)?.ordinal ??
      freeOrdinal(group, [...others.flatMap((other) => other.devices), ...before, ...devices]);
    const shareId = result.shareId === undefined ? {} : { shareId: result.shareId };
    devices.push({ radioId: radio.id, group, ordinal, device: result.device, request: result.request, ...shareId });
  }
  return { ...asked, consumers: claim.consumers, devices };
}

interface Checked {
  readonly asked: AskedClaim;
  readonly result: AllocatedDevice;
  readonly facts: ClaimFacts;
}

/** Gives the radio's group; throws where it cannot be had. */
function checkRadio(radio: Radio, { asked, result, facts }: Checked): string {
  const { node, groups, holderOf, takenBy } = facts;
  const called = radio.name === undefined ? `the radio ${radio.id}` : `the radio ${radio.name} (${radio.id})`;
  // Two programs on one serial port only break each other.
  if (result.isAdmin) throw refused(`${called} cannot be had by adminAccess: radios are not shared`);
  if (radio.presence !== "present") throw refusedForNow(`${called} is not plugged into ${node}`, { awaited: radio.id });
  const group = [...groups].find(([, members]) => members.some(({ id }) => id === radio.id))?.[0];
  if (group === undefined) throw refused(`${called} is none that can be given to pods: \`aerial explain\` says why`);
  const holder = holderOf(radio.id);
  if (holder !== undefined && holder.uid !== asked.uid)
    throw refusedForNow(`${called} is still prepared for the claim ${holder.namespace}/${holder.name}`);
  const taken = takenBy(radio.id);
  if (taken !== undefined) throw refusedForNow(`${called} ${taken}`);
  return group;
}

/** By request, as the claim has them, and by device. */
function inOrder(results: readonly AllocatedDevice[]): readonly AllocatedDevice[] {
  const requests = [...new Set(results.map(({ request }) => request))];
  return results.toSorted(
    (a, b) => requests.indexOf(a.request) - requests.indexOf(b.request) || (a.device < b.device ? -1 : Number(a.device > b.device)),
  );
}

function freeOrdinal(group: string, devices: readonly PreparedDevice[]): number {
  const used = new Set(devices.filter((device) => device.group === group).map(({ ordinal }) => ordinal));
  for (let ordinal = 1; ordinal <= mostOrdinals; ordinal += 1) if (!used.has(ordinal)) return ordinal;
  throw refused(`a pod can have ${mostOrdinals} radios of ${group} at most`);
}

/** Whether what was refused may be had a moment later without anybody changing the claim. */
export function isForNow(error: unknown): boolean {
  return hasCode(error, "handover.unavailable") && error.details["isForNow"] === true;
}

/** The radio that would have to be plugged in, if that is why. */
export function awaitedRadio(error: unknown): string | undefined {
  if (!hasCode(error, "handover.unavailable")) return undefined;
  const { awaited } = error.details;
  return typeof awaited === "string" ? awaited : undefined;
}

function refusedForNow(message: string, details: { readonly awaited?: string } = {}): AerialError {
  return new AerialError("handover.unavailable", message, { details: { isForNow: true, ...details } });
}

function refused(message: string): AerialError {
  return new AerialError("handover.unavailable", message);
}
