/** How the page stands with the daemon. */
import type { Problem } from "./problem.ts";

export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  /** `since` and `retryAt`: milliseconds since the epoch. */
  | { readonly state: "lost"; readonly since: number; readonly retryAt: number; readonly problem: Problem };

/** What whoever looks may do: a viewer only looks. */
export type Role = "viewer" | "operator";
