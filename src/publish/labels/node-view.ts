/** What a Node shows of ours, read from what the API server sent. */
import { z } from "zod";
import { AerialError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Metadata } from "./labels-for.ts";

/** The one name under which aerial applies. It must never change: the server drops what the same name stops sending. */
export const fieldManager = "aerial";

export interface NodeView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The labels and annotations that we own, alone or with others, with their values. */
  readonly own: Metadata;
}

const texts = z.record(z.string(), z.string()).default({});

const nodeShape = z.looseObject({
  kind: z.literal("Node"),
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
    labels: texts,
    annotations: texts,
    managedFields: z
      .array(
        z.looseObject({
          manager: z.string().default(""),
          operation: z.string().default(""),
          subresource: z.string().default(""),
          fieldsV1: z.looseObject({ "f:metadata": z.unknown() }).partial().default({}),
        }),
      )
      .default([]),
  }),
});

/** Throws `kube.protocol` when `object` is no Node, or not the one named `name`. */
export function toNodeView(object: KubeObject, name: string): NodeView {
  const parsed = nodeShape.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? "" : `: ${["node", ...issue.path].join(".")}: ${issue.message}`;
    throw new AerialError("kube.protocol", `the API server sent something that is no Node in place of ${name}${where}`);
  }
  const { metadata } = parsed.data;
  if (metadata.name !== name) throw new AerialError("kube.protocol", `the API server sent another Node in place of ${name}`);
  const applied = metadata.managedFields
    .filter((entry) => entry.manager === fieldManager && entry.operation === "Apply" && entry.subresource === "")
    .map(({ fieldsV1 }) => fieldsV1["f:metadata"]);
  const pick = (field: "labels" | "annotations"): Record<string, string> => {
    const keys = applied.flatMap((fields) => ownedKeys(fields, field)).sort();
    return Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(metadata[field], key) ? [[key, metadata[field][key] ?? ""]] : [])));
  };
  return {
    name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    own: { labels: pick("labels"), annotations: pick("annotations") },
  };
}

/** Keys in FieldsV1 (structured-merge-diff): `{"f:labels":{".":{},"f:key":{}}}`. */
function ownedKeys(fields: unknown, field: string): string[] {
  const members = isRecord(fields) ? fields[`f:${field}`] : undefined;
  if (!isRecord(members)) return [];
  return Object.keys(members).flatMap((member) => (member.startsWith("f:") ? [member.slice(2)] : []));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether both hold the same keys with the same values. */
export function isSameMetadata(a: Metadata, b: Metadata): boolean {
  return isSameRecord(a.labels, b.labels) && isSameRecord(a.annotations, b.annotations);
}

function isSameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}
