/** Pods as far as following a radio asks: where they are, what they ask for, and who starts them again. */
import { z } from "zod";

export interface FollowPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Where it was scheduled. */
  readonly node?: string;
  readonly phase: string;
  /** Of a pod that failed: `UnexpectedAdmissionError`. */
  readonly reason?: string;
  /** Milliseconds since the epoch, whole seconds; 0 where nothing is said. */
  readonly createdAt: number;
  readonly isDeleting: boolean;
  /** What its annotation `<prefix>/follow` says. */
  readonly follow?: string;
  /** Written by the kubelet from a file on the node: what the API server has is its image only. */
  readonly isMirror: boolean;
  /** Who starts it again; a bare pod has nobody. */
  readonly controller?: { readonly kind: string; readonly name: string; readonly uid: string };
  /** Of pods of a Deployment: ends their ReplicaSet's name. */
  readonly templateHash?: string;
  /** Names in its containers' limits. */
  readonly resources: readonly string[];
  /** Names of its ResourceClaims. */
  readonly claims: readonly string[];
}

export interface FollowPodPage {
  readonly pods: readonly FollowPod[];
  /** Where the next page begins. */
  readonly next?: string;
}

const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((record) => record ?? {});

const container = z.looseObject({
  resources: z.looseObject({ limits: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});
const claimStatus = z.looseObject({ resourceClaimName: z.string().nullish() });

const shape = z.looseObject({
  metadata: z.looseObject({
    namespace: z.string().min(1),
    name: z.string().min(1),
    uid: z.string().min(1),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    labels: texts,
    annotations: texts,
    ownerReferences: list(z.looseObject({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().nullish() })),
  }),
  spec: z.looseObject({
    nodeName: z.string().nullish(),
    containers: list(container),
    initContainers: list(container),
    resourceClaims: list(claimStatus),
  }),
  status: z
    .looseObject({
      phase: z.string().nullish(),
      reason: z.string().nullish(),
      // The claims that were made for it from templates, and for resources that a DRA driver serves.
      resourceClaimStatuses: list(claimStatus),
      extendedResourceClaimStatus: claimStatus.nullish(),
    })
    .nullish(),
});

const page = z.looseObject({
  metadata: z.looseObject({ continue: z.string().nullish() }).nullish(),
  items: z.array(z.unknown()),
});

const mirror = "kubernetes.io/config.mirror";

/** Undefined for what is no pod. `prefix` is that of aerial's annotations. */
export function parseFollowPod(value: unknown, prefix: string): FollowPod | undefined {
  const parsed = shape.safeParse(value);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const owner = metadata.ownerReferences.find(({ controller }) => controller === true);
  const follow = own(metadata.annotations, `${prefix}/follow`);
  const templateHash = own(metadata.labels, "pod-template-hash");
  const claims = [...spec.resourceClaims, ...(status?.resourceClaimStatuses ?? []), status?.extendedResourceClaimStatus];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    ...(spec.nodeName != null && { node: spec.nodeName }),
    phase: status?.phase ?? "Unknown",
    ...(status?.reason != null && { reason: status.reason }),
    createdAt: Date.parse(metadata.creationTimestamp ?? "") || 0,
    isDeleting: metadata.deletionTimestamp != null,
    ...(follow !== undefined && { follow }),
    isMirror: Object.hasOwn(metadata.annotations, mirror),
    ...(owner !== undefined && { controller: { kind: owner.kind, name: owner.name, uid: owner.uid } }),
    ...(templateHash !== undefined && { templateHash }),
    resources: [...spec.containers, ...spec.initContainers].flatMap(({ resources }) => Object.keys(resources?.limits ?? {})),
    claims: claims.flatMap((claim) => claim?.resourceClaimName ?? []),
  };
}

/** A page of a list of pods; an item that is no pod is left out. Undefined when it is no list at all. */
export function parseFollowPodPage(value: unknown, prefix: string): FollowPodPage | undefined {
  const parsed = page.safeParse(value);
  if (!parsed.success) return undefined;
  const next = parsed.data.metadata?.continue;
  return {
    pods: parsed.data.items.flatMap((item) => parseFollowPod(item, prefix) ?? []),
    ...(next != null && next !== "" && { next }),
  };
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
