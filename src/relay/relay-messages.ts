/** What the daemon and the relay's thread say to each other. */
import type { RelayPairStatus, RelayStatus, RelayTrace, SeenService } from "../core/relay.ts";
import type { RelayOptions } from "./relay-options.ts";

/** Who holds a pair of links by Lease. `unknown`: the API server cannot say, so the wire decides. */
export type LeaseState = "ours" | "theirs" | "unknown";

export type ToRelay =
  | { readonly type: "options"; readonly options: RelayOptions }
  | { readonly type: "lease"; readonly links: readonly [string, string]; readonly state: LeaseState }
  | { readonly type: "want"; readonly services: readonly string[] }
  | { readonly type: "trace"; readonly on: boolean }
  | { readonly type: "status"; readonly request: number }
  | { readonly type: "stop" };

export type FromRelay =
  | { readonly type: "condition"; readonly code: string; readonly severity: "info" | "warning" | "error"; readonly text: string }
  | { readonly type: "clear"; readonly code: string }
  | { readonly type: "status"; readonly request: number; readonly status: RelayStatus }
  | { readonly type: "pairs"; readonly pairs: readonly RelayPairStatus[] }
  | { readonly type: "services"; readonly services: readonly SeenService[] }
  | { readonly type: "trace"; readonly lines: readonly RelayTrace[]; readonly lost: number }
  | { readonly type: "log"; readonly data: object; readonly message: string }
  | { readonly type: "stopped" };
