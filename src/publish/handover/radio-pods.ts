/** The pods of the cluster that ask for radios, with what each waits for: put together of what all nodes and this kubelet tell. */
import { type Clock, timestamp } from "../../core/clock.ts";
import type { ClusterRadio, ClusterRadios } from "../../core/cluster-radio.ts";
import { attachmentOf } from "../../core/device.ts";
import type { RadioHolder, RadioPod, ResourceGroups } from "../../core/handover.ts";
import { shareAnswer } from "../../core/shared-answer.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import type { Kube } from "../../kube/kube.ts";
import { type AskingPod, readRadioPods } from "../../kube/read-radio-pods.ts";
import { toDeviceName } from "../dra/device-name.ts";
import { type AskedRadio, explainPod, type HoldingPod } from "./explain-pod.ts";
import { groupNameOf, groupRadios, resourceName } from "./resource-groups.ts";

export interface RadioPodsDependencies {
  readonly kube: Pick<Kube, "list">;
  readonly clock: Clock;
  readonly groups: ResourceGroups;
  /** All nodes. Rejects with `kube.*`. */
  readonly clusterRadios: (signal: AbortSignal) => Promise<ClusterRadios>;
  /** This node. */
  readonly snapshot: () => Snapshot;
  readonly holders: () => readonly RadioHolder[];
}

export interface RadioPods {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** False where there is more than is read. */
  readonly complete: boolean;
  readonly pods: readonly RadioPod[];
}

/** Whoever asks again within this time gets the same answer, so that an open page costs the API server little. */
const keptMs = 5_000;

/** Gives the list, read at most every five seconds and once for all who wait. Rejects with `pods.forbidden` and `kube.*`. */
export function createRadioPods(dependencies: RadioPodsDependencies): (signal: AbortSignal) => Promise<RadioPods> {
  return shareAnswer({ clock: dependencies.clock, keptMs, ask: (signal) => readAll(dependencies, signal) });
}

async function readAll(dependencies: RadioPodsDependencies, signal: AbortSignal): Promise<RadioPods> {
  using lifetime = linkSignal(signal);
  const { kube, clock, groups, clusterRadios } = dependencies;
  const at = timestamp(clock);
  const asking = await readRadioPods({ kube, domain: groups.domain }, lifetime.signal);
  const all = await clusterRadios(lifetime.signal);
  const radios = toAskedRadios(dependencies, all.radios);
  const pods = asking.pods.map((pod) => toHoldingPod(pod, dependencies, radios));
  const known = { radios, pods };
  return { at, complete: asking.complete && all.complete, pods: pods.map((pod) => explainPod(pod, known)) };
}

/** Of this node what is known here, which is newer and more. */
function toAskedRadios(
  { groups, snapshot }: Pick<RadioPodsDependencies, "groups" | "snapshot">,
  all: readonly ClusterRadio[],
): readonly AskedRadio[] {
  const { node, radios } = snapshot();
  const resources = new Map(
    [...groupRadios(radios.values(), groups)].flatMap(([group, members]) =>
      members.map(({ id }) => [id, resourceName(groups.domain, group)] as const),
    ),
  );
  const own = [...radios.values()].map((radio) => toOwnRadio(radio, node, resources.get(radio.id) ?? bootingResource(radio, groups)));
  const others = all.filter((radio) => radio.node !== node).map((radio) => toAskedRadio(radio, groups));
  return [...own, ...others];
}

/** What it is once its firmware runs again: bootloaders often lack the device nodes without which a radio is in no group. */
function bootingResource({ id, name, mode, identity, device }: Radio, { domain, groups }: ResourceGroups): string | undefined {
  if (mode !== "bootloader" || identity.state !== "identified" || attachmentOf(device) !== "local") return undefined;
  const group = groupNameOf({ id, name, kinds: identity.kinds }, groups);
  return group === undefined ? undefined : resourceName(domain, group);
}

function toOwnRadio(radio: Radio, node: string, resource: string | undefined): AskedRadio {
  const { id, name, identity, presence, absentSince, mode } = radio;
  return {
    node,
    id,
    ...(name !== undefined && { name }),
    certainty: identity.state === "identified" ? identity.certainty : identity.state,
    state: presence === "present" && mode === "bootloader" ? "bootloader" : presence,
    ...(absentSince !== undefined && { absentSince }),
    ...(resource !== undefined && { resource }),
  };
}

function toAskedRadio(radio: ClusterRadio, { domain, groups }: ResourceGroups): AskedRadio {
  const { node, id, name, certainty, state, devicePaths } = radio;
  const isKnown = certainty === "certain" || certainty === "likely";
  const group = isKnown && (devicePaths.length > 0 || state === "bootloader") ? groupNameOf(radio, groups) : undefined;
  return {
    node,
    id,
    ...(name !== undefined && { name }),
    certainty,
    state,
    ...(group !== undefined && { resource: resourceName(domain, group) }),
  };
}

function toHoldingPod(pod: AskingPod, { holders }: Pick<RadioPodsDependencies, "holders">, radios: readonly AskedRadio[]): HoldingPod {
  const handed = holders().filter((holder) => holder.namespace === pod.namespace && holder.pod === pod.name);
  const claimed = pod.devices.flatMap(
    ({ pool, device }) => radios.find(({ node, id }) => node === pool && toDeviceName(id) === device)?.id ?? [],
  );
  const [first] = handed.map(({ since }) => since).toSorted();
  return {
    ...pod,
    holds: [...new Set([...handed.map(({ radioId }) => radioId), ...claimed])],
    ...(first !== undefined && { since: first }),
  };
}
