/**
 * Links, hosts and a router in network namespaces of their own, to put a relay between.
 *
 *     hostA ── link a ── router ── link b ── hostB        (hostC on link c)
 *
 * A link is a bridge; a host's interface on it is called `eth0`, the router's `lan-a`, `lan-b`, … . Link a is
 * 10.71.1.0/24 and fd71:0:0:1::/64 beside fe80::/64, b is 10.71.2.0/24, and so on; the router is .1, hostA .11, hostB
 * .12, … in their links (::1, ::b, ::c). The router box forwards no IP unless `routed`: it is a node with a leg in each
 * VLAN and not the gateway.
 *
 * How to use it:
 *  - `await using lab = await openNetworkLab({ links: ["a", "b"] })`; it takes about 0.3 s.
 *  - `lab.host("A").run(["avahi-browse", …])` runs a program to its end, `.start([...])` one that stays. Each host has
 *    a private /run and its network's /sys, so it can have its own D-Bus and avahi (peers.ts).
 *  - `lab.host("B").listen(…)` opens a socket and keeps every datagram with source, destination, hop limit and the
 *    kernel's time of arrival; the socket can send, too. `frames()` counts frames on an interface (storms, fragments).
 *  - `lab.connect`, `lab.disconnect` and `host.ip(["link set …"])` change links while a relay runs.
 *  - relays.ts starts what is tested: aerial, or in its place avahi's reflector or a dumb repeater, to see tests fail:
 *    `AERIAL_SYSTEM_RELAY=avahi npx vitest run --project system must`.
 *
 * Everything is in one PID namespace, whose first process is network_agent.py: when the test's process dies, whatever
 * way, the agent's input ends or unshare's parent is gone, and the kernel takes down all of it. Needs root or
 * unprivileged user namespaces, python3 and iproute2.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentStreams, openNetworkLine } from "./network-line.ts";
import { createHost, type LabHost } from "./lab-host.ts";

export interface NetworkLabOptions {
  /** `a`, `b`, … in this order; each has a host of its own, named in upper case, and a leg of the router. */
  readonly links: readonly string[];
  /** More hosts: name to links. The first link's interface is `eth0`, the second's `eth1`. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** The router forwards IP between the links. */
  readonly routed?: boolean;
  /** Of every interface; 1500 by default. */
  readonly mtu?: number;
  /** Starts the agent elsewhere than on this machine. */
  readonly startAgent?: () => Promise<NetworkAgent>;
}

export interface NetworkAgent extends AgentStreams, AsyncDisposable {}

interface Connection {
  readonly host: string;
  readonly interface: string;
  readonly link: string;
  /** With prefix length. Default: the next ones of the link. An empty list: none but fe80. */
  readonly addresses?: readonly string[];
  readonly mtu?: number;
}

export interface NetworkLab extends AsyncDisposable {
  readonly links: readonly string[];
  readonly router: LabHost;
  host(name: string): LabHost;
  /** Adds an interface. It is up, and its addresses are good, when this resolves. */
  connect(connection: Connection): Promise<void>;
  /** Takes the interface away, as if its driver had gone. */
  disconnect(at: { readonly host: string; readonly interface: string }): Promise<void>;
}

const closeTimeoutMs = 3_000;

/** The agent in namespaces of its own, to which a directory to work in is added. */
export const agentCommand: readonly string[] = [
  ..."unshare --mount --net --pid --fork --kill-child --mount-proc -- /usr/bin/python3".split(" "),
  join(import.meta.dirname, "network_agent.py"),
];

/** Opens links, hosts and router. Throws NetworkLabError when this machine allows no namespaces. */
export async function openNetworkLab(options: NetworkLabOptions): Promise<NetworkLab> {
  await using stack = new AsyncDisposableStack();
  const line = await openNetworkLine(stack.use(await (options.startAgent ?? startAgent)()));

  const { links, routed = false, mtu = 1500 } = options;
  const hosts = new Map<string, LabHost>();
  const numbers = new Map<string, number>();
  const addHost = async (name: string, sysctls: Readonly<Record<string, number>> = {}): Promise<void> => {
    numbers.set(name, numbers.size);
    await line.call("addHost", { name, sysctls });
    hosts.set(name, createHost({ line, name }));
  };
  const toWire = ({ host, interface: name, link, addresses, mtu: ownMtu = mtu }: Connection) => {
    const number = numbers.get(host) ?? 0;
    const linkNumber = links.indexOf(link) + 1;
    const own = addresses ?? addressesOf(number, linkNumber);
    hosts.get(host)?.note(name, own);
    const gateways = number === 0 || name !== "eth0" ? [] : addressesOf(0, linkNumber).map((address) => address.replace(/\/\d+$/, ""));
    const mac = `02:71:${hex(linkNumber)}:00:${hex(number)}:${hex(interfaceCount++)}`;
    return { host, interface: name, link, mac, mtu: ownMtu, addresses: own, ...(own.length > 0 && { gateways }) };
  };
  let interfaceCount = 1;

  await addHost("router", routed ? { "ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1 } : {});
  const others: Record<string, readonly string[]> = {
    ...Object.fromEntries(links.map((link) => [link.toUpperCase(), [link]])),
    ...options.hosts,
  };
  for (const link of links) await line.call("addLink", { name: link });
  const connections: Connection[] = links.map((link) => ({ host: "router", interface: `lan-${link}`, link }));
  // Host numbers start at 10: what is below belongs to the router and to tests.
  while (numbers.size < 10) numbers.set(`reserved ${numbers.size}`, numbers.size);
  for (const [name, itsLinks] of Object.entries(others)) {
    await addHost(name);
    connections.push(...itsLinks.map((link, index) => ({ host: name, interface: `eth${index}`, link })));
  }
  await line.call("connect", { connections: connections.map(toWire) });

  const host = (name: string): LabHost => {
    const found = hosts.get(name);
    if (found === undefined) throw new RangeError(`no host is called ${name}`);
    return found;
  };
  const lifetime = stack.move();
  return {
    links,
    router: host("router"),
    host,
    connect: async (connection) => void (await line.call("connect", { connections: [toWire(connection)] })),
    disconnect: async ({ host, interface: name }) => void (await line.call("ip", { host, lines: [`link del ${name}`] })),
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

function addressesOf(host: number, link: number): string[] {
  const number = host === 0 ? 1 : host + 1;
  return [`10.71.${link}.${number}/24`, `fd71:0:0:${link}::${number.toString(16)}/64`];
}

function hex(byte: number): string {
  return (byte & 0xff).toString(16).padStart(2, "0");
}

async function startAgent(): Promise<NetworkAgent> {
  await using stack = new AsyncDisposableStack();
  const work = await mkdtemp(join(tmpdir(), "aerial-network-"));
  stack.defer(() => rm(work, { recursive: true, force: true }));
  const [unshare = "", ...rest] = agentCommand;
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const child = spawn(unshare, [...user, ...rest, work], { stdio: ["pipe", "pipe", "pipe"] });
  stack.defer(() => hangUp(child));
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-4000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(`${signal ?? `exit code ${code}`} ${complaint}`));
  });
  const lifetime = stack.move();
  return { stdin: child.stdin, stdout: child.stdout, ended, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

async function hangUp(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
  await gone;
  clearTimeout(timer);
}
