/** Asks the API server to evict a pod, and remembers for how long not to ask again. */
import { type Backoff, createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import { type AerialError, describeError, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { printable } from "../../core/printable.ts";
import type { Kube } from "../../kube/kube.ts";
import type { Finding } from "./findings.ts";
import type { FollowPod } from "./parse-pod.ts";

export interface EvictorDependencies {
  readonly kube: Pick<Kube, "create">;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each pod that is on its way. */
  readonly evicted: (pod: FollowPod, move: Move) => void;
}

/** Why it is to go: which radio, and where to if that is known. */
export interface Move {
  readonly radioId: string;
  readonly to?: string;
}

export interface Evictor {
  /** Gives what stands in the way, if anything does. */
  evict(pod: FollowPod, move: Move, signal: AbortSignal): Promise<Finding | undefined>;
  /** Forgets all pods but these, by uid; gives when the next of them is to be tried again, in milliseconds since the epoch. */
  keep(uids: ReadonlySet<string>): number;
}

interface Refused {
  readonly backoff: Backoff;
  readonly notBefore: number;
  readonly finding: Finding;
}

/** A pod that could not be evicted is asked for again after a second, then less and less often, down to once a minute. */
export function createEvictor(dependencies: EvictorDependencies): Evictor {
  const { kube, clock, log, evicted } = dependencies;
  const refused = new Map<string, Refused>();
  return {
    async evict(pod, move, signal) {
      const before = refused.get(pod.uid);
      if (before !== undefined && clock.now() < before.notBefore) return before.finding;
      try {
        await kube.create(`${podPath(pod)}/eviction`, toEviction(pod), signal);
      } catch (error) {
        signal.throwIfAborted();
        const finding = toFinding(error, pod, move);
        if (finding === undefined) {
          refused.delete(pod.uid);
          return undefined;
        }
        const backoff = before?.backoff ?? createBackoff();
        refused.set(pod.uid, { backoff, notBefore: clock.now() + backoff.next(), finding });
        if (before?.finding.text !== finding.text) log.warn({ ...named(pod, move), err: describeError(error) }, "pod not evicted");
        return finding;
      }
      refused.delete(pod.uid);
      log.info(named(pod, move), "pod evicted: its radio is elsewhere");
      evicted(pod, move);
      return undefined;
    },
    keep(uids) {
      for (const uid of refused.keys()) if (!uids.has(uid)) refused.delete(uid);
      const ahead = [...refused.values()].map(({ notBefore }) => notBefore).filter((at) => at > clock.now());
      return Math.min(Infinity, ...ahead);
    },
  };
}

export function podPath({ namespace, name }: Pick<FollowPod, "namespace" | "name">): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

/** As people and `kubectl` name it. */
export function podName({ namespace, name }: Pick<FollowPod, "namespace" | "name">): string {
  return printable(`${namespace}/${name}`);
}

/** policy/v1 Eviction. Not another pod that has taken the name since. */
function toEviction({ namespace, name, uid }: FollowPod): Readonly<Record<string, unknown>> {
  return { apiVersion: "policy/v1", kind: "Eviction", metadata: { namespace, name }, deleteOptions: { preconditions: { uid } } };
}

function toFinding(error: unknown, pod: FollowPod, move: Move): Finding | undefined {
  if (!isAerialError(error)) throw error;
  // It is gone, or has changed: the next look sees what is there instead.
  if (error.code === "kube.not-found" || error.code === "kube.conflict") return undefined;
  if (error.code === "kube.disruption-budget") {
    return { code: "follow.disruption-budget", severity: "warning", text: toBudgetText(error, pod, move) };
  }
  return error.code === "kube.forbidden" ? forbiddenFinding(error) : failingFinding(error);
}

function toBudgetText({ message, details }: AerialError, pod: FollowPod, { radioId, to }: Move): string {
  const said = details["said"];
  const where = to === undefined ? "" : ` to ${printable(to)}`;
  const why = typeof said === "string" ? said : message;
  return `${podName(pod)} does not follow the radio ${printable(radioId)}${where} yet: ${why}. aerial asks again until the budget allows it.`;
}

export function forbiddenFinding(error: AerialError): Finding {
  const text = `Pods do not follow their radio: ${describeError(error)}; apply daemonset/components/follow, and follow-all where follow.evict is all.`;
  return { code: "follow.forbidden", severity: "warning", text };
}

export function failingFinding(error: AerialError): Finding {
  return { code: "follow.failing", severity: "warning", text: `Pods do not follow their radio: ${describeError(error)}; ${error.hint}.` };
}

function named({ namespace, name }: FollowPod, { radioId, to }: Move): object {
  return { namespace, pod: name, radio: radioId, ...(to !== undefined && { to }) };
}
