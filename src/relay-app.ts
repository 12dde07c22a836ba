/** The relay's part of the composition: in the daemon, or in the foreground and nothing else. Loaded only where there is a relay. */
import { isDeepStrictEqual } from "node:util";
import { setFlagsFromString } from "node:v8";
import type { RelayAlone } from "./cli/command.ts";
import { runFileFollower } from "./config/follow-file.ts";
import { loadRelayRules } from "./config/load-relay-rules.ts";
import type { Config } from "./config/schema.ts";
import type { Watch } from "./core/cell.ts";
import { systemClock as clock } from "./core/clock.ts";
import { type Conditions, createConditions } from "./core/condition.ts";
import { describeError } from "./core/errors.ts";
import { linkSignal } from "./core/linked-signal.ts";
import { logConditions } from "./core/log-conditions.ts";
import type { Log } from "./core/log.ts";
import { Scope } from "./core/scope.ts";
import { logRoles } from "./relay/log-roles.ts";
import type { RelayOptions } from "./relay/relay-options.ts";
import { createRelay, type Relay } from "./relay/run-relay.ts";

export interface RelayPartDependencies {
  readonly options: RelayOptions;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly notesServices: boolean;
  /** The relay lives in it. */
  readonly scope: Scope;
}

/** Starts the relay; it runs until the scope closes. */
export function startRelay({ options, log, conditions, notesServices, scope }: RelayPartDependencies): Relay {
  // small-heap.ts did without: what relays does run hot. Flags hold for all threads.
  setFlagsFromString("--opt");
  const relay = createRelay({ options, clock, log, conditions, notesServices });
  scope.spawn("relay roles", (stop) => logRoles(relay.pairs, log, stop));
  scope.spawn("relay", (stop) => relay.run(stop));
  return relay;
}

/** What the configuration's section `relay` comes to. One that is off while it runs has no links. */
export function toRelayOptions(config: Config["relay"]): RelayOptions {
  const { enabled, protocols, rules, defaults, limits, onSecondReflector } = config;
  const links = enabled ? config.links : [];
  return { links, protocols, rules, defaults, fallback: config.default, limits, onSecondReflector };
}

/** Longer ones come at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface RelayAloneDependencies extends RelayAlone {
  /** Changes when somebody asks for the rules to be read again. */
  readonly hangUps: Watch<number>;
}

/** Relays until the signal aborts; every condition and every change of roles is a line in the log. */
export async function runRelayAlone(alone: RelayAloneDependencies, signal: AbortSignal): Promise<void> {
  const { log, hangUps, rulesFile } = alone;
  const options = toOptions(alone);
  const conditions = createConditions(clock);
  using lifetime = linkSignal(signal);
  let failure: unknown;
  await using scope = new Scope(log, (error, part) => {
    log.error({ part, err: describeError(error) }, "part failed; stopping");
    failure ??= error;
    lifetime.abort(error);
  });
  scope.spawn("conditions", (stop) => logConditions(conditions, log, stop));
  const relay = startRelay({ options, log, conditions, notesServices: false, scope });
  if (rulesFile !== undefined) {
    const look = rulesReader({ file: rulesFile, options, read: () => toOptions(alone), relay, log, conditions });
    scope.spawn("rules", (stop) => runFileFollower({ file: rulesFile, clock, asked: hangUps, look }, stop));
  }
  log.info({ links: alone.links, protocols: alone.protocols }, "relay is starting");
  // While the relay's thread is away, nothing else keeps this process from ending before it is started again.
  const alive = setInterval(() => {}, longestTimerMs);
  await new Promise<void>((resolve) => {
    if (lifetime.signal.aborted) resolve();
    else lifetime.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearInterval(alive);
  if (failure !== undefined) throw failure;
}

interface RulesReaderDependencies {
  readonly file: string;
  /** What is in force. */
  readonly options: RelayOptions;
  readonly read: () => RelayOptions;
  readonly relay: Pick<Relay, "configure">;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
}

/** Reads the rules when called, and has the relay keep to them; those that cannot be used change nothing. */
function rulesReader({ file, options, read, relay, log, conditions }: RulesReaderDependencies): () => boolean {
  let inForce = options;
  return () => {
    try {
      const next = read();
      conditions.clear("relay.rules");
      if (isDeepStrictEqual(next, inForce)) return true;
      relay.configure(next);
      inForce = next;
      log.info({ file, rules: next.rules.length, default: next.fallback }, "new rules are in force");
      return true;
    } catch (error) {
      const why = describeError(error).replaceAll("\n", "; ");
      conditions.raise("relay.rules", "warning", `The rules are not used as they are now: ${why}. Those before them stay in force.`);
      return false;
    }
  };
}

function toOptions({ links, protocols, limits, rulesFile }: RelayAlone): RelayOptions {
  const selectors = links.map((name) => ({ interface: name }));
  const { rules, ...rest } =
    rulesFile === undefined ? { rules: [], defaults: true, default: "allow" as const } : loadRelayRules(rulesFile, selectors);
  return {
    links: selectors,
    protocols,
    rules,
    defaults: rest.defaults,
    fallback: rest.default,
    limits: limits ? {} : { perSource: 0, perLink: 0 },
    onSecondReflector: "stand-down",
  };
}
