/** The node and its health, out of what the parts of the daemon say. */
import type { Condition } from "../core/condition.ts";
import { attachmentOf } from "../core/device.ts";
import type { Snapshot } from "../core/radio.ts";
import type { Health, Node } from "./contract/types.ts";

/** What the rest of the daemon knows of itself. */
export type NodeFacts = Pick<Node, "version" | "startedAt" | "kernel" | "blindSpots" | "cluster">;

export interface NodeSources {
  readonly snapshot: Snapshot;
  readonly facts: NodeFacts;
  readonly conditions: ReadonlyMap<string, Condition>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function toNodeView({ snapshot, facts, conditions, now }: NodeSources): Node {
  const all = [...snapshot.radios.values()];
  const radios = all.filter(({ device }) => attachmentOf(device) === "local");
  const network = all.filter((radio) => radio.presence === "present" && !radios.includes(radio)).length;
  const present = radios.filter(({ presence }) => presence === "present");
  const kinds: Record<string, number> = {};
  for (const { identity } of present) {
    if (identity.state !== "identified") continue;
    for (const kind of identity.kinds) kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return {
    name: snapshot.node,
    ...facts,
    uptimeSeconds: Math.max(0, Math.floor((now - Date.parse(facts.startedAt)) / 1000)),
    revision: snapshot.revision,
    complete: snapshot.complete,
    counts: { present: present.length, absent: radios.length - present.length, others: snapshot.others.length, network, kinds },
    conditions: [...conditions.values()],
  };
}

/** Whether aerial has done what others wait for. */
export interface Readiness {
  readonly ready: boolean;
  /** What is still to come, such as `first scan`; empty when ready. */
  readonly waitingFor: readonly string[];
}

export function toHealthView({ ready, waitingFor }: Readiness, conditions: ReadonlyMap<string, Condition>): Health {
  const held = [...conditions.values()];
  const failing = held.some(({ severity }) => severity === "error");
  const degraded = held.some(({ severity }) => severity === "warning");
  return { status: failing ? "failing" : degraded ? "degraded" : "ok", ready, waitingFor, conditions: held };
}
