/** What the API shows and may set going: all that it is handed by the rest of aerial. Everything is asked anew for each request. */
import type { Watch } from "../core/cell.ts";
import type { DoctorReport } from "../core/check.ts";
import type { Clock } from "../core/clock.ts";
import type { Condition } from "../core/condition.ts";
import type { HistoryEntry, HistoryExtent, InventoryEvent, Radio, Snapshot } from "../core/radio.ts";
import type { RelayStatus, RelayTrace, SeenService } from "../core/relay.ts";
import type { ClusterRadioList, Holder, Plugin, RadioPodList, TalosVersion } from "./contract/types.ts";
import type { ApiCounters } from "./metrics/api-counters.ts";
import type { NodeFacts, Readiness } from "./node-view.ts";
import type { HandoverView } from "./radio-views.ts";
import type { LostLines } from "./trace-stream.ts";

interface HistoryQuestion {
  /** Only entries with a greater sequence. */
  readonly after: number;
  readonly limit: number;
  readonly radioId?: string;
  /** The newest there are, newest first. */
  readonly newest?: true;
}

/** What the API shows of a relay. */
export interface RelayView {
  status(): Promise<RelayStatus>;
  services(): Promise<readonly SeenService[]>;
  /** Every packet from now on, until the signal aborts. `lost` lines would have come in that place. */
  trace(signal: AbortSignal): AsyncIterable<RelayTrace | LostLines>;
}

/** Who examines the machine. Both reject with an AerialError. */
export interface DoctorView {
  /** `fresh`: examine now. Else the last report, unless there is none or it is older than a minute. */
  report(fresh: boolean): Promise<DoctorReport>;
  /**
   * A Talos machine-config patch for what a patch can mend, in YAML; with `check`, only for what that check found. Without a
   * version: in the form of this machine, or else the newest.
   */
  patch(wanted: { readonly version?: TalosVersion; readonly check?: string }): Promise<string>;
}

/** Who holds a radio's device nodes open, or why nobody can tell. */
export type HoldersView = { readonly holders: readonly Holder[] } | { readonly unknown: string };

/** What a support bundle has beside what the API shows anyway. */
interface SupportSources {
  /** The newest lines of aerial's log, each a JSON object, oldest first. */
  log(): readonly string[];
  kernel(): Promise<unknown>;
}

/** What the inventory may be told by people. */
type PeopleSay = Extract<InventoryEvent, { readonly type: "named" | "overridden" }>;

/** For a part that is not there, a problem says so. */
export interface ApiSources {
  readonly clock: Clock;
  readonly snapshots: Watch<Snapshot>;
  readonly conditions: Watch<ReadonlyMap<string, Condition>>;
  /** Oldest first unless the newest are asked for. Throws `inventory.unusable`. */
  history(query: HistoryQuestion): readonly HistoryEntry[];
  /** How far history reaches; changes as entries are stored. */
  readonly stored: Watch<HistoryExtent>;
  /** The one write door. Throws `inventory.*`. */
  apply(event: PeopleSay): Snapshot;
  node(): NodeFacts;
  readiness(): Readiness;
  /** The relay, where one is configured. */
  readonly relay?: RelayView;
  readonly doctor?: DoctorView;
  readonly holders?: (radio: Radio) => Promise<HoldersView>;
  readonly plugins?: () => readonly Plugin[];
  /** The effective configuration, without secrets. */
  readonly config?: () => Readonly<Record<string, unknown>>;
  /** All nodes, where a cluster is configured. Rejects with `kube.*`. */
  readonly clusterRadios?: (signal: AbortSignal) => Promise<ClusterRadioList>;
  /** Who was given which radio, where radios are handed to pods. */
  readonly handover?: HandoverView;
  /** The cluster's pods that ask for radios, where a cluster is configured. Rejects with `kube.*` and `pods.forbidden`. */
  readonly radioPods?: (signal: AbortSignal) => Promise<RadioPodList>;
  /** Resolves when a whole scan that began after the call has been published. */
  readonly rescan?: (signal: AbortSignal) => Promise<void>;
  readonly support?: SupportSources;
  /** Where the API counts what it is asked. */
  readonly counters: ApiCounters;
  /** `accept` is the request's header. */
  readonly metrics?: (accept: string | undefined) => Promise<{ readonly contentType: string; readonly text: string }>;
}
