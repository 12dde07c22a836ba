/** History entries: one sentence for people, facts for programs. Pure. */
import { attachmentOf, type Device } from "../core/device.ts";
import type { Identity } from "../core/identity.ts";
import type { HistoryEntry, RadioPodEvent } from "../core/radio.ts";
import { overrideFor, type RadioOverride } from "./belief.ts";
import { identityOf, type Memory } from "./memory.ts";
import type { Place } from "./origin.ts";
import type { HistoryDraft } from "./state.ts";

/** What a change needs to know besides the radio. */
export interface Moment {
  readonly at: string;
  /** False for the first scan after a reboot. */
  readonly sameBoot: boolean;
  readonly overrides: readonly RadioOverride[];
  /** The scan before. */
  readonly lastScanAt?: string;
}

export interface Occasion {
  readonly type: HistoryEntry["type"];
  /** After the change. */
  readonly memory: Memory;
  readonly moment: Moment;
  readonly before?: Memory;
  /** `dismissed`: the device is there, but is now known to be no radio. */
  readonly reason?: "dismissed" | "preempted" | "restart";
  /** Who leases or releases. */
  readonly holder?: string;
  readonly owner?: string;
  /** What was done to a pod. */
  readonly done?: Pick<RadioPodEvent, "pod" | "container" | "from" | "to">;
}

export function draft(occasion: Occasion): HistoryDraft {
  const { type, memory, moment, before, reason, holder, owner, done } = occasion;
  const identity = identityOf(memory, moment.overrides);
  const node = nodeOf(memory.device);
  const details = {
    ...(identity.model === undefined ? {} : { model: identity.model }),
    ...(identity.state === "identified" ? { kinds: identity.kinds.join(","), certainty: identity.certainty } : {}),
    port: memory.origin.place.port,
    ...(attachmentOf(memory.device) === "network" ? { attachment: "network" } : {}),
    ...(node === undefined ? {} : { device: node }),
    mode: memory.mode,
    ...(type === "moved" && before !== undefined ? { from: before.origin.place.port } : {}),
    ...(type === "named" && memory.name !== undefined ? { name: memory.name } : {}),
    ...(type === "overridden" && memory.kind !== undefined ? { kind: memory.kind } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(holder === undefined ? {} : { holder }),
    ...(owner === undefined ? {} : { owner }),
    ...done,
  };
  const telling = { ...occasion, identity, who: nameOf(memory, moment, identity), where: placeText(memory.origin.place) };
  return { at: moment.at, type, radioId: memory.id, text: sentences[type](telling), details };
}

interface Telling extends Occasion {
  readonly identity: Identity;
  readonly who: string;
  readonly where: string;
}

const sentences: Record<HistoryEntry["type"], (telling: Telling) => string> = {
  attached: ({ who, where, memory }) => `${who} appeared ${where}${nodeText(memory)}`,
  detached: ({ who, where, reason }) =>
    reason === "dismissed" ? `${who} ${where} is no longer taken for a radio` : `${who} is gone; it was ${where}`,
  reattached: ({ who, where, memory }) => `${who} was reattached ${where}${nodeText(memory)}`,
  moved: ({ who, where, memory, before }) =>
    `${who} moved: it was ${before === undefined ? "elsewhere" : placeText(before.origin.place)} and is now ${where}${nodeText(memory)}`,
  identified: ({ who, where, identity }) => `${who} ${where} ${identityText(identity)}`,
  bootloader: ({ who, where, memory }) =>
    `${who} ${where} ${memory.mode === "bootloader" ? "is in its bootloader" : "runs its firmware again"}`,
  named: ({ who, where, memory }) =>
    memory.name === undefined ? `${who} ${where} has lost the name it was given` : `The radio ${where} is now called ${memory.name}`,
  overridden: ({ who, where, memory }) =>
    memory.kind === undefined ? `${who} ${where} is again what aerial makes of it` : `People say that ${who} ${where} is ${memory.kind}`,
  leased: ({ who, where, holder, owner }) => `${who} ${where} is now held by ${holder ?? "somebody"} (${owner ?? "unknown"})`,
  released: ({ who, where, holder, owner, reason }) =>
    `${who} ${where} was released by ${holder ?? "somebody"} (${owner ?? "unknown"})${releaseText(reason)}`,
  forgotten: ({ who }) => `${who} was absent for long and never identified with certainty: forgotten`,
  "container-restarted": ({ who, where, done }) => {
    const change =
      done?.to === undefined
        ? "is away, and others have its device numbers"
        : `is device ${done.to} now, and was ${done.from ?? "another"}`;
    return `${who} ${where} ${change}: ${containerText(done)} was restarted`;
  },
  "pod-evicted": ({ who, where, done }) =>
    `${who} was ${where} and is ${done?.to === undefined ? "nowhere now" : `on node ${done.to} now`}: pod ${podText(done)} was evicted`,
};

function nameOf(memory: Memory, { overrides }: Moment, identity: Identity): string {
  const name = memory.name ?? overrideFor(overrides, memory.home, "name");
  if (name !== undefined) return name;
  if (identity.state === "identified") return `${identity.vendor} ${identity.model}`;
  return identity.model ?? memory.home.usb?.product ?? memory.origin.family;
}

function placeText({ controller, port }: Place): string {
  return controller !== "" || /^\d+-[\d.]+$/.test(port) ? `on USB port ${port}` : `at ${port}`;
}

function nodeText({ device }: Memory): string {
  const node = nodeOf(device);
  return node === undefined ? "" : ` as ${node}`;
}

function nodeOf({ nodes, wifi, bluetooth, ieee802154 }: Device): string | undefined {
  return nodes[0]?.path ?? wifi?.phy ?? bluetooth?.controller ?? ieee802154?.phy;
}

function identityText(identity: Identity): string {
  if (identity.state === "identified") return `is ${identity.certainty === "likely" ? "likely " : ""}${identity.kinds.join(" and ")}`;
  if (identity.state === "ambiguous") return `may be ${identity.candidates.join(" or ")}`;
  return "is not identified any more";
}

function podText(done: Occasion["done"]): string {
  return done?.pod ?? "unknown";
}

function containerText(done: Occasion["done"]): string {
  return `${done?.container === undefined ? "a container" : `container ${done.container}`} of pod ${podText(done)}`;
}

function releaseText(reason: Occasion["reason"]): string {
  if (reason === "preempted") return ", for somebody who goes before";
  return reason === "restart" ? ", which did not survive a restart of aerial" : "";
}
