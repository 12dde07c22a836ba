/** Links with a host on each and one or two routers between them, each in a network namespace of its own. */
import { type NetworkNamespace, openNetworkNamespace } from "../../light/network-namespaces.ts";

const linkNames = ["lanA", "lanB", "lanC"] as const;
type LinkName = (typeof linkNames)[number];

export interface BenchNetwork extends Disposable {
  /** The interfaces of a router are called as the links, those of a host `eth0`. */
  readonly routers: readonly NetworkNamespace[];
  readonly hosts: Readonly<Record<LinkName, NetworkNamespace>>;
}

export interface BenchNetworkOptions {
  /** With more than one, each link is a bridge; else it is a cable. */
  readonly routers?: number;
  readonly links?: 2 | 3;
}

/** Link n is 10.n.0.0/24 and fd00:n::/64: routers 1, 11, …; the host 2. */
export async function openBenchNetwork({
  routers: routerCount = 1,
  links: linkCount = 2,
}: BenchNetworkOptions = {}): Promise<BenchNetwork> {
  const stack = new DisposableStack();
  const open = (): NetworkNamespace => stack.use(openNetworkNamespace());
  const hosts = { lanA: open(), lanB: open(), lanC: open() };
  const routers = Array.from({ length: routerCount }, open);
  const links = linkNames.slice(0, linkCount);
  const bridge = routerCount > 1 ? open() : undefined;
  for (const [index, name] of links.entries()) {
    const ends = [
      { at: hosts[name], as: "eth0", host: 2 },
      ...routers.map((router, which) => ({ at: router, as: name, host: which * 10 + 1 })),
    ];
    if (bridge === undefined) {
      const [host, router] = ends;
      if (host && router) host.at.ip(`link add ${host.as} type veth peer name ${router.as} netns ${router.at.path}`);
    } else {
      bridge.ip(`link add ${name} type bridge mcast_snooping 0`);
      bridge.ip(`link set ${name} up`);
      for (const [which, { at, as }] of ends.entries()) {
        bridge.ip(`link add ${name}-${which} type veth peer name ${as} netns ${at.path}`);
        bridge.ip(`link set ${name}-${which} master ${name} up`);
      }
    }
    for (const { at, as, host } of ends) {
      at.ip(`address add 10.${index + 1}.0.${host}/24 dev ${as}`);
      at.ip(`address add fd00:${index + 1}::${host}/64 dev ${as} nodad`);
      at.ip(`link set ${as} up`);
    }
  }
  // The kernel looks at carriers once a second, and only then gives link-local addresses.
  const ready = (): boolean => links.every((name) => hosts[name].ip("-json address show eth0").includes("fe80:"));
  for (let attempt = 0; attempt < 100 && !ready(); attempt += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { routers, hosts, [Symbol.dispose]: () => stack.dispose() };
}
