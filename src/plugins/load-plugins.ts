/** From the list of built-ins and the configured files to running plugins; what does not pass costs a condition, never more. */
import { describeError, hasCode } from "../core/errors.ts";
import type { IdentifierDependencies } from "./identifier-dependencies.ts";
import { openIsolatedRunner } from "./isolated-runner.ts";
import { checkPluginFile, nameOfFile } from "./plugin-file.ts";
import { createBuiltInRunner, type PluginRunner } from "./plugin-runner.ts";
import { pluginProblems } from "./plugin-shape.ts";

const defaultDeadlines = { loadMs: 10_000, callMs: 5_000 } as const;

/** Every plugin that passed, built-ins first; names are unique. Rejects only when the signal aborts. */
export async function loadPlugins(dependencies: IdentifierDependencies, signal: AbortSignal): Promise<readonly PluginRunner[]> {
  const { builtIn, paths, conditions, log } = dependencies;
  const runners = new Map<string, PluginRunner>();

  function refuse(name: string, reason: "invalid" | "failed" | "timeout", text: string): void {
    conditions.raise(`plugin.${name}.${reason}`, "error", text);
    log.warn({ plugin: name, reason: text }, "plugin refused");
  }

  for (const plugin of builtIn) {
    const problems = pluginProblems(plugin);
    if (problems.length > 0) refuse(plugin.name, "invalid", `The built-in plugin ${plugin.name} is invalid: ${problems.join("; ")}.`);
    else runners.set(plugin.name, createBuiltInRunner(plugin));
  }

  const loaded = await Promise.all([...new Set(paths)].map((path) => openFile(path)));
  for (const runner of loaded) {
    if (runner === undefined) continue;
    if (runners.has(runner.name)) {
      refuse(runner.name, "invalid", `There is already a plugin named ${runner.name}; the file that came later is not used. Rename one.`);
      await runner[Symbol.asyncDispose]();
    } else {
      runners.set(runner.name, runner);
    }
  }
  signal.throwIfAborted();
  return [...runners.values()];

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
      refuse(nameOfFile(path), reason, `${describeError(error)}. The file is not used; plugins/README.md tells how to check it.`);
      return undefined;
    }
  }
}
