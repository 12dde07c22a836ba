/** Why a pod that asks for a radio does not run, in one sentence or two. Pure. */
import type { ClusterRadio } from "../../core/cluster-radio.ts";
import { groupBy } from "../../core/group-by.ts";
import type { RadioPod, RadioRequest } from "../../core/handover.ts";
import type { AskingPod } from "../../kube/read-radio-pods.ts";

/** A radio of some node, as far as pods can ask for it. */
export interface AskedRadio extends Pick<ClusterRadio, "node" | "id" | "name" | "certainty" | "state"> {
  readonly absentSince?: string;
  /** The extended resource, of which one in its bootloader is again once its firmware runs; left out where it can't be handed to pods. */
  readonly resource?: string;
}

/** A pod, and which radios it was given. */
export interface HoldingPod extends AskingPod {
  /** Ids. */
  readonly holds: readonly string[];
  /** When this node's kubelet was first seen to have given it one. */
  readonly since?: string;
}

export interface KnownToExplain {
  readonly radios: readonly AskedRadio[];
  /** All that ask for radios. */
  readonly pods: readonly HoldingPod[];
}

/** What people are told of a pod. */
export function explainPod(pod: HoldingPod, known: KnownToExplain): RadioPod {
  const { namespace, name, node, phase, wants, holds } = pod;
  const waiting = whyWaiting(pod, known);
  return { namespace, name, ...(node !== undefined && { node }), phase, wants, holds, ...(waiting !== undefined && { waiting }) };
}

function whyWaiting(pod: HoldingPod, known: KnownToExplain): string | undefined {
  if (isRefused(pod)) return whyRefused(pod);
  if (pod.phase === "succeeded" || pod.phase === "failed") return undefined;
  if (pod.node !== undefined) return whyNotStarted({ ...pod, node: pod.node }, known);
  return pod.phase === "running" ? undefined : whyUnscheduled(pod, known);
}

/** `OutOf…` is what the kubelet says where it knows the resource, but none of it is free. */
function isRefused({ reason, wants }: HoldingPod): boolean {
  return reason === "UnexpectedAdmissionError" || wants.some(({ way, request }) => way === "device-plugin" && reason === `OutOf${request}`);
}

/** The kubelet decides once, and whoever made the pod only makes another when this one is gone (kubernetes/kubernetes#128043). */
function whyRefused({ node = "The node", message = "", isOwned }: HoldingPod): string {
  const said = message === "" ? "" : ` (${withoutStop(message)})`;
  const help = isOwned ? "delete the pod, and its owner makes another" : "delete it and create it anew, or make it a Deployment";
  return `${node} had no radio for it when it came${said}, and Kubernetes does not try it again: ${help}.`;
}

/** A container that was there may be missed for other reasons; these are those of one that cannot be made. */
const notMade = /^(?:ContainerCreating|PodInitializing|CreateContainer\w*Error|RunContainerError)$/;

function whyNotStarted(pod: HoldingPod & { readonly node: string }, { radios }: KnownToExplain): string | undefined {
  const waiting = pod.waiting.filter(({ reason }) => pod.phase === "pending" || notMade.test(reason));
  if (pod.phase !== "pending" && waiting.length === 0) return undefined;
  const gone = goneOf(pod, radios);
  const told = waiting.filter(({ message = "" }) => message !== "");
  if (gone !== undefined) {
    // The image comes first, and the radio does not help it.
    const other = told.find(({ reason }) => !notMade.test(reason));
    const help = other === undefined ? ", and the container starts by itself." : `. ${cannotStart(other)}`;
    return `Its radio ${nameOf(gone)} is unplugged from ${gone.node}${sinceOf(gone)}: plug it in there${help}`;
  }
  const [problem] = told;
  if (problem !== undefined) return cannotStart(problem);
  if (pod.unallocated.length > 0) return claimless(pod.unallocated);
  const [first] = waiting;
  return `It was scheduled to ${pod.node}; ${first === undefined ? "the kubelet has not told of it yet" : `container ${first.name} is being made (${first.reason})`}.`;
}

function cannotStart({ name, message = "" }: HoldingPod["waiting"][number]): string {
  return `Container ${name} cannot start: ${sentence(message)}`;
}

/** Which radio a pod was given is only known of this node. Of others it has an absent one only if those that are there are too few. */
function goneOf({ node, holds, wants }: HoldingPod, radios: readonly AskedRadio[]): AskedRadio | undefined {
  const there = radios.filter((radio) => radio.node === node);
  const absent = there.filter(({ state }) => state === "absent");
  if (holds.length > 0) return absent.find(({ id }) => holds.includes(id));
  const isShort = ({ request, count }: RadioRequest): boolean =>
    there.filter(({ resource, state }) => resource === request && state !== "absent").length < count;
  const short = wants.filter(isShort);
  return absent.find(({ resource }) => short.some(({ request }) => request === resource));
}

/** Hardest first: that one radio is free helps nobody whose other one is nowhere. */
const obstacles = [whyNotFree, whyKeptAway, whyUnused];

function whyUnscheduled(pod: HoldingPod, known: KnownToExplain): string {
  const wanted = pod.wants.filter(({ way }) => way === "device-plugin").map(({ request, count }) => ({ resource: request, count }));
  for (const obstacle of obstacles) {
    for (const one of wanted) {
      const why = obstacle(one, known, pod);
      if (why !== undefined) return why;
    }
  }
  if (pod.unallocated.length > 0) {
    return `Its claim ${pod.unallocated.join(", ")} has no radio: none that is free fits what it asks for.${schedulerOf(pod)}`;
  }
  return pod.unscheduled === undefined ? "The scheduler has not looked at it yet." : schedulerOf(pod).trimStart();
}

interface Wanted {
  readonly resource: string;
  readonly count: number;
}

function whyNotFree(wanted: Wanted, known: KnownToExplain): string | undefined {
  const { resource, count } = wanted;
  const fitting = known.radios.filter((radio) => radio.resource === resource);
  if (fitting.length === 0) return whyNone(resource, known.radios);
  const present = fitting.filter(isPresent);
  if (present.length === 0) return whyNoneNow(resource, fitting);
  const most = Math.max(...[...groupBy(present, ({ node }) => node).values()].map(({ length }) => length));
  if (most < count)
    return `It asks for ${count} of ${resource}, and no node has more than ${most}: plug them into one node.${booting(fitting)}`;
  return freeFor(wanted, known).length === 0 ? `${whyTaken(resource, present, known)}${booting(fitting)}` : undefined;
}

function whyKeptAway(wanted: Wanted, known: KnownToExplain, { limitedTo }: HoldingPod): string | undefined {
  const free = freeFor(wanted, known);
  const [first] = free;
  if (first === undefined || limitedTo === undefined || free.some(({ node }) => limitedTo.includes(node))) return undefined;
  return `${first.what} is free on ${first.node}, but the pod's nodeSelector or affinity keeps it on ${listOf(limitedTo)}: take that out, and it goes where its radio is.`;
}

function whyUnused(wanted: Wanted, known: KnownToExplain, { limitedTo, unscheduled = "", unallocated }: HoldingPod): string | undefined {
  const free = freeFor(wanted, known).find(({ node }) => limitedTo?.includes(node) ?? true);
  if (free === undefined || unscheduled === "") return undefined;
  const claims = unallocated.length === 0 ? "" : ` ${claimless(unallocated)}`;
  return `${free.what} is free on ${free.node}, but the scheduler does not put the pod there: ${sentence(unscheduled)}${claims}`;
}

interface FreeRadio {
  readonly node: string;
  readonly what: string;
}

/** One for each node that has enough of them. */
function freeFor({ resource, count }: Wanted, known: KnownToExplain): readonly FreeRadio[] {
  const present = known.radios.filter((radio) => radio.resource === resource && isPresent(radio));
  return [...groupBy(present, ({ node }) => node)]
    .filter(([node, radios]) => radios.length - takenOn(node, resource, known) >= count)
    .map(([node, radios]) => {
      const radio = radios.find((one) => holderOf(one, known.pods) === undefined);
      return { node, what: radio === undefined ? `A radio that is ${resource}` : nameOf(radio) };
    });
}

function whyNone(resource: string, radios: readonly AskedRadio[]): string {
  const unclear = radios.find(({ state, certainty }) => state !== "absent" && certainty === "ambiguous");
  if (unclear !== undefined) {
    return `No node has a radio that is ${resource}. ${nameOf(unclear)} on ${unclear.node} may be one: if you know what it is, say its kind (\`radios\` in the configuration, or the page).`;
  }
  const others = [...new Set(radios.flatMap((radio) => radio.resource ?? []))].toSorted();
  const there = others.length === 0 ? "" : ` What there is: ${listOf(others)}.`;
  return `No node has, or had, a radio that is ${resource}: plug one in.${there}`;
}

function whyNoneNow(resource: string, fitting: readonly AskedRadio[]): string {
  const gone = fitting.filter(({ state }) => state === "absent").map((radio) => `${nameOf(radio)} from ${radio.node}${sinceOf(radio)}`);
  const unplugged = gone.length === 0 ? "" : `: unplugged is ${listOf(gone)}. Plug it in again, on any node`;
  return `No node has ${resource} now${unplugged}.${booting(fitting)}`;
}

/** Nobody is given such a radio: the device plugin calls it unhealthy, and in the slices it is tainted. */
function booting(fitting: readonly AskedRadio[]): string {
  const waiting = fitting.filter(({ state }) => state === "bootloader").map((radio) => `${nameOf(radio)} on ${radio.node}`);
  if (waiting.length === 0) return "";
  const where = waiting.length === 1 ? "waits in its bootloader" : "wait in their bootloaders";
  return ` ${listOf(waiting)} ${where}, and no pod is given such a radio until its firmware runs again: unplug it and plug it in, and if it stays there, write its firmware anew.`;
}

function whyTaken(resource: string, present: readonly AskedRadio[], known: KnownToExplain): string {
  const taken = present.map((radio) => {
    const holder = holderOf(radio, known.pods);
    const since = holder?.since === undefined ? "" : ` since ${holder.since}`;
    return `${nameOf(radio)} on ${radio.node} is held by ${holder === undefined ? "another pod" : `${holder.namespace}/${holder.name}`}${since}`;
  });
  return `Every radio that is ${resource} is taken: ${listOf(taken)}. It waits for that pod to end, or for another radio.`;
}

/** Pods that have not ended keep what they were given, running or not. */
function keeps({ phase, node }: HoldingPod, on: string): boolean {
  return node === on && phase !== "failed" && phase !== "succeeded";
}

function takenOn(node: string, resource: string, { pods, radios }: KnownToExplain): number {
  const isOurs = (radio: AskedRadio): boolean => radio.node === node && radio.resource === resource && isPresent(radio);
  const ours = new Set(radios.filter(isOurs).map(({ id }) => id));
  return pods
    .filter((pod) => keeps(pod, node))
    .reduce((sum, { wants, devices, holds }) => {
      const asked = wants.find(({ way, request }) => way === "device-plugin" && request === resource)?.count ?? 0;
      return sum + asked + (devices.length > 0 ? holds.filter((id) => ours.has(id)).length : 0);
    }, 0);
}

/** By the kubelet, or by the claim; else, whoever asked for such a radio and runs there. */
function holderOf(radio: AskedRadio, pods: readonly HoldingPod[]): HoldingPod | undefined {
  const there = pods.filter((pod) => keeps(pod, radio.node));
  return (
    there.find(({ holds }) => holds.includes(radio.id)) ??
    there.find(({ holds, wants }) => holds.length === 0 && wants.some(({ request }) => request === radio.resource))
  );
}

function schedulerOf({ unscheduled = "" }: HoldingPod): string {
  return unscheduled === "" ? "" : ` The scheduler says: ${sentence(unscheduled)}`;
}

function claimless(claims: readonly string[]): string {
  return `Its claim ${claims.join(", ")} has no radio yet.`;
}

function isPresent({ state }: AskedRadio): boolean {
  return state === "present";
}

function nameOf({ name, id }: AskedRadio): string {
  return name ?? id;
}

function sinceOf({ absentSince }: AskedRadio): string {
  return absentSince === undefined ? "" : ` since ${absentSince}`;
}

/** What is more than some is told by its number. */
const mostListed = 4;

function listOf(all: readonly string[]): string {
  const more = all.length - mostListed;
  return more > 0 ? `${all.slice(0, mostListed).join(", ")} and ${more} more` : all.join(", ");
}

function withoutStop(text: string): string {
  return text.replace(/[.\s]+$/, "");
}

function sentence(text: string): string {
  return `${withoutStop(text)}.`;
}
