/** What the page knows: the API's own shapes, and what the page adds. */
import type {
  ClusterRadioList,
  Condition,
  DoctorReport,
  EffectiveConfig,
  Event as HistoryEvent,
  Finding,
  Node as NodeView,
  PluginList,
  Radio,
  RadioDetail,
  RadioPod,
  RadioPodList,
  RelayLink,
  RelayPair,
  RelayStatus,
  Remedy,
  SeenService,
  TalosVersion,
} from "../../../contract/types.ts";
import type { Connection, Role } from "./connection.ts";
import type { Flows } from "./flows.ts";
import type { Problem } from "./problem.ts";

/** What is asked for by itself, and shown as old or missing by itself. */
export type Resource =
  | "config"
  | "node"
  | "radios"
  | "conditions"
  | "doctor"
  | "events"
  | "relay"
  | "services"
  | "plugins"
  | "cluster"
  | "pods";

/** What somebody has pressed, and is not done yet. */
export type Action = "rescan" | "doctor" | "bundle" | "rename" | "kind" | "older";

type Dialog =
  | { readonly name: "radio"; readonly id: string }
  | { readonly name: "patch"; readonly check?: string }
  | { readonly name: "token"; readonly problem?: string };

/** All that is drawn. Replaced piece by piece, never changed within: what is the same object looks the same. */
export interface State {
  readonly connection: Connection;
  readonly node?: NodeView;
  readonly radios?: readonly Radio[];
  /** By id; asked for as they are looked at. */
  readonly details: ReadonlyMap<string, RadioDetail>;
  readonly conditions?: readonly Condition[];
  readonly report?: DoctorReport;
  /** Newest first. */
  readonly events?: readonly HistoryEvent[];
  /** Whether there may be older ones. */
  readonly olderEvents: boolean;
  /** `off`: none is configured. */
  readonly relay?: RelayStatus | "off";
  readonly flows: Flows;
  readonly services?: readonly SeenService[];
  readonly plugins?: PluginList["plugins"];
  readonly cluster?: ClusterRadioList;
  readonly pods?: readonly RadioPod[];
  /** The effective configuration, without secrets. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Why the last request for it failed. */
  readonly problems: ReadonlyMap<Resource | Action, Problem>;
  readonly busy: ReadonlySet<Action>;
  /** `viewer`: may only look. */
  readonly role: Role;
  readonly dialog?: Dialog;
  /** The form of Talos' configuration that patches are written in; absent: the machine's own. */
  readonly talosVersion?: TalosVersion;
  /** By check, or `all`, and version. */
  readonly patches: ReadonlyMap<string, string>;
  readonly filter: Filter;
  /** What takes long is waited for no more: what is below it is drawn. */
  readonly isLate: boolean;
}

interface Filter {
  readonly radios: string;
  readonly kind: string;
  readonly services: string;
  readonly link: string;
  /** How many are drawn. */
  readonly mostServices: number;
  readonly mostRadios: number;
  readonly mostEvents: number;
}

export type {
  ClusterRadioList,
  Condition,
  DoctorReport,
  EffectiveConfig,
  Finding,
  HistoryEvent,
  NodeView,
  PluginList,
  Radio,
  RadioDetail,
  RadioPod,
  RadioPodList,
  RelayLink,
  RelayPair,
  RelayStatus,
  Remedy,
  SeenService,
  TalosVersion,
};
