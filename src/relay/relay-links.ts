/** The links as configured, as the kernel has them, and as sockets are open for them: kept in step. */
import type { NetworkLink, NetworkLinks } from "../host/network-links.ts";
import { type LinkSelector, type SelectedLink, selectLinks } from "./link-selector.ts";
import type { LinkSockets } from "./link-sockets.ts";
import type { RelayEngine } from "./relay-engine.ts";
import type { RelayLink } from "./relay-wire.ts";

export interface RelayLinks {
  select(selectors: readonly LinkSelector[], now: number): void;
  /** Reads the interfaces anew and puts everything in step. */
  refresh(now: number): void;
  readonly selected: readonly SelectedLink[];
  /** Rises with each refresh. */
  readonly version: number;
  /** When to refresh although nothing was heard, since something could not be opened; Infinity when all is well. */
  retryAt(pauseMs: number): number;
}

export interface RelayLinksDependencies {
  readonly network: NetworkLinks;
  readonly sockets: LinkSockets;
  readonly engine: RelayEngine;
}

export function createRelayLinks({ network, sockets, engine }: RelayLinksDependencies): RelayLinks {
  let selectors: readonly LinkSelector[] = [];
  let selected: readonly SelectedLink[] = [];
  let refreshedAt = 0;
  let version = 0;

  const refresh = (now: number): void => {
    refreshedAt = now;
    version += 1;
    const present = network.links();
    selected = selectLinks(selectors, present);
    const up = selected.flatMap(({ name, link }) => (link?.up === true ? [toRelayLink(name, link)] : []));
    sockets.reconcile(up, engine.channels);
    engine.setLinks(
      up,
      present.flatMap(({ addresses }) => addresses.map(({ bytes }) => bytes)),
      now,
    );
  };

  return {
    refresh,
    select(next, now) {
      selectors = next;
      refresh(now);
    },
    get version() {
      return version;
    },
    get selected() {
      return selected;
    },
    retryAt: (pauseMs) => (sockets.incomplete ? refreshedAt + pauseMs : Infinity),
  };
}

function toRelayLink(name: string, { name: kernelName, index, mtu, vlan, addresses }: NetworkLink): RelayLink {
  return { name, interface: kernelName, index, mtu, addresses, ...(vlan !== undefined && { vlan }) };
}
