/** What gives radios to pods: the part of the composition that is loaded only where there is a kubelet. */
import { join } from "node:path";
import type { HandoverFigures } from "./api/metrics/handover-metrics.ts";
import type { HandoverView } from "./api/radio-views.ts";
import type { ClusterAccess } from "./cluster.ts";
import type { Config } from "./config/schema.ts";
import { Cell, type Watch } from "./core/cell.ts";
import { systemClock as clock, timestamp } from "./core/clock.ts";
import type { Conditions } from "./core/condition.ts";
import { describeError, hasCode } from "./core/errors.ts";
import type { RadioHolder, ResourceGroups } from "./core/handover.ts";
import type { Log } from "./core/log.ts";
import type { Radio, RadioPodEvent, Snapshot } from "./core/radio.ts";
import type { Scope } from "./core/scope.ts";
import { startFollow } from "./follow-app.ts";
import { createHandedContainers } from "./host/handed-containers.ts";
import type { Inventory } from "./inventory/inventory.ts";
import { openCdiDirectory } from "./kubelet/cdi-directory.ts";
import { openPodResources } from "./kubelet/pod-resources.ts";
import { cdiDeviceName } from "./publish/cdi/cdi-device-name.ts";
import { cdiNames } from "./publish/cdi/cdi-files.ts";
import { createCdiOutput } from "./publish/cdi/cdi-output.ts";
import { createAwaitedClaims } from "./publish/dra/awaited-claims.ts";
import { toDeviceName } from "./publish/dra/device-name.ts";
import { createGivenRadios } from "./publish/handover/given-radios.ts";
import { runHolders } from "./publish/handover/holders.ts";
import { createRadioPods } from "./publish/handover/radio-pods.ts";
import { editsFor } from "./publish/handover/radio-edits.ts";
import { groupRadios, resourceName } from "./publish/handover/resource-groups.ts";
import { hasCdi, toNodeVersions } from "./publish/handover/runtime-cdi.ts";
import { createDevicePluginCounters } from "./publish/kubelet/device-plugin-counters.ts";
import { runDevicePlugin } from "./publish/kubelet/run-device-plugin.ts";
import { type ContainerRestart, runReplug } from "./publish/replug/run-replug.ts";
import { noOutputCounters, type OutputCounters, runOutput } from "./publish/run-output.ts";
import type { Rescans } from "./scan/rescans.ts";

interface HandoverDependencies {
  readonly config: Config;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly inventory: Pick<Inventory, "current" | "changes" | "apply">;
  readonly rescans: Pick<Rescans, "ask">;
  readonly cluster: ClusterAccess;
  /** All that hands over lives in it. */
  readonly scope: Scope;
}

/** What the rest of aerial has of it. */
export interface Handover extends HandoverView {
  /** What each publisher has done, by its name. */
  readonly outputs: ReadonlyMap<string, Watch<OutputCounters>>;
  /** For measurements. */
  readonly figures: () => HandoverFigures;
  /** The cluster's pods that ask for radios, where there is a cluster. Rejects with `kube.*` and `pods.forbidden`. */
  readonly radioPods?: ReturnType<typeof createRadioPods>;
}

export function startHandover({ config, log, conditions, inventory, rescans, cluster, scope }: HandoverDependencies): Handover {
  const groups: ResourceGroups = { domain: config.labels.prefix, groups: config.handover.groups };
  const common = { snapshots: inventory, clock, log, conditions };
  const holders = new Cell<readonly RadioHolder[]>([]);

  const files = openCdiDirectory({ path: config.host.cdi, ...cdiNames(groups.domain), clock });
  const cdiCounters = new Cell<OutputCounters>(noOutputCounters);
  scope.spawn("CDI directory", (stop) => files.run(stop));
  scope.spawn("CDI files", (stop) => {
    const output = createCdiOutput({ directory: files, clock, groups, groupId: config.handover.groupId });
    return runOutput({ ...common, output, nudges: files.edits, counters: cdiCounters }, stop);
  });

  /** Waits until the container runtime's files say what is known now. */
  const written = async (signal: AbortSignal): Promise<Snapshot> => {
    const snapshot = inventory.current;
    for await (const { revision } of cdiCounters.changes(signal)) if ((revision ?? -1) >= snapshot.revision) break;
    signal.throwIfAborted();
    return snapshot;
  };
  /** Looks at the machine once more first. */
  const refresh = async (signal: AbortSignal): Promise<Snapshot> => {
    await rescans.ask(signal);
    return await written(signal);
  };
  const nudges = new Cell(0);
  const nudge = (): void => nudges.set(nudges.current + 1);
  const kubelet = scope.use("pod resources", openPodResources({ kubelet: config.host.kubelet }));
  const radioOfDevice = (device: string): string | undefined =>
    [...inventory.current.radios.keys()].find((id) => toDeviceName(id) === device);
  const given = createGivenRadios(clock);
  scope.spawn("holders", (stop) =>
    runHolders(
      { kubelet, nudges, domain: groups.domain, radioOfDevice, clock, conditions, holders, answered: (at) => given.told(at) },
      stop,
    ),
  );

  const cdi = followRuntime({ config, cluster, log, scope });
  const claimed = new Cell<ReadonlySet<string>>(new Set());
  const devicePlugin = config.devicePlugin.enabled === false ? undefined : createDevicePluginCounters();
  if (devicePlugin !== undefined) {
    scope.spawn("device plugin", (stop) =>
      runDevicePlugin(
        {
          ...common,
          groups,
          graceMs: config.handover.graceSeconds * 1_000,
          directory: join(config.host.kubelet, "device-plugins"),
          claimed,
          holders,
          counters: devicePlugin,
          refresh,
          handed: nudge,
          allocate(radio, place) {
            given.give(radio.id);
            if (cdi.current) return { cdiName: cdiDeviceName(groups.domain, radio.id, place.ordinal) };
            return editsFor(radio, { ...place, node: config.node.name });
          },
        },
        stop,
      ),
    );
  }

  const awaited = createAwaitedClaims(clock);
  const { kube, radios: clusterRadios } = cluster;
  const sliceCounters = new Cell<OutputCounters>(noOutputCounters);
  const { enabled: offersClaims } = config.resourceClaims;
  const followsClaims = offersClaims !== false && kube !== undefined;
  if (followsClaims) {
    const { evict, absentSeconds } = config.follow;
    scope.spawn("resource claims", async (stop) => {
      // Loaded where there is a cluster.
      const { runResourceClaims } = await import("./publish/dra/run-resource-claims.ts");
      const own = {
        kube,
        enabled: offersClaims,
        node: config.node.name,
        domain: groups.domain,
        groups: (radios: Iterable<Radio>) => groupRadios(radios, groups),
        cdiName: (id: string, ordinal: number) => cdiDeviceName(groups.domain, id, ordinal),
        kubelet: config.host.kubelet,
        stateDirectory: config.state.directory,
        graceMs: config.handover.graceSeconds * 1_000,
        evictAfterMs: evict === "all" && absentSeconds > 0 ? absentSeconds * 1_000 : undefined,
        given: given.ids,
      };
      await runResourceClaims({ ...common, ...own, refresh, holders, claimed, awaited, handed: nudge, counters: sliceCounters }, stop);
    });
  }

  const containers = createHandedContainers({ proc: config.host.proc, clock });
  const policy = config.handover.onReplug;
  const restarts = new Map<string, number>();
  /** So that the radio's history, and with it the Node's Events, says why. */
  const tell = (event: Omit<RadioPodEvent, "at">): void => {
    try {
      inventory.apply({ ...event, at: timestamp(clock) });
    } catch (error) {
      // Forgotten meanwhile: then it has no history either.
      if (!hasCode(error, "inventory.unknown-radio")) throw error;
    }
  };
  const restarted = ({ radioId: id, podUid, holder, from, to }: ContainerRestart): void => {
    restarts.set(id, (restarts.get(id) ?? 0) + 1);
    const pod = holder === undefined ? `with uid ${podUid}` : `${holder.namespace}/${holder.pod}`;
    const container = holder && { container: holder.container };
    tell({ type: "container-restarted", id, pod, ...container, from, ...(to !== undefined && { to }) });
  };
  scope.spawn("replug", (stop) => runReplug({ ...common, containers, policy, written, holders, restarted }, stop));
  if (cluster.kube !== undefined)
    startFollow({ config, log, conditions, snapshots: inventory, holders, awaited: awaited.radios, kube: cluster.kube, scope, tell });

  const resourceOf = (radio: Radio): string | undefined => {
    for (const [group, members] of groupRadios([radio], groups)) if (members.length > 0) return resourceName(groups.domain, group);
    return undefined;
  };
  return {
    outputs: new Map([["cdi", cdiCounters], ...(followsClaims ? [["resource-slices", sliceCounters] as const] : [])]),
    figures: () => ({ holders: holders.current, resourceOf, restarts, ...(devicePlugin && { devicePlugin }) }),
    ...(kube !== undefined &&
      clusterRadios !== undefined && {
        radioPods: createRadioPods({
          kube,
          clock,
          groups,
          clusterRadios,
          snapshot: () => inventory.current,
          holders: () => holders.current,
        }),
      }),
    holders,
    resourceOf,
  };
}

/** Asked of the Node until it says; it is written once, when the kubelet starts. */
const versionsRetryMs = 30_000;

interface RuntimeSources {
  readonly config: Config;
  readonly cluster: Pick<ClusterAccess, "kube">;
  readonly log: Log;
  readonly scope: Scope;
}

/** Whether devices are handed over by CDI name. Until the cluster says what this node runs, and without a cluster: yes. */
function followRuntime({ config, cluster: { kube }, log, scope }: RuntimeSources): Watch<boolean> {
  const { allocation } = config.handover;
  const cdi = new Cell(allocation !== "devices");
  if (allocation !== "auto" || kube === undefined) return cdi;
  scope.spawn("runtime versions", async (stop) => {
    for (;;) {
      try {
        const versions = toNodeVersions(await kube.get(`/api/v1/nodes/${config.node.name}`, stop));
        cdi.set(hasCdi(versions));
        log.info({ ...versions, cdi: cdi.current }, "how radios are handed over");
        return;
      } catch (error) {
        if (stop.aborted) return;
        log.debug({ err: describeError(error) }, "the Node's versions are not known yet");
        await clock.sleep(versionsRetryMs, stop).catch(() => {});
      }
    }
  });
  return cdi;
}
