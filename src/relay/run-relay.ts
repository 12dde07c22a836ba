/** The relay as the daemon holds it: a thread of its own, started again should it ever end. */
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";
import { createBackoff } from "../core/backoff.ts";
import { Cell, type Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { AerialError, describeError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import type { RelayPairStatus, RelayStatus, RelayTrace, SeenService } from "../core/relay.ts";
import { openWake, type Wake } from "../host/wake.ts";
import type { FromRelay, LeaseState, ToRelay } from "./relay-messages.ts";
import type { RelayOptions } from "./relay-options.ts";
import { createTraceFeed } from "./trace-feed.ts";

export interface RelayDependencies {
  readonly options: RelayOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** Whether anybody reads `services`; else nothing is noted of them. */
  readonly notesServices: boolean;
}

export interface Relay {
  /** Runs until the signal aborts. Rejects where this platform has no sockets for it (`relay.socket`). */
  run(signal: AbortSignal): Promise<void>;
  /** Throws `relay.away` while the thread is not up. */
  status(): Promise<RelayStatus>;
  readonly services: Watch<readonly SeenService[]>;
  /** The pairs of links, and who relays each. */
  readonly pairs: Watch<readonly RelayPairStatus[]>;
  /** Those pairs alone; changes only when a pair comes or goes. */
  readonly linkPairs: Watch<readonly (readonly [string, string])[]>;
  /** Every packet from now on, and what becomes of it, until the signal aborts. */
  trace(signal: AbortSignal): AsyncIterable<RelayTrace | { readonly lost: number }>;
  /** New links, protocols or rules, without losing a packet of what stays. */
  configure(options: RelayOptions): void;
  /** DNS-SD types to ask the links for, so that `services` has them although nobody announces them just now. */
  want(services: readonly string[]): void;
  /** What the Lease says of a pair. */
  setLease(links: readonly [string, string], state: LeaseState): void;
}

const statusDeadlineMs = 5_000;
/** The source runs as it is, the build as JavaScript; either way both files lie beside each other. */
const fromSource = import.meta.url.endsWith(".ts");
const workerUrl = fromSource ? new URL("./relay-worker.ts", import.meta.url) : new URL("./relay-worker.js", import.meta.url);

/** A relay that does nothing until `run`. */
export function createRelay(dependencies: RelayDependencies): Relay {
  const { clock, log, conditions, notesServices } = dependencies;
  let { options } = dependencies;
  const services = new Cell<readonly SeenService[]>([]);
  const pairs = new Cell<readonly RelayPairStatus[]>([]);
  const leases = new Map<string, Extract<ToRelay, { type: "lease" }>>();
  const asked = new Map<number, (status: RelayStatus) => void>();
  const feed = createTraceFeed((on) => thread?.tell({ type: "trace", on }));
  const linkPairs = new Cell<readonly (readonly [string, string])[]>([]);
  let thread: RelayThread | undefined;
  let lastRequest = 0;
  let wanted: readonly string[] = [];

  /** Each once, though its families may differ. */
  const setLinkPairs = (links: readonly (readonly [string, string])[]): void => {
    const each = [...new Map(links.map((pair) => [pair.join("\0"), pair])).values()];
    if (!isDeepStrictEqual(each, linkPairs.current)) linkPairs.set(each);
  };

  const hear = (message: FromRelay, held: Set<string>): void => {
    switch (message.type) {
      case "condition":
        held.add(message.code);
        return conditions.raise(message.code, message.severity, message.text);
      case "clear":
        held.delete(message.code);
        return conditions.clear(message.code);
      case "status":
        asked.get(message.request)?.(message.status);
        return void asked.delete(message.request);
      case "pairs":
        pairs.set(message.pairs);
        return setLinkPairs(message.pairs.map(({ links }) => links));
      case "services":
        return services.set(message.services);
      case "trace":
        return feed.give(message.lines, message.lost);
      case "log":
        return log.info(message.data, message.message);
      case "stopped":
        return;
    }
  };

  /** One life of the thread. Resolves when it has stopped because it was told to; rejects when it failed. */
  const live = async (signal: AbortSignal): Promise<void> => {
    using wake = await openWake();
    const held = new Set<string>();
    const worker = new Worker(workerUrl, {
      workerData: { options, wake: wake.descriptor, notesServices },
      env: {},
      execArgv: ["--conditions=source"],
      // Its sockets are made by the C library, which Node does not know of.
      trackUnmanagedFds: false,
    });
    const life = createThread(worker, wake);
    worker.on("message", (message: FromRelay) => hear(message, held));
    for (const lease of leases.values()) life.tell(lease);
    life.tell({ type: "want", services: wanted });
    life.tell({ type: "trace", on: feed.followed });
    thread = life;
    const stop = (): void => life.tell({ type: "stop" });
    signal.addEventListener("abort", stop, { once: true });
    // A process that ends for another reason waits for its threads, and this one sleeps in the kernel.
    process.once("exit", stop);
    if (signal.aborted) stop();
    try {
      await life.ended;
    } finally {
      signal.removeEventListener("abort", stop);
      process.off("exit", stop);
      thread = undefined;
      for (const code of held) conditions.clear(code);
    }
  };

  return {
    services,
    pairs,
    linkPairs,
    async run(signal) {
      const backoff = createBackoff();
      while (!signal.aborted) {
        try {
          await live(signal);
        } catch (error) {
          if (signal.aborted) return;
          const text = `The relay stopped: ${describeError(error)}. Nothing crosses the links until it runs again; aerial keeps trying.`;
          conditions.raise("relay.failed", "error", text);
          log.error({ err: describeError(error) }, "the relay's thread failed");
          await clock.sleep(backoff.next(), signal).catch(() => {});
          conditions.clear("relay.failed");
        }
      }
    },
    async status() {
      if (thread === undefined) throw new AerialError("relay.away", "the relay is not running just now");
      const request = (lastRequest += 1);
      const answer = new Promise<RelayStatus>((resolve) => void asked.set(request, resolve));
      thread.tell({ type: "status", request });
      using timer = linkSignal(new AbortController().signal);
      const late = clock.sleep(statusDeadlineMs, timer.signal).then(() => {
        throw new AerialError("relay.away", `the relay did not answer within ${statusDeadlineMs} ms`);
      });
      late.catch(() => {});
      try {
        return await Promise.race([answer, late]);
      } finally {
        asked.delete(request);
        timer.abort(new AerialError("internal.abort", "answered"));
      }
    },
    trace: (signal) => feed.follow(signal),
    configure(next) {
      options = next;
      thread?.tell({ type: "options", options });
    },
    want(next) {
      wanted = next;
      thread?.tell({ type: "want", services: wanted });
    },
    setLease(links, state) {
      const message = { type: "lease", links, state } as const;
      leases.set(links.join("\0"), message);
      thread?.tell(message);
    },
  };
}

interface RelayThread {
  tell(message: ToRelay): void;
  readonly ended: Promise<void>;
}

function createThread(worker: Worker, wake: Wake): RelayThread {
  let stopped = false;
  const ended = new Promise<void>((resolve, reject) => {
    let failure: unknown;
    worker.on("message", (message: FromRelay) => {
      if (message.type === "stopped") stopped = true;
    });
    worker.on("error", (error) => {
      failure = error;
    });
    worker.on("exit", (code) => {
      if (stopped && failure === undefined) resolve();
      else reject(new AerialError("relay.away", `its thread ended with code ${code}`, failure === undefined ? {} : { cause: failure }));
    });
  });
  return {
    ended,
    tell(message) {
      worker.postMessage(message, []);
      // It sleeps in the kernel, where no message reaches it.
      wake.wake();
    },
  };
}
