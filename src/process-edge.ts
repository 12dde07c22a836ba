/** The process edge: arguments, signals, exit codes. */
import { runCli, printError } from "./cli/cli.ts";
import type { Capabilities } from "./cli/command.ts";
import { exitCodeOf, exitCodes } from "./cli/exit-code.ts";
import { createTerminal } from "./cli/terminal.ts";
import { thisMachine } from "./config/machine.ts";
import { AerialError } from "./core/errors.ts";

const { stdout, stderr, env: environment } = process;
const terminal = createTerminal({ stdout, stderr, environment });

function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort(new AerialError("internal.abort", `stopped by ${signal}`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  return controller.signal;
}

const capabilities: Capabilities = {
  untilInterrupted,
  runDaemon: async (deps, signal) => (await import("./app.ts")).runAerial(deps, signal),
  runRelay: async (deps, signal) => (await import("./relay-app.ts")).runRelayAlone(deps, signal),
  examine: async (deps, signal) => (await import("./doctor-app.ts")).examineLocally(deps, signal),
  builtInPlugins: async () => (await import("../plugins/index.ts")).builtInPlugins,
  withdraw: async (deps, signal) => (await import("./cluster.ts")).withdrawFromCluster(deps, signal),
};

// Rejections that nobody handles arrive here too.
process.on("uncaughtException", (error) => {
  printError(error, terminal);
  process.exit(exitCodeOf(error));
});
// `aerial devices | head` is no failure: the reader has had enough.
stdout.on("error", () => process.exit(exitCodes.ok));

process.exit(await runCli(process.argv.slice(2), { terminal, machine: thisMachine(), capabilities }));
