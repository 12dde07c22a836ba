/**
 * Keeps a pod until the scheduler can know that its radio has moved. The scheduler goes by what each kubelet writes on its
 * Node, every ten seconds (nodeStatusUpdateFrequency): before that it would send the next pod to where the radio was, the
 * kubelet there would not admit it, and its controller would make another, many a second.
 */
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { isAerialError } from "../../core/errors.ts";
import type { Kube } from "../../kube/kube.ts";

export interface SchedulerGateDependencies {
  readonly kube: Pick<Kube, "get">;
  readonly clock: Clock;
  /** This node's name. */
  readonly node: string;
  /** How many radios of an extended resource are plugged in here. */
  readonly offered: (resource: string) => number;
}

interface GatedMove {
  /** The pod's. */
  readonly uid: string;
  /** The node that its radio is on. */
  readonly to: string;
  /** The extended resources that it asks for; none where it has its radio by a claim. */
  readonly resources: readonly string[];
}

export interface SchedulerGate {
  /** Whether it can go. Where nobody can say, and after half a minute at most, it can. */
  isOpen(move: GatedMove, signal: AbortSignal): Promise<boolean>;
  /** Forgets all pods but these, by uid. */
  keep(uids: ReadonlySet<string>): void;
}

/** Three times what a kubelet takes to say it. */
const patienceMs = 30_000;
/** ResourceSlices are written by the nodes' aerials themselves, as soon as they know. */
const slicesMs = 1_500;

export function createSchedulerGate(dependencies: SchedulerGateDependencies): SchedulerGate {
  const { clock, node, offered } = dependencies;
  const waiting = new Map<string, number>();
  return {
    async isOpen({ uid, to, resources }, signal) {
      const since = waiting.get(uid) ?? clock.now();
      waiting.set(uid, since);
      const waitedMs = clock.now() - since;
      if (resources.length === 0) return waitedMs >= slicesMs;
      if (waitedMs >= patienceMs) return true;
      const here = await readAllocatable(dependencies, node, signal);
      if (here !== undefined && resources.some((resource) => (here.get(resource) ?? 0) > offered(resource))) return false;
      const there = await readAllocatable(dependencies, to, signal);
      return there === undefined || resources.every((resource) => (there.get(resource) ?? 0) > 0);
    },
    keep(uids) {
      for (const uid of waiting.keys()) if (!uids.has(uid)) waiting.delete(uid);
    },
  };
}

const shape = z.looseObject({
  status: z.looseObject({ allocatable: z.record(z.string(), z.union([z.string(), z.number()])) }),
});

/** By resource; those that are no whole numbers are left out. Undefined where the Node cannot be read. */
async function readAllocatable(
  { kube }: SchedulerGateDependencies,
  node: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const parsed = shape.safeParse(await kube.get(`/api/v1/nodes/${encodeURIComponent(node)}`, signal));
    if (!parsed.success) return undefined;
    const counts = Object.entries(parsed.data.status.allocatable).map(([name, count]) => [name, Number(count)] as const);
    return new Map(counts.filter(([, count]) => Number.isSafeInteger(count)));
  } catch (error) {
    signal.throwIfAborted();
    if (isAerialError(error)) return undefined;
    throw error;
  }
}
