/** One look at who holds a radio that is not here, and what is done about it. */
import type { Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { ClusterRadios } from "../../core/cluster-radio.ts";
import { AerialError, hasCode } from "../../core/errors.ts";
import type { RadioAssignment } from "../../core/handover.ts";
import { printable } from "../../core/printable.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { Kube } from "../../kube/kube.ts";
import { type AwayRadio, awayRadios, placesElsewhere } from "./away-radios.ts";
import { type Evictor, type Move, podName, podPath } from "./evict-pod.ts";
import type { Finding } from "./findings.ts";
import { type FollowRules, type PodJudgement, judgePod } from "./judge-pod.ts";
import { type FollowPod, parseFollowPod } from "./parse-pod.ts";
import type { SchedulerGate } from "./scheduler-gate.ts";

export interface LookDependencies {
  readonly snapshots: Watch<Snapshot>;
  /** Who holds radios of this node, as the kubelet says. */
  readonly holders: Watch<readonly RadioAssignment[]>;
  /** Who was allocated one that is not here. */
  readonly awaited: Watch<readonly RadioAssignment[]>;
  /** The radios of all nodes, a second or two old at most. */
  readonly radios: (signal: AbortSignal) => Promise<ClusterRadios>;
  readonly kube: Pick<Kube, "get">;
  readonly evictor: Evictor;
  readonly gate: SchedulerGate;
  readonly rules: FollowRules;
  /** Pods go also when their radio has been away for this long, wherever it is; 0 is never. */
  readonly absentMs: number;
  readonly clock: Clock;
}

export interface Look {
  readonly findings: readonly Finding[];
  /** When to look again although nothing has changed here; milliseconds since the epoch. */
  readonly wakeAt: number;
}

/** A radio that was pulled out is mostly plugged in again within the minute. */
const eagerMs = 60_000;
const eagerPauseMs = 2_000;
const patientPauseMs = 10_000;
/** Until the scheduler knows. */
const gatePauseMs = 1_000;
/** Nobody can follow yet, but an annotation may be added. */
const idlePauseMs = 60_000;

interface Movable {
  readonly pod: FollowPod;
  readonly judgement: PodJudgement;
  readonly away: readonly AwayRadio[];
}

/** Throws `kube.*` where pods or the radios of all nodes cannot be read. What stands in the way of one pod holds up no other. */
export async function lookForMoves(dependencies: LookDependencies, signal: AbortSignal): Promise<Look> {
  const { snapshots, holders, awaited, radios, evictor, gate, rules, clock } = dependencies;
  const away = awayRadios([...holders.current, ...awaited.current], snapshots.current);
  const movable = await readMovable(dependencies, away, signal);
  const uids = new Set(movable.map(({ pod }) => pod.uid));
  evictor.keep(uids);
  gate.keep(uids);
  if (movable.length === 0) return { findings: [], wakeAt: away.length === 0 ? Infinity : clock.now() + idlePauseMs };

  const isAsked = movable.some((one) => one.away.some(({ isSameElsewhere }) => isSameElsewhere));
  const places = isAsked ? placesElsewhere(await radios(signal), rules.node) : new Map<string, string>();
  const findings: Finding[] = [];
  let retryAt = Infinity;
  for (const { pod, judgement, away: held } of movable) {
    const move = held.map((radio) => toMove(dependencies, radio, places)).find((one) => one !== undefined);
    if (move === undefined) findings.push(...unrecognizable(dependencies, pod, held));
    else if (judgement === "lost") findings.push(lostFinding(pod, move, rules));
    else if (move.to !== undefined && !(await gate.isOpen({ uid: pod.uid, to: move.to, resources: ownResources(pod, rules) }, signal)))
      retryAt = clock.now() + gatePauseMs;
    else findings.push(...[await evictor.evict(pod, move, signal)].filter((finding) => finding !== undefined));
  }
  retryAt = Math.min(retryAt, evictor.keep(uids));
  const radioTimes = movable.flatMap((one) => one.away.map((radio) => nextLookAt(dependencies, radio)));
  return { findings, wakeAt: Math.min(retryAt, ...radioTimes) };
}

/** The pods that hold the radios, and may follow them. */
async function readMovable(
  { kube, rules }: LookDependencies,
  away: readonly AwayRadio[],
  signal: AbortSignal,
): Promise<readonly Movable[]> {
  const byPod = new Map<string, AwayRadio[]>();
  for (const radio of away) {
    for (const { namespace, pod } of radio.holders) {
      const path = podPath({ namespace, name: pod });
      const known = byPod.get(path) ?? [];
      if (!known.includes(radio)) byPod.set(path, [...known, radio]);
    }
  }
  const movable: Movable[] = [];
  for (const [path, radios] of byPod) {
    const pod = await readPod({ kube, path, prefix: rules.prefix }, signal);
    if (pod === undefined) continue;
    const held = radios.flatMap(({ holders }) => holders).filter((one) => one.namespace === pod.namespace && one.pod === pod.name);
    const judgement = judgePod(pod, held, rules);
    if (judgement !== "stay") movable.push({ pod, judgement, away: radios });
  }
  return movable;
}

interface PodRequest {
  readonly kube: Pick<Kube, "get">;
  readonly path: string;
  readonly prefix: string;
}

/** Undefined when it is gone. */
async function readPod({ kube, path, prefix }: PodRequest, signal: AbortSignal): Promise<FollowPod | undefined> {
  try {
    const pod = parseFollowPod(await kube.get(path, signal), prefix);
    if (pod !== undefined && podPath(pod) === path) return pod;
  } catch (error) {
    if (hasCode(error, "kube.not-found")) return undefined;
    throw error;
  }
  throw new AerialError("kube.protocol", `the API server sent something else in place of the pod at ${path}`);
}

function toMove({ absentMs, clock }: LookDependencies, radio: AwayRadio, places: ReadonlyMap<string, string>): Move | undefined {
  const to = radio.isSameElsewhere ? places.get(radio.id) : undefined;
  if (to !== undefined) return { radioId: radio.id, to };
  const isLongGone = absentMs > 0 && radio.since !== undefined && clock.now() - radio.since >= absentMs;
  return isLongGone ? { radioId: radio.id } : undefined;
}

function ownResources({ resources }: FollowPod, { prefix }: FollowRules): readonly string[] {
  return resources.filter((name) => name.startsWith(`${prefix}/`));
}

function nextLookAt({ absentMs, clock }: LookDependencies, { since, isSameElsewhere }: AwayRadio): number {
  const now = clock.now();
  const longGoneAt = absentMs > 0 && since !== undefined && since + absentMs > now ? since + absentMs : Infinity;
  const isEager = since !== undefined && now - since < eagerMs;
  const pauseMs = isSameElsewhere ? (isEager ? eagerPauseMs : patientPauseMs) : idlePauseMs;
  return Math.min(longGoneAt, now + pauseMs);
}

function lostFinding(pod: FollowPod, { radioId, to }: Move, { prefix }: FollowRules): Finding {
  const where = to === undefined ? "has been away for long" : `is on ${printable(to)} now`;
  const text =
    `The radio ${printable(radioId)} ${where}, and ${podName(pod)}, which holds it here, would not be started again by anybody: ` +
    `make it a Deployment, or give it the annotation ${prefix}/follow: "true" to have it evicted all the same.`;
  return { code: "follow.bare", severity: "warning", text };
}

function unrecognizable({ absentMs }: LookDependencies, pod: FollowPod, held: readonly AwayRadio[]): readonly Finding[] {
  if (absentMs > 0) return [];
  return held
    .filter(({ isSameElsewhere }) => !isSameElsewhere)
    .map(({ id }) => ({
      code: "follow.unrecognizable",
      severity: "info",
      text:
        `The radio ${printable(id)} is away, and without a serial number of its own it would not be recognized on another node, ` +
        `so ${podName(pod)} stays. With follow.absentSeconds it is evicted after that time.`,
    }));
}
