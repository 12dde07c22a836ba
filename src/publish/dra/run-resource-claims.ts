/** Radios for ResourceClaims: the DRA driver (kubernetes/enhancements, KEP-4381). */
import { join } from "node:path";
import { createBackoff } from "../../core/backoff.ts";
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, describeError, isAerialError } from "../../core/errors.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Log } from "../../core/log.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { Kube } from "../../kube/kube.ts";
import { openClaimFile } from "../../kubelet/claim-file.ts";
import { runDraSockets } from "../../kubelet/run-dra-sockets.ts";
import type { OutputCounters } from "../run-output.ts";
import { type ClaimBook, openClaimBook } from "./claim-book.ts";
import { type ClaimService, type ClaimServiceDependencies, createClaimService } from "./claim-service.ts";
import { deviceHealth } from "./device-health.ts";
import { findObstacle } from "./find-obstacle.ts";
import { runSlices } from "./run-slices.ts";

export interface ResourceClaimsDependencies extends Pick<
  ClaimServiceDependencies,
  "node" | "domain" | "groups" | "cdiName" | "refresh" | "handed" | "awaited"
> {
  readonly kube: Pick<Kube, "get" | "list" | "create" | "replace" | "remove" | "watch">;
  /** `true` makes what is in the way a condition; `auto` says it in the log. */
  readonly enabled: true | "auto";
  /** `/var/lib/kubelet`; the same path for us and for the kubelet. */
  readonly kubelet: string;
  /** aerial's own, which outlives it. */
  readonly stateDirectory: string;
  readonly snapshots: Watch<Snapshot>;
  /** Who has radios, as the kubelet tells. */
  readonly holders: Watch<readonly RadioHolder[]>;
  /** Radios that the device plugin gave away, and the kubelet has not told of yet. */
  readonly given: Watch<ReadonlySet<string>>;
  /** Radios that a claim has go here. */
  readonly claimed: Cell<ReadonlySet<string>>;
  /** How long an unplugged radio stays listed. */
  readonly graceMs: number;
  /** After how long an absent radio's pods are evicted (`NoExecute`), without asking their PodDisruptionBudgets; never unless given. */
  readonly evictAfterMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly counters?: Cell<OutputCounters>;
}

const fileName = "resource-claims.json";
/** Resource/v1: DriverNameMaxLength. */
const longestDriver = 63;
/** Clusters are upgraded, and rights are given. */
const obstacleMs = 300_000;
/** The kubelet's inotify takes a second at most. */
const registrationMs = 60_000;
const findGoneMs = 300_000;

const offCode = "resource-claims.off";
const unregisteredCode = "resource-claims.unregistered";

/**
 * Offers the radios wherever there is a kubelet and resource.k8s.io/v1, until aborted; waits for them where there is not.
 * Nothing is withdrawn at the end: a kubelet that has not heard of its driver for 30 s removes the slices by itself.
 */
export async function runResourceClaims(dependencies: ResourceClaimsDependencies, signal: AbortSignal): Promise<void> {
  const { domain, conditions, claimed } = dependencies;
  if (domain.length > longestDriver) {
    const text = `Radios are not offered to ResourceClaims: ${domain} is longer than ${longestDriver} characters, and would be the driver's name.`;
    conditions.raise(offCode, "error", text);
    return;
  }
  const book = await openBook(dependencies, signal);
  if (book === undefined) return;
  using all = linkSignal(signal);
  try {
    await Promise.all([follow(book.claimed, (radios) => claimed.set(radios), all.signal), offer({ ...dependencies, book }, all.signal)]);
  } finally {
    all.abort(new AerialError("internal.abort", "resource claims are stopping"));
  }
}

/** Undefined when aborted. */
async function openBook(dependencies: ResourceClaimsDependencies, signal: AbortSignal): Promise<ClaimBook | undefined> {
  const { stateDirectory, conditions, log, clock } = dependencies;
  const file = openClaimFile(join(stateDirectory, fileName));
  const backoff = createBackoff();
  while (!signal.aborted) {
    try {
      const book = await openClaimBook({ file, conditions, log });
      conditions.clear(offCode);
      return book;
    } catch (error) {
      conditions.raise(offCode, "error", `Radios are not offered to ResourceClaims: ${wordsOf(error)}`);
      await clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }
  return undefined;
}

interface Offering extends ResourceClaimsDependencies {
  readonly book: ClaimBook;
}

async function offer(offering: Offering, signal: AbortSignal): Promise<void> {
  const { book, snapshots, groups, node, holders, given } = offering;
  // What was given away must be taken back, whoever can be asked now.
  if (book.claims.size === 0) await awaitUnobstructed(offering, signal);
  if (signal.aborted) return;
  const service = createClaimService({ ...offering, holders: () => holders.current, isGiven: (id) => given.current.has(id) });
  const health = new Cell(deviceHealth(snapshots.current, groups(snapshots.current.radios.values()), node));
  const handed = (): ReadonlyMap<string, string | undefined> => handedOf(holders.current, snapshots.current, given.current);
  await Promise.all([
    runSlices(
      {
        ...offering,
        handed,
        claimed: () => book.claimed.current,
        inputs: [holders, given, book.claimed],
      },
      signal,
    ),
    follow(
      snapshots,
      (snapshot) => {
        const next = deviceHealth(snapshot, groups(snapshot.radios.values()), node);
        if (JSON.stringify(next) !== JSON.stringify(health.current)) health.set(next);
      },
      signal,
    ),
    runSockets({ ...offering, service, health }, signal),
    forgetGone({ ...offering, service }, signal),
  ]);
}

/** Says once what is in the way, and looks again now and then. */
async function awaitUnobstructed(dependencies: ResourceClaimsDependencies, signal: AbortSignal): Promise<void> {
  const { enabled, conditions, log, clock } = dependencies;
  const backoff = createBackoff();
  let said: string | undefined;
  while (!signal.aborted) {
    let pauseMs = obstacleMs;
    let obstacle: string | undefined;
    try {
      obstacle = await findObstacle(dependencies, signal);
      if (obstacle === undefined) break;
    } catch (error) {
      if (signal.aborted) return;
      obstacle = wordsOf(error);
      pauseMs = backoff.next();
    }
    if (obstacle !== said) {
      if (enabled === true) conditions.raise(offCode, "warning", `Radios are not offered to ResourceClaims. ${obstacle}`);
      else log.info({ why: obstacle }, "radios are not offered to resource claims");
      said = obstacle;
    }
    await clock.sleep(pauseMs, signal).catch(() => {});
  }
  conditions.clear(offCode);
  if (!signal.aborted) log.info({ driver: dependencies.domain }, "radios are offered to resource claims");
}

interface Served extends Offering {
  readonly service: ClaimService;
}

async function runSockets(
  { service, health, kubelet, domain, conditions, clock, log }: Served & { readonly health: Parameters<typeof runDraSockets>[0]["health"] },
  signal: AbortSignal,
): Promise<void> {
  using waiting = linkSignal(signal);
  const raise = (problem: string): void =>
    conditions.raise(unregisteredCode, "warning", `The kubelet does not know that radios are offered to ResourceClaims: ${problem}.`);
  void clock.sleep(registrationMs, waiting.signal).then(
    () => raise(`it has not asked at ${join(kubelet, "plugins_registry")}`),
    () => {},
  );
  const report = (problem: string | undefined): void => {
    waiting.abort(undefined);
    if (problem === undefined) conditions.clear(unregisteredCode);
    else raise(problem);
  };
  try {
    await runDraSockets(
      {
        kubelet,
        driver: domain,
        prepare: (claims, stop) => service.prepare(claims, stop),
        unprepare: (claims) => service.unprepare(claims),
        health,
        report,
        clock,
        log,
      },
      signal,
    );
  } finally {
    waiting.abort(undefined);
  }
}

/**
 * Gives back what belongs to claims that are gone although the kubelet never said so: it was reset, or aerial was away for
 * longer than it tries. While aerial runs they must be gone for two looks, since a pod that was deleted by force still ends.
 */
async function forgetGone({ service, book, awaited, clock, log }: Served, signal: AbortSignal): Promise<void> {
  let before: ReadonlySet<string> = new Set(book.claims.keys());
  while (!signal.aborted) {
    try {
      const gone = book.claims.size === 0 ? new Set<string>() : await service.findGone(signal);
      for (const uid of gone) {
        if (!before.has(uid)) continue;
        log.info({ claim: book.claims.get(uid)?.name }, "claim is gone: its radios are free");
        await book.drop(uid);
      }
      before = gone;
      awaited.sweep();
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: describeError(error) }, "claims that are gone not given back");
    }
    await clock.sleep(findGoneMs, signal).catch(() => {});
  }
}

/** Radios that the device plugin gave away, and since when. */
function handedOf(
  holders: readonly RadioHolder[],
  { radios }: Snapshot,
  given: ReadonlySet<string>,
): ReadonlyMap<string, string | undefined> {
  const untold = [...given].filter((id) => radios.has(id)).map((id): [string, string | undefined] => [id, undefined]);
  const held = holders.filter(({ way }) => way === "device-plugin").map(({ radioId, since }): [string, string] => [radioId, since]);
  return new Map([...untold, ...held]);
}

async function follow<T>(watch: Watch<T>, tell: (value: T) => void, signal: AbortSignal): Promise<void> {
  for await (const value of watch.changes(signal)) tell(value);
}

function wordsOf(error: unknown): string {
  return isAerialError(error) ? `${describeError(error)}; ${error.hint}` : describeError(error);
}
