/** Kubernetes Events as an output: what history has that the cluster has not been told yet. */
import type { Clock } from "../../core/clock.ts";
import { describeError, hasCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Output } from "../../core/output.ts";
import type { HistoryEntry } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Kube } from "../../kube/kube.ts";
import { readNode } from "../labels/own-node.ts";
import { planRun, toRuns } from "./plan-events.ts";
import { type EventNode, eventNamespace, toEvent, toFoldedEvent } from "./to-event.ts";

/** The inventory, as far as it is used here. */
export interface HistoryReader {
  /** Entries with a sequence greater than `after`, oldest first. */
  history(query: { readonly after: number; readonly limit: number }): readonly HistoryEntry[];
  cursor(reader: string): number;
  advanceCursor(reader: string, sequence: number): void;
}

export interface EventsOutputDependencies {
  readonly kube: Pick<Kube, "get" | "create">;
  /** The Node's name in the cluster. */
  readonly node: string;
  readonly inventory: HistoryReader;
  readonly clock: Clock;
  readonly log: Log;
}

const reader = "kubernetes-events";
const page = 500;
/** The API server keeps Events for an hour (its `--event-ttl`): older changes are no news, and stay in history. */
const newsMs = 3_600_000;
/** An entry may be written a moment after the time it bears. */
const slackMs = 2_000;

/**
 * Tells each change once in effect: the cursor moves on only after the server has taken all changes of a minute, and
 * what is told again after a crash has the same name and is refused. Asks to be called again when the minute is over.
 */
export function createEventsOutput({ kube, node, inventory, clock, log }: EventsOutputDependencies): Output {
  /** Sequences after the cursor that the server has. */
  const told = new Set<number>();

  const create = async (object: KubeObject, signal: AbortSignal): Promise<void> => {
    try {
      await kube.create(`/apis/events.k8s.io/v1/namespaces/${eventNamespace}/events`, object, signal);
    } catch (error) {
      if (hasCode(error, "kube.conflict") && error.details["reason"] === "AlreadyExists") return;
      // It would be refused again and again, and hold up all that follow.
      if (!hasCode(error, "kube.invalid")) throw error;
      log.error({ err: describeError(error) }, "the API server refuses an Event; it is skipped");
    }
  };

  return {
    name: "events",
    async apply(_snapshot, signal) {
      let about: EventNode | undefined;
      const tell = async (entry: HistoryEntry, toObject: (node: EventNode) => KubeObject): Promise<void> => {
        if (told.has(entry.sequence)) return;
        about ??= await readNode({ kube, node }, signal);
        await create(toObject(about), signal);
        told.add(entry.sequence);
      };

      for (const run of toRuns(readAfter(inventory, inventory.cursor(reader)))) {
        const now = clock.now();
        const over = now >= run.to + slackMs || now < run.from - slackMs;
        if (now < run.to + newsMs) {
          const { single, folded } = planRun(run);
          for (const entry of single) await tell(entry, (subject) => toEvent(entry, subject));
          if (!over) return run.to + slackMs;
          const [first, ...rest] = folded;
          if (first) await tell(first, (subject) => toFoldedEvent([first, ...rest], subject));
        }
        inventory.advanceCursor(reader, run.last);
        told.clear();
      }
      return undefined;
    },
  };
}

/** All history after `sequence`, a page at a time. */
function* readAfter(inventory: HistoryReader, sequence: number): Generator<HistoryEntry> {
  let after = sequence;
  for (;;) {
    const entries = inventory.history({ after, limit: page });
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined || entries.length < page) return;
    after = last.sequence;
  }
}
