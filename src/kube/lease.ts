/**
 * Holding a Lease, or waiting for it: one holder among several candidates, whom the API server accepted last.
 *
 * As in client-go's leader election nobody's clock is trusted: a holder is gone when its Lease has not changed for the
 * duration it stated, counted from when we saw it change. Only the holder writes; the others watch.
 */
import { createBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { AerialError, hasCode, isAerialError } from "../core/errors.ts";
import { type LinkedSignal, linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import { type Countdown, openCountdown } from "./countdown.ts";
import type { Kube } from "./kube.ts";
import { type LeaseView, toLeaseView } from "./lease-object.ts";
import { type LeaseReport, createLeaseReport } from "./lease-report.ts";
import { type LeaseRequests, createLeaseRequests } from "./lease-requests.ts";

export interface LeaseDependencies {
  readonly kube: Pick<Kube, "get" | "create" | "replace" | "watch">;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: no two that run at once are the same. */
  readonly holder: string;
  /** For how long a renewal holds. */
  readonly durationSeconds: number;
  readonly renewMs: number;
  /** What follows while the holder is not known, in a sentence: told with the condition `lease.<name>.unknown`. */
  readonly consequence: string;
  /** Who holds it, with each change; undefined while that is not known, as at first. */
  readonly onHolder: (holder: string | undefined) => void;
}

/** Refusals do not pass by themselves. */
const refused = { firstMs: 2_000, limitMs: 60_000 };

/**
 * Tries to get the Lease and to keep it until aborted, then gives it back. When the API server does not answer, a holder
 * is told that nothing is known any more a quarter of `renewMs` before its time is up, and the others when it is up.
 */
export async function runLease(dependencies: LeaseDependencies, signal: AbortSignal): Promise<void> {
  using candidate = new Candidate(dependencies, signal);
  await candidate.run();
}

class Candidate implements Disposable {
  readonly #dependencies: LeaseDependencies;
  readonly #signal: AbortSignal;
  readonly #requests: LeaseRequests;
  readonly #report: LeaseReport;
  /** Runs out when the API server has not answered for too long. */
  readonly #knowledge: Countdown;
  /** Runs out when the holder has not written for almost as long as it said, and again when its time is up. */
  readonly #silence: Countdown;
  /** As last read; undefined when there was none. */
  #lease: LeaseView | "unread" | undefined = "unread";
  #written: string | undefined;
  /** `doubted`: it is late, and we ask whether the API server is there at all. `asked`: it is. */
  #belief: "fresh" | "doubted" | "asked" | "silent" = "fresh";
  /** While we could not ask, silence said nothing. */
  #outage = false;
  #held = false;
  #watching: LinkedSignal | undefined;

  constructor(dependencies: LeaseDependencies, signal: AbortSignal) {
    const { clock } = dependencies;
    this.#dependencies = dependencies;
    this.#signal = signal;
    this.#requests = createLeaseRequests(dependencies);
    this.#report = createLeaseReport(dependencies);
    this.#knowledge = openCountdown({ clock, ended: () => this.#report.lost() }, signal);
    const fallSilent = (): void => {
      this.#belief = this.#belief === "asked" ? "silent" : "doubted";
      this.#watching?.abort(new AerialError("internal.abort", "the holder is silent"));
    };
    this.#silence = openCountdown({ clock, ended: fallSilent }, signal);
  }

  async run(): Promise<void> {
    const { clock, renewMs } = this.#dependencies;
    const retry = createBackoff(renewMs / 4, renewMs);
    const patient = createBackoff(refused.firstMs, refused.limitMs);
    while (!this.#signal.aborted) {
      try {
        await this.#step();
        retry.reset();
        patient.reset();
      } catch (error) {
        if (this.#signal.aborted) break;
        if (!isAerialError(error)) throw error;
        const unreachable = hasCode(error, "kube.unreachable");
        // Overtaken: somebody else was quicker, or an edit came in between.
        const overtaken = hasCode(error, "kube.conflict");
        this.#lease = "unread";
        this.#outage ||= unreachable;
        if (!overtaken) this.#report.failed(error);
        await clock.sleep((overtaken || unreachable ? retry : patient).next(), this.#signal).catch(() => {});
      }
    }
    if (this.#held) await this.#requests.release();
    this.#report.end();
  }

  async #step(): Promise<void> {
    const lease = this.#lease;
    const askedAt = this.#dependencies.clock.now();
    if (lease === "unread") return this.#learn(await this.#requests.read(this.#signal), askedAt);
    if (lease !== undefined && !this.#isOurs(lease) && this.#belief !== "silent") return this.#follow(lease);
    return this.#hold(lease, askedAt);
  }

  /** Takes or renews it, and rests until it is to be renewed. */
  async #hold(lease: LeaseView | undefined, askedAt: number): Promise<void> {
    const { clock, log, name, holder, renewMs } = this.#dependencies;
    const before = lease?.holder;
    const held = await this.#requests.take(lease, this.#signal);
    this.#held = true;
    this.#learn(held, askedAt);
    this.#report.works();
    if (before !== holder) log.info({ lease: name, holder, before }, "lease taken");
    await clock.sleep(renewMs, this.#signal);
  }

  /** Reads of changes until it may be ours, or the stream ends. */
  async #follow(lease: LeaseView): Promise<void> {
    const { clock, renewMs } = this.#dependencies;
    using watching = linkSignal(this.#signal);
    this.#watching = watching;
    const openedAt = clock.now();
    this.#lease = "unread";
    try {
      const events = await this.#requests.watch(lease, watching.signal);
      this.#report.works();
      for await (const { type, object } of events) {
        if (type === "BOOKMARK") continue;
        const view = type === "DELETED" ? undefined : toLeaseView(object);
        this.#learn(view, clock.now());
        if (view === undefined || this.#isOurs(view)) return;
        this.#lease = "unread";
      }
    } catch (error) {
      if (!watching.signal.aborted || this.#signal.aborted) throw error;
      return;
    } finally {
      this.#watching = undefined;
    }
    const lastedMs = clock.now() - openedAt;
    if (lastedMs < renewMs) await clock.sleep(renewMs - Math.max(0, lastedMs), this.#signal);
  }

  #learn(view: LeaseView | undefined, askedAt: number): void {
    const { clock, durationSeconds, renewMs, holder } = this.#dependencies;
    const tookMs = Math.max(0, clock.now() - askedAt);
    const durationMs = durationSeconds * 1_000;
    this.#lease = view;
    // A holder must stop before another may start.
    const knownMs = view?.holder === holder ? durationMs - renewMs / 4 - tookMs : durationMs;
    this.#knowledge.set(Math.max(0, knownMs));
    this.#report.holder(view?.holder);
    const written = JSON.stringify(view?.spec);
    if (written !== this.#written || this.#outage) {
      // A holder that could not write either is given its time again.
      this.#written = written;
      this.#belief = "fresh";
      this.#silence.set(Math.max(0, (view?.durationMs ?? 0) - renewMs));
    } else if (this.#belief === "doubted") {
      this.#belief = "asked";
      this.#silence.set(renewMs);
    }
    this.#outage = false;
  }

  /** Whether we have it, or nobody. */
  #isOurs({ holder }: LeaseView): boolean {
    return holder === "" || holder === this.#dependencies.holder;
  }

  [Symbol.dispose](): void {
    this.#knowledge[Symbol.dispose]();
    this.#silence[Symbol.dispose]();
  }
}
