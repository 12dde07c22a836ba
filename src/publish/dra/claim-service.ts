/** What the kubelet is answered when a pod with a claim comes or goes. */
import type { Clock } from "../../core/clock.ts";
import { AerialError, describeError, hasCode, isAerialError } from "../../core/errors.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Log } from "../../core/log.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { orAborted } from "../../kube/deadline.ts";
import type { Kube } from "../../kube/kube.ts";
import type { NamedClaim, PrepareOutcome } from "../../kubelet/dra-messages.ts";
import type { AwaitedClaims } from "./awaited-claims.ts";
import type { ClaimBook, PreparedClaim } from "./claim-book.ts";
import { type ClaimView, toClaimView } from "./claim-view.ts";
import { awaitedRadio, type ClaimFacts, isForNow, planClaim } from "./plan-claim.ts";

export interface ClaimServiceDependencies {
  readonly kube: Pick<Kube, "get">;
  readonly book: ClaimBook;
  readonly awaited: AwaitedClaims;
  /** The Node's name in the cluster. */
  readonly node: string;
  /** The driver's name. */
  readonly domain: string;
  /** Radios that can be handed over, by their group. */
  readonly groups: (radios: Iterable<Radio>) => ReadonlyMap<string, readonly Radio[]>;
  /** What a radio is called in the container runtime's files. */
  readonly cdiName: (radioId: string, ordinal: number) => string;
  /** Looks at the machine once more, and has the container runtime's files say what was found. */
  readonly refresh: (signal: AbortSignal) => Promise<Snapshot>;
  /** Who has radios, as the kubelet tells. */
  readonly holders: () => readonly RadioHolder[];
  /** Whether the device plugin gave a radio away, and the kubelet has not told of it yet. */
  readonly isGiven: (radioId: string) => boolean;
  /** Is told after each claim that came or went. */
  readonly handed: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ClaimService {
  /** An outcome for each claim, by uid; never rejects. */
  prepare(claims: readonly NamedClaim[], signal: AbortSignal): Promise<ReadonlyMap<string, PrepareOutcome>>;
  /** An error for each claim, by uid, empty where it is given back; never rejects. */
  unprepare(claims: readonly NamedClaim[]): Promise<ReadonlyMap<string, string>>;
  /** Claims that the API server no longer knows, by uid, or that were allocated anew. Leaves out what it cannot tell. */
  findGone(signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** The kubelet waits for 45 s (defaultClientCallTimeout in pkg/kubelet/cm/dra/plugin/dra_plugin.go), and is to hear our words. */
const prepareMs = 30_000;
/**
 * What is in use or unplugged is waited for so long: having been refused, the kubelet tries again with the pod's next sync only,
 * a minute or more later (SyncPod in pkg/kubelet/kuberuntime/kuberuntime_manager.go takes it for no failure). No longer, since a
 * pod that is deleted meanwhile is not ended before the answer. The kubelet's word on who has what is ten seconds old at most.
 */
const waitMs = 12_000;
const retryMs = 1_000;

/** Of a namespace or a claim (RFC 1123). */
const objectName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export function createClaimService(dependencies: ClaimServiceDependencies): ClaimService {
  const { kube, book, awaited, handed, clock, log } = dependencies;
  const read = async ({ namespace, name }: Pick<NamedClaim, "namespace" | "name">, signal: AbortSignal): Promise<ClaimView> =>
    toClaimView(await kube.get(claimPath(namespace, name), signal));

  /** Who the other prepared claims are for by now: a pod that comes later for one of them is no reason for the kubelet to tell us. */
  const readConsumers = async (asked: NamedClaim, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> => {
    const others = [...book.claims.values()].filter(({ uid }) => uid !== asked.uid);
    const views = await Promise.all(others.map((other) => read(other, signal).catch(() => undefined)));
    return new Map(views.flatMap((view) => (view === undefined ? [] : [[view.uid, view.consumers] as const])));
  };

  const planOrAwait = ({ namespace, name, uid }: NamedClaim, claim: ClaimView, facts: ClaimFacts): PreparedClaim => {
    const asked = { namespace, name, uid };
    try {
      return planClaim(asked, claim, facts);
    } catch (error) {
      const radioId = awaitedRadio(error);
      if (radioId !== undefined) awaited.put(asked, { radioId, pods: claim.pods });
      throw error;
    }
  };

  const tryPrepare = async (asked: NamedClaim, signal: AbortSignal): Promise<PreparedClaim> => {
    if (![asked.namespace, asked.name].every((name) => objectName.test(name))) {
      throw new AerialError("handover.unavailable", "the kubelet named a claim that there cannot be");
    }
    const looked = orAborted(dependencies.refresh(signal), signal);
    const [snapshot, claim, consumers] = await Promise.all([looked, read(asked, signal), readConsumers(asked, signal)]);
    signal.throwIfAborted();
    // From looking who has the radio until it is claimed nobody else gets a word in.
    const prepared = Array.from(book.claims.values(), (other) => ({ ...other, consumers: consumers.get(other.uid) ?? other.consumers }));
    const planned = planOrAwait(asked, claim, { ...factsOf(snapshot, asked, dependencies), prepared });
    awaited.drop(asked.uid);
    await book.put(planned);
    return planned;
  };

  const prepareOne = async (asked: NamedClaim, signal: AbortSignal): Promise<PrepareOutcome> => {
    const claim = `${asked.namespace}/${asked.name}`;
    const until = clock.now() + waitMs;
    for (;;) {
      try {
        const planned = await tryPrepare(asked, signal);
        log.info({ claim, radios: planned.devices.map(({ radioId }) => radioId) }, "claim prepared");
        return { devices: toDevices(planned, dependencies), error: "" };
      } catch (error) {
        if (!signal.aborted && isForNow(error) && clock.now() < until) {
          await clock.sleep(retryMs, signal).catch(() => {});
          continue;
        }
        const reason: unknown = signal.aborted ? signal.reason : error;
        log.info({ claim, err: describeError(reason) }, "claim not prepared");
        return { devices: [], error: sentenceOf(reason) };
      }
    }
  };

  return {
    async prepare(claims, outer) {
      using deadline = openPatience(clock, outer);
      const outcomes = claims.map(async (claim) => [claim.uid, await prepareOne(claim, deadline.signal)] as const);
      const all = new Map(await Promise.all(outcomes));
      handed();
      return all;
    },
    async unprepare(claims) {
      const errors = claims.map(async ({ uid, namespace, name }) => {
        const wasKnown = book.claims.has(uid);
        awaited.drop(uid);
        try {
          await book.drop(uid);
          if (wasKnown) log.info({ claim: `${namespace}/${name}` }, "claim given back");
          return [uid, ""] as const;
        } catch (error) {
          return [uid, sentenceOf(error)] as const;
        }
      });
      const all = new Map(await Promise.all(errors));
      handed();
      return all;
    },
    async findGone(signal) {
      const gone = new Set<string>();
      for (const claim of book.claims.values()) {
        try {
          const now = await read(claim, signal);
          if (now.uid !== claim.uid || !hasAny(now, claim, dependencies)) gone.add(claim.uid);
        } catch (error) {
          signal.throwIfAborted();
          if (hasCode(error, "kube.not-found")) gone.add(claim.uid);
        }
      }
      return gone;
    },
  };
}

/** Whether the claim is still allocated one of the radios that it was prepared with, and here. */
function hasAny(
  { allocated = [] }: ClaimView,
  { devices }: PreparedClaim,
  { domain, node }: Pick<ClaimServiceDependencies, "domain" | "node">,
): boolean {
  return allocated.some(({ driver, pool, device }) => driver === domain && pool === node && devices.some((own) => own.device === device));
}

function factsOf(snapshot: Snapshot, asked: NamedClaim, dependencies: ClaimServiceDependencies): Omit<ClaimFacts, "prepared"> {
  const { book, node, domain, groups, holders, isGiven } = dependencies;
  return {
    driver: domain,
    node,
    radios: snapshot.radios,
    groups: groups(snapshot.radios.values()),
    holderOf: (radioId) => book.holderOf(radioId),
    takenBy(radioId) {
      const holder = holders().find(
        (each) =>
          each.radioId === radioId &&
          (each.way === "device-plugin" ||
            // Only while our own word on it is lost.
            (book.isLost && !(each.namespace === asked.namespace && each.request === asked.name))),
      );
      if (holder !== undefined) return `is held by the pod ${holder.namespace}/${holder.pod}, which was given it as ${holder.request}`;
      return isGiven(radioId) ? "was given to another pod, and the kubelet does not say yet who has it" : undefined;
    },
  };
}

function toDevices({ devices }: PreparedClaim, { node, cdiName }: ClaimServiceDependencies): PrepareOutcome["devices"] {
  return devices.map(({ request, device, radioId, ordinal, shareId }) => ({
    requestNames: [request],
    poolName: node,
    deviceName: device,
    cdiDeviceIds: [cdiName(radioId, ordinal)],
    ...(shareId === undefined ? {} : { shareId }),
  }));
}

function claimPath(namespace: string, name: string): string {
  return `/apis/resource.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/resourceclaims/${encodeURIComponent(name)}`;
}

function sentenceOf(error: unknown): string {
  const said = describeError(error);
  return (isAerialError(error) && error.code !== "handover.unavailable" ? `${said}; ${error.hint}` : said).toWellFormed();
}

function openPatience(clock: Clock, outer: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const patience = linkSignal(outer);
  const late = new AerialError("handover.unavailable", `looking for the radio and its claim took longer than ${prepareMs / 1_000} s`);
  const done = linkSignal(outer);
  void clock.sleep(prepareMs, done.signal).then(
    () => patience.abort(late),
    () => {},
  );
  return {
    signal: patience.signal,
    [Symbol.dispose]() {
      done.abort(undefined);
      done[Symbol.dispose]();
      patience[Symbol.dispose]();
    },
  };
}
