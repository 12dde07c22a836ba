/** The composition root: every part, in order, and how they hang together. */
import { release } from "node:os";
import { join } from "node:path";
import { builtInPlugins } from "../plugins/index.ts";
import { toApiAccess } from "./access-app.ts";
import { createApiCounters } from "./api/metrics/api-counters.ts";
import { createHoldersView, toPluginViews } from "./api-app.ts";
import { openApi } from "./api/open-api.ts";
import type { RelayView } from "./api/sources.ts";
import { readVersion } from "./cli/version.ts";
import type { ClusterAccess } from "./cluster.ts";
import { hideSecrets } from "./config/hide-secrets.ts";
import type { ConfigSource } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import { createFollowedConfig } from "./config-app.ts";
import type { Watch } from "./core/cell.ts";
import { type ChangeLatency, createChangeLatency } from "./core/change-latency.ts";
import { systemClock as clock, timestamp } from "./core/clock.ts";
import { createConditions } from "./core/condition.ts";
import { describeError } from "./core/errors.ts";
import { linkSignal } from "./core/linked-signal.ts";
import { logConditions } from "./core/log-conditions.ts";
import type { Log } from "./core/log.ts";
import type { Snapshot } from "./core/radio.ts";
import { keepRecentLog } from "./core/recent-log.ts";
import { Scope } from "./core/scope.ts";
import { readBootId } from "./host/boot-id.ts";
import { openHost } from "./host/host.ts";
import { hasDevicePlugins } from "./host/kubelet-directory.ts";
import { readKernelSummary } from "./host/kernel-summary.ts";
import type { Handover } from "./handover-app.ts";
import { openInventory } from "./inventory/open-inventory.ts";
import { openIdentifier } from "./plugins/identifier.ts";
import { composeMetrics } from "./metrics-app.ts";
import type { OutputCounters } from "./publish/run-output.ts";
import type { Relay } from "./relay/run-relay.ts";
import { lazyDoctor } from "./lazy-doctor.ts";
import { createHints } from "./scan/hints.ts";
import { toNetworkDevices } from "./scan/network-devices.ts";
import { runNetworkHints } from "./scan/network-hints.ts";
import { createRescans } from "./scan/rescans.ts";
import { runScanner } from "./scan/run-scanner.ts";
import type { BlindSpot } from "./scan/scan.ts";
import { createScanCounters } from "./scan/scan-counters.ts";

export interface AppDependencies {
  readonly config: Config;
  readonly source: ConfigSource;
  /** Changes when somebody asks for the configuration to be read again. */
  readonly hangUps: Watch<number>;
  readonly log: Log;
}

/** Runs aerial until the signal aborts; resolves when everything is closed. Throws what no part could go on from. */
export async function runAerial({ config, source, hangUps, log: told }: AppDependencies, signal: AbortSignal): Promise<void> {
  const { log, lines } = keepRecentLog(told, clock);
  const startedAt = timestamp(clock);
  const node = config.node.name;
  const conditions = createConditions(clock);
  using lifetime = linkSignal(signal);
  let failure: unknown;
  await using scope = new Scope(log, (error, part) => {
    log.error({ part, err: describeError(error) }, "part failed; stopping");
    failure ??= error;
    lifetime.abort(error);
  });

  scope.spawn("conditions", (stop) => logConditions(conditions, log, stop));
  const identifier = scope.use(
    "plugins",
    await openIdentifier({ builtIn: builtInPlugins, paths: config.plugins.paths, log, clock, conditions }, lifetime.signal),
  );
  const inventory = scope.use("inventory", await openInventory({ ...inventoryOptions(config), clock, log, conditions }));

  let relay: Relay | undefined;
  let configureRelay: ((section: Config["relay"]) => void) | undefined;
  if (config.relay.enabled) {
    // Loaded where there is something to relay.
    const { startRelay, toRelayOptions } = await import("./relay-app.ts");
    const started = startRelay({ options: toRelayOptions(config.relay), log, conditions, notesServices: true, scope });
    relay = started;
    configureRelay = (section) => started.configure(toRelayOptions(section));
  }
  const followed = createFollowedConfig({ config, source, hangUps, configureRelay, log, conditions });
  scope.spawn("configuration", (stop) => followed.run(stop));

  let cluster: ClusterAccess = { labels: false, outputs: new Map() };
  if (config.kubernetes.enabled) {
    // Loaded where there is a cluster: alone, aerial has no use for it.
    const { publishToCluster } = await import("./cluster.ts");
    cluster = await publishToCluster({ config, log, conditions, inventory, identifier, scope, relay }, lifetime.signal);
  } else {
    log.info({ what: "a cluster", why: "none is configured: radios are found, named and shown, but not labelled" }, "cannot see");
  }

  const labelCounters = cluster.outputs.get("labels");
  const latency = createChangeLatency();
  if (labelCounters) scope.spawn("label latency", (stop) => followLabels(labelCounters, latency, stop));
  const scanCounters = createScanCounters();

  const hints = createHints();
  const rescans = createRescans(hints);
  if (relay !== undefined) {
    const { services } = relay;
    relay.want([...identifier.networkServices]);
    scope.spawn("network radios", (stop) => runNetworkHints({ services, wanted: () => identifier.networkServices, hints }, stop));
  }

  const host = openHost({ paths: config.host, clock });
  let blindSpots: readonly BlindSpot[] = [];
  let scannedAt: number | undefined;
  scope.spawn("scanner", (stop) =>
    runScanner(
      {
        host,
        clock,
        log,
        conditions,
        intervalMs: config.scan.interval * 1_000,
        hints,
        counters: scanCounters,
        async onScan(scan) {
          for (const spot of newBlindSpots(blindSpots, scan.blindSpots)) log.info({ ...spot }, "cannot see");
          blindSpots = scan.blindSpots;
          const devices = [...scan.devices, ...toNetworkDevices(relay?.services.current ?? [], identifier.networkServices)];
          const identified = await identifier.identify(devices, stop);
          const before = inventory.current;
          const after = inventory.apply({ type: "scanned", at: scan.at, devices: identified });
          latency.published({ before, after, hintedAt: scan.hintedAt });
          rescans.published(scan);
          if (scannedAt === undefined) logFirstScan(log, inventory.current);
          scannedAt ??= clock.now();
        },
      },
      stop,
    ),
  );

  let handover: Handover | undefined;
  if (handsOver(config)) {
    // Loaded where there is a kubelet.
    const { startHandover } = await import("./handover-app.ts");
    handover = startHandover({ config, log, conditions, inventory, rescans, cluster, scope });
  } else {
    log.info({ what: "a kubelet", why: `there is no ${config.host.kubelet}/device-plugins: radios are not given to pods` }, "cannot see");
  }

  const counters = createApiCounters();
  const doctor = lazyDoctor(async () => {
    const { composeDoctor } = await import("./doctor-app.ts");
    return composeDoctor({ config, log, conditions, inventory, identifier, relay, cluster }, lifetime.signal);
  });
  const outputs = new Map([...cluster.outputs, ...(handover?.outputs ?? [])]);
  const measured = { config, inventory, conditions, scanCounters, hints, outputs, relay, latency, api: counters };
  const metrics = composeMetrics({
    ...measured,
    doctor: () => doctor.reports.current,
    ...(handover !== undefined && { handover: handover.figures }),
  });
  const api = await openApi(
    {
      ...toApiAccess(config, cluster.reviewToken),
      log,
      clock,
      snapshots: inventory,
      conditions,
      counters,
      support: { log: lines, kernel: () => readKernelSummary(config.host, lifetime.signal) },
      ...(cluster.radios !== undefined && { clusterRadios: cluster.radios }),
      ...(handover !== undefined && { handover }),
      ...(handover?.radioPods !== undefined && { radioPods: handover.radioPods }),
      metrics,
      history: (query) => inventory.history(query),
      stored: inventory.stored,
      apply: (event) => inventory.apply(event),
      holders: createHoldersView({ proc: config.host.proc, cluster }, lifetime.signal),
      plugins: () => toPluginViews(identifier.list(), conditions.current),
      config: () => hideSecrets(followed.current),
      rescan: (stop) => rescans.ask(stop),
      ...(relay !== undefined && { relay: toRelayView(relay) }),
      doctor,
      hints: { findings: doctor.reports, ...(relay && { relay: relay.services }), ...(labelCounters && { node: labelCounters }) },
      node: () => ({
        version: readVersion(),
        startedAt,
        kernel: release(),
        blindSpots,
        cluster: { state: labelCounters ? clusterState(labelCounters.current) : "none" },
      }),
      readiness() {
        const waitingFor: string[] = [];
        if (scannedAt === undefined) waitingFor.push("the first whole scan");
        else if (labelCounters && !((labelCounters.current.lastSuccessAt ?? 0) >= scannedAt))
          waitingFor.push("the first labels on the API server");
        return { ready: waitingFor.length === 0, waitingFor };
      },
    },
    lifetime.signal,
  );
  scope.use("api", api);
  log.info({ node, addresses: api.addresses, cluster: cluster.labels }, "aerial is up");

  await new Promise<void>((resolve) => {
    if (lifetime.signal.aborted) resolve();
    else lifetime.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  log.info({ why: describeError(lifetime.signal.reason) }, "stopping; labels stay as they are");
  if (failure !== undefined) throw failure;
}

/** Tells `latency` of every snapshot whose labels are on the API server, until aborted. */
async function followLabels(counters: Watch<OutputCounters>, latency: ChangeLatency, signal: AbortSignal): Promise<void> {
  for await (const { revision } of counters.changes(signal)) if (revision !== undefined) latency.accepted(revision);
}

/** Told to, or left to decide and where a kubelet is. */
function handsOver({ devicePlugin, resourceClaims, host }: Config): boolean {
  const ways = new Set([devicePlugin.enabled, resourceClaims.enabled]);
  return ways.has(true) || (ways.has("auto") && hasDevicePlugins(host.kubelet));
}

function newBlindSpots(before: readonly BlindSpot[], now: readonly BlindSpot[]): readonly BlindSpot[] {
  return now.filter((spot) => !before.some((known) => known.what === spot.what && known.why === spot.why));
}

function logFirstScan(log: Log, { radios, others }: Snapshot): void {
  const present = [...radios.values()].filter(({ presence }) => presence === "present");
  log.info({ radios: present.map(({ id }) => id), otherDevices: others.length }, "first scan");
}

function toRelayView(relay: Relay): RelayView {
  return {
    status: () => relay.status(),
    services: () => Promise.resolve(relay.services.current),
    trace: (signal) => relay.trace(signal),
  };
}

function clusterState({ attempts, lastSuccessAt, failures }: OutputCounters): "connecting" | "connected" | "failing" {
  if (lastSuccessAt !== undefined) return "connected";
  return attempts === 0 || failures === 0 ? "connecting" : "failing";
}

function inventoryOptions(config: Config): Pick<Parameters<typeof openInventory>[0], "file" | "node" | "bootId" | "overrides"> {
  const bootId = readBootId(config.host.proc);
  return {
    file: join(config.state.directory, "inventory.sqlite"),
    node: config.node.name,
    overrides: config.radios,
    ...(bootId === undefined ? {} : { bootId }),
  };
}
