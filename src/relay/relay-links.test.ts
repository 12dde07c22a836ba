/** Links and sockets in step with interfaces that come, go and change; the kernel is made up. */
import { beforeEach, describe, expect, test } from "vitest";
import { madeUpOptions, toAddress } from "../../test/fixtures/engine-world.ts";
import { AerialError } from "../core/errors.ts";
import type { RelayProtocol } from "../core/relay.ts";
import type { DatagramPoller } from "../host/datagram-poller.ts";
import type { DatagramListener, Datagrams, DatagramSocket } from "../host/datagram.ts";
import type { NetworkLink } from "../host/network-links.ts";
import type { LinkSelector } from "./link-selector.ts";
import { createLinkSockets, type LinkSockets } from "./link-sockets.ts";
import { createRelayEngine, type RelayEngine } from "./relay-engine.ts";
import { createRelayLinks, type RelayLinks } from "./relay-links.ts";
import type { FromRelay } from "./relay-messages.ts";
import { createRelayReport } from "./relay-report.ts";
import type { RelayDatagram } from "./relay-wire.ts";

interface MadeUpSocket extends DatagramSocket {
  /** `lan-b 224.0.0.251 5353`, or `lan-b answers`. */
  readonly what: string;
  dropped: number;
  listener?: DatagramListener;
}

const lan = (letter: string, changes: Partial<NetworkLink> = {}): NetworkLink => {
  const index = letter.charCodeAt(0) - 96;
  const addresses = [toAddress(`10.${index}.0.1`, 24), toAddress(`fe80::${index}`, 64)];
  return { name: `lan-${letter}`, index, mtu: 1500, up: true, loopback: false, addresses, ...changes };
};

let present: readonly NetworkLink[];
let open: Set<MadeUpSocket>;
let held: ReadonlySet<string>;
let heard: RelayDatagram[];
let sockets: LinkSockets;
let engine: RelayEngine;
let links: RelayLinks;

beforeEach(() => {
  present = [lan("a"), lan("b")];
  open = new Set();
  held = new Set();
  heard = [];
  const openSocket = (what: string, { family, link }: { family: 4 | 6; link: { index: number } }): MadeUpSocket => {
    if (held.has(what)) throw new AerialError("relay.socket", `cannot open ${what}: bind (EADDRINUSE)`);
    const socket: MadeUpSocket = {
      what,
      family,
      dropped: 0,
      descriptor: 0,
      linkIndex: link.index,
      port: 0,
      get closed() {
        return !open.has(socket);
      },
      send: () => 0,
      overrun: () => socket.dropped,
      [Symbol.dispose]: () => void open.delete(socket),
    };
    open.add(socket);
    return socket;
  };
  const datagrams = {
    openGroup: (options) => openSocket(`${options.link.name} ${options.group} ${options.port}`, options),
    openReply: (options) => openSocket(`${options.link.name} answers`, options),
    notes: new Set<string>(),
  } satisfies Omit<Datagrams, "calls">;
  const poller = {
    add: (socket, listener) => void Object.assign(socket, { listener }),
    remove: (socket) => void Object.assign(socket, { listener: undefined }),
  } satisfies Pick<DatagramPoller, "add" | "remove">;
  sockets = createLinkSockets({
    datagrams: datagrams as unknown as Datagrams,
    poller: poller as unknown as DatagramPoller,
    toMonotonic: (arrivedAt) => arrivedAt,
    heard: (datagram) => void heard.push(datagram),
  });
  const options = { ...madeUpOptions, protocols: ["mdns" as const] };
  engine = createRelayEngine({ options, wire: sockets.wire, notesServices: true, carries: sockets.carries });
  const network = { links: () => present, descriptor: 0, drain: () => true, [Symbol.dispose]: () => {} };
  links = createRelayLinks({ network, sockets, engine });
});

const byName: readonly LinkSelector[] = [{ interface: "lan-a" }, { interface: "lan-b" }];
const mdns = { 4: "224.0.0.251 5353", 6: "ff02::fb 5353" } as const;
const whatIsOpen = (): readonly string[] => [...open].map(({ what }) => what).toSorted();
const bothFamilies = (...names: readonly string[]): readonly string[] =>
  names.flatMap((name) => [`${name} ${mdns[4]}`, `${name} ${mdns[6]}`]);
const socketOf = (what: string): MadeUpSocket => {
  const found = [...open].find((socket) => socket.what === what);
  if (found === undefined) throw new TypeError(`${what} is not open`);
  return found;
};

test("a socket for each link, family and group; what comes over it is from that link", () => {
  links.select(byName, 0);
  expect(whatIsOpen()).toEqual(bothFamilies("lan-a", "lan-b"));
  const { listener } = socketOf(`lan-b ${mdns[6]}`);
  const source = { family: 6, bytes: new Uint8Array(16), port: 5353 } as const;
  listener?.(Uint8Array.of(1), source, { arrivedAt: 0, truncated: true });
  expect(heard).toMatchObject([{ link: { name: "lan-b" }, channel: { family: 6, protocol: "mdns" }, source, truncated: true }]);
});

test("a link without one family has no sockets in it, until it gets an address", () => {
  present = [lan("a"), lan("b", { addresses: [toAddress("fe80::2", 64)] })];
  links.select(byName, 0);
  expect(whatIsOpen()).toEqual([...bothFamilies("lan-a"), `lan-b ${mdns[6]}`]);
  present = [lan("a", { addresses: [toAddress("10.1.0.1", 24)] }), lan("b")];
  links.refresh(1);
  expect(whatIsOpen()).toEqual([`lan-a ${mdns[4]}`, ...bothFamilies("lan-b")]);
});

test("other addresses leave the sockets as they are, and are known from then on", () => {
  links.select(byName, 0);
  const before = [...open];
  const [ipv4] = lan("b").addresses;
  if (ipv4 === undefined) throw new TypeError("no address");
  present = [lan("a"), lan("b", { addresses: [ipv4, toAddress("fe80::2", 64), toAddress("fd00::bbbb", 64)], mtu: 1280 })];
  links.refresh(1);
  expect([...open]).toEqual(before);
  socketOf(`lan-b ${mdns[4]}`).listener?.(
    new Uint8Array(),
    { family: 4, bytes: new Uint8Array(4), port: 1 },
    { arrivedAt: 0, truncated: false },
  );
  expect(heard[0]?.link).toMatchObject({ mtu: 1280, addresses: [{}, {}, { text: "fd00::bbbb" }] });
});

test("an interface made anew under its name gets new sockets", () => {
  links.select(byName, 0);
  const before = [...open].filter(({ what }) => what.startsWith("lan-b"));
  present = [lan("a"), lan("b", { index: 77 })];
  links.refresh(1);
  expect(before.every(({ closed, listener }) => closed && listener === undefined)).toBe(true);
  expect([...open].filter(({ linkIndex }) => linkIndex === 77)).toHaveLength(2);
});

test("one that goes down, or away, has none, and is served when it is back or appears late", () => {
  links.select(byName, 0);
  present = [lan("a"), lan("b", { up: false })];
  links.refresh(1);
  expect(whatIsOpen()).toEqual(bothFamilies("lan-a"));
  present = [lan("a")];
  links.refresh(2);
  expect(engine.links.map(({ name }) => name)).toEqual(["lan-a"]);
  present = [lan("a"), lan("b", { index: 9 })];
  links.refresh(600_000);
  expect(whatIsOpen()).toEqual(bothFamilies("lan-a", "lan-b"));
  expect(engine.links.map(({ name }) => name)).toEqual(["lan-a", "lan-b"]);
});

test("one that is renamed is another link where it was chosen by name, and the same where it was not", () => {
  present = [lan("a"), lan("b", { vlan: 40 })];
  links.select([{ interface: "lan-a" }, { vlan: 40 }], 0);
  const before = [...open];
  present = [lan("a"), lan("b", { vlan: 40, name: "other" })];
  links.refresh(1);
  expect([...open]).toEqual(before);
  expect(engine.links).toMatchObject([{ name: "lan-a" }, { name: "vlan40", interface: "other" }]);
  links.select(byName, 2);
  expect(whatIsOpen()).toEqual(bothFamilies("lan-a"));
  expect(links.selected).toMatchObject([{ name: "lan-a", link: {} }, { name: "lan-b" }]);
});

test("patterns take each interface once, and loopback never", () => {
  present = [lan("a"), lan("b"), lan("c"), { ...lan("d"), name: "lo", loopback: true }];
  links.select([{ name: "home", interface: "lan-b" }, { interface: "lan-*" }, { interface: "l*" }, { interface: "eth*" }], 0);
  expect(links.selected.map(({ name, link }) => `${name} ${link?.name}`)).toEqual(["home lan-b", "lan-a lan-a", "lan-c lan-c"]);
});

test("a port that somebody keeps to himself is said, tried again, and stops nothing else", () => {
  held = new Set([`lan-b ${mdns[4]}`]);
  links.select(byName, 5_000);
  expect(whatIsOpen()).toEqual([...bothFamilies("lan-a"), `lan-b ${mdns[6]}`]);
  expect(sockets.problems("lan-b")).toMatchObject([expect.stringContaining("EADDRINUSE")]);
  expect(sockets.problems("lan-a")).toEqual([]);
  expect(links.retryAt(1_000)).toBe(6_000);
  held = new Set();
  links.refresh(6_000);
  expect(whatIsOpen()).toEqual(bothFamilies("lan-a", "lan-b"));
  expect([sockets.problems("lan-b"), links.retryAt(1_000)]).toEqual([[], Infinity]);
});

describe("what is told of a link where a port is kept", () => {
  const ssdp = "239.255.255.250 1900";
  const taken = (what: string): string => `cannot open ${what}: bind (EADDRINUSE)`;
  /** Of lan-b, with these sockets held. */
  const tell = (protocols: readonly RelayProtocol[], ...kept: readonly string[]) => {
    engine.configure({ ...madeUpOptions, protocols });
    held = new Set(kept.map((socket) => `lan-b ${socket}`));
    links.select(byName, 5_000);
    const told: FromRelay[] = [];
    const report = createRelayReport({ engine, sockets, links, notes: new Set(), tell: (message) => void told.push(message) });
    report.tick(5_000);
    const [, { state, why } = {}] = report.status(5_000).links;
    return { state, why, conditions: told.filter(({ type }) => type === "condition") };
  };

  test("names what is relayed there and what is not", () => {
    const { state, why, conditions } = tell(["mdns", "ssdp"], ssdp);
    const what = "SSDP over IPv4 is not relayed, mDNS over IPv4 and IPv6, SSDP over IPv6 is; ";
    expect([state, why]).toEqual(["up", expect.stringContaining(`${what}${taken(`lan-b ${ssdp}`)}`)]);
    const text: unknown = expect.stringContaining(`Not everything is relayed to and from lan-b: ${what}${taken(`lan-b ${ssdp}`)}`);
    expect(conditions).toEqual([{ type: "condition", code: "relay.link.lan-b", severity: "warning", text }]);
  });

  test("names the group where a protocol has several", () => {
    const { why } = tell(["sonos"], "255.255.255.255 6969");
    expect(why).toMatch(/^broadcasts to 255\.255\.255\.255 port 6969 over IPv4 is not relayed, broadcasts .* port 1900 over IPv4 is; /);
  });

  test("counts nothing as relayed in a family whose mDNS is missing, over which aerials agree", () => {
    expect(tell(["mdns", "ssdp"], mdns[4]).why).toMatch(
      /^mDNS over IPv4, SSDP over IPv4 is not relayed, mDNS over IPv6, SSDP over IPv6 is; /,
    );
    expect(tell(["sonos"], mdns[6])).toEqual({ state: "up", why: undefined, conditions: [] });
  });

  test("says that nothing is relayed where nothing is", () => {
    const { state, why, conditions } = tell(["mdns"], mdns[4], mdns[6]);
    expect([state, why]).toEqual(["failed", expect.stringContaining(taken(`lan-b ${mdns[6]}`))]);
    const text: unknown = expect.stringContaining(`Nothing is relayed to or from lan-b: ${taken(`lan-b ${mdns[4]}`)}`);
    expect(conditions).toEqual([{ type: "condition", code: "relay.link.lan-b", severity: "error", text }]);
  });
});

test("what is sent to a link that has gone is an error number, and no port for answers is none", () => {
  links.select(byName, 0);
  const [, link] = engine.links;
  const [channel] = engine.channels;
  if (link === undefined || channel === undefined) throw new TypeError("no link");
  expect(sockets.wire.toGroup(link, channel, new Uint8Array())).toBe(0);
  present = [lan("a")];
  links.refresh(1);
  expect(sockets.wire.toGroup(link, channel, new Uint8Array())).not.toBe(0);
  expect(sockets.wire.toHost(link, channel, { payload: new Uint8Array(), to: { family: 4, bytes: new Uint8Array(4), port: 9 } })).not.toBe(
    0,
  );
  held = new Set(["lan-b answers"]);
  expect(sockets.wire.openReply(link, channel, () => {})).toBeUndefined();
});

test("what the kernel dropped is counted for the link, of closed sockets too, and shown", () => {
  links.select(byName, 0);
  socketOf(`lan-b ${mdns[4]}`).dropped = 3;
  socketOf(`lan-b ${mdns[6]}`).dropped = 4;
  const report = createRelayReport({ engine, sockets, links, notes: new Set(), tell: () => {} });
  const shown = (): readonly number[] => report.status(0).links.map(({ overrun }) => overrun);
  expect(shown()).toEqual([0, 7]);
  present = [lan("a"), lan("b", { index: 77 })];
  links.refresh(1);
  socketOf(`lan-b ${mdns[4]}`).dropped = 10;
  expect(shown()).toEqual([0, 17]);
});

test("closing closes every socket", () => {
  links.select(byName, 0);
  const [link] = engine.links;
  const [channel] = engine.channels;
  if (link === undefined || channel === undefined) throw new TypeError("no link");
  sockets.wire.openReply(link, channel, () => {});
  expect(whatIsOpen()).toContain("lan-a answers");
  sockets[Symbol.dispose]();
  expect(whatIsOpen()).toEqual([]);
});
