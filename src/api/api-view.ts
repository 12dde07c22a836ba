/** The other shapes the API answers with; `radio-view.ts` has the main ones. */
import type { Condition } from "../core/condition.ts";
import type { RelayTrace } from "../core/relay.ts";
import type { DeviceView, RadioView } from "./radio-view.ts";

/** Something aerial cannot see on this machine, and why. */
interface BlindSpotView {
  readonly what: string;
  readonly why: string;
}

/** How things stand with the cluster. */
interface ClusterView {
  readonly state: "none" | "connecting" | "connected" | "failing";
  /** The API server's address, where one is configured. */
  readonly server?: string;
}

/** What the rest of the daemon knows of itself. */
export interface NodeFacts {
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** The kernel's release, such as `6.18.45-talos`. */
  readonly kernel: string;
  readonly blindSpots: readonly BlindSpotView[];
  readonly cluster: ClusterView;
}

/** `GET /api/v1/node`. */
export interface NodeView extends NodeFacts {
  readonly name: string;
  readonly uptimeSeconds: number;
  readonly revision: number;
  /** False until the first whole scan since start. */
  readonly complete: boolean;
  readonly counts: {
    readonly present: number;
    readonly absent: number;
    /** Present devices that are no known radio. */
    readonly others: number;
    /** Present radios that are not the node's own, but on the network; the other numbers leave them out. */
    readonly network: number;
    /** Present radios by kind; a radio of two kinds counts in both. */
    readonly kinds: Readonly<Record<string, number>>;
  };
  readonly conditions: readonly Condition[];
}

/** `GET /api/v1/radios`. */
export interface RadioList {
  readonly revision: number;
  readonly complete: boolean;
  readonly radios: readonly RadioView[];
}

/** `GET /api/v1/radios/{key}/explain`: everything the key stands for, radio or not. */
export interface Explanation {
  readonly radios: readonly RadioView[];
  readonly others: readonly DeviceView[];
}

/** `GET /readyz` and `/healthz`. */
export interface HealthView {
  readonly status: "ok" | "degraded" | "failing";
  readonly ready: boolean;
  /** What readiness still waits for; empty when ready. */
  readonly waitingFor: readonly string[];
  readonly conditions: readonly Condition[];
}

/** A line of `GET /api/v1/watch`. The first is a `snapshot`; `heartbeat` only shows that the connection lives. */
export type WatchLine =
  | ({ readonly type: "snapshot" } & RadioList)
  | { readonly type: "added" | "changed" | "removed"; readonly revision: number; readonly radio: RadioView }
  | { readonly type: "heartbeat"; readonly revision: number };

/** A line of `GET /api/v1/relay/trace`. `lost`: so many would have come here, but the reader was too slow. `heartbeat` only shows that the connection lives. */
export type TraceLine =
  | ({ readonly type: "packet" } & RelayTrace)
  | { readonly type: "lost"; readonly lines: number }
  | { readonly type: "heartbeat" };

/** RFC 9457. `code` is aerial's own stable error code. */
export interface ProblemView {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code?: string;
  readonly hint?: string;
}
