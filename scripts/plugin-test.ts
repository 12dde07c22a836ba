/** `npm run -s plugin:test -- FILE`: checks a plugin file as the daemon would, and everything the conformance kit knows. */
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../src/core/clock.ts";
import { describeError } from "../src/core/errors.ts";
import { silentLog } from "../src/core/log.ts";
import { runPluginConformance } from "../src/plugins/conformance.ts";
import { openIsolatedRunner } from "../src/plugins/isolated-runner.ts";
import { checkPluginFile } from "../src/plugins/plugin-file.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: npm run -s plugin:test -- FILE\n");
  process.exit(64);
}
const path = resolve(file);

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "aerial/sdk"
      ? { url: new URL("../src/sdk/index.ts", import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
});

async function problemsOf(): Promise<readonly string[]> {
  try {
    await checkPluginFile(path);
    const dependencies = { path, log: silentLog, clock: systemClock, deadlines: { loadMs: 10_000, callMs: 5_000 } };
    await using _runner = await openIsolatedRunner(dependencies, new AbortController().signal);
  } catch (error) {
    return [describeError(error)];
  }
  const module = (await import(pathToFileURL(path).href)) as { readonly plugin?: unknown };
  return runPluginConformance(module.plugin);
}

const problems = await problemsOf();
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(problems.length === 0 ? `${path} is a good plugin\n` : "");
process.exitCode = problems.length === 0 ? 0 : 65;
