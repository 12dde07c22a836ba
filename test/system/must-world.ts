/** What the tests of the must list share: a lab with a relay in it, hosts that speak mDNS and SSDP by the book, and words for what went over. */
import { expect } from "vitest";
import { toMessage, tryReadMessage, type RecordBytes } from "./dns-wire.ts";
import { quietFor, type Heard, type LabHost, type LabSocket } from "./lab-host.ts";
import { openNetworkLab, type NetworkLab, type NetworkLabOptions } from "./network-lab.ts";
import { openRelay, type RelayOptions } from "./relays.ts";

export type Family = 4 | 6;

export const families = [4, 6] as const;
export const mdnsPort = 5353;
export const ssdpPort = 1900;
export const mdnsGroup = { 4: "224.0.0.251", 6: "ff02::fb" } as const;
const ssdpGroup = { 4: "239.255.255.250", 6: "ff02::c" } as const;
/** SSDP's site-local group of IPv6. */
export const ssdpSiteGroup = "ff05::c";

/** Long enough for a relay to send a second copy, were it to. */
export const settleMs = 120;

export interface MustWorld extends AsyncDisposable {
  readonly lab: NetworkLab;
  /** The host's socket on port 5353, in the group; of the links' own hosts open from the start. */
  mdns(host: string, family: Family): Promise<LabSocket>;
  /** The host's socket on port 1900, in the groups. */
  ssdp(host: string, family: Family): Promise<LabSocket>;
}

export async function openMustWorld(options: NetworkLabOptions, relay: RelayOptions = {}): Promise<MustWorld> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await openNetworkLab(options));
  stack.use(await openRelay(lab, relay));
  const sockets = new Map<string, Promise<LabSocket>>();
  const socketOf = (key: string, open: () => Promise<LabSocket>): Promise<LabSocket> => {
    const found = sockets.get(key) ?? open();
    sockets.set(key, found);
    return found;
  };
  const mdns = (host: string, family: Family) => socketOf(`mdns ${host} ${family}`, () => openMdns(lab.host(host), family));
  const ssdp = (host: string, family: Family) => socketOf(`ssdp ${host} ${family}`, () => openSsdp(lab.host(host), family));
  // At once: who opens a socket after the other side has sent hears nothing.
  for (const link of options.links) for (const family of families) for (const open of [mdns, ssdp]) await open(link.toUpperCase(), family);
  const lifetime = stack.move();
  return {
    lab,
    mdns,
    ssdp,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

export function openMdns(host: LabHost, family: Family, interfaceName = "eth0"): Promise<LabSocket> {
  return host.listen({ family, port: mdnsPort, groups: [mdnsGroup[family]], interface: interfaceName });
}

export function openSsdp(host: LabHost, family: Family, interfaceName = "eth0"): Promise<LabSocket> {
  const groups = family === 6 ? [ssdpGroup[6], ssdpSiteGroup] : [ssdpGroup[4]];
  return host.listen({ family, port: ssdpPort, groups, interface: interfaceName });
}

export const toMdns = (family: Family) => ({ to: mdnsGroup[family], port: mdnsPort });
export const toSsdp = (family: Family, group: string = ssdpGroup[family]) => ({ to: group, port: ssdpPort, hops: 2 });

let count = 0;

/** A label nobody has used yet, so that packets can be told apart and no cache or guard knows it. None is the beginning of another. */
export function fresh(word: string): string {
  count += 1;
  return `${word}-${process.pid}-${count}z`;
}

export function contains(packet: Heard, word: string): boolean {
  return Buffer.from(packet.data).includes(word);
}

/** What came of a datagram: the copies that hold this word, when no more are to be expected. At least `copies` are waited for. */
export async function arrivals(socket: LabSocket, word: string, { copies = 1, timeoutMs = 3_000 } = {}): Promise<readonly Heard[]> {
  const fitting = (): Heard[] => socket.heard.filter((packet) => contains(packet, word));
  await socket.next(() => fitting().length >= copies, timeoutMs);
  await quietFor(settleMs);
  return fitting();
}

/**
 * That a datagram was not relayed is known when one sent after it, which must be, has come: and a little later.
 */
export async function expectNothing(
  world: MustWorld,
  { at, family, word }: { readonly at: string; readonly family: Family; readonly word: string },
): Promise<void> {
  const socket = await world.mdns(at, family);
  const other = at === "A" ? "B" : "A";
  const marker = fresh("marker");
  await (await world.mdns(other, family)).send(toMessage({ questions: [{ name: `${marker}.local`, type: 1 }] }), toMdns(family));
  await socket.next((packet) => contains(packet, marker));
  await quietFor(settleMs);
  const sockets = [socket, await world.ssdp(at, family)];
  expect(
    sockets.flatMap((each) =>
      each.heard.filter((packet) => contains(packet, word)).map((packet) => Buffer.from(packet.data).toString("latin1")),
    ),
  ).toEqual([]);
}

export interface Responder {
  readonly socket: LabSocket;
  readonly family: Family;
  /** Answers questions for this name … */
  readonly name: string;
  /** … with these. */
  readonly answers: readonly RecordBytes[];
}

/** A responder by RFC 6762: to the group; to the asker alone if it set QU (5.4) or did not ask from port 5353 (6.7). */
export function respond({ socket, family, name, answers }: Responder): void {
  socket.follow((packet) => {
    const message = tryReadMessage(packet.data);
    const question = message?.response === false ? message.questions.find((each) => each.name === name) : undefined;
    if (message === undefined || question === undefined) return;
    const legacy = packet.port !== mdnsPort;
    const capped = legacy ? answers.map((each) => ({ ...each, ttl: 10, flush: false })) : answers;
    const questions = legacy ? [{ name, type: question.type }] : [];
    const payload = toMessage({ id: legacy ? message.id : 0, response: true, questions, answers: capped });
    const destination = legacy || question.unicast === true ? { to: packet.source, port: packet.port } : toMdns(family);
    void socket.send(payload, destination);
  });
}
