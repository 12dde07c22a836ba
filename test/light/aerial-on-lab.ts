/** aerial itself on a lab's node, without a cluster: its daemon followed live, its one-shot scans, its history. */
import { setTimeout as sleep } from "node:timers/promises";
import type { EventPage, WatchLine } from "../../src/api/contract/types.ts";
import type { RadioView } from "../../src/api/radio-view.ts";
import type { ScanView } from "../../src/cli/scan-command.ts";
import { aerialCommand, getFromNode } from "../lab/aerial-command.ts";
import type { CommandResult, Lab, LabProcess } from "../lab/lab.ts";
import { LabError } from "../lab/lab-error.ts";

export type Radios = readonly RadioView[];

interface AerialDaemon extends AsyncDisposable {
  readonly process: LabProcess;
  /** The radios as last told, in the order of their ids. */
  readonly radios: Radios;
  /** Resolves with the radios once they are right; rejects at the deadline with what there was and what aerial wrote. */
  until(what: string, isRight: (radios: Radios) => boolean): Promise<Radios>;
}

export interface AerialOnLab {
  /** Runs a command of aerial to its end. */
  run(...parameters: readonly string[]): Promise<CommandResult>;
  /** `aerial scan -o json`; rejects unless it succeeds. */
  scan(): Promise<ScanView>;
  /** Starts the daemon and waits for its first whole scan. What the last one remembered is still there. */
  start(): Promise<AerialDaemon>;
  /** Everything the running daemon has in its history, as `<type> <radio id>`. */
  history(): Promise<readonly string[]>;
}

/** Guests emulate their processor. */
const deadlines = { namespace: 10_000, guest: 60_000 } as const;
const pollMs = 10;

let opened = 0;

/** aerial with a memory of its own on the node; `environment` is further configuration. */
export function aerialOnLab(lab: Lab, environment: Readonly<Record<string, string>> = {}): AerialOnLab {
  const directory = `/run/aerial-${process.pid}-${(opened += 1)}`;
  const socket = `${directory}/aerial.sock`;
  const settings = {
    AERIAL__NODE__NAME: "lab-node",
    AERIAL__KUBERNETES__ENABLED: "false",
    AERIAL__STATE__DIRECTORY: directory,
    AERIAL__API__SOCKET: socket,
    AERIAL__LOG__FORMAT: "json",
    // The timer would find everything in the end; here the hints have to.
    AERIAL__SCAN__INTERVAL: "3600",
    ...environment,
  };
  const timeoutMs = deadlines[lab.kind];
  const run = async (...parameters: readonly string[]): Promise<CommandResult> =>
    lab.run([...(await aerialCommand(lab)), ...parameters], { environment: settings, timeoutMs });

  return {
    run,
    async scan() {
      const { exitCode, stdout, stderr } = await run("scan", "-o", "json");
      if (exitCode !== 0) throw new LabError(`aerial scan ended with ${exitCode}; it wrote:\n${stderr}`);
      return JSON.parse(stdout) as ScanView;
    },
    async start() {
      const command = await aerialCommand(lab);
      const daemon = await lab.start([...command, "run"], { environment: settings });
      await daemon.waitForLine(/aerial is up/u, timeoutMs);
      const watch = await lab.start([...command, "watch", "-o", "json"], { environment: settings });
      const mirror = createMirror(watch);
      const until = async (what: string, isRight: (state: Mirror) => boolean): Promise<Radios> => {
        const deadline = performance.now() + timeoutMs;
        for (;;) {
          const state = mirror();
          if (isRight(state)) return state.radios;
          if (performance.now() > deadline) {
            throw new LabError(
              `no ${what} within ${timeoutMs} ms: ${JSON.stringify(state)}\naerial wrote:\n${daemon.output}${watch.output}`,
            );
          }
          await sleep(pollMs);
        }
      };
      await until("first whole scan", ({ complete }) => complete);
      return {
        process: daemon,
        get radios() {
          return mirror().radios;
        },
        until: (what, isRight) => until(what, ({ radios }) => isRight(radios)),
        async [Symbol.asyncDispose]() {
          await watch[Symbol.asyncDispose]();
          await daemon.kill("SIGTERM");
          const ended = await Promise.race([daemon.exited, sleep(timeoutMs, "late")]);
          await daemon[Symbol.asyncDispose]();
          if (ended !== 0 && ended !== null) throw new LabError(`aerial did not end well (${ended}); it wrote:\n${daemon.output}`);
        },
      };
    },
    async history() {
      const page = (await getFromNode(lab, socket, "/api/v1/events?limit=1000")) as EventPage;
      return page.events.map(({ type, radioId }) => `${type} ${radioId}`);
    },
  };
}

interface Mirror {
  readonly complete: boolean;
  readonly radios: Radios;
}

/** Gives what `aerial watch -o json` has told so far, as one state. */
function createMirror(watch: LabProcess): () => Mirror {
  const radios = new Map<string, RadioView>();
  let complete = false;
  let read = 0;
  const apply = (line: WatchLine): void => {
    if (line.type === "snapshot") {
      complete = line.complete;
      radios.clear();
      for (const radio of line.radios) radios.set(radio.id, radio);
    } else if (line.type === "removed") radios.delete(line.radio.id);
    else if (line.type !== "heartbeat") radios.set(line.radio.id, line.radio);
  };
  return () => {
    const { output } = watch;
    for (let end = output.indexOf("\n", read); end >= 0; end = output.indexOf("\n", read)) {
      const line = output.slice(read, end);
      read = end + 1;
      if (line.startsWith("{")) apply(JSON.parse(line) as WatchLine);
    }
    return { complete, radios: [...radios.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
  };
}
