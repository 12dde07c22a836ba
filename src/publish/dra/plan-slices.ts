/** Which writes make the API server's ResourceSlices those that are wanted. Pure. */
import { createHash } from "node:crypto";
import type { KubeObject } from "../../kube/exchange.ts";
import type { DeviceTaint, SliceDevice } from "./slice-devices.ts";
import { type SliceView, type StoredDevice, isSameDevices } from "./slice-view.ts";

/** Resource/v1: ResourceSliceMaxDevicesWithAdvancedFeatures, which is for slices with a taint. Always, so that a taint moves no device. */
const mostDevices = 64;

export interface SlicesPlace {
  /** The driver's name. */
  readonly driver: string;
  /** The node's name, which is the pool's too. */
  readonly node: string;
  /** The Node's uid. */
  readonly nodeUid: string;
}

interface SlicesPlan {
  /** To be deleted, before anything is written. */
  readonly obsolete: readonly SliceView[];
  /** Whole objects for those that are there, with the resourceVersion they were read at. */
  readonly replacements: readonly PlannedSlice[];
  readonly additions: readonly PlannedSlice[];
}

export interface PlannedSlice {
  readonly name: string;
  readonly object: KubeObject;
  readonly devices: readonly SliceDevice[];
}

/**
 * No writes where nothing differs, save for when a taint was added, which stays as stored. Without devices there is one
 * empty slice: a pool that has nothing, rather than none.
 *
 * A pool's generation rises when more than one slice is to be written, so that nobody takes old and new ones for one pool
 * (kubernetes/dynamic-resource-allocation, resourceslice/resourceslicecontroller.go).
 */
export function planSlices(stored: readonly SliceView[], devices: readonly SliceDevice[], place: SlicesPlace): SlicesPlan {
  const chunks = toChunks(devices);
  const wanted = new Map(chunks.map((chunk, index) => [sliceName(place, index), chunk]));
  const current = new Map(stored.filter(({ name }) => wanted.has(name)).map((slice) => [slice.name, slice]));
  const obsolete = stored.filter(({ name }) => !wanted.has(name));
  const highest = Math.max(0, ...stored.map(({ pool }) => pool.generation));

  const pool = { name: place.node, generation: highest, resourceSliceCount: chunks.length };
  const changed = [...current.values()].filter((slice) => !isRight(slice, { pool, devices: wanted.get(slice.name) ?? [], place }));
  const missing = wanted.size - current.size;
  const rises = missing > 0 || changed.length > 1;
  const newPool = rises ? { ...pool, generation: highest + 1 } : pool;

  const toPlanned = (slice: SliceView | undefined, name: string): PlannedSlice => {
    const own = keepTimes(slice?.devices ?? [], wanted.get(name) ?? []);
    return { name, devices: own, object: toObject({ slice, name, devices: own, pool: newPool, place }) };
  };
  return {
    obsolete,
    replacements: (rises ? [...current.values()] : changed).map((slice) => toPlanned(slice, slice.name)),
    additions: [...wanted.keys()].filter((name) => !current.has(name)).map((name) => toPlanned(undefined, name)),
  };
}

/** A name of our own for each, so that writing one twice makes no second: `<node>-<driver>-<index>`. */
export function sliceName({ node, driver }: Pick<SlicesPlace, "node" | "driver">, index: number): string {
  const end = `-${driver}-${index}`;
  // DNS1123SubdomainMaxLength.
  if (node.length + end.length <= 253) return `${node}${end}`;
  const hash = createHash("sha256").update(node).digest("hex").slice(0, 16);
  return `${node.slice(0, 253 - end.length - hash.length - 1).replace(/[^a-z0-9]+$/, "")}-${hash}${end}`;
}

function toChunks(devices: readonly SliceDevice[]): readonly (readonly SliceDevice[])[] {
  const chunks: SliceDevice[][] = [[]];
  for (const device of devices) {
    if (chunks.at(-1)?.length === mostDevices) chunks.push([]);
    chunks.at(-1)?.push(device);
  }
  return chunks;
}

interface Wanted {
  readonly pool: SliceView["pool"];
  readonly devices: readonly SliceDevice[];
  readonly place: SlicesPlace;
}

function isRight(slice: SliceView, { pool, devices, place }: Wanted): boolean {
  return (
    slice.owner === place.nodeUid &&
    slice.pool.name === pool.name &&
    slice.pool.generation === pool.generation &&
    slice.pool.resourceSliceCount === pool.resourceSliceCount &&
    isSameDevices(slice.devices, devices)
  );
}

/** A taint that was there already keeps its time: a toleration may have begun to run. */
function keepTimes(stored: readonly StoredDevice[], wanted: readonly SliceDevice[]): readonly SliceDevice[] {
  const byName = new Map(stored.map((device) => [device.name, device.taints ?? []]));
  return wanted.map((device) => {
    if (device.taints === undefined) return device;
    const old = byName.get(device.name) ?? [];
    const timed = (taint: DeviceTaint): DeviceTaint => {
      const same = old.find(({ key, value, effect }) => key === taint.key && value === taint.value && effect === taint.effect);
      return same?.timeAdded === undefined ? taint : { ...taint, timeAdded: same.timeAdded };
    };
    return { ...device, taints: device.taints.map(timed) };
  });
}

function toObject({
  slice,
  name,
  devices,
  pool,
  place,
}: Wanted & { readonly slice: SliceView | undefined; readonly name: string }): KubeObject {
  const { driver, node, nodeUid } = place;
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceSlice",
    metadata: {
      name,
      ...(slice === undefined ? {} : { uid: slice.uid, resourceVersion: slice.resourceVersion }),
      labels: { "app.kubernetes.io/name": "aerial" },
      // Gone with the node.
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node, uid: nodeUid, controller: true }],
    },
    spec: { driver, pool, nodeName: node, devices },
  };
}
