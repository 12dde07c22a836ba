/** Which node relays between which links, agreed through the cluster: one Lease a pair. */
import type { Watch } from "../../core/cell.ts";
import { AerialError } from "../../core/errors.ts";
import { type LinkedSignal, linkSignal } from "../../core/linked-signal.ts";
import { type LeaseDependencies, runLease } from "../../kube/lease.ts";
import { relayLeaseName } from "./lease-name.ts";

export type LinkPair = readonly [string, string];

export interface RelayLeasesDependencies extends Pick<LeaseDependencies, "kube" | "clock" | "log" | "conditions" | "namespace"> {
  /** This node's name. */
  readonly holder: string;
  /** The pairs that this node can relay as things are: it contends for no others. */
  readonly pairs: Watch<readonly LinkPair[]>;
  readonly onHolder: (pair: LinkPair, holder: "ours" | "theirs" | "unknown") => void;
}

/** A node that dies keeps its pairs for at most this long. */
const durationSeconds = 10;
const renewMs = 4_000;

interface Running {
  readonly lifetime: LinkedSignal;
  /** Settles when the Lease has been given back. */
  readonly done: Promise<void>;
}

/**
 * Contends for the Lease of each pair for as long as the pair is there, until aborted; resolves when all are given back.
 * Only what nobody expects rejects.
 */
export async function runRelayLeases(dependencies: RelayLeasesDependencies, signal: AbortSignal): Promise<void> {
  const { pairs } = dependencies;
  const running = new Map<string, Running>();
  /** Leases still being given back, by name. */
  const ending = new Map<string, Promise<void>>();
  using all = linkSignal(signal);
  let failure: unknown;

  const run = async (pair: LinkPair, own: AbortSignal): Promise<void> => {
    await ending.get(relayLeaseName(pair));
    if (!own.aborted) await runPairLease(dependencies, pair, own);
  };
  const start = (pair: LinkPair): Running => {
    const lifetime = linkSignal(all.signal);
    const done = run(pair, lifetime.signal).catch((error: unknown) => {
      failure ??= error;
      all.abort(error);
    });
    return { lifetime, done };
  };
  const stop = (name: string, { lifetime, done }: Running): void => {
    running.delete(name);
    lifetime.abort(new AerialError("internal.abort", "the links of a lease are gone"));
    lifetime[Symbol.dispose]();
    ending.set(name, done);
  };

  for await (const wanted of pairs.changes(all.signal)) {
    const named = new Map(wanted.map((pair) => [relayLeaseName(pair), pair]));
    for (const [name, one] of running) if (!named.has(name)) stop(name, one);
    for (const [name, pair] of named) if (!running.has(name)) running.set(name, start(pair));
  }
  await Promise.all([...[...running.values()].map(({ done }) => done), ...ending.values()]);
  if (failure !== undefined) throw failure;
}

async function runPairLease(dependencies: RelayLeasesDependencies, pair: LinkPair, signal: AbortSignal): Promise<void> {
  const { kube, clock, log, conditions, namespace, holder, onHolder } = dependencies;
  const [a, b] = pair;
  await runLease(
    {
      kube,
      clock,
      log,
      conditions,
      namespace,
      name: relayLeaseName(pair),
      holder,
      durationSeconds,
      renewMs,
      consequence: `which node relays between ${a} and ${b} is agreed on these links alone`,
      onHolder(current) {
        if (current === undefined) onHolder(pair, "unknown");
        else onHolder(pair, current === holder ? "ours" : "theirs");
      },
    },
    signal,
  );
}
