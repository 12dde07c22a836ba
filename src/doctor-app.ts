/** The doctor as the daemon and the command line have it: its half of the composition, loaded when somebody first asks. */
import { existsSync } from "node:fs";
import { arch, machine, release } from "node:os";
import type { DoctorView } from "./api/sources.ts";
import type { Config } from "./config/schema.ts";
import type { ClusterFacts, DoctorReport } from "./core/check.ts";
import { systemClock as clock } from "./core/clock.ts";
import { type Conditions, createConditions } from "./core/condition.ts";
import type { IdentifiedDevice } from "./core/identity.ts";
import type { Log } from "./core/log.ts";
import type { Radio, Snapshot } from "./core/radio.ts";
import { builtInChecks } from "./doctor/checks/built-in-checks.ts";
import type { FactsDependencies, KnownFacts } from "./doctor/gather/gather-facts.ts";
import { type Doctor, openDoctor, type OutsideChecks } from "./doctor/open-doctor.ts";
import { toJudgement } from "./doctor/run-checks.ts";
import { type TalosVersion, writeTalosPatch } from "./doctor/talos/write-patch.ts";
import { openHost } from "./host/host.ts";
import { toRadio } from "./inventory/memory.ts";
import { reduce } from "./inventory/reduce.ts";
import { builtInPlugins } from "../plugins/index.ts";
import { type Identifier, openIdentifier } from "./plugins/identifier.ts";
import { groupRadios, resourceName } from "./publish/handover/resource-groups.ts";
import type { Relay } from "./relay/run-relay.ts";
import { scanDevices } from "./scan/scan-devices.ts";

/** What the daemon tells its doctor. */
export interface DaemonParts {
  readonly config: Config;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly inventory: { readonly current: Snapshot };
  readonly identifier: Identifier;
  readonly relay: Relay | undefined;
  readonly cluster: { facts?(signal: AbortSignal): Promise<ClusterFacts> };
}

/** A report is not made anew for so long. */
const freshMs = 60_000;

/** The doctor of a running daemon, for its API. */
export function composeDoctor(parts: DaemonParts, signal: AbortSignal): DoctorView {
  const { config, log, conditions, inventory, identifier, relay, cluster } = parts;
  const known: KnownFacts = {
    devices() {
      const { radios, others } = inventory.current;
      return { radios: [...radios.values()], others };
    },
    conditions: () => new Set(conditions.current.keys()),
    services: () => relay?.services.current ?? [],
    resources: () => offeredResources(config, inventory.current),
    ...(relay !== undefined && { relay: () => relay.status() }),
    ...(cluster.facts !== undefined && { cluster: (stop: AbortSignal) => cluster.facts?.(stop) ?? Promise.reject(stop.reason) }),
  };
  const doctor = openDoctor({ ...machineOf(config), log, known, checks: builtInChecks, outside: checksOf(identifier) }, signal);
  return toView(doctor);
}

/** Undefined where the configuration says that radios are not to be resources. */
function offeredResources({ devicePlugin, handover, labels }: Config, { radios }: Snapshot): readonly string[] | undefined {
  if (devicePlugin.enabled === false) return undefined;
  const groups = { domain: labels.prefix, groups: handover.groups };
  return [...groupRadios(radios.values(), groups).keys()].map((group) => resourceName(groups.domain, group));
}

function toView(doctor: Doctor): DoctorView {
  return {
    report: (fresh) => doctor.report(fresh ? 0 : freshMs),
    async patch({ version, check }) {
      const report = await doctor.report(freshMs);
      const findings = check === undefined ? report.findings : report.findings.filter(({ id }) => id === check);
      return writeTalosPatch({ ...report, findings }, version);
    },
  };
}

export interface LocalParts {
  readonly config: Config;
  readonly log: Log;
}

/** An examination without a daemon, and the patch for what it found. */
export interface LocalExamination {
  readonly report: DoctorReport;
  patch(version?: TalosVersion): Promise<string>;
}

/** Examines this machine without a daemon: what only a running one knows (its relay, the cluster) is left out. */
export async function examineLocally({ config, log }: LocalParts, signal: AbortSignal): Promise<LocalExamination> {
  const conditions = createConditions(clock);
  await using identifier = await openIdentifier({ builtIn: builtInPlugins, paths: config.plugins.paths, log, clock, conditions }, signal);
  const { at, devices } = await scanDevices(openHost({ paths: config.host, clock }), clock);
  const identified = await identifier.identify(devices, signal);
  const known: KnownFacts = {
    devices: () => toRadios(config, at, identified),
    conditions: () => new Set(conditions.current.keys()),
    services: () => [],
  };
  const report = await openDoctor(
    { ...machineOf(config), log, known, checks: builtInChecks, outside: checksOf(identifier) },
    signal,
  ).report(0);
  return { report, patch: (version) => writeTalosPatch(report, version) };
}

/** What the inventory would make of one scan, had it no memory. */
function toRadios(config: Config, at: string, devices: readonly IdentifiedDevice[]): ReturnType<KnownFacts["devices"]> {
  const { name: node } = config.node;
  const overrides = config.radios;
  const empty = { node, overrides, forgetAfterDays: 1, complete: false, sameBoot: false, memories: new Map(), others: [] };
  const { state } = reduce(empty, { type: "scanned", at, devices });
  return { radios: [...state.memories.values()].map((memory): Radio => toRadio(memory, overrides)), others: state.others };
}

/** The plugins' checks: built-in ones are asked here, others in their threads. */
function checksOf(identifier: Identifier): OutsideChecks {
  return {
    reads: () => identifier.checks.flatMap(({ reads }) => reads),
    judge: async (facts, stop) => toJudgement(await identifier.judge(facts, stop)),
  };
}

function machineOf(config: Config): Omit<FactsDependencies, "known"> {
  return {
    paths: config.host,
    node: config.node.name,
    kernel: release(),
    machine: machine() || arch(),
    inContainer: isInContainer(),
    clock,
  };
}

/** Kubernetes tells its containers of the API server; Docker and Podman leave a file. */
function isInContainer(): boolean {
  return process.env["KUBERNETES_SERVICE_HOST"] !== undefined || existsSync("/.dockerenv") || existsSync("/run/.containerenv");
}
