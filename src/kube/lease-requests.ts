/** What is asked of the API server about one Lease. */
import { describeError, hasCode } from "../core/errors.ts";
import { openDeadline } from "./deadline.ts";
import type { LeaseDependencies } from "./lease.ts";
import { type LeaseView, newLease, releasedLease, takenLease, toLeaseView } from "./lease-object.ts";
import type { WatchEvent } from "./watch.ts";

/** All throw `kube.*`. */
export interface LeaseRequests {
  /** Undefined when there is none. */
  read(signal: AbortSignal): Promise<LeaseView | undefined>;
  /** Throws `kube.conflict` when it is no longer as it was read. */
  take(lease: LeaseView | undefined, signal: AbortSignal): Promise<LeaseView>;
  /** Changes since it was read. */
  watch(lease: LeaseView, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>;
  /** Gives it up if it is ours; does what it can, and never throws. */
  release(): Promise<void>;
}

/** A part that closes has 3 s. */
const releaseMs = 2_000;

export function createLeaseRequests(
  dependencies: Pick<LeaseDependencies, "kube" | "clock" | "log" | "namespace" | "name" | "holder" | "durationSeconds" | "renewMs">,
): LeaseRequests {
  const { kube, clock, log, namespace, name, holder, durationSeconds, renewMs } = dependencies;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(name)}`;

  /** A holder must know in time that it could not renew. */
  const within = async <T>(milliseconds: number, ask: (signal: AbortSignal) => Promise<T>, outer: AbortSignal): Promise<T> => {
    using deadline = openDeadline({ clock, milliseconds, asked: { method: "a request for", path } }, outer);
    try {
      return await ask(deadline.signal);
    } catch (error) {
      deadline.signal.throwIfAborted();
      throw error;
    }
  };
  const read = async (signal: AbortSignal): Promise<LeaseView | undefined> => {
    try {
      return toLeaseView(await kube.get(path, signal));
    } catch (error) {
      if (hasCode(error, "kube.not-found")) return undefined;
      throw error;
    }
  };

  return {
    read: (signal) => within(renewMs, read, signal),
    async take(lease, signal) {
      const term = { holder, durationSeconds, at: clock.now() };
      const put = (inner: AbortSignal): ReturnType<typeof kube.get> =>
        lease === undefined
          ? kube.create(collection, newLease({ name, namespace }, term), inner)
          : kube.replace(path, takenLease(lease, term), inner);
      return toLeaseView(await within(renewMs, put, signal));
    },
    watch: ({ version }, signal) => kube.watch(collection, { fieldSelector: `metadata.name=${name}`, resourceVersion: version }, signal),
    async release() {
      const giveUp = async (inner: AbortSignal): Promise<void> => {
        const lease = await read(inner);
        if (lease?.holder !== holder) return;
        await kube.replace(path, releasedLease(lease, clock.now()), inner);
        log.info({ lease: name }, "lease released");
      };
      await within(releaseMs, giveUp, new AbortController().signal).catch((error: unknown) => {
        log.warn({ lease: name, err: describeError(error) }, "lease not released: others wait until it runs out");
      });
    },
  };
}
