/** The cluster's pods that ask for radios, and their claims: as the API server has them, not yet explained. */
import { z } from "zod";
import { AerialError, hasCode } from "../core/errors.ts";
import type { RadioPod, RadioRequest } from "../core/handover.ts";
import { printable } from "../core/printable.ts";
import type { Kube } from "./kube.ts";

/** A pod that asks for radios. */
export interface AskingPod extends Pick<RadioPod, "namespace" | "name" | "node" | "phase" | "wants"> {
  /** Whether it has a controller, which makes another in its place. */
  readonly isOwned: boolean;
  /** Of a pod that failed: `UnexpectedAdmissionError`, `OutOfradio.mi.house/zigbee`. */
  readonly reason?: string;
  readonly message?: string;
  /** What the scheduler says while it finds no node. */
  readonly unscheduled?: string;
  /** Containers that are not yet, or no longer, there. */
  readonly waiting: readonly WaitingContainer[];
  /** Nodes' names that its nodeSelector or affinity limits it to, where it does so by name. */
  readonly limitedTo?: readonly string[];
  /** Devices that its claims were given. */
  readonly devices: readonly ClaimedDevice[];
  /** Claims of it that nothing was given yet. */
  readonly unallocated: readonly string[];
}

interface WaitingContainer {
  readonly name: string;
  /** `ContainerCreating`, `CreateContainerError`. */
  readonly reason: string;
  readonly message?: string;
}

interface ClaimedDevice {
  readonly claim: string;
  /** The node's name. */
  readonly pool: string;
  readonly device: string;
}

export interface AskingPods {
  readonly pods: readonly AskingPod[];
  /** False where there are more pods than are read, or where claims could not be. */
  readonly complete: boolean;
}

interface RadioPodsRequest {
  readonly kube: Pick<Kube, "list">;
  /** What comes before the slash in the resources' names, and the DRA driver's name. */
  readonly domain: string;
}

/** Pods with all that Kubernetes notes on them are some 10 KiB; such a page stays below what the client reads (4 MiB). */
const pageSize = 100;
/** Five thousand pods. A house has some dozens. */
const mostPages = 50;

/** Those that have not ended well. Rejects with `pods.forbidden` where aerial may not list pods, else with `kube.*`. */
export async function readRadioPods(request: RadioPodsRequest, signal: AbortSignal): Promise<AskingPods> {
  const pods = await readPods(request, signal);
  // Clusters without claims, and houses that use none, need not be asked for any.
  const claims = pods.items.some(({ spec }) => spec.resourceClaims.length > 0)
    ? await readClaims(request, signal)
    : { items: [], complete: true };
  const byName = new Map(claims.items.map((claim) => [`${claim.metadata.namespace}/${claim.metadata.name}`, claim]));
  return {
    pods: pods.items.map((pod) => toAskingPod(pod, byName, request.domain)).filter(({ wants }) => wants.length > 0),
    complete: pods.complete && claims.complete,
  };
}

const longestText = 1_000;
const text = z.string().transform((raw) => printable(raw.replaceAll(/\s+/g, " ").trim().slice(0, longestText)));
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const container = z.object({
  resources: z
    .object({ limits: z.record(z.string(), z.union([z.string(), z.number()])).nullish() })
    .nullish()
    .transform((resources) => resources?.limits ?? {}),
});
const expression = z.object({ key: z.string(), operator: z.string(), values: list(z.string()) });
const term = z.object({ matchExpressions: list(expression), matchFields: list(expression) });
const status = z.object({
  name: z.string(),
  state: z.object({ waiting: z.object({ reason: text.optional(), message: text.optional() }).nullish() }).nullish(),
});

const pod = z.object({
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    ownerReferences: list(z.object({ controller: z.boolean().nullish() })),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    containers: list(container),
    initContainers: list(container),
    nodeSelector: z.record(z.string(), z.string()).nullish(),
    affinity: z
      .object({
        nodeAffinity: z
          .object({ requiredDuringSchedulingIgnoredDuringExecution: z.object({ nodeSelectorTerms: list(term) }).nullish() })
          .nullish(),
      })
      .nullish(),
    resourceClaims: list(z.object({ name: z.string(), resourceClaimName: z.string().nullish() })),
  }),
  status: z
    .object({
      phase: z.string().optional(),
      reason: text.optional(),
      message: text.optional(),
      conditions: list(z.object({ type: z.string(), status: z.string(), message: text.optional() })),
      containerStatuses: list(status),
      initContainerStatuses: list(status),
      resourceClaimStatuses: list(z.object({ name: z.string(), resourceClaimName: z.string().nullish() })),
    })
    .prefault({}),
});
type Pod = z.infer<typeof pod>;

const deviceRequest = z.object({
  deviceClassName: z.string().optional(),
  allocationMode: z.string().optional(),
  count: z.int().min(0).optional(),
  selectors: list(z.object({ cel: z.object({ expression: z.string() }).nullish() })),
});
const claim = z.object({
  metadata: z.object({ namespace: z.string(), name: z.string() }),
  spec: z.object({
    devices: z
      .object({ requests: list(z.object({ name: z.string(), exactly: deviceRequest.nullish(), firstAvailable: list(deviceRequest) })) })
      .prefault({}),
  }),
  status: z
    .object({
      allocation: z
        .object({
          devices: z.object({ results: list(z.object({ driver: z.string(), pool: z.string(), device: z.string() })) }).prefault({}),
        })
        .nullish(),
    })
    .prefault({}),
});
type Claim = z.infer<typeof claim>;

const page = z.object({
  items: z.array(z.unknown()),
  metadata: z.object({ continue: z.string().optional() }).prefault({}),
});

async function readPods(request: RadioPodsRequest, signal: AbortSignal): Promise<Collection<Pod>> {
  try {
    return await readAll({ ...request, path: "/api/v1/pods", query: { fieldSelector: "status.phase!=Succeeded" }, item: pod }, signal);
  } catch (error) {
    if (!hasCode(error, "kube.forbidden")) throw error;
    throw new AerialError("pods.forbidden", "aerial may not list the cluster's pods", { cause: error });
  }
}

async function readClaims(request: RadioPodsRequest, signal: AbortSignal): Promise<Collection<Claim>> {
  try {
    return await readAll({ ...request, path: "/apis/resource.k8s.io/v1/resourceclaims", query: {}, item: claim }, signal);
  } catch (error) {
    if (hasCode(error, "kube.not-found")) return { items: [], complete: true };
    if (hasCode(error, "kube.forbidden")) return { items: [], complete: false };
    throw error;
  }
}

interface Collection<Item> {
  readonly items: readonly Item[];
  readonly complete: boolean;
}

interface ListRequest<Item> extends RadioPodsRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly item: z.ZodType<Item>;
}

/** Page by page. An item of another shape is left out. */
async function readAll<Item>({ kube, path, query, item }: ListRequest<Item>, signal: AbortSignal): Promise<Collection<Item>> {
  const items: Item[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const answer = await kube.list(path, { ...query, limit: String(pageSize), ...(next !== undefined && { continue: next }) }, signal);
    const read = page.safeParse(answer);
    if (!read.success) throw new AerialError("kube.protocol", `the answer to GET ${path} is no list`);
    for (const one of read.data.items) {
      const parsed = item.safeParse(one);
      if (parsed.success) items.push(parsed.data);
    }
    next = read.data.metadata.continue;
    if (next === undefined || next === "") return { items, complete: true };
  }
  return { items, complete: false };
}

const phases = { Pending: "pending", Running: "running", Succeeded: "succeeded", Failed: "failed" } as const;

function toAskingPod({ metadata, spec, status: told }: Pod, claims: ReadonlyMap<string, Claim>, domain: string): AskingPod {
  const { namespace, name, ownerReferences } = metadata;
  const own = spec.resourceClaims.flatMap((reference) => {
    const written = told.resourceClaimStatuses.find((one) => one.name === reference.name)?.resourceClaimName;
    const found = claims.get(`${namespace}/${reference.resourceClaimName ?? written ?? ""}`);
    return found !== undefined && isOurs(found, domain) ? [found] : [];
  });
  const scheduled = told.conditions.find(({ type }) => type === "PodScheduled");
  const limitedTo = namedNodes(spec);
  return {
    namespace,
    name,
    ...(spec.nodeName !== undefined && { node: spec.nodeName }),
    phase: Object.hasOwn(phases, told.phase ?? "") ? phases[told.phase as keyof typeof phases] : "unknown",
    isOwned: ownerReferences.some(({ controller }) => controller === true),
    wants: [...toResources(spec, domain), ...own.map((one) => toClaimRequest(one, domain))],
    ...(told.reason !== undefined && { reason: told.reason }),
    ...(told.message !== undefined && { message: told.message }),
    ...(scheduled?.status === "False" && { unscheduled: scheduled.message ?? "" }),
    waiting: [...told.initContainerStatuses, ...told.containerStatuses].flatMap(toWaiting),
    ...(limitedTo !== undefined && { limitedTo }),
    devices: own.flatMap((one) =>
      resultsOf(one, domain).map(({ pool, device }) => ({ claim: one.metadata.name, pool: printable(pool), device: printable(device) })),
    ),
    unallocated: own.filter((one) => one.status.allocation == null).map((one) => one.metadata.name),
  };
}

function toWaiting({ name, state }: z.infer<typeof status>): readonly WaitingContainer[] {
  if (state?.waiting == null) return [];
  const { reason = "", message } = state.waiting;
  return [{ name, reason, ...(message !== undefined && { message }) }];
}

/** Containers run side by side, init containers before them and one after the other (Kubernetes, "Resource sharing within containers"). */
function toResources({ containers, initContainers }: Pod["spec"], domain: string): readonly RadioRequest[] {
  const names = [...containers, ...initContainers].flatMap(({ resources }) => Object.keys(resources));
  const ours = [...new Set(names)].filter((name) => name.startsWith(`${domain}/`));
  return ours.flatMap((request) => {
    const asked = (of: readonly { readonly resources: Readonly<Record<string, string | number>> }[]): readonly number[] =>
      of.map(({ resources }) => (Object.hasOwn(resources, request) ? toCount(resources[request]) : 0));
    const count = Math.max(
      asked(containers).reduce((sum, one) => sum + one, 0),
      ...asked(initContainers),
    );
    return count === 0 ? [] : [{ way: "device-plugin" as const, request, count }];
  });
}

/** Extended resources are whole numbers, which the API server writes without a suffix up to a thousand. */
function toCount(quantity: string | number | undefined): number {
  const count = Number(quantity);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function requestsOf({ spec }: Claim): readonly z.infer<typeof deviceRequest>[] {
  return spec.devices.requests.flatMap(({ exactly, firstAvailable }) => (exactly == null ? firstAvailable.slice(0, 1) : [exactly]));
}

function resultsOf({ status: { allocation } }: Claim, domain: string): readonly { readonly pool: string; readonly device: string }[] {
  return allocation?.devices.results.filter(({ driver }) => driver === domain) ?? [];
}

/** By whose driver gave it something; before that by its device class, which is named after us or asks for our devices. */
function isOurs(one: Claim, domain: string): boolean {
  if (one.status.allocation != null) return resultsOf(one, domain).length > 0;
  return requestsOf(one).some((request) => asksForUs(request, domain));
}

function asksForUs({ deviceClassName = "", selectors }: z.infer<typeof deviceRequest>, domain: string): boolean {
  const isOurClass = deviceClassName === domain || deviceClassName.endsWith(`.${domain}`);
  return isOurClass || selectors.some(({ cel }) => cel?.expression.includes(domain) === true);
}

function toClaimRequest(one: Claim, domain: string): RadioRequest {
  const ours = requestsOf(one).filter((request) => asksForUs(request, domain));
  const all = ours.some(({ allocationMode }) => allocationMode === "All");
  const asked = ours.reduce((sum, { count = 1 }) => sum + count, 0);
  return { way: "resource-claim", request: one.metadata.name, count: all ? 0 : asked || resultsOf(one, domain).length };
}

const hostname = "kubernetes.io/hostname";

/** Terms of an affinity are alternatives: where one of them names no node, none are named. */
function namedNodes({ nodeSelector, affinity }: Pod["spec"]): readonly string[] | undefined {
  const selected = nodeSelector?.[hostname];
  if (selected !== undefined) return [printable(selected)];
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const named = terms.map(({ matchExpressions, matchFields }) =>
    [...matchExpressions.filter(({ key }) => key === hostname), ...matchFields.filter(({ key }) => key === "metadata.name")]
      .filter(({ operator }) => operator === "In")
      .flatMap(({ values }) => values),
  );
  if (named.length === 0 || named.some((values) => values.length === 0)) return undefined;
  return [...new Set(named.flat())].map((name) => printable(name));
}
