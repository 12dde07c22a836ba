/** The radios of all nodes: each aerial has written its own on its Node, and any of them reads them all. */
import type { ClusterNode, ClusterRadio, ClusterRadios } from "../../core/cluster-radio.ts";
import { type Clock, timestamp } from "../../core/clock.ts";
import { AerialError } from "../../core/errors.ts";
import { shareAnswer } from "../../core/shared-answer.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Kube } from "../../kube/kube.ts";
import { radiosAnnotationOf } from "../labels/radio-facts.ts";
import { readNodeList } from "./read-node-list.ts";

export interface ClusterRadiosDependencies {
  readonly kube: Pick<Kube, "list">;
  readonly clock: Clock;
  /** Of labels and annotations: the same on all nodes. */
  readonly prefix: string;
  /** Whoever asks again within this time gets the same answer, so that an open page costs the API server little. */
  readonly keptMs?: number;
}

/** With the largest annotation (128 KiB) and all else that Nodes carry, such a page stays below what the client reads (4 MiB). */
const nodesAtOnce = 16;
/** A thousand nodes. A house has a handful; nobody could read a longer list. */
const mostPages = 64;

/** Gives the list, asked of the API server at most every five seconds, or as said, and once for all who wait. Rejects with `kube.*`. */
export function createClusterRadios(dependencies: ClusterRadiosDependencies): (signal: AbortSignal) => Promise<ClusterRadios> {
  const { clock, keptMs = 5_000 } = dependencies;
  return shareAnswer({ clock, keptMs, ask: (signal) => readAll(dependencies, signal) });
}

async function readAll({ kube, clock, prefix }: ClusterRadiosDependencies, signal: AbortSignal): Promise<ClusterRadios> {
  using lifetime = linkSignal(signal);
  const at = timestamp(clock);
  const annotation = radiosAnnotationOf(prefix);
  const nodes: ClusterNode[] = [];
  const radios: ClusterRadio[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = { limit: String(nodesAtOnce), ...(next !== undefined && { continue: next }) };
    const page = readNodeList(await kube.list("/api/v1/nodes", query, lifetime.signal), annotation);
    if (page === undefined) throw new AerialError("kube.protocol", "the API server sent something that is no list of Nodes");
    nodes.push(...page.nodes);
    radios.push(...page.radios);
    ({ next } = page);
    if (next === undefined) break;
  }
  return { at, complete: next === undefined, nodes, radios };
}
