/** SSDP, WS-Discovery and the broadcasts of older devices, from link to link: offers to the group, searches with their answers brought home. */
import type { Account, Accounts, Crossings } from "./crossing.ts";
import { hashBytes } from "./dns/hash-message.ts";
import type { Attention } from "./attention.ts";
import type { EchoWatch } from "./echo-watch.ts";
import { readSearchPacket, type SearchPacket } from "./read-search-packet.ts";
import type { RelaySearch, RelaySearches } from "./relay-searches.ts";
import type { RelayDatagram, RelayLink, RelayWire } from "./relay-wire.ts";
import type { SeenNotes } from "./seen/seen-services.ts";

export interface SearchCarrierDependencies {
  readonly wire: RelayWire;
  readonly crossings: Crossings;
  readonly accounts: Accounts;
  readonly echoes: EchoWatch;
  readonly seen: SeenNotes;
  readonly attention: Attention;
  readonly searches: RelaySearches;
}

export interface SearchCarrier {
  carry(datagram: RelayDatagram, now: number): void;
  /** A unicast answer to a search that was asked on `search.to`. */
  answer(search: RelaySearch, datagram: RelayDatagram, now: number): void;
}

export function createSearchCarrier(dependencies: SearchCarrierDependencies): SearchCarrier {
  const { wire, crossings, accounts, echoes, seen, attention, searches } = dependencies;

  const allows = (packet: SearchPacket, { link, channel, source }: RelayDatagram, to: RelayLink): boolean => {
    const { services, instance } = packet;
    const direction = packet.kind === "search" ? "ask" : "offer";
    const { protocol, family } = channel;
    const subject = { protocol, family, direction, source: source.bytes, services, ...(instance !== undefined && { instance }) } as const;
    return crossings.rules(link, to).allows(subject);
  };

  const hear = (packet: SearchPacket, datagram: RelayDatagram, now: number): void => {
    const { link, channel, source } = datagram;
    if (packet.ssdp === undefined || !attention.take(datagram, now)) seen.skip();
    else seen.hearSsdp(packet.ssdp, { link: link.name, family: channel.family, source: source.bytes, at: now });
  };

  const send = (datagram: RelayDatagram, { packet, to, content, account, now }: Sending): void => {
    const { link, channel, source } = datagram;
    const search = packet.kind === "search";
    const { lifetimeMs } = packet;
    const socket = search ? searches.open({ from: link, to, channel, asker: source, lifetimeMs }, now) : undefined;
    if (search && socket === undefined) return account.egress(to, "send-failed", "no socket to bring answers home");
    const whole = packet.bytes.buffer === datagram.payload.buffer && packet.bytes.length === datagram.payload.length;
    const sent = whole ? content : hashBytes(packet.bytes);
    echoes.sent({ content, sent, datagram, to, search, offer: !search }, now);
    const failed = socket?.ask(packet.bytes) ?? wire.toGroup(to, channel, packet.bytes);
    if (failed === 0) account.egress(to, "relayed");
    else account.egress(to, "send-failed", `error number ${failed}`);
    if (failed === 0 && !search) seen.relayed(to.name);
  };

  return {
    carry(datagram, now) {
      const { link, channel, payload } = datagram;
      const packet = readSearchPacket(channel, payload);
      if ("fault" in packet)
        return refuse(
          accounts.open(datagram, () => `no ${channel.protocol} packet`),
          "malformed",
          packet.fault,
        );
      const account = accounts.open(datagram, packet.describe);
      if (packet.kind === "answer") return refuse(account, "malformed", "an answer to the whole group");
      const search = packet.kind === "search";
      const content = hashBytes(payload);
      const echo = echoes.judge({ content, datagram, search, offer: !search }, now);
      if (echo !== undefined) return refuse(account, "echo", echo);
      hear(packet, datagram, now);
      if (packet.linkLocal) return refuse(account, "scope", "its location is link-local, which nobody elsewhere can reach");
      for (const to of crossings.egresses(link, channel)) {
        if (!allows(packet, datagram, to)) {
          account.egress(to, "rule");
          continue;
        }
        const carried = { content, datagram, to, search, offer: !search };
        const standby = crossings.standby(link, to, channel) ?? echoes.standsBack(carried, now);
        if (standby === undefined) send(datagram, { packet, to, content, account, now });
        else {
          // What the one who does carry it makes of it is an echo to us.
          echoes.sent(carried, now);
          account.egress(to, "standby", standby);
        }
      }
      account.close();
    },
    answer(search, datagram, now) {
      const packet = readSearchPacket(datagram.channel, datagram.payload);
      if ("fault" in packet) {
        return refuse(
          accounts.open(datagram, () => `no ${datagram.channel.protocol} packet`),
          "malformed",
          packet.fault,
        );
      }
      const account = accounts.open(datagram, packet.describe);
      if (packet.kind === "search") return refuse(account, "malformed", "a search to the port of an asker");
      const to = crossings.link(search.from);
      if (to === undefined) return refuse(account, "nobody", "the asker's link has gone");
      hear(packet, datagram, now);
      if (packet.linkLocal) return refuse(account, "scope", "its location is link-local, which the asker cannot reach");
      if (!allows(packet, datagram, to)) account.egress(to, "rule");
      else {
        const failed = wire.toHost(to, datagram.channel, { payload: packet.bytes, to: search.asker });
        if (failed === 0) account.egress(to, "relayed");
        else account.egress(to, "send-failed", `error number ${failed}`);
      }
      account.close();
    },
  };
}

interface Sending {
  readonly packet: SearchPacket;
  readonly content: number;
  readonly to: RelayLink;
  readonly account: Account;
  readonly now: number;
}

function refuse(account: Account, verdict: Parameters<Account["refused"]>[0], why: string): void {
  account.refused(verdict, why);
  account.close();
}
