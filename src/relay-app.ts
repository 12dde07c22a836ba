/** The composition root of `aerial relay run`: the relay in the foreground, and nothing else. */
import type { RelayAlone } from "./cli/command.ts";
import { systemClock as clock } from "./core/clock.ts";
import { createConditions } from "./core/condition.ts";
import { describeError } from "./core/errors.ts";
import { linkSignal } from "./core/linked-signal.ts";
import { logConditions } from "./core/log-conditions.ts";
import { Scope } from "./core/scope.ts";
import { logRoles } from "./relay/log-roles.ts";
import type { RelayOptions } from "./relay/relay-options.ts";
import { createRelay } from "./relay/run-relay.ts";

/** Relays until the signal aborts; every condition and every change of roles is a line in the log. */
export async function runRelayAlone(alone: RelayAlone, signal: AbortSignal): Promise<void> {
  const { log } = alone;
  const conditions = createConditions(clock);
  const relay = createRelay({ options: toOptions(alone), clock, log, conditions });
  using lifetime = linkSignal(signal);
  let failure: unknown;
  await using scope = new Scope(log, (error, part) => {
    log.error({ part, err: describeError(error) }, "part failed; stopping");
    failure ??= error;
    lifetime.abort(error);
  });
  scope.spawn("conditions", (stop) => logConditions(conditions, log, stop));
  scope.spawn("roles", (stop) => logRoles(relay.pairs, log, stop));
  scope.spawn("relay", (stop) => relay.run(stop));
  log.info({ links: alone.links, protocols: alone.protocols }, "relay is starting");
  await new Promise<void>((resolve) => {
    if (lifetime.signal.aborted) resolve();
    else lifetime.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  if (failure !== undefined) throw failure;
}

function toOptions({ links, protocols, limits }: RelayAlone): RelayOptions {
  return {
    links: links.map((name) => ({ interface: name })),
    protocols,
    rules: [],
    defaults: true,
    fallback: "allow",
    limits: limits ? {} : { perSource: 0, perLink: 0 },
    onSecondReflector: "stand-down",
  };
}
