/** What the API is handed of the other parts: the half of the composition that only translates. */
import type { HoldersView } from "./api/sources.ts";
import type { Holder, Plugin } from "./api/contract/types.ts";
import type { ClusterFacts, HeldNode, ProcessFacts } from "./core/check.ts";
import type { Condition } from "./core/condition.ts";
import type { Device } from "./core/device.ts";
import type { Radio } from "./core/radio.ts";
import { createBreather } from "./host/breather.ts";
import { kernelNodes } from "./host/node-reader.ts";
import { readProcesses } from "./host/processes.ts";
import type { ListedPlugin } from "./plugins/identifier.ts";

/** Each with what is wrong with it. */
export function toPluginViews(plugins: readonly ListedPlugin[], conditions: ReadonlyMap<string, Condition>): readonly Plugin[] {
  return plugins.map((plugin) => ({
    ...plugin,
    conditions: [...conditions.values()].filter(({ code }) => code.startsWith(`plugin.${plugin.name}.`)),
  }));
}

interface HolderSources {
  /** Where the host's procfs is mounted. */
  readonly proc: string;
  /** Where there is a cluster; for the names of pods. */
  readonly cluster: { facts?(signal: AbortSignal): Promise<ClusterFacts> };
}

/** Looking at every process of a busy node takes tens of milliseconds; the API server, where it is well, not longer. */
const deadlineMs = 5_000;

/** Who holds a radio open; `signal` ends what still runs. */
export function createHoldersView({ proc, cluster }: HolderSources, signal: AbortSignal): (radio: Radio) => Promise<HoldersView> {
  return async ({ presence, device }) => {
    if (device.nodes.length === 0 || presence === "absent") return { holders: [] };
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const processes = await readProcesses({ proc, nodes: kernelNodes, breathe: createBreather() }, deadline);
    if (processes.state !== "read") return { unknown: processes.state === "absent" ? "there is no procfs" : processes.why };
    const holding = processes.value.filter(({ nodes }) => nodes.some((node) => isOf(device, node)));
    const pods = holding.some(({ podUid }) => podUid !== undefined) ? await readPodNames(cluster, deadline) : new Map<string, string>();
    return { holders: holding.flatMap((process) => toHolders(process, device, pods)) };
  };
}

function isOf(device: Device, { major, minor }: HeldNode): boolean {
  return device.nodes.some((node) => node.major === major && node.minor === minor);
}

function toHolders(
  { pid, name, nodes, podUid, containerId }: ProcessFacts,
  device: Device,
  pods: ReadonlyMap<string, string>,
): readonly Holder[] {
  const pod = podUid === undefined ? undefined : pods.get(podUid);
  const owner = {
    ...(pod !== undefined && { pod }),
    ...(podUid !== undefined && { podUid }),
    ...(containerId !== undefined && { containerId }),
  };
  // A program may have a node open several times; it is one holder of it.
  const held = new Map(nodes.filter((node) => isOf(device, node)).map((node) => [node.path, node.deleted]));
  return [...held].map(([path, deleted]) => Object.assign({ pid, name, path, deleted }, owner));
}

async function readPodNames(cluster: HolderSources["cluster"], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const facts = await cluster.facts?.(signal).catch(() => undefined);
  if (facts?.pods.state !== "read") return new Map();
  return new Map(facts.pods.value.map(({ uid, namespace, name }) => [uid, `${namespace}/${name}`]));
}
