/** ResourceSlices as an output: what the scheduler knows of this node's radios. */
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, hasCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Output } from "../../core/output.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Kube } from "../../kube/kube.ts";
import { type PlannedSlice, planSlices } from "./plan-slices.ts";
import { type SliceDevice, type SliceFacts, sliceDevices } from "./slice-devices.ts";
import { type SliceView, droppedFields, isSameDevices, slicesPath, toSliceView } from "./slice-view.ts";

export interface SlicesOutputDependencies {
  readonly kube: Pick<Kube, "get" | "list" | "create" | "replace" | "remove">;
  /** The Node's name in the cluster. */
  readonly node: string;
  /** The driver's name. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** Radios that can be handed over, by their group. */
  readonly groups: (radios: Iterable<Radio>) => ReadonlyMap<string, readonly Radio[]>;
  /** Radios that the device plugin gave away. */
  readonly handed: () => SliceFacts["handed"];
  /** Radios that a claim has. */
  readonly claimed: () => ReadonlySet<string>;
  readonly graceMs: number;
  readonly evictAfterMs?: number | undefined;
}

export interface SlicesOutput extends Output {
  /** Takes note of all slices of ours that there are. */
  readonly listed: (slices: readonly SliceView[]) => void;
  /** Takes note of a slice as it is now. */
  readonly changed: (slice: SliceView) => void;
  readonly removed: (slice: SliceView) => void;
  /** Changes when somebody else changed a slice. */
  readonly nudges: Watch<number>;
  /** Changes when somebody else removed one: the kubelet does as it starts. */
  readonly wiped: Watch<number>;
}

const conditionCode = "output.resource-slices.incomplete";
const unsureMs = 5_000;
/** Others may write in between; then we read anew. */
const mostAttempts = 3;

export function createSlicesOutput(dependencies: SlicesOutputDependencies): SlicesOutput {
  const { kube, node, domain, clock, log, conditions } = dependencies;
  const nudges = new Cell(0);
  const wiped = new Cell(0);
  /** Fields that this cluster does not store. */
  const unknown = new Set<string>();
  let stored: Map<string, SliceView> | undefined;
  let nodeUid: string | undefined;
  let lastSnapshot: Snapshot | undefined;

  const wantedOf = ({ radios }: Snapshot): ReturnType<typeof sliceDevices> => {
    const { groups, handed: handedNow, claimed, graceMs, evictAfterMs } = dependencies;
    const handed = handedNow();
    const facts = { groups: groups(radios.values()), domain, handed, claimed: claimed(), graceMs, evictAfterMs };
    const now = clock.now();
    const { devices, wakeAt = Infinity } = sliceDevices({ ...facts, taints: !unknown.has("taints"), now });
    // Given away, but to nobody whom the kubelet knows: that ends without a word, if a pod was gone before the kubelet was asked.
    const isUnsure = [...handed.values()].includes(undefined);
    const next = Math.min(wakeAt, isUnsure ? now + unsureMs : Infinity);
    return { devices: devices.map((device) => without(device, unknown)), ...(next === Infinity ? {} : { wakeAt: next }) };
  };

  const put = (slice: PlannedSlice, written: KubeObject): void => {
    const view = toSliceView(written);
    stored?.set(view.name, view);
    if (isSameDevices(view.devices, slice.devices)) return;
    const dropped = droppedFields(view.devices, slice.devices);
    if (dropped.length === 0 || dropped.includes("devices")) {
      throw new AerialError("kube.conflict", "the API server took a ResourceSlice but shows another: something in the cluster changes it");
    }
    for (const field of dropped) unknown.add(field);
    conditions.raise(conditionCode, "info", incompleteText([...unknown].sort()));
  };

  /** Whether all is as wanted; otherwise the server stored less than it was sent. */
  const write = async (devices: readonly SliceDevice[], signal: AbortSignal): Promise<boolean> => {
    nodeUid ??= await readNodeUid(dependencies, signal);
    stored ??= await listSlices(dependencies, signal);
    const known = unknown.size;
    const plan = planSlices([...stored.values()], devices, { driver: domain, node, nodeUid });
    for (const { name, uid } of plan.obsolete) {
      await kube.remove(`${slicesPath}/${name}`, { uid }, signal);
      stored.delete(name);
    }
    for (const slice of plan.replacements) put(slice, await kube.replace(`${slicesPath}/${slice.name}`, slice.object, signal));
    for (const slice of plan.additions) put(slice, await kube.create(slicesPath, slice.object, signal));
    const writes = plan.obsolete.length + plan.replacements.length + plan.additions.length;
    if (writes > 0) log.info({ slices: stored.size, devices: devices.length }, "resource slices written");
    return unknown.size === known;
  };

  return {
    name: "resource-slices",
    nudges,
    wiped,
    listed(slices) {
      stored = new Map(slices.map((slice) => [slice.name, slice]));
      nudges.set(nudges.current + 1);
    },
    changed(slice) {
      const known = stored?.get(slice.name);
      if (stored === undefined || (known?.uid === slice.uid && !isNewer(slice, known))) return;
      stored.set(slice.name, slice);
      nudges.set(nudges.current + 1);
    },
    removed({ name, uid }) {
      if (stored?.get(name)?.uid !== uid) return;
      stored.delete(name);
      wiped.set(wiped.current + 1);
    },
    async apply(snapshot, signal) {
      if (!snapshot.complete) return undefined;
      // To be called twice with one snapshot means: look again.
      if (snapshot === lastSnapshot) stored = nodeUid = undefined;
      lastSnapshot = snapshot;
      for (let attempt = 1; ; attempt += 1) {
        const { devices, wakeAt } = wantedOf(snapshot);
        try {
          if (await write(devices, signal)) return wakeAt;
        } catch (error) {
          stored = nodeUid = undefined;
          const overtaken = hasCode(error, "kube.conflict") || hasCode(error, "kube.not-found");
          if (!overtaken || attempt >= mostAttempts) throw error;
        }
      }
    },
  };
}

/** All slices of this driver on this node. Throws `kube.*`. */
async function listSlices(dependencies: SlicesAccess, signal: AbortSignal): Promise<Map<string, SliceView>> {
  const { slices } = await readSlices(dependencies, signal);
  return new Map(slices.map((slice) => [slice.name, slice]));
}

export interface SlicesAccess {
  readonly kube: Pick<Kube, "list">;
  readonly node: string;
  readonly domain: string;
}

/** What chooses the slices of this driver on this node (kubernetes/api, resource/v1: ResourceSliceSelectorNodeName, -Driver). */
export function slicesSelector({ node, domain }: Pick<SlicesAccess, "node" | "domain">): string {
  return `spec.nodeName=${node},spec.driver=${domain}`;
}

/** All slices of this driver on this node, and the version to watch from. Throws `kube.*`. */
export async function readSlices(
  { kube, ...place }: SlicesAccess,
  signal: AbortSignal,
): Promise<{ readonly slices: readonly SliceView[]; readonly version: string }> {
  const { items, metadata } = await kube.list(slicesPath, { fieldSelector: slicesSelector(place) }, signal);
  const version = (metadata as { readonly resourceVersion?: unknown } | undefined)?.resourceVersion;
  if (!Array.isArray(items) || typeof version !== "string") {
    throw new AerialError("kube.protocol", "the API server sent something that is no list of ResourceSlices");
  }
  return { slices: (items as readonly KubeObject[]).map(toSliceView), version };
}

async function readNodeUid({ kube, node }: Pick<SlicesOutputDependencies, "kube" | "node">, signal: AbortSignal): Promise<string> {
  const { metadata } = await kube.get(`/api/v1/nodes/${encodeURIComponent(node)}`, signal);
  const uid = (metadata as { readonly uid?: unknown } | undefined)?.uid;
  if (typeof uid !== "string" || uid === "") throw new AerialError("kube.protocol", `the API server sent a Node ${node} without a uid`);
  return uid;
}

/** Resource versions of one object rise (API concepts, "Resource versions"); what cannot be compared counts as newer. */
function isNewer(slice: SliceView, known: SliceView): boolean {
  const digits = /^[0-9]{1,40}$/;
  if (!digits.test(slice.resourceVersion) || !digits.test(known.resourceVersion)) return slice.resourceVersion !== known.resourceVersion;
  return BigInt(slice.resourceVersion) > BigInt(known.resourceVersion);
}

function without(device: SliceDevice, fields: ReadonlySet<string>): SliceDevice {
  if (fields.size === 0) return device;
  const attributes = Object.entries(device.attributes).filter(([name]) => !fields.has(`attributes.${name}`));
  return { ...device, attributes: Object.fromEntries(attributes) };
}

function incompleteText(fields: readonly string[]): string {
  const taints = "Radios that are unplugged or that a device plugin gave away are left out of ResourceSlices instead of being tainted";
  return fields.includes("taints")
    ? `The API server does not store ${fields.join(", ")} of devices. ${taints}; the feature gate DRADeviceTaints, on from Kubernetes 1.36, would mend that, then restart aerial.`
    : `The API server does not store ${fields.join(", ")} of devices: claims cannot select by what is missing.`;
}
