/** Who was given which radio. The kubelet is asked, since it alone knows, and it tells nobody by itself. */
import type { Cell, Watch } from "../../core/cell.ts";
import { type Clock, timestamp } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError } from "../../core/errors.ts";
import type { HandoverWay, RadioHolder } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import { printable } from "../../core/printable.ts";
import type { PodDevices, PodResourcesClient } from "../../kubelet/pod-resources.ts";

export interface HoldersDependencies {
  readonly kubelet: Pick<PodResourcesClient, "list">;
  /** Changes when something was given, or given back. */
  readonly nudges: Watch<unknown>;
  /** Before the slash in resource names, and the DRA driver's name. */
  readonly domain: string;
  /** The radio that a device of our ResourceSlice is. */
  readonly radioOfDevice: (device: string) => string | undefined;
  readonly clock: Clock;
  readonly conditions: Conditions;
  /** Is told, after each answer, when it was asked for, milliseconds since the epoch. */
  readonly answered?: (askedAt: number) => void;
  /** What is found goes here; changes only when it is something else. */
  readonly holders: Cell<readonly RadioHolder[]>;
}

/** The kubelet writes down what a plugin allocates after the plugin has answered, and a pod's claims as its containers come. */
const afterNudgeMs = [300, 1_000, 3_000] as const;
const whileHeldMs = 10_000;
const otherwiseMs = 60_000;
const awayMs = 60_000;
/** A kubelet that has just started names pods only once it knows them again; their containers have the radios all the while. */
const confirmMs = 5_000;
const condition = "kubelet.pod-resources.away";

/** A kubelet takes 110 pods unless told otherwise, and a node has a dozen radios. */
const mostHolders = 1_024;
const longestName = 253;
/** As the inventory makes them. */
const radioId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Runs until the signal aborts. While the kubelet cannot be asked, what is known stays, and after a minute a condition says so. */
export async function runHolders(dependencies: HoldersDependencies, signal: AbortSignal): Promise<void> {
  const { kubelet, nudges, clock, conditions, holders } = dependencies;
  const soon: number[] = [];
  let wake = (): void => {};
  let nudged = -1;
  const follow = async (): Promise<void> => {
    for await (const _nudge of nudges.changes(signal)) {
      nudged += 1;
      // The first is how things are.
      if (nudged === 0) continue;
      soon.splice(0, soon.length, ...afterNudgeMs);
      wake();
    }
  };
  void follow();

  let awaySince: number | undefined;
  /** Holders that the kubelet names no more → since when, milliseconds since the epoch. */
  let unnamed = new Map<string, number>();
  while (!signal.aborted) {
    try {
      const askedAt = clock.now();
      const found = toHolders(await kubelet.list(signal), dependencies);
      const named = new Set(found.map(keyOf));
      const now = clock.now();
      const missed = holders.current.filter((holder) => !named.has(keyOf(holder)));
      unnamed = new Map(missed.map((holder) => [keyOf(holder), Math.min(unnamed.get(keyOf(holder)) ?? now, now)]));
      const given = new Set(found.map((holder) => holder.radioId));
      // A pod that is named has what it is named with: another of its name may be there by now, with another radio.
      const known = new Set(found.map(podOf));
      const kept = missed.filter(
        (holder) => !given.has(holder.radioId) && !known.has(podOf(holder)) && now - (unnamed.get(keyOf(holder)) ?? now) < confirmMs,
      );
      const next = sorted([...keepSince(found, holders.current), ...kept].slice(0, mostHolders));
      if (!isSame(next, holders.current)) holders.set(next);
      dependencies.answered?.(askedAt);
      if (kept.length > 0 && soon.length === 0) soon.push(confirmMs);
      awaySince = undefined;
      conditions.clear(condition);
    } catch (error) {
      if (signal.aborted) break;
      awaySince ??= clock.now();
      if (clock.now() - awaySince >= awayMs) {
        const text = `Which pod holds which radio may be old: the kubelet does not say. ${describeError(error)}`;
        conditions.raise(condition, "warning", text);
      }
    }
    using pause = linkSignal(signal);
    wake = () => pause.abort(undefined);
    const isBusy = holders.current.length > 0 || awaySince !== undefined;
    await clock.sleep(soon.shift() ?? (isBusy ? whileHeldMs : otherwiseMs), pause.signal).catch(() => {});
  }
}

type Found = Omit<RadioHolder, "since">;

/** Whatever the kubelet says, what comes of it is bounded, and each is in it once. */
function toHolders(
  pods: readonly PodDevices[],
  { domain, radioOfDevice, clock }: Pick<HoldersDependencies, "domain" | "radioOfDevice" | "clock">,
): readonly RadioHolder[] {
  const since = timestamp(clock);
  const found = new Map<string, RadioHolder>();
  for (const each of eachGiven(pods, domain, radioOfDevice)) {
    if (found.size >= mostHolders) break;
    if (radioId.test(each.radioId)) found.set(keyOf(each), { ...each, since });
  }
  return sorted([...found.values()]);
}

function sorted(holders: readonly RadioHolder[]): readonly RadioHolder[] {
  return holders.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

function* eachGiven(
  pods: readonly PodDevices[],
  domain: string,
  radioOfDevice: HoldersDependencies["radioOfDevice"],
): Generator<Found, void, undefined> {
  for (const { namespace, name, containers } of pods) {
    for (const { name: container, devices, dynamicResources } of containers) {
      const to = (id: string, way: HandoverWay, request: string): Found => ({
        radioId: id,
        namespace: nameOf(namespace),
        pod: nameOf(name),
        container: nameOf(container),
        way,
        request: nameOf(request),
      });
      for (const { resourceName, deviceIds } of devices) {
        if (!resourceName.startsWith(`${domain}/`)) continue;
        for (const id of deviceIds) yield to(id, "device-plugin", resourceName);
      }
      for (const { claimName, claimResources } of dynamicResources) {
        for (const { driverName, deviceName } of claimResources) {
          const id = driverName === domain ? radioOfDevice(deviceName) : undefined;
          if (id !== undefined) yield to(id, "resource-claim", claimName);
        }
      }
    }
  }
}

function nameOf(text: string): string {
  return printable(text.slice(0, longestName));
}

function podOf({ namespace, pod }: Found): string {
  return `${namespace}/${pod}`;
}

function keyOf({ radioId: id, namespace, pod, container, way, request }: Found): string {
  return [id, namespace, pod, container, way, request].join("\n");
}

function keepSince(found: readonly RadioHolder[], before: readonly RadioHolder[]): readonly RadioHolder[] {
  const known = new Map(before.map((holder) => [keyOf(holder), holder]));
  return found.map((holder) => known.get(keyOf(holder)) ?? holder);
}

function isSame(next: readonly RadioHolder[], before: readonly RadioHolder[]): boolean {
  return next.length === before.length && next.every((holder, index) => holder === before[index]);
}
