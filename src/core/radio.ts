/** The inventory's words: radios, leases, snapshots and the events that change them. */
import type { Device } from "./device.ts";
import type { IdentifiedDevice, Identity, RadioKind } from "./identity.ts";

/** Who may open the radio now. */
export interface Lease {
  readonly holder: "probe" | "bridge" | "pod" | "flash";
  readonly owner: string;
  readonly since: string;
}

/**
 * What a radio's id was made from. `port` means: no usable serial, so the id stands for whatever such stick is in that port.
 * `name` is the same on the network: it stands for whatever answers at that host name and port.
 */
export type IdBasis = "serial" | "port" | "path" | "name";

/** A device that is, or may be, a radio, remembered across replug, reboot and restart. Times are ISO 8601, UTC. */
export interface Radio {
  /** Stable; letters, digits, `-`, `.` and `_`, at most 63 characters, a valid label value. */
  readonly id: string;
  readonly idBasis: IdBasis;
  /** Given by people. */
  readonly name?: string;
  /** As last seen. */
  readonly device: Device;
  /** As last identified in application mode, or as overridden; a stick in its bootloader keeps it. */
  readonly identity: Identity;
  /** `absent` for all radios until the first whole scan since start. */
  readonly presence: "present" | "absent";
  /** Set while absent: when it was first missed. Not yet set for what was present when aerial ended, until the first whole scan. */
  readonly absentSince?: string;
  readonly mode: "application" | "bootloader";
  readonly lease?: Lease;
  readonly firstSeen: string;
  /** While present: when something about it last changed. While absent: the last scan that had it. */
  readonly lastSeen: string;
}

/** The whole inventory at a revision. Immutable. */
export interface Snapshot {
  readonly revision: number;
  readonly node: string;
  /** False until the first whole scan since start: until then nothing may be withdrawn. */
  readonly complete: boolean;
  readonly radios: ReadonlyMap<string, Radio>;
  /** Present devices that are no known radio, for `explain`. */
  readonly others: readonly IdentifiedDevice[];
}

/** A change that history keeps. `sequence` rises by one with each and is never reused. */
export interface HistoryEntry {
  readonly sequence: number;
  readonly at: string;
  readonly type:
    | "attached"
    | "detached"
    | "reattached"
    | "moved"
    | "identified"
    | "bootloader"
    | "named"
    | "overridden"
    | "leased"
    | "released"
    | "forgotten"
    | "container-restarted"
    | "pod-evicted";
  readonly radioId: string;
  /** One sentence for people. */
  readonly text: string;
  /** Facts for programs. */
  readonly details: Readonly<Record<string, string>>;
}

/** What of the history is kept: the entries from `oldest` to `newest`. None is kept when `oldest` is beyond `newest`. */
export interface HistoryExtent {
  /** Names this history among all others: sequences start again in a new one. */
  readonly historyId: string;
  readonly oldest: number;
  /** The newest sequence that was ever given, kept or not; 0 before the first. */
  readonly newest: number;
}

/** All that may change the inventory; the one write door. */
export type InventoryEvent =
  | { readonly type: "scanned"; readonly at: string; readonly devices: readonly IdentifiedDevice[] }
  | { readonly type: "identified"; readonly at: string; readonly id: string; readonly identity: Identity }
  | { readonly type: "leased"; readonly at: string; readonly id: string; readonly lease: Lease }
  | { readonly type: "released"; readonly at: string; readonly id: string; readonly owner: string }
  | { readonly type: "named"; readonly at: string; readonly id: string; readonly name?: string }
  | { readonly type: "overridden"; readonly at: string; readonly id: string; readonly kind?: RadioKind }
  | RadioPodEvent;

/** What was done to a pod for its radio's sake. The radio stays as it is; history tells people why. */
export interface RadioPodEvent {
  readonly type: "container-restarted" | "pod-evicted";
  readonly at: string;
  readonly id: string;
  /** `namespace/name`. */
  readonly pod: string;
  readonly container?: string;
  /** Of a restart: the numbers of the device nodes that the container had. */
  readonly from?: string;
  /** Of a restart: the numbers of those it gets. Of an eviction: the node with the radio. Left out while the radio is nowhere. */
  readonly to?: string;
}
