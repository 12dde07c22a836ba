/** What of all that is to be relayed can be heard and sent on a link, in words: another program may keep a port to itself. */
import type { RelayProtocol } from "../core/relay.ts";
import { type Channel, channelsOf, protocolNames } from "./channels.ts";
import type { RelayLink } from "./relay-wire.ts";

export interface LinkCarriage {
  /** `mDNS over IPv4 and IPv6`; empty where there is none. */
  readonly carried: string;
  readonly missing: string;
}

export interface LinkCarriageDependencies {
  readonly protocols: readonly RelayProtocol[];
  readonly carries: (link: RelayLink, channel: Channel) => boolean;
}

/** Over mDNS aerials agree who relays, so nothing of a family is relayed without it. */
const agreement = channelsOf(["mdns"]);

/** Of the families that the link has addresses in. */
export function describeCarriage(link: RelayLink, { protocols, carries }: LinkCarriageDependencies): LinkCarriage {
  const channels = channelsOf(protocols).filter(({ family }) => link.addresses.some((address) => address.family === family));
  const agreed = new Set(agreement.filter((channel) => carries(link, channel)).map(({ family }) => family));
  const carried = channels.filter((channel) => agreed.has(channel.family) && carries(link, channel));
  const missing = channels.filter((channel) => !carried.includes(channel));
  return { carried: describe(carried, missing), missing: describe(missing, carried) };
}

function describe(channels: readonly Channel[], others: readonly Channel[]): string {
  const kinds = new Map<string, Set<string>>();
  for (const channel of channels) {
    const { protocol, family, group, port } = channel;
    // A protocol may have several groups.
    const isSplit = others.some((other) => other.protocol === protocol && other.family === family);
    const what = isSplit ? `${protocolNames[protocol]} to ${group} port ${port}` : protocolNames[protocol];
    kinds.set(what, (kinds.get(what) ?? new Set()).add(`IPv${family}`));
  }
  return [...kinds].map(([what, families]) => `${what} over ${[...families].join(" and ")}`).join(", ");
}
