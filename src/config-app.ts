/** The configuration's part of the composition: what is taken of its file while the daemon runs, and what waits for the next start. */
import { isDeepStrictEqual } from "node:util";
import { runFileFollower } from "./config/follow-file.ts";
import type { ConfigSource } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import type { Watch } from "./core/cell.ts";
import { systemClock as clock } from "./core/clock.ts";
import type { Conditions } from "./core/condition.ts";
import { describeError } from "./core/errors.ts";
import type { Log } from "./core/log.ts";

export interface ConfigFollowing {
  /** What the daemon was started with. */
  readonly config: Config;
  readonly source: ConfigSource;
  /** Changes when somebody asks for it to be read again. */
  readonly hangUps: Watch<number>;
  /** Has the relay do as its section says. Undefined where none was started. */
  readonly configureRelay: ((section: Config["relay"]) => void) | undefined;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
}

export interface FollowedConfig {
  /** What is in force. */
  readonly current: Config;
  /** Follows the file until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** The relay's section is taken as it changes; of the others it is said that they want a restart. A file that is wrong changes nothing. */
export function createFollowedConfig({ config, source, hangUps, configureRelay, log, conditions }: ConfigFollowing): FollowedConfig {
  let inForce = config;

  const takeRelay = (next: Config["relay"], configure: (section: Config["relay"]) => void): void => {
    // Who holds the Lease was told at the start whether and where.
    const relay = { ...next, lease: config.relay.lease };
    if (isDeepStrictEqual(relay, inForce.relay)) return;
    configure(relay);
    inForce = { ...inForce, relay };
    const { enabled, links, rules } = relay;
    log.info({ file: source.file, enabled, links: links.length, rules: rules.length }, "the relay's new configuration is in force");
  };
  const sayWhatWaits = (next: Config): void => {
    const waiting = whatWaits({ started: config, next, hasRelay: configureRelay !== undefined });
    if (waiting.length === 0) return conditions.clear("config.changed");
    const taken = configureRelay === undefined ? "" : "; what else it says of relay is in force";
    conditions.raise("config.changed", "info", `${source.file} has changed: restart aerial to use ${list(waiting)}${taken}.`);
  };
  const look = (): boolean => {
    try {
      const next = source.read();
      conditions.clear("config.file");
      if (configureRelay !== undefined) takeRelay(next.relay, configureRelay);
      sayWhatWaits(next);
      return true;
    } catch (error) {
      const why = describeError(error).replaceAll("\n", "; ");
      conditions.raise(
        "config.file",
        "warning",
        `The configuration is not used as it is now: ${why}. What was read before stays in force.`,
      );
      return false;
    }
  };

  return {
    get current() {
      return inForce;
    },
    run: (signal) => runFileFollower({ file: source.file, clock, asked: hangUps, look }, signal),
  };
}

/** The sections that are other than those the daemon runs with, and are read at the start only. */
function whatWaits({ started, next, hasRelay }: { started: Config; next: Config; hasRelay: boolean }): readonly string[] {
  const sections = Object.keys(next) as (keyof Config)[];
  const others = sections.filter((name) => name !== "relay" && !isDeepStrictEqual(next[name], started[name]));
  if (!hasRelay) return next.relay.enabled ? [...others, "relay"] : others;
  return isDeepStrictEqual(next.relay.lease, started.relay.lease) ? others : [...others, "relay.lease"];
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
