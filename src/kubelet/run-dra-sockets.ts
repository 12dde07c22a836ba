/** A DRA driver's place at the kubelet: the socket that it finds, and the one that it then calls. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createBackoff } from "../core/backoff.ts";
import type { Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../core/first-of.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import { printable } from "../core/printable.ts";
import {
  type DeviceHealth,
  type NamedClaim,
  type PrepareOutcome,
  draHealth,
  draPlugin,
  draServices,
  draVersions,
  pluginRegistration,
} from "./dra-messages.ts";
import { type GrpcHandler, type GrpcServer, openGrpcServer, serverStream, unary } from "./grpc-server.ts";
import { watchDirectory } from "./watch-directory.ts";

export interface DraSocketsDependencies {
  /** `/var/lib/kubelet`; the same path for us and for the kubelet. */
  readonly kubelet: string;
  readonly driver: string;
  /** Gives an outcome for each claim. */
  readonly prepare: (claims: readonly NamedClaim[], signal: AbortSignal) => Promise<ReadonlyMap<string, PrepareOutcome>>;
  /** Gives an error for each claim, empty where there is none. */
  readonly unprepare: (claims: readonly NamedClaim[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
  /** All devices, whole lists. */
  readonly health: Watch<readonly Omit<DeviceHealth, "lastUpdatedTime" | "healthCheckTimeoutSeconds">[]>;
  /** Told why the kubelet does not know us, and undefined once it does. */
  readonly report: (problem: string | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The kubelet takes a device for unknown when it has heard nothing of it for that long; it is told more often. */
const healthTimeoutSeconds = 300;
const healthEveryMs = 100_000;
/** A status is shown to people. */
const longestProblem = 500;

/** Whether there is a kubelet that plugins can make themselves known to. */
export function hasPluginRegistry(kubelet: string): boolean {
  try {
    return statSync(registryOf(kubelet)).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Serves until aborted, then takes both sockets away. The kubelet finds the one by inotify, also after either of us was
 * started anew; whoever removes a socket or its directory gets it back within seconds. Never rejects: what is wrong goes to
 * `report`.
 */
export async function runDraSockets(dependencies: DraSocketsDependencies, signal: AbortSignal): Promise<void> {
  const { kubelet, driver, clock, log, report } = dependencies;
  const directory = join(kubelet, "plugins", driver);
  const endpoint = join(directory, "dra.sock");
  const doors: readonly Door[] = [
    // In this order: who is found may be called at once.
    { path: endpoint, handlers: pluginHandlers(dependencies) },
    { path: join(registryOf(kubelet), `${driver}-reg.sock`), handlers: registrationHandlers(dependencies, endpoint) },
  ];
  const open = new Map<Door, GrpcServer>();
  const backoff = createBackoff(500, 30_000);
  // Whoever removes a socket shows up in one of them.
  using ours = watchDirectory(directory, clock, signal);
  using registry = watchDirectory(registryOf(kubelet), clock, signal);
  try {
    while (!signal.aborted) {
      const known = [ours.hints.current, registry.hints.current] as const;
      let due = Infinity;
      try {
        for (const door of doors) {
          const server = open.get(door);
          if (server?.isInPlace() === true) continue;
          if (server !== undefined) log.info({ socket: door.path }, "socket was removed: serving anew");
          open.delete(door);
          await server?.[Symbol.asyncDispose]();
          if (signal.aborted) break;
          mkdirSync(directory, { recursive: true, mode: 0o750 });
          open.set(door, await openGrpcServer({ ...door, log }));
        }
        backoff.reset();
      } catch (error) {
        report(describeError(error));
        due = clock.now() + backoff.next();
      }
      await firstOf(signal, (wait) => [
        sleepUntil(clock, due, wait),
        changeFrom(ours.hints, known[0], wait),
        changeFrom(registry.hints, known[1], wait),
      ]);
    }
  } finally {
    // First the one by which it finds us.
    for (const server of [...open.values()].toReversed()) await server[Symbol.asyncDispose]();
  }
}

interface Door {
  readonly path: string;
  readonly handlers: readonly GrpcHandler[];
}

function registryOf(kubelet: string): string {
  return join(kubelet, "plugins_registry");
}

function registrationHandlers({ driver, log, report }: DraSocketsDependencies, endpoint: string): readonly GrpcHandler[] {
  return [
    unary(pluginRegistration.getInfo, () => ({ type: "DRAPlugin" as const, name: driver, endpoint, supportedVersions: draServices })),
    unary(pluginRegistration.notifyStatus, ({ pluginRegistered, error }) => {
      if (pluginRegistered) log.info({ driver }, "driver registered");
      report(pluginRegistered ? undefined : `the kubelet refused ${driver}: ${printable(error.slice(0, longestProblem))}`);
      return {};
    }),
  ];
}

function pluginHandlers(dependencies: DraSocketsDependencies): readonly GrpcHandler[] {
  const { prepare, unprepare } = dependencies;
  const calls = draVersions.map(draPlugin).flatMap((service) => [
    unary(service.prepare, async ({ claims }, signal) => ({ claims: Object.fromEntries(await prepare(claims, signal)) })),
    unary(service.unprepare, async ({ claims }, signal) => {
      const errors = await unprepare(claims, signal);
      return { claims: Object.fromEntries([...errors].map(([uid, error]) => [uid, { error }])) };
    }),
  ]);
  return [...calls, serverStream(draHealth.watch, (_request, signal) => healthOf(dependencies, signal))];
}

async function* healthOf(
  { health, clock }: DraSocketsDependencies,
  signal: AbortSignal,
): AsyncGenerator<{ readonly devices: readonly DeviceHealth[] }> {
  while (!signal.aborted) {
    const known = health.current;
    const lastUpdatedTime = Math.floor(clock.now() / 1_000);
    yield { devices: known.map((device) => ({ ...device, lastUpdatedTime, healthCheckTimeoutSeconds: healthTimeoutSeconds })) };
    using wait = linkSignal(signal);
    const changed = async (): Promise<void> => {
      for await (const next of health.changes(wait.signal)) if (next !== known) return;
    };
    const waits = [changed(), clock.sleep(healthEveryMs, wait.signal)];
    await Promise.race(waits).catch(() => {});
    wait.abort(undefined);
    await Promise.allSettled(waits);
  }
}
