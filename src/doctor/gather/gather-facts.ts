/** Reads the machine once, as far as checks have asked for it, and keeps what was read from what could not be. */
import { join } from "node:path";
import type { ClusterFacts, Facts } from "../../core/check.ts";
import { type Clock, timestamp } from "../../core/clock.ts";
import type { IdentifiedDevice } from "../../core/identity.ts";
import type { Radio } from "../../core/radio.ts";
import { isAbsent, isUnreadable, valueOf } from "../../core/reading.ts";
import type { RelayStatus, SeenService } from "../../core/relay.ts";
import { readBluez } from "../../host/bluez-adapters.ts";
import { createBreather } from "../../host/breather.ts";
import { readDeviceEntries } from "../../host/device-entries.ts";
import type { HostPaths } from "../../host/host-paths.ts";
import { readKernelOptions } from "../../host/kernel-config.ts";
import { readKernelLog } from "../../host/kernel-log.ts";
import { readModuleAliases } from "../../host/module-aliases.ts";
import { kernelNodes, type NodeReader } from "../../host/node-reader.ts";
import { readOs } from "../../host/os-release.ts";
import { readProcesses } from "../../host/processes.ts";
import { readTree } from "../../host/read-tree.ts";

/** What the rest of aerial knows. Each is asked once an examination. */
export interface KnownFacts {
  devices(): { readonly radios: readonly Radio[]; readonly others: readonly IdentifiedDevice[] };
  conditions(): ReadonlySet<string>;
  services(): readonly SeenService[];
  /** Left out where no relay is configured; rejects, or resolves to undefined, where it does not answer. */
  relay?(): Promise<RelayStatus | undefined>;
  /** Extended resources that are offered to the kubelet; undefined where none are to be. */
  resources?(): readonly string[] | undefined;
  /** Left out where no cluster is configured. What it cannot learn it says in its readings; it does not reject. */
  cluster?(signal: AbortSignal): Promise<ClusterFacts>;
}

export interface FactsDependencies {
  readonly paths: HostPaths;
  readonly node: string;
  /** `uname -r` and `uname -m`. */
  readonly kernel: string;
  readonly machine: string;
  /** Whether this process is in a container. */
  readonly inContainer: boolean;
  readonly clock: Clock;
  readonly known: KnownFacts;
  /** For made-up trees, which have no device nodes. */
  readonly nodes?: NodeReader;
}

/** An examination that takes longer says what it has. */
const deadlineMs = 8_000;

/** Never blocks the event loop for longer than a slice; never rejects. `reads` are the globs of all checks. */
export async function gatherFacts(dependencies: FactsDependencies, reads: readonly string[], signal: AbortSignal): Promise<Facts> {
  const { paths, node, kernel, machine, inContainer, clock, known, nodes = kernelNodes } = dependencies;
  const at = timestamp(clock);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const breathe = createBreather();
  const modules = moduleDirectories(paths, kernel);

  const asked = {
    bluez: readBluez(join(paths.run, "dbus/system_bus_socket"), deadline),
    cluster: known.cluster?.(deadline),
    relay: known.relay?.().catch(() => undefined),
    options: readKernelOptions({ proc: paths.proc, modules }),
    aliases: readModuleAliases(modules),
  };
  // One after the other: each yields, and together they would only take turns.
  const tree = await readTree({ paths, globs: reads, breathe }, deadline);
  const entries = await readDeviceEntries(paths.dev, nodes, breathe);
  const kernelLog = await readKernelLog(join(paths.dev, "kmsg"), breathe, deadline);
  const processes = await readProcesses({ proc: paths.proc, nodes, breathe }, deadline);
  const [bluez, cluster, relay, options, aliases] = await Promise.all([
    asked.bluez,
    asked.cluster,
    asked.relay,
    asked.options,
    asked.aliases,
  ]);

  const deviceNodes = new Map(entries.state === "read" ? entries.value.map((entry) => [entry.path, entry] as const) : []);
  const resources = known.resources?.();
  const osImage = cluster === undefined ? undefined : valueOf(cluster.osImage);
  return {
    at,
    node,
    machine,
    kernel,
    os: readOs({ paths, kernel, osImage, inContainer }),
    ...tree,
    deviceNode(path) {
      const entry = deviceNodes.get(path);
      if (entry !== undefined) return { state: "read", value: entry };
      if (entries.state === "absent") return isUnreadable("the host's /dev is not there: check host.dev in the configuration");
      return entries.state === "unreadable" ? entries : isAbsent;
    },
    deviceNodes: [...deviceNodes.values()],
    moduleFor: (modalias) => aliases.moduleFor(modalias),
    isBuiltIn: (module) => aliases.isBuiltIn(module),
    kernelOption: options,
    kernelLog,
    processes,
    bluez,
    ...known.devices(),
    ...(relay !== undefined && { relay }),
    services: known.services(),
    conditions: known.conditions(),
    ...(resources !== undefined && { resources }),
    ...(cluster !== undefined && { cluster }),
  };
}

/** Talos and distributions with a merged /usr have one directory by two names; a pod may have mounted it under either. */
function moduleDirectories({ modules = "/usr/lib/modules" }: HostPaths, kernel: string): readonly string[] {
  const directories = modules.endsWith("/usr/lib/modules") ? [modules, modules.replace(/\/usr\/lib\/modules$/, "/lib/modules")] : [modules];
  return directories.map((directory) => join(directory, kernel));
}
