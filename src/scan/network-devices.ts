/** From what offers itself on the links to devices: one for each radio, however often it announces itself. Pure. */
import type { Device, NetworkFacts, NetworkOffer } from "../core/device.ts";
import { printable } from "../core/printable.ts";
import type { SeenService } from "../core/relay.ts";

/** Far more than any house has; whoever announces ever new ones must not fill the inventory. */
const mostDevices = 64;
const longestText = 255;

/** A service that may be a radio, and by what it is known to be the same as another. */
interface Candidate {
  /** Host and port: what is behind one socket is one thing. */
  readonly place: string;
  readonly service: SeenService & { readonly host: string; readonly port: number };
  readonly serial?: string;
  readonly mac?: string;
}

/**
 * The devices among `services`: those of a type in `wanted` of which everything is known. Announcements of one socket, or of one
 * radio's serial number, are one device. The result does not depend on their order, as long as there are not too many; then the
 * first ones count.
 */
export function toNetworkDevices(services: readonly SeenService[], wanted: ReadonlySet<string>): readonly Device[] {
  const candidates = services.flatMap((service) => toCandidate(service, wanted) ?? []);
  return unite(candidates)
    .slice(0, mostDevices)
    .map(toDevice)
    .sort((left, right) => compare(left.sysPath, right.sysPath));
}

function toCandidate(service: SeenService, wanted: ReadonlySet<string>): Candidate | undefined {
  const { host = "", port = 0 } = service;
  if (service.protocol !== "mdns" || service.unresolved === true || host === "" || port === 0) return undefined;
  if (!wanted.has(service.service)) return undefined;
  return { place: `${host.toLowerCase()}:${port}`, service: { ...service, host, port }, ...numbersOf(service) };
}

/** Where services give the number of the radio itself. What a border agent calls `xa` is its extended address (Thread 1.3 §8.4.1). */
const serialKeys: Readonly<Record<string, string>> = { "_meshcop._udp": "xa", "_meshtastic._tcp": "id" };

function numbersOf({ service, text }: SeenService): Pick<Candidate, "serial" | "mac"> {
  const serial = plainNumber(text[serialKeys[service] ?? "serial_number"]);
  const mac = plainNumber(text["mac"]?.replaceAll(/[:-]/g, ""));
  return { ...(serial === undefined ? {} : { serial }), ...(mac !== undefined && /^[0-9a-f]{12}$/.test(mac) ? { mac } : {}) };
}

/** The same for `0x00124B…`, `00124b…` and `!0badf00d`. */
function plainNumber(text: string | undefined): string | undefined {
  const plain = text
    ?.trim()
    .toLowerCase()
    .replace(/^(?:0x|!)/, "");
  return plain === undefined || !/^[\w.:-]{4,64}$/.test(plain) ? undefined : plain;
}

/** Groups of the same thing, in the order of their first members. */
function unite(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const parents = new Map<string, string>();
  const find = (key: string): string => {
    let root = key;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    return root;
  };
  const join = (left: string, right: string): void => {
    const [from, to] = [find(left), find(right)];
    if (from !== to) parents.set(from, to);
  };
  for (const { place, serial } of candidates) if (serial !== undefined) join(`serial ${serial}`, `place ${place}`);
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = find(`place ${candidate.place}`);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else group.push(candidate);
  }
  return [...groups.values()];
}

function toDevice(group: readonly Candidate[]): Device {
  const sorted = group.toSorted((left, right) => compare(orderOf(left), orderOf(right)));
  const [first] = sorted;
  const place = sorted.map((one) => one.place).toSorted(compare)[0] ?? "";
  const reached = sorted.find((one) => one.place === place)?.service;
  const offers = new Map(
    sorted.toReversed().map((one) => [`${one.service.service} ${one.service.instance.toLowerCase()}`, toOffer(one.service)]),
  );
  const [offer = toOffer(undefined), ...others] = [...offers.values()].toReversed();
  const serial = firstOf(group.map((one) => one.serial));
  const mac = firstOf(group.map((one) => one.mac));
  const network: NetworkFacts = {
    ...offer,
    host: clean(reached?.host ?? first?.service.host ?? ""),
    port: reached?.port ?? 0,
    addresses: [...new Set(sorted.flatMap(({ service }) => service.addresses))],
    others,
    links: [...new Set(group.map(({ service }) => service.link))].toSorted(compare),
    ...(serial === undefined ? {} : { serial }),
    ...(mac === undefined ? {} : { mac }),
  };
  return { sysPath: `network/${clean(place)}`, function: "network", nodes: [], network };
}

function orderOf({ service, place }: Candidate): string {
  return [service.service, service.instance.toLowerCase(), place, service.link].join(" ");
}

function toOffer(service: SeenService | undefined): NetworkOffer {
  const text = Object.entries(service?.text ?? {}).map(([key, value]) => [clean(key), clean(value)] as const);
  return { service: clean(service?.service ?? ""), instance: clean(service?.instance ?? ""), text: Object.fromEntries(text) };
}

function firstOf(texts: readonly (string | undefined)[]): string | undefined {
  return texts.filter((text) => text !== undefined).toSorted(compare)[0];
}

function clean(text: string): string {
  return printable(text).slice(0, longestText);
}

/** By code unit, so that no locale can change the outcome. */
function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
