/** Identification as the rest of aerial sees it: all plugins asked, each at its own risk. */
import type { Facts } from "../core/check.ts";
import type { Device } from "../core/device.ts";
import { describeError, hasCode } from "../core/errors.ts";
import type { IdentifiedDevice } from "../core/identity.ts";
import { type CheckAnswer, type CheckFace, failedCheck } from "../core/judge-check.ts";
import type { Radio } from "../core/radio.ts";
import { identify } from "../identify/identify.ts";
import type { Claim } from "../identify/match-fingerprint.ts";
import type { RadioDescription } from "../sdk/plugin.ts";
import type { IdentifierDependencies } from "./identifier-dependencies.ts";
import { loadPlugins } from "./load-plugins.ts";
import type { PluginRunner } from "./plugin-runner.ts";

/** A plugin that was named: by aerial itself or by its configuration. */
export interface ListedPlugin {
  readonly name: string;
  readonly origin: "built-in" | "file";
  readonly path?: string;
  /** `failed`: refused or cut off; the conditions `plugin.<name>.…` say why. */
  readonly state: "running" | "failed";
  readonly fingerprints: number;
}

export interface Identifier extends AsyncDisposable {
  /** Names of the plugins in use now. */
  readonly plugins: readonly string[];
  /** All there are, in use or not. */
  list(): readonly ListedPlugin[];
  /** DNS-SD types that their rows ask for. */
  readonly networkServices: ReadonlySet<string>;
  /**
   * Says what each device is, in the order given. Never rejects because of a plugin: one that fails or exceeds its
   * deadline raises a condition and is left out from then on. Rejects with the signal's reason when it aborts.
   */
  identify(devices: readonly Device[], signal: AbortSignal): Promise<readonly IdentifiedDevice[]>;
  /** What the plugins in use ask the machine. */
  readonly checks: readonly CheckFace[];
  /** What they make of the facts. A plugin that fails is cut off, and its checks say so. Rejects as `identify` does. */
  judge(facts: Facts, signal: AbortSignal): Promise<readonly CheckAnswer[]>;
  /** What plugins that know this radio add to how it is shown. Where two set the same key, the one that decided wins. */
  describe(radio: Radio, signal: AbortSignal): Promise<RadioDescription>;
}

/** Loads all plugins and is then ready to identify. Never rejects because of a plugin. */
export async function openIdentifier(dependencies: IdentifierDependencies, signal: AbortSignal): Promise<Identifier> {
  const { conditions, log } = dependencies;
  const { runners: loaded, refused } = await loadPlugins(dependencies, signal);
  const runners = new Set(loaded);

  /** Resolves to undefined, and cuts the plugin off, when it does not keep its promises; also when the caller gave up. */
  async function ask<T>(runner: PluginRunner, call: () => Promise<T>, callSignal: AbortSignal): Promise<T | undefined> {
    if (!runners.has(runner)) return undefined;
    try {
      return await call();
    } catch (error) {
      if (callSignal.aborted || !runners.delete(runner)) return undefined;
      const reason = hasCode(error, "plugin.timeout") ? "timeout" : "failed";
      conditions.raise(`plugin.${runner.name}.${reason}`, "error", `${describeError(error)}. It is off until aerial restarts.`);
      log.warn({ plugin: runner.name, err: describeError(error) }, "plugin cut off");
      await runner[Symbol.asyncDispose]();
      return undefined;
    }
  }

  return {
    get plugins() {
      return [...runners].map((runner) => runner.name);
    },
    list: () => [
      ...loaded.map((runner) => toListed(runner, runners.has(runner) ? "running" : "failed")),
      ...refused.map((plugin) => toListed({ ...plugin, fingerprints: 0 }, "failed")),
    ],
    get networkServices() {
      return new Set([...runners].flatMap((runner) => runner.networkServices));
    },
    async identify(devices, callSignal) {
      const answers = await Promise.all([...runners].map((runner) => ask(runner, () => runner.claims(devices, callSignal), callSignal)));
      callSignal.throwIfAborted();
      return devices.map((device, index) => {
        const claims: Claim[] = answers.flatMap((answer) => answer?.[index] ?? []);
        return { device, identity: identify(device, claims) };
      });
    },
    get checks() {
      return [...runners].flatMap(({ checks }) => checks);
    },
    async judge(facts, callSignal) {
      const asked = [...runners].filter(({ checks }) => checks.length > 0);
      const answers = await Promise.all(asked.map((runner) => ask(runner, () => runner.judge(facts, callSignal), callSignal)));
      callSignal.throwIfAborted();
      return asked.flatMap(({ name, checks }, plugin) =>
        checks.map((check, index) => {
          const answer = answers[plugin]?.[index] ?? [failedCheck(`the plugin ${name} was cut off; the conditions say why`)];
          return { check, answer };
        }),
      );
    },
    async describe(radio, callSignal) {
      const names = radio.identity.evidence.map((evidence) => evidence.plugin);
      const speaking = [...runners].filter((runner) => names.includes(runner.name));
      speaking.sort((left, right) => names.indexOf(right.name) - names.indexOf(left.name));
      const parts = await Promise.all(speaking.map((runner) => ask(runner, () => runner.describe(radio, callSignal), callSignal)));
      callSignal.throwIfAborted();
      return mergeDescriptions(parts.filter((part) => part !== undefined));
    },
    async [Symbol.asyncDispose]() {
      const open = [...runners];
      runners.clear();
      await Promise.all(open.map((runner) => runner[Symbol.asyncDispose]()));
    },
  };
}

function toListed(
  { name, path, fingerprints }: Pick<PluginRunner, "name" | "path" | "fingerprints">,
  state: ListedPlugin["state"],
): ListedPlugin {
  return { name, origin: path === undefined ? "built-in" : "file", ...(path !== undefined && { path }), state, fingerprints };
}

function mergeDescriptions(parts: readonly RadioDescription[]): RadioDescription {
  return {
    labels: Object.assign({}, ...parts.map((part) => part.labels)) as Record<string, string>,
    environment: Object.assign({}, ...parts.map((part) => part.environment)) as Record<string, string>,
    txt: Object.assign({}, ...parts.map((part) => part.txt)) as Record<string, string>,
  };
}
