/** A page of Nodes, and what aerials have written on them. Whoever may edit Nodes may have written anything else there. */
import { z } from "zod";
import type { ClusterNode, ClusterRadio } from "../../core/cluster-radio.ts";
import { printable } from "../../core/printable.ts";
import { fieldManager } from "../labels/node-view.ts";

export interface NodePage {
  readonly nodes: readonly ClusterNode[];
  readonly radios: readonly ClusterRadio[];
  /** Where the next page begins. */
  readonly next?: string;
}

const page = z.looseObject({
  kind: z.literal("NodeList"),
  metadata: z.looseObject({ continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()),
});

const node = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
    managedFields: z.array(z.looseObject({ manager: z.string().optional(), time: z.string().optional() })).default([]),
  }),
  status: z
    .looseObject({ conditions: z.array(z.looseObject({ type: z.string().optional(), status: z.string().optional() })).default([]) })
    .default({ conditions: [] }),
});

/** More than fits into the annotation, as we write it. */
const mostRadios = 1_024;
const text = (longest: number) => z.string().transform((raw) => printable(Array.from(raw).slice(0, longest).join("")));
const texts = z
  .array(text(255))
  .default([])
  .transform((all) => all.slice(0, 16));

/** `radio-facts.ts` writes it. */
const radio = z.looseObject({
  id: text(63),
  name: text(63).optional(),
  presence: z.enum(["present", "absent"]),
  mode: z.enum(["application", "bootloader"]),
  state: z.enum(["identified", "ambiguous", "unknown"]),
  kinds: texts,
  certainty: z.enum(["certain", "likely"]).optional(),
  vendor: text(255).optional(),
  model: text(255).optional(),
  nodes: texts,
  port: text(63).optional(),
  usb: z.looseObject({ port: text(63).optional() }).optional(),
});

const list = z.looseObject({ radios: z.array(z.unknown()), omitted: z.int().min(0).default(0) });

/** Undefined for what is no list of Nodes. An item that is no Node is left out. */
export function readNodeList(value: unknown, annotation: string): NodePage | undefined {
  const parsed = page.safeParse(value);
  if (!parsed.success) return undefined;
  const { items, metadata } = parsed.data;
  const read = items.flatMap((item) => {
    const one = node.safeParse(item);
    return one.success ? [readNode(one.data, annotation)] : [];
  });
  return {
    nodes: read.map((each) => each.node),
    radios: read.flatMap(({ radios }) => radios),
    ...(metadata.continue !== undefined && metadata.continue !== "" && { next: metadata.continue }),
  };
}

interface ReadNode {
  readonly node: ClusterNode;
  readonly radios: readonly ClusterRadio[];
}

function readNode({ metadata, status }: z.infer<typeof node>, annotation: string): ReadNode {
  const { name } = metadata;
  const ready = status.conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
  const written = Object.hasOwn(metadata.annotations, annotation) ? metadata.annotations[annotation] : undefined;
  if (written === undefined) return { node: { name, ready, list: "none", radios: 0, omitted: 0 }, radios: [] };
  const listed = list.safeParse(parseJson(written));
  // The server keeps the time of our last change, so that none has to be written down.
  const listedAt = toTimestamp(metadata.managedFields.find(({ manager }) => manager === fieldManager)?.time);
  const known = { name, ready, ...(listedAt !== undefined && { listedAt }) };
  if (!listed.success) return { node: { ...known, list: "unreadable", radios: 0, omitted: 0 }, radios: [] };
  const radios = listed.data.radios.slice(0, mostRadios).flatMap((item) => toRadios(item, name));
  const unread = listed.data.radios.length - radios.length;
  return { node: { ...known, list: "published", radios: radios.length, omitted: listed.data.omitted + unread }, radios };
}

function toRadios(item: unknown, nodeName: string): readonly ClusterRadio[] {
  const parsed = radio.safeParse(item);
  if (!parsed.success) return [];
  const { id, name, presence, mode, state, kinds, certainty, vendor, model, nodes, port, usb } = parsed.data;
  const place = port ?? usb?.port;
  return [
    {
      node: nodeName,
      id,
      ...(name !== undefined && { name }),
      kinds,
      certainty: state === "identified" ? (certainty ?? "likely") : state,
      ...(vendor !== undefined && { vendor }),
      ...(model !== undefined && { model }),
      state: presence === "absent" ? "absent" : mode === "bootloader" ? "bootloader" : "present",
      devicePaths: nodes,
      ...(place !== undefined && { port: place }),
    },
  ];
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written) as unknown;
  } catch {
    return undefined;
  }
}

function toTimestamp(time: string | undefined): string | undefined {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
