/** What the defaults depend on: who runs aerial, where, and which places can be written. */
import { accessSync, constants } from "node:fs";
import { homedir, hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "./environment.ts";
import { toLinkSelector } from "./relay-links.ts";
import type { Config, ConfigFile } from "./schema.ts";

export interface Machine {
  readonly environment: Environment;
  readonly hostname: string;
  readonly home: string;
  readonly isRoot: boolean;
  /** Whether a directory of this name exists or can be made. */
  canWrite(directory: string): boolean;
}

/** This process's own machine. */
export function thisMachine(): Machine {
  return { environment: process.env, hostname: hostname(), home: homedir(), isRoot: process.getuid?.() === 0, canWrite };
}

function canWrite(directory: string): boolean {
  for (let place = directory; ; place = dirname(place)) {
    try {
      accessSync(place, constants.W_OK | constants.X_OK);
      return true;
    } catch (error) {
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || place === dirname(place)) return false;
    }
  }
}

/** Fills in what the machine decides. */
export function resolveConfig(file: ConfigFile, machine: Machine): Config {
  const { environment } = machine;
  const directory = file.state.directory ?? defaultStateDirectory(machine);
  const { enabled, ...cluster } = file.kubernetes;
  return {
    ...file,
    node: { name: file.node.name ?? (environment["NODE_NAME"] || machine.hostname.toLowerCase()) },
    state: { directory },
    kubernetes: {
      ...cluster,
      enabled: enabled === "auto" ? Boolean(environment["KUBERNETES_SERVICE_HOST"] || cluster.kubeconfig) : enabled,
    },
    api: { ...file.api, socket: file.api.socket ?? defaultSocket(machine, directory) },
    relay: { ...file.relay, links: file.relay.links.map(toLinkSelector) },
  };
}

const systemState = "/var/lib/aerial";
const systemSocket = "/run/aerial/aerial.sock";

function defaultStateDirectory(machine: Machine): string {
  if (machine.isRoot && machine.canWrite(systemState)) return systemState;
  return join(machine.environment["XDG_STATE_HOME"] || join(machine.home, ".local/state"), "aerial");
}

function defaultSocket(machine: Machine, directory: string): string {
  if (machine.isRoot && machine.canWrite(dirname(systemSocket))) return systemSocket;
  return userSocket(machine) ?? join(directory, "aerial.sock");
}

function userSocket({ environment }: Machine): string | undefined {
  const runtime = environment["XDG_RUNTIME_DIR"];
  return runtime ? join(runtime, "aerial.sock") : undefined;
}

/**
 * Where a daemon with this configuration would be listening, likeliest first. With `api.socket` left to its default these
 * are all the defaults, since the daemon may run as another user than the command that looks for it.
 */
export function socketCandidates(config: Config, machine: Machine): readonly string[] {
  const defaults = [systemSocket, userSocket(machine), join(defaultStateDirectory(machine), "aerial.sock")];
  const isDefault = defaults.includes(config.api.socket);
  const candidates = isDefault ? [config.api.socket, ...defaults] : [config.api.socket];
  return [...new Set(candidates.filter((path) => path !== undefined))];
}
