/** What the kubelet is answered when a container asks for radios. */
import type { Clock } from "../../core/clock.ts";
import type { Durations } from "../../core/durations.ts";
import { AerialError, describeError } from "../../core/errors.ts";
import type { RadioEdits } from "../../core/handover.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Log } from "../../core/log.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { type ContainerAllocation, devicePlugin } from "../../kubelet/device-plugin-messages.ts";
import { type GrpcHandler, unary } from "../../kubelet/grpc-server.ts";
import type { DevicePluginCounters } from "./device-plugin-counters.ts";

/** How a container gets a radio: by a name the container runtime knows (CDI), or all of it spelled out. */
type RadioHandout = { readonly cdiName: string } | RadioEdits;

export interface AnswerDependencies {
  /** The resource's name, and those of its radios that are listed. */
  readonly resource: string;
  readonly group: string;
  /** The radio of the group with that id, if it is listed. */
  readonly find: (id: string) => Radio | undefined;
  /** Why a radio that is plugged in cannot be had, as the end of a sentence; undefined if it can. */
  readonly withheld: (id: string) => string | undefined;
  /** `ordinal` counts the radios of one group in one container from 1, by id. */
  readonly allocate: (radio: Radio, place: { readonly group: string; readonly ordinal: number }) => RadioHandout | Promise<RadioHandout>;
  /** Looks at the machine once more, and has the container runtime's files say what was found. */
  readonly refresh: (signal: AbortSignal) => Promise<Snapshot>;
  /** Is told when who has which radio may be another: after each allocation, and when a kubelet begins to know its pods. */
  readonly handed: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DevicePluginCounters;
}

/** As many as have names in the files for the container runtime. */
const mostInOneContainer = 8;
/** The kubelet waits for 30 s (KubeletPreStartContainerRPCTimeoutInSecs), and is to hear our words. */
const refreshMs = 20_000;

export function answerContainers(dependencies: AnswerDependencies): readonly GrpcHandler[] {
  const { counters } = dependencies;
  return [
    unary(devicePlugin.allocate, ({ containerRequests }) =>
      measured(dependencies, counters.allocations, async () => {
        try {
          const containerResponses: ContainerAllocation[] = [];
          for (const { devicesIds } of containerRequests) containerResponses.push(await allocate(devicesIds, dependencies));
          dependencies.handed();
          dependencies.log.info(
            { resource: dependencies.resource, radios: containerRequests.flatMap(({ devicesIds }) => devicesIds) },
            "radio allocated",
          );
          return { containerResponses };
        } catch (error) {
          counters.allocationsRefused += 1;
          throw error;
        }
      }),
    ),
    unary(devicePlugin.preStartContainer, ({ devicesIds }, signal) =>
      measured(dependencies, counters.preStarts, async () => {
        try {
          await checkBeforeStart(devicesIds, dependencies, signal);
          return {};
        } catch (error) {
          counters.preStartsRefused += 1;
          throw error;
        }
      }),
    ),
  ];
}

/** The same for the same ids, whenever it is asked: the kubelet asks once and keeps the answer, or asks again after a crash. */
async function allocate(
  ids: readonly string[],
  { resource, group, find, withheld, allocate }: AnswerDependencies,
): Promise<ContainerAllocation> {
  const sorted = [...new Set(ids)].sort();
  if (sorted.length > mostInOneContainer) {
    throw new AerialError(
      "handover.unavailable",
      `a container can have ${mostInOneContainer} radios of ${resource} at most, not ${sorted.length}`,
    );
  }
  const handouts: RadioHandout[] = [];
  for (const [index, id] of sorted.entries()) {
    const radio = find(id);
    if (radio === undefined) throw new AerialError("handover.unavailable", `${resource} has no radio ${shown(id)}`);
    if (radio.presence === "absent") throw new AerialError("handover.unavailable", `${nameOf(radio)} is not plugged in`);
    const reason = withheld(id);
    if (reason !== undefined) throw new AerialError("handover.unavailable", `${nameOf(radio)} ${reason}`);
    handouts.push(await allocate(radio, { group, ordinal: index + 1 }));
  }
  return toAllocation(handouts);
}

/** An error here keeps the container waiting, with these words in the pod's events, until the radio is back. */
async function checkBeforeStart(ids: readonly string[], dependencies: AnswerDependencies, signal: AbortSignal): Promise<void> {
  const snapshot = await refreshed(dependencies, signal);
  for (const id of ids) {
    const radio = snapshot.radios.get(id);
    if (radio === undefined) throw new AerialError("handover.unavailable", `there is no radio ${shown(id)} any longer on ${snapshot.node}`);
    if (radio.presence === "absent") throw new AerialError("handover.unavailable", `${nameOf(radio)} is not plugged into ${snapshot.node}`);
    if (radio.device.nodes.length === 0)
      throw new AerialError("handover.no-node", `${nameOf(radio)} has no device node on ${snapshot.node}`);
    const reason = dependencies.withheld(id);
    if (reason !== undefined) throw new AerialError("handover.unavailable", `${nameOf(radio)} ${reason}`);
  }
}

async function refreshed({ refresh }: AnswerDependencies, signal: AbortSignal): Promise<Snapshot> {
  using patience = linkSignal(signal);
  const late = new AerialError("handover.unavailable", `looking for the radio took longer than ${refreshMs / 1_000} s`);
  const timer = setTimeout(() => patience.abort(late), refreshMs);
  try {
    return await refresh(patience.signal);
  } catch (error) {
    throw new AerialError("handover.unavailable", `cannot tell whether the radio is plugged in: ${describeError(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function toAllocation(handouts: readonly RadioHandout[]): ContainerAllocation {
  const edits = handouts.filter((handout) => "nodes" in handout);
  return {
    envs: Object.assign({}, ...edits.map(({ environment }) => environment)) as Readonly<Record<string, string>>,
    devices: edits.flatMap(({ nodes }) => nodes.map(({ path, hostPath }) => ({ containerPath: path, hostPath, permissions: "rw" }))),
    cdiDevices: handouts.flatMap((handout) => ("cdiName" in handout ? [{ name: handout.cdiName }] : [])),
  };
}

/** For people: what they call it, else what it is, and always its id. */
function nameOf({ id, name, identity }: Radio): string {
  const called = name ?? (identity.state === "unknown" ? undefined : identity.model);
  return called === undefined ? `the radio ${id}` : `the radio ${called} (${id})`;
}

/** Whatever the caller sent as an id. */
function shown(id: string): string {
  return JSON.stringify(id.slice(0, 63));
}

async function measured<T>({ clock }: AnswerDependencies, durations: Durations, work: () => Promise<T>): Promise<T> {
  const began = clock.now();
  try {
    return await work();
  } finally {
    durations.add((clock.now() - began) / 1_000);
  }
}
