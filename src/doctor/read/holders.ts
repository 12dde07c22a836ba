/** Who has a device node open, told as people would: a pod, or a program with what it started. */
import type { Facts, FindingEvidence, HeldNode, ProcessFacts, Reading } from "../../core/check.ts";
import { mapReading, valueOf } from "../../core/reading.ts";

/** One that has the node open. Processes of a pod are one, and so are a program and what it started. */
export interface Holder {
  /** `pod home/zigbee2mqtt`, `node (process 4711)`. */
  readonly label: string;
  readonly evidence: readonly FindingEvidence[];
}

/** Who has nodes open that `isMeant`; why nobody can tell, where processes cannot be seen. */
export function holdersOf(facts: Facts, isMeant: (node: HeldNode) => boolean): Reading<readonly Holder[]> {
  return mapReading(facts.processes, (processes) => {
    const holding = processes.filter(({ nodes }) => nodes.some(isMeant));
    const pids = new Map(processes.map((process) => [process.pid, process]));
    const groups = new Map<string, ProcessFacts[]>();
    for (const process of holding) {
      const key = ownerOf(process, holding, pids);
      groups.set(key, [...(groups.get(key) ?? []), process]);
    }
    return [...groups.values()].map((group) => ({
      label: labelOf(facts, group[0]),
      evidence: group.map(({ pid, name, nodes }) => ({ source: `/proc/${pid}/fd (${name})`, value: describe(nodes.find(isMeant)) })),
    }));
  });
}

/** Processes whose open files are hidden from us: there may be holders among them. */
export function hiddenProcesses(facts: Facts): number {
  return (valueOf(facts.processes) ?? []).filter(({ hidden }) => hidden !== undefined).length;
}

/** A descriptor that was inherited is not a second owner: the oldest ancestor that holds the node stands for all. */
function ownerOf(process: ProcessFacts, holding: readonly ProcessFacts[], pids: ReadonlyMap<number, ProcessFacts>): string {
  if (process.podUid !== undefined) return `pod ${process.podUid}`;
  if (process.containerId !== undefined) return `container ${process.containerId}`;
  let owner = process;
  const seen = new Set<number>();
  for (let next = pids.get(process.parentPid ?? 0); next !== undefined && !seen.has(next.pid); next = pids.get(next.parentPid ?? 0)) {
    seen.add(next.pid);
    if (holding.includes(next)) owner = next;
  }
  return `process ${owner.pid}`;
}

function labelOf(facts: Facts, process: ProcessFacts | undefined): string {
  if (process === undefined) return "nobody";
  const { podUid, name, pid } = process;
  if (podUid === undefined) return `${name} (process ${pid})`;
  const pods = facts.cluster === undefined ? [] : (valueOf(facts.cluster.pods) ?? []);
  const pod = pods.find(({ uid }) => uid === podUid);
  return pod === undefined ? `${name} in pod ${podUid} (process ${pid})` : `pod ${pod.namespace}/${pod.name} (process ${pid}, ${name})`;
}

function describe(node: HeldNode | undefined): string {
  if (node === undefined) return "";
  return `${node.path} (${node.major}:${node.minor})${node.deleted ? ", which is gone" : ""}`;
}
