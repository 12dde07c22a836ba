/** Named health statements: the one place that logs, the API, metrics and `/readyz` read health from. */
import { Cell, type Watch } from "./cell.ts";
import type { Clock } from "./clock.ts";

type Severity = "info" | "warning" | "error";

/** Something that is not as it should be, what follows from it and what to do. */
export interface Condition {
  /** Dotted and stable: `kubernetes.labels.forbidden`, `plugin.zigbee.failed`. */
  readonly code: string;
  readonly severity: Severity;
  /** One or two sentences: what is wrong and what a person can do. */
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** The conditions that hold now. */
export interface Conditions extends Watch<ReadonlyMap<string, Condition>> {
  /** Raises a condition, or changes its text while keeping its `since`. */
  raise(code: string, severity: Severity, text: string): void;
  /** Ends a condition; nothing happens when it does not hold. */
  clear(code: string): void;
}

export function createConditions(clock: Clock): Conditions {
  const cell = new Cell<ReadonlyMap<string, Condition>>(new Map());
  return {
    get current() {
      return cell.current;
    },
    changes: (signal) => cell.changes(signal),
    raise(code, severity, text) {
      const held = cell.current.get(code);
      if (held?.text === text && held.severity === severity) return;
      const since = held?.since ?? new Date(clock.now()).toISOString();
      cell.set(new Map(cell.current).set(code, { code, severity, text, since }));
    },
    clear(code) {
      if (!cell.current.has(code)) return;
      const next = new Map(cell.current);
      next.delete(code);
      cell.set(next);
    },
  };
}
