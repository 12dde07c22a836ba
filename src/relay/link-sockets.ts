/** The sockets of all links, kept in step with the interfaces as they come, go and change. */
import { AerialError, describeError, isAerialError } from "../core/errors.ts";
import type { AddressFamily } from "../core/relay.ts";
import type { DatagramPoller } from "../host/datagram-poller.ts";
import type { Datagrams, DatagramSocket } from "../host/datagram.ts";
import type { Channel } from "./channels.ts";
import type { RelayDatagram, RelayLink, RelayWire } from "./relay-wire.ts";

export interface LinkSocketsDependencies {
  readonly datagrams: Datagrams;
  readonly poller: DatagramPoller;
  /** Milliseconds of the kernel's time of arrival on the monotonic clock. */
  readonly toMonotonic: (arrivedAt: number) => number;
  readonly heard: (datagram: RelayDatagram, now: number) => void;
}

export interface LinkSockets extends Disposable {
  readonly wire: RelayWire;
  /**
   * Opens what is missing and closes what has no place any more. A socket that cannot be opened is tried again at the
   * next call; what is open stays open through a change of addresses.
   */
  reconcile(links: readonly RelayLink[], channels: readonly Channel[]): void;
  /** Why sockets of the link could not be opened, a sentence each. */
  problems(link: string): readonly string[];
  /** Whether the link can be heard and sent to in this channel's family and protocol. */
  readonly carries: (link: RelayLink, channel: Channel) => boolean;
  overrun(link: string): number;
  /** Whether a further `reconcile` may do better. */
  readonly incomplete: boolean;
}

interface OpenSocket {
  readonly channel: Channel;
  readonly socket: DatagramSocket;
  /** As of the last reconciliation: addresses may change under an open socket. */
  link: RelayLink;
}

export function createLinkSockets({ datagrams, poller, toMonotonic, heard }: LinkSocketsDependencies): LinkSockets {
  const sockets = new Map<string, OpenSocket>();
  const problems = new Map<string, readonly string[]>();
  const overruns = new Map<string, number>();
  const replies = new Set<Disposable>();
  /** The same once more, by what a packet brings along: asked several times for each. */
  const fast = new Map<RelayLink, (DatagramSocket | undefined)[]>();
  const find = (link: RelayLink, channel: Channel): DatagramSocket | undefined => fast.get(link)?.[channel.number];

  const close = (key: string, { socket, link }: OpenSocket): void => {
    sockets.delete(key);
    poller.remove(socket);
    overruns.set(link.name, (overruns.get(link.name) ?? 0) + socket.overrun());
    socket[Symbol.dispose]();
  };

  const open = (link: RelayLink, channel: Channel): OpenSocket => {
    const { family, group, port, hops } = channel;
    const socket = datagrams.openGroup({ family, link: { name: link.interface, index: link.index }, group, port, hops });
    const entry: OpenSocket = { channel, socket, link };
    poller.add(socket, (payload, source, { truncated, arrivedAt }) =>
      heard({ channel, link: entry.link, payload, source, truncated }, toMonotonic(arrivedAt)),
    );
    return entry;
  };

  const wire: RelayWire = {
    toGroup: (link, channel, payload) => find(link, channel)?.send(payload, channel.groupAddress) ?? notThere,
    toHost: (link, channel, { payload, to }) => find(link, channel)?.send(payload, to) ?? notThere,
    openReply(link, { family, hops }, answered) {
      let socket: DatagramSocket;
      try {
        socket = datagrams.openReply({ family, link: { name: link.interface, index: link.index }, hops });
      } catch (error) {
        if (isAerialError(error)) return undefined;
        throw error;
      }
      poller.add(socket, (payload, source, { truncated, arrivedAt }) =>
        answered(payload, source, { truncated, now: toMonotonic(arrivedAt) }),
      );
      const reply = {
        ask: (channel: Channel, payload: Uint8Array) => socket.send(payload, channel.groupAddress),
        [Symbol.dispose]() {
          replies.delete(reply);
          poller.remove(socket);
          socket[Symbol.dispose]();
        },
      };
      replies.add(reply);
      return reply;
    },
  };

  return {
    wire,
    reconcile(links, channels) {
      const wanted = new Map<string, readonly [RelayLink, Channel]>();
      for (const link of links) {
        for (const channel of channels) if (hasFamily(link, channel.family)) wanted.set(keyOf(link, channel), [link, channel]);
      }
      for (const [key, entry] of sockets) if (!wanted.has(key)) close(key, entry);
      const failures = new Map<string, string[]>();
      for (const [key, [link, channel]] of wanted) {
        const known = sockets.get(key);
        if (known !== undefined) {
          known.link = link;
          continue;
        }
        try {
          sockets.set(key, open(link, channel));
        } catch (error) {
          if (!isAerialError(error)) throw new AerialError("relay.socket", `no socket on ${link.name}`, { cause: error });
          failures.set(link.name, [...(failures.get(link.name) ?? []), `${describeError(error)}; ${error.hint}`]);
        }
      }
      fast.clear();
      for (const { link, channel, socket } of sockets.values()) {
        const byChannel = fast.get(link) ?? [];
        byChannel[channel.number] = socket;
        fast.set(link, byChannel);
      }
      problems.clear();
      for (const [name, texts] of failures) problems.set(name, texts);
    },
    problems: (link) => problems.get(link) ?? [],
    carries: (link, channel) => find(link, channel) !== undefined,
    overrun(link) {
      const closed = overruns.get(link) ?? 0;
      return [...sockets.values()].reduce((sum, entry) => (entry.link.name === link ? sum + entry.socket.overrun() : sum), closed);
    },
    get incomplete() {
      return problems.size > 0;
    },
    [Symbol.dispose]() {
      for (const reply of replies) reply[Symbol.dispose]();
      for (const [key, entry] of sockets) close(key, entry);
    },
  };
}

/** ENODEV: what a socket says whose interface has gone. */
const notThere = 19;

/** The interface's number is in it: a new interface of the same name needs new sockets. */
function keyOf(link: RelayLink, channel: Channel): string {
  return `${link.name}\0${link.index}\0${channel.group}\0${channel.port}`;
}

function hasFamily({ addresses }: RelayLink, family: AddressFamily): boolean {
  return addresses.some((address) => address.family === family);
}
