/** What identification is made from. */
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import type { Log } from "../core/log.ts";
import type { RadioPlugin } from "../sdk/plugin.ts";

export interface IdentifierDependencies {
  readonly builtIn: readonly RadioPlugin[];
  /** Absolute paths of plugin files; each runs in a worker thread of its own. None, no thread. */
  readonly paths: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
  readonly conditions: Conditions;
  /** Milliseconds a plugin file may take to load, and to answer a call. */
  readonly deadlines?: { readonly loadMs: number; readonly callMs: number };
}
