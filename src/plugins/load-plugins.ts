/** From the list of built-ins and the configured files to running plugins; what does not pass costs a condition, never more. */
import { describeError, hasCode } from "../core/errors.ts";
import type { IdentifierDependencies } from "./identifier-dependencies.ts";
import { openIsolatedRunner } from "./isolated-runner.ts";
import { checkPluginFile, nameOfFile } from "./plugin-file.ts";
import { createBuiltInRunner, type PluginRunner } from "./plugin-runner.ts";
import { pluginProblems } from "./plugin-shape.ts";

const defaultDeadlines = { loadMs: 10_000, callMs: 5_000 } as const;

interface Refusal {
  readonly name: string;
  readonly path?: string | undefined;
  readonly reason: "invalid" | "failed" | "timeout";
  readonly text: string;
}

/** One that did not pass. */
interface RefusedPlugin {
  readonly name: string;
  readonly path?: string;
}

export interface LoadedPlugins {
  /** Built-ins first; names are unique. */
  readonly runners: readonly PluginRunner[];
  readonly refused: readonly RefusedPlugin[];
}

/** Rejects only when the signal aborts. */
export async function loadPlugins(dependencies: IdentifierDependencies, signal: AbortSignal): Promise<LoadedPlugins> {
  const { builtIn, paths, conditions, log } = dependencies;
  const runners = new Map<string, PluginRunner>();
  const refused: RefusedPlugin[] = [];

  function refuse({ name, path, reason, text }: Refusal): void {
    refused.push({ name, ...(path !== undefined && { path }) });
    conditions.raise(`plugin.${name}.${reason}`, "error", text);
    log.warn({ plugin: name, reason: text }, "plugin refused");
  }

  for (const plugin of builtIn) {
    const problems = pluginProblems(plugin);
    if (problems.length > 0)
      refuse({ name: plugin.name, reason: "invalid", text: `The built-in plugin ${plugin.name} is invalid: ${problems.join("; ")}.` });
    else runners.set(plugin.name, createBuiltInRunner(plugin));
  }

  const loaded = await Promise.all([...new Set(paths)].map((path) => openFile(path)));
  for (const runner of loaded) {
    if (runner === undefined) continue;
    if (runners.has(runner.name)) {
      const { name, path } = runner;
      refuse({
        name,
        path,
        reason: "invalid",
        text: `There is already a plugin named ${name}; the file that came later is not used. Rename one.`,
      });
      await runner[Symbol.asyncDispose]();
    } else {
      runners.set(runner.name, runner);
    }
  }
  signal.throwIfAborted();
  return { runners: [...runners.values()], refused };

  async function openFile(path: string): Promise<PluginRunner | undefined> {
    try {
      await checkPluginFile(path);
      return await openIsolatedRunner(
        { path, log, clock: dependencies.clock, deadlines: dependencies.deadlines ?? defaultDeadlines },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return undefined;
      const reason = hasCode(error, "plugin.timeout") ? "timeout" : hasCode(error, "plugin.invalid") ? "invalid" : "failed";
      const text = `${describeError(error)}. The file is not used; plugins/README.md tells how to check it.`;
      refuse({ name: nameOfFile(path), path, reason, text });
      return undefined;
    }
  }
}
