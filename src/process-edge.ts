/** The process edge: arguments, signals, exit codes. */
import { isatty } from "node:tty";
import { runCli, printError } from "./cli/cli.ts";
import type { Capabilities } from "./cli/command.ts";
import { exitCodeOf, exitCodes } from "./cli/exit-code.ts";
import { createTerminal } from "./cli/terminal.ts";
import { thisMachine } from "./config/machine.ts";
import { Cell, type Watch } from "./core/cell.ts";
import { AerialError } from "./core/errors.ts";

const { stdout, stderr, env: environment } = process;
const terminal = createTerminal({ stdout, stderr, environment });
const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
/** Counts SIGHUPs, which ask to read again what was read at the start. Undefined while nothing runs that would. */
let hangUps: Cell<number> | undefined;

function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort(new AerialError("internal.abort", `stopped by ${signal}`));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  process.on("SIGHUP", (signal) => {
    // A terminal that was closed is none any more: nobody is there to end us but this signal.
    const isClosed = terminals.some((descriptor) => !isatty(descriptor));
    if (hangUps === undefined || isClosed) interrupt(signal);
    else hangUps.set(hangUps.current + 1);
  });
  return controller.signal;
}

function takeHangUps(): Watch<number> {
  hangUps ??= new Cell(0);
  return hangUps;
}

const capabilities: Capabilities = {
  untilInterrupted,
  runDaemon: async (deps, signal) => {
    const hangUps = takeHangUps();
    return (await import("./app.ts")).runAerial({ ...deps, hangUps }, signal);
  },
  runRelay: async (deps, signal) => {
    const hangUps = takeHangUps();
    return (await import("./relay-app.ts")).runRelayAlone({ ...deps, hangUps }, signal);
  },
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
