/** A ResourceSlice as the API server shows it. */
import { z } from "zod";
import { AerialError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { SliceDevice } from "./slice-devices.ts";

export const slicesPath = "/apis/resource.k8s.io/v1/resourceslices";

export interface SliceView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Uid of the Node that it goes with; empty when there is none. */
  readonly owner: string;
  readonly pool: { readonly name: string; readonly generation: number; readonly resourceSliceCount: number };
  /** As stored. */
  readonly devices: readonly StoredDevice[];
}

/** Whatever else the server knows of a device is kept, so that it is seen to differ. */
export type StoredDevice = Readonly<Record<string, unknown>> & { readonly name: string; readonly taints?: readonly StoredTaint[] };

type StoredTaint = { readonly [field: string]: unknown; readonly timeAdded?: string };

const sliceShape = z.looseObject({
  metadata: z.looseObject({
    name: z.string().min(1),
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    ownerReferences: z.array(z.looseObject({ kind: z.string(), uid: z.string() })).default([]),
  }),
  spec: z.looseObject({
    driver: z.string(),
    nodeName: z.string().optional(),
    pool: z.looseObject({ name: z.string(), generation: z.number(), resourceSliceCount: z.number() }),
    devices: z
      .array(
        z.looseObject({
          name: z.string(),
          taints: z.array(z.looseObject({ timeAdded: z.string().optional() })).optional(),
        }),
      )
      .default([]),
  }),
});

/** Throws `kube.protocol` when `object` is no ResourceSlice. */
export function toSliceView(object: KubeObject): SliceView {
  const parsed = sliceShape.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? "" : `: ${issue.path.join(".")}: ${issue.message}`;
    throw new AerialError("kube.protocol", `the API server sent something that is no ResourceSlice${where}`);
  }
  const { metadata, spec } = parsed.data;
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    owner: metadata.ownerReferences.find(({ kind }) => kind === "Node")?.uid ?? "",
    pool: spec.pool,
    devices: spec.devices as readonly StoredDevice[],
  };
}

/** Whether the server stores what is wanted. When a taint was added is the server's to say. */
export function isSameDevices(stored: readonly StoredDevice[], wanted: readonly SliceDevice[]): boolean {
  return canonical(stored) === canonical(wanted);
}

/**
 * What of `wanted` the server does not store, as paths without names and numbers: `taints`, `attributes.firmwareVersion`.
 * Fields that only differ are not among them.
 */
export function droppedFields(stored: readonly StoredDevice[], wanted: readonly SliceDevice[]): readonly string[] {
  const byName = new Map(stored.map((device) => [device.name, device]));
  const dropped = new Set<string>();
  for (const device of wanted) {
    const kept = byName.get(device.name);
    if (kept === undefined) {
      dropped.add("devices");
      continue;
    }
    if ((device.taints?.length ?? 0) > (kept.taints?.length ?? 0)) dropped.add("taints");
    const attributes = kept["attributes"];
    for (const name of Object.keys(device.attributes)) {
      if (typeof attributes !== "object" || attributes === null || !(name in attributes)) dropped.add(`attributes.${name}`);
    }
  }
  return [...dropped].sort();
}

function canonical(devices: readonly (StoredDevice | SliceDevice)[]): string {
  return JSON.stringify(
    devices.map((device) => ({
      ...device,
      taints: device.taints?.map((taint) => ({ ...taint, timeAdded: undefined })),
    })),
    sortedKeys,
  );
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
