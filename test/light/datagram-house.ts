/** Two links with a host on each, between them this process: what the relay's sockets are tried on. */
import { type DatagramAddress, type DatagramLink, type Datagrams, type DatagramSocket, openDatagrams } from "../../src/host/datagram.ts";
import { createDatagramPoller } from "../../src/host/datagram-poller.ts";
import { parseAddress } from "../../src/host/ip-address.ts";
import { type NetworkLink, openNetworkLinks } from "../../src/host/network-links.ts";
import { ip, type NetworkNamespace, openNetworkNamespace, prepare } from "./network-namespaces.ts";

export type LinkName = "lanA" | "lanB";
export const linkNames: readonly LinkName[] = ["lanA", "lanB"];

export interface House extends Disposable {
  readonly datagrams: Datagrams;
  /** What is at the far end of each link, its interface `eth0`. */
  readonly hosts: Readonly<Record<LinkName, NetworkNamespace>>;
  /** A link as it is now. */
  link(name: string): NetworkLink;
  /** A socket on `eth0` of a host, for this group's port or, without a group, for one of its own. */
  onHost(link: LinkName, group?: Group): DatagramSocket;
  /** A socket for a group on a link of ours. */
  onLink(link: LinkName, group: Group): DatagramSocket;
  /** What these sockets hear until nothing more comes: each as `name: text`. */
  hear(sockets: Readonly<Record<string, DatagramSocket>>): readonly string[];
}

export interface Group {
  readonly group: string;
  readonly port: number;
  readonly hops?: number;
}

const familyOf = (address: string): 4 | 6 => (address.includes(":") ? 6 : 4);
const quietMs = 150;

/** 10.1.0.0/24 and fd00:1::/64 on lanA, 10.2.0.0/24 and fd00:2::/64 on lanB: here 1, the host 2. */
export async function openHouse(): Promise<House> {
  const stack = new DisposableStack();
  prepare();
  const datagrams = await openDatagrams();
  const network = stack.use(await openNetworkLinks());
  const hosts = { lanA: stack.use(openNetworkNamespace()), lanB: stack.use(openNetworkNamespace()) };
  for (const [index, name] of linkNames.entries()) addLink(name, index + 1, hosts[name]);
  const link = (name: string): NetworkLink => {
    const found = network.links().find((each) => each.name === name);
    if (found === undefined) throw new TypeError(`no link ${name}`);
    return found;
  };
  const group = (on: DatagramLink, options: Group): DatagramSocket =>
    stack.use(datagrams.openGroup({ hops: 255, ...options, family: familyOf(options.group), link: on }));
  return {
    datagrams,
    hosts,
    link,
    onLink: (name, options) => group(link(name), options),
    onHost: (name, options) =>
      hosts[name].run(() => {
        const eth0 = { name: "eth0", index: hostInterface(hosts[name]) };
        return options === undefined
          ? stack.use(datagrams.openReply({ family: 4, link: eth0, hops: 255 }))
          : stack.use(datagrams.openGroup({ hops: 255, ...options, family: familyOf(options.group), link: eth0 }));
      }),
    hear(sockets) {
      const heard: string[] = [];
      using poller = createDatagramPoller(datagrams);
      for (const [name, socket] of Object.entries(sockets)) {
        poller.add(socket, (payload) => void heard.push(`${name}: ${Buffer.from(payload).toString("latin1")}`));
      }
      while (poller.poll(quietMs) > 0);
      return heard;
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

/** The index of a host's `eth0`. */
function hostInterface(host: NetworkNamespace): number {
  const [link] = JSON.parse(host.ip("-json link show eth0")) as { readonly ifindex: number }[];
  return link?.ifindex ?? 0;
}

/** A link with its host, as when a cable is plugged in. */
export function addLink(name: LinkName, number: number, host: NetworkNamespace): void {
  ip(`link add ${name} type veth peer name eth0 netns ${host.path}`);
  ip(`address add 10.${number}.0.1/24 dev ${name}`);
  ip(`address add fd00:${number}::1/64 dev ${name} nodad`);
  ip(`link set ${name} up`);
  host.ip(`address add 10.${number}.0.2/24 dev eth0`);
  host.ip(`address add fd00:${number}::2/64 dev eth0 nodad`);
  host.ip("link set eth0 up");
  // The kernel looks at carriers once a second; before that it gives no link-local address and answers for none.
  until(() => [ip(`-json address show ${name}`), host.ip("-json address show eth0")].every((shown) => /"UP".*"fe80:/s.test(shown)));
}

/** Tries again for up to ten seconds. */
function until(condition: () => boolean): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 200 && !condition(); attempt += 1) Atomics.wait(pause, 0, 0, 50);
}

export function address(text: string, port: number): DatagramAddress {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new TypeError(`${text} is no address`);
  return { family: familyOf(text), bytes, port };
}

/** Sends a text; 0 or the error number. */
export function say(socket: DatagramSocket, text: string, to: DatagramAddress): number {
  return socket.send(Buffer.from(text), to);
}
