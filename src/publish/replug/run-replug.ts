/** Restarts containers whose radio came back as another device node: what they hold leads nowhere, and no open(2) will mend it. */
import { createBackoff } from "../../core/backoff.ts";
import type { Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, describeError, isAerialError } from "../../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../../core/first-of.ts";
import type { HandedContainer, HandedContainers } from "../../core/handed-container.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Log } from "../../core/log.ts";
import type { Snapshot } from "../../core/radio.ts";
import { deviceNumbers } from "../handover/radio-edits.ts";
import { type StaleRadio, staleRadios } from "./stale-radios.ts";

export interface ReplugDependencies {
  readonly snapshots: Watch<Snapshot>;
  readonly containers: HandedContainers;
  readonly policy: "restart" | "ignore";
  /** Resolves, with the snapshot they say, once the container runtime's files say what a container is to get now. */
  readonly written: (signal: AbortSignal) => Promise<Snapshot>;
  /** Who holds what, for words; may be behind. */
  readonly holders: Watch<readonly RadioHolder[]>;
  /** Told of each container that was ended, once for each radio that is the reason. */
  readonly restarted: (restart: ContainerRestart) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
}

export interface ContainerRestart {
  readonly podUid: string;
  readonly containerId: string;
  readonly radioId: string;
  /** Numbers of the device nodes that it had, and of those it gets; nothing when the radio is away. */
  readonly from: string;
  readonly to?: string;
  readonly holder?: RadioHolder;
}

/** After a change: a container may be on its way up with what the runtime had read before. */
const looksMs = [0, 2_000, 10_000, 30_000];
/** A scan and a few small files. */
const writtenMs = 20_000;
const staleCode = "handover.stale-device";
const failingCode = "handover.replug";
const mostRemembered = 4_096;

/**
 * Looks after each change of a radio's device nodes, and after the first whole scan, for what came back while aerial was away.
 * Whatever it cannot mend it says by the conditions `handover.stale-device` and `handover.replug`. Ends with the signal.
 */
export async function runReplug(dependencies: ReplugDependencies, signal: AbortSignal): Promise<void> {
  const { snapshots, clock, log, conditions } = dependencies;
  const look = createLook(dependencies);
  const backoff = createBackoff();
  let known: string | undefined;
  let due: readonly number[] = [];
  while (!signal.aborted) {
    const snapshot = snapshots.current;
    const nodes = snapshot.complete ? nodesOf(snapshot) : known;
    if (nodes !== known) {
      known = nodes;
      due = looksMs.map((milliseconds) => clock.now() + milliseconds);
    }
    if ((due[0] ?? Infinity) <= clock.now()) {
      due = due.filter((at) => at > clock.now());
      try {
        await look(signal);
        backoff.reset();
        conditions.clear(failingCode);
      } catch (error) {
        if (signal.aborted) break;
        log.debug({ err: describeError(error) }, "looking for stale containers failed");
        const advice = isAerialError(error) ? `; ${error.hint}` : "";
        const text = `Whether containers hold device nodes from before a replug cannot be told or mended: ${describeError(error)}${advice}.`;
        conditions.raise(failingCode, "warning", text);
        due = [clock.now() + backoff.next(), ...due].toSorted((left, right) => left - right);
      }
      continue;
    }
    const dueAt = due[0] ?? Infinity;
    await firstOf(signal, (wait) => [sleepUntil(clock, dueAt, wait), changeFrom(snapshots, snapshot, wait)]);
  }
}

/** Changes when a device node of a radio does. */
function nodesOf({ radios, others }: Snapshot): string {
  const present = [...radios.values()].filter(({ presence }) => presence === "present");
  const strangers = others.map(({ device }) => [device.sysPath, device.nodes.map(({ major, minor }) => `${major}:${minor}`)]);
  return JSON.stringify([present.map((radio) => [radio.id, deviceNumbers(radio)]), strangers]);
}

function createLook(dependencies: ReplugDependencies): (signal: AbortSignal) => Promise<void> {
  const { containers, policy, log, conditions, restarted, holders } = dependencies;
  /** Which containers were ended for which nodes. Where the next is no better, another restart would not mend it. */
  const ended = new Map<string, ReadonlySet<string>>();

  const restart = async (container: HandedContainer, stale: readonly StaleRadio[], signal: AbortSignal): Promise<void> => {
    const { podUid, containerId } = container;
    const facts = stale.map((radio): ContainerRestart => {
      const key = keyOf(container, radio);
      // What it was before may come again, and is another replug then: kernels use numbers anew.
      const ofAnyNode = `${podUid} ${radio.id} `;
      for (const other of ended.keys()) if (other !== key && other.startsWith(ofAnyNode)) ended.delete(other);
      ended.set(key, new Set(ended.get(key)).add(containerId));
      const holder = holders.current.find(({ radioId }) => radioId === radio.id);
      const to = radio.now !== undefined && { to: radio.now };
      return { podUid, containerId, radioId: radio.id, from: radio.device, ...to, ...(holder && { holder }) };
    });
    for (const key of ended.keys()) if (ended.size > mostRemembered) ended.delete(key);
    await containers.end(container, signal);
    for (const { holder, ...fact } of facts) {
      const pod = holder && { pod: `${holder.namespace}/${holder.pod}` };
      log.info({ ...fact, ...pod }, "container ended: its radio is another device node now");
      restarted({ ...fact, ...(holder && { holder }) });
    }
  };

  return async (signal) => {
    const snapshot = await inTime(dependencies, signal);
    const before = new Map(ended);
    const left: string[] = [];
    const ending: Promise<void>[] = [];
    for (const container of await containers.find(signal)) {
      const stale = staleRadios(container, snapshot);
      const isFirst = stale.some((radio) => before.get(keyOf(container, radio))?.has(container.containerId) ?? true);
      if (policy === "restart" && isFirst && stale.some(({ byCdi }) => byCdi)) ending.push(restart(container, stale, signal));
      else for (const radio of stale) left.push(describe(container, radio, dependencies));
    }
    if (left.length === 0) conditions.clear(staleCode);
    else conditions.raise(staleCode, "warning", `${sentences(left)} Delete the pod, so that it is made anew with what the radio is now.`);
    const results = await Promise.allSettled(ending);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };
}

/** What is written, unless that takes too long. */
async function inTime({ written, clock }: ReplugDependencies, signal: AbortSignal): Promise<Snapshot> {
  using deadline = linkSignal(signal);
  const late = clock.sleep(writtenMs, deadline.signal).then(() => {
    throw new AerialError("handover.cdi", "what radios are now is not written for the container runtime yet");
  });
  try {
    return await Promise.race([written(deadline.signal), late]);
  } finally {
    deadline.abort(new AerialError("internal.abort", "the wait is over"));
    await late.catch(() => {});
  }
}

function keyOf({ podUid }: HandedContainer, { id, now = "" }: StaleRadio): string {
  return `${podUid} ${id} ${now}`;
}

function describe({ podUid }: HandedContainer, { id, device, now, byCdi }: StaleRadio, { holders, policy }: ReplugDependencies): string {
  const holder = holders.current.find(({ radioId }) => radioId === id);
  const pod =
    holder === undefined
      ? `A container of the pod with uid ${podUid}`
      : `Container ${holder.container} of pod ${holder.namespace}/${holder.pod}`;
  const what = now === undefined ? "which is away, and another device has that number now" : `which is ${now} now`;
  const why = !byCdi
    ? "The kubelet repeats the old path with each restart."
    : policy === "ignore"
      ? "It is left as it is, as handover.onReplug says."
      : "A restart did not help.";
  return `${pod} still has the device ${device} of radio ${id}, ${what}. ${why}`;
}

/** The first few; the condition is for people. */
function sentences(all: readonly string[]): string {
  const shown = all.toSorted().slice(0, 3).join(" ");
  return all.length > 3 ? `${shown} So it is with ${all.length - 3} more.` : shown;
}
