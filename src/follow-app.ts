/** Pods that follow their radio, and those that a reboot left behind: what of the configuration and the cluster they need. */
import type { Config } from "./config/schema.ts";
import type { Watch } from "./core/cell.ts";
import { systemClock as clock } from "./core/clock.ts";
import type { Conditions } from "./core/condition.ts";
import type { RadioAssignment, RadioHolder } from "./core/handover.ts";
import type { Log } from "./core/log.ts";
import type { RadioPodEvent, Snapshot } from "./core/radio.ts";
import type { Scope } from "./core/scope.ts";
import type { Kube } from "./kube/kube.ts";
import { createClusterRadios } from "./publish/cluster/cluster-radios.ts";
import type { Move } from "./publish/follow/evict-pod.ts";
import type { FollowPod } from "./publish/follow/parse-pod.ts";
import { runFollow } from "./publish/follow/run-follow.ts";
import { runGhostPods } from "./publish/follow/run-ghost-pods.ts";
import { groupRadios, resourceName } from "./publish/handover/resource-groups.ts";

interface FollowDependencies {
  readonly config: Config;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly snapshots: Watch<Snapshot>;
  readonly holders: Watch<readonly RadioHolder[]>;
  /** Claims that are allocated a radio which is not here. */
  readonly awaited: Watch<readonly RadioAssignment[]>;
  readonly kube: Kube;
  readonly scope: Scope;
  /** Told of each pod that was evicted for a radio's sake. */
  readonly tell: (event: Omit<RadioPodEvent, "at">) => void;
}

/** What everybody else is told of all nodes may be older than a pod should wait. */
const radiosKeptMs = 1_000;

export function startFollow({ config, log, conditions, snapshots, holders, awaited, kube, scope, tell }: FollowDependencies): void {
  const { evict, absentSeconds, ghostPods } = config.follow;
  const { prefix } = config.labels;
  const common = { kube, node: config.node.name, prefix, clock, log, conditions };
  const radios = createClusterRadios({ kube, clock, prefix, keptMs: radiosKeptMs });
  const groups = { domain: prefix, groups: config.handover.groups };
  const offered = (resource: string): number => {
    const present = [...snapshots.current.radios.values()].filter(({ presence }) => presence === "present");
    const grouped = [...groupRadios(present, groups)].filter(([group]) => resourceName(prefix, group) === resource);
    return grouped.flatMap(([, members]) => members).length;
  };
  const evicted = ({ namespace, name }: FollowPod, { radioId: id, to }: Move): void =>
    tell({ type: "pod-evicted", id, pod: `${namespace}/${name}`, ...(to !== undefined && { to }) });
  const moves = { snapshots, holders, awaited, radios, evict, evicted, offered, absentMs: absentSeconds * 1_000 };
  scope.spawn("follow", (stop) => runFollow({ ...common, ...moves }, stop));
  // A replacement that gets the radio changes the holders: then its ghost can go.
  if (ghostPods) scope.spawn("ghost pods", (stop) => runGhostPods({ ...common, nudges: holders }, stop));
}
