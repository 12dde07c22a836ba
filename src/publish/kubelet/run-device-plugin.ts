/** Radios as extended resources of the node: the kubelet's device plugin API. */
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { changeFrom, firstOf, sleepUntil } from "../../core/first-of.ts";
import type { RadioHolder, ResourceGroups } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Log } from "../../core/log.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import type { PluginDevice } from "../../kubelet/device-plugin-messages.ts";
import { removeStaleSockets, watchPluginDirectory } from "../../kubelet/plugin-directory.ts";
import { groupRadios, resourceName } from "../handover/resource-groups.ts";
import { type AnswerDependencies, answerContainers } from "./answer-container.ts";
import { listDevices } from "./device-list.ts";
import { createDevicePluginCounters, type DevicePluginCounters } from "./device-plugin-counters.ts";
import { isExtendedResourceName, longestDeviceId } from "./kubelet-limits.ts";
import { createPluginReport } from "./plugin-report.ts";
import { type PluginResource, runResource } from "./plugin-resource.ts";
import { isOurSocket } from "./socket-name.ts";

export interface DevicePluginDependencies extends Pick<AnswerDependencies, "allocate" | "refresh" | "handed"> {
  readonly snapshots: Watch<Snapshot>;
  readonly groups: ResourceGroups;
  /** How long an unplugged radio stays listed. */
  readonly graceMs: number;
  /** The kubelet's, `/var/lib/kubelet/device-plugins`. */
  readonly directory: string;
  /** Ids of radios that are prepared for a resource claim. */
  readonly claimed: Watch<ReadonlySet<string>>;
  /** Who has radios: one that was given out as another resource, before its group changed, is not given out again. */
  readonly holders?: Watch<readonly RadioHolder[]>;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
  readonly counters?: DevicePluginCounters;
}

/** A group that is, or was, a resource. */
interface Offer {
  readonly resource: PluginResource;
  radios: ReadonlyMap<string, Radio>;
  /** What was listed and is not in the group any more → since when, milliseconds since the epoch. */
  readonly missing: Map<string, number>;
}

const noHolders = new Cell<readonly RadioHolder[]>([]);

/**
 * Offers one resource for each group of radios, from the first whole snapshot on, until aborted. A resource that was offered
 * once stays, with radios or without, so that pods wait for it instead of being refused. Aborted, it takes its sockets away
 * and withdraws nothing.
 */
export async function runDevicePlugin(dependencies: DevicePluginDependencies, signal: AbortSignal): Promise<void> {
  const { snapshots, claimed, holders = noHolders, clock, directory: path, log, groups } = dependencies;
  const counters = dependencies.counters ?? createDevicePluginCounters();
  const report = createPluginReport({ ...dependencies, directory: path });
  const offers = new Map<string, Offer>();
  const running: Promise<void>[] = [];
  using lifetime = linkSignal(signal);
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    lifetime.abort(error);
  };
  const removed = await removeStaleSockets(path, isOurSocket);
  if (removed > 0) log.info({ removed, directory: path }, "stale sockets removed");
  using directory = watchPluginDirectory(path, clock, lifetime.signal);
  while (!lifetime.signal.aborted) {
    const known = [snapshots, claimed, holders].map((watch: Watch<unknown>) => ({ watch, value: watch.current }));
    const { complete, radios } = snapshots.current;
    const grouped = groupRadios(complete ? radios.values() : [], groups);
    for (const [group, members] of complete ? grouped : []) {
      const name = resourceName(groups.domain, group);
      if (offers.has(group)) continue;
      if (!isExtendedResourceName(name)) report.invalidName(group, name);
      else offers.set(group, createOffer({ group, name, members, counters }, dependencies));
    }
    report.longIds([...grouped.values()].flat().flatMap(({ id }) => (id.length > longestDeviceId ? [id] : [])));
    const ends = complete ? [...offers].map(([group, offer]) => update(offer, grouped.get(group) ?? [], dependencies)) : [];
    for (const { resource } of [...offers.values()].slice(running.length)) {
      running.push(
        runResource(resource, { path, directory, clock, log, report, counters, registered: dependencies.handed }, lifetime.signal).catch(
          fail,
        ),
      );
    }
    await firstOf(lifetime.signal, (wait) => [
      sleepUntil(clock, Math.min(...ends), wait),
      ...known.map((each) => changeFrom(each.watch, each.value, wait)),
    ]);
  }
  await Promise.all(running);
  report.end();
  if (failure !== undefined) throw failure;
}

interface NewOffer {
  readonly group: string;
  readonly name: string;
  readonly members: readonly Radio[];
  readonly counters: DevicePluginCounters;
}

function createOffer({ group, name, members, counters }: NewOffer, dependencies: DevicePluginDependencies): Offer {
  const offer: Offer = {
    resource: {
      group,
      name,
      devices: new Cell<readonly PluginDevice[]>([]),
      handlers: answerContainers({
        ...dependencies,
        resource: name,
        group,
        counters,
        find: (id) => offer.radios.get(id),
        withheld: (id) => withheldWhy(id, name, dependencies),
      }),
    },
    radios: byId(members),
    missing: new Map(),
  };
  return offer;
}

/** Makes the offer's list what it is now. Gives when it will be another by itself; Infinity: never. */
function update(offer: Offer, members: readonly Radio[], dependencies: DevicePluginDependencies): number {
  const { graceMs, clock } = dependencies;
  const { name, devices } = offer.resource;
  const now = clock.now();
  offer.radios = byId(members);
  for (const { ID } of devices.current) if (!offer.radios.has(ID) && !offer.missing.has(ID)) offer.missing.set(ID, now);
  for (const [id, since] of offer.missing) if (offer.radios.has(id) || now >= since + graceMs) offer.missing.delete(id);
  const withheld = new Set(members.flatMap(({ id }) => (withheldWhy(id, name, dependencies) === undefined ? [] : [id])));
  const planned = listDevices({ radios: members, withheld, missing: offer.missing, graceMs, now });
  if (JSON.stringify(planned.devices) !== JSON.stringify(devices.current)) devices.set(planned.devices);
  return planned.wakeAt ?? Infinity;
}

/** Why a radio cannot be had as `resource`, as the end of a sentence. */
function withheldWhy(id: string, resource: string, { claimed, holders = noHolders }: DevicePluginDependencies): string | undefined {
  if (claimed.current.has(id)) return "is prepared for a resource claim";
  const other = holders.current.find(({ radioId, way, request }) => radioId === id && (way === "resource-claim" || request !== resource));
  return other && `was given to ${other.namespace}/${other.pod} by ${other.request}`;
}

function byId(radios: readonly Radio[]): ReadonlyMap<string, Radio> {
  return new Map(radios.map((radio) => [radio.id, radio]));
}
