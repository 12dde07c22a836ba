/** Tables of /proc/net (proc_pid_net(5)), of the little-endian machines that aerial runs on. Lines that are none are skipped. */

export interface DatagramSocket {
  /** As the kernel writes it: four bytes at a time, turned round. */
  readonly address: string;
  readonly port: number;
  readonly inode: number;
  readonly line: string;
}

/** `/proc/net/udp` and `/proc/net/udp6` (net/ipv4/udp.c, udp4_format_sock). */
export function parseDatagramSockets(text: string): readonly DatagramSocket[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? "") ?? [];
    if (address === undefined || port === undefined || !/^\d{1,15}$/.test(fields[9] ?? "")) return [];
    return [{ address, port: Number.parseInt(port, 16), inode: Number(fields[9]), line: line.trim() }];
  });
}

/** Interface name → the IPv4 groups joined on it, as `FB0000E0` for 224.0.0.251 (net/ipv4/igmp.c, igmp_mc_seq_show). */
export function parseGroups4(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  let current: Set<string> | undefined;
  for (const line of text.split("\n")) {
    const [, name] = /^\d+\s+(\S+?)\s*:\s/.exec(line) ?? [];
    const [, group] = /^\s+([0-9A-F]{8})\s/.exec(line) ?? [];
    if (name !== undefined) {
      current = found.get(name) ?? new Set();
      found.set(name, current);
    } else if (group !== undefined) current?.add(group);
  }
  return found;
}

/** Interface name → the IPv6 groups joined on it, 32 hex digits (net/ipv6/mcast.c, igmp6_mc_seq_show). */
export function parseGroups6(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of text.split("\n")) {
    const [, name, group] = /^\d+\s+(\S+)\s+([0-9a-f]{32})\s/.exec(line) ?? [];
    if (name === undefined || group === undefined) continue;
    const groups = found.get(name) ?? new Set();
    found.set(name, groups.add(group));
  }
  return found;
}

export interface Route4 {
  readonly interface: string;
  /** Eight hex digits, turned round: `0001A8C0` for 192.168.1.0. */
  readonly destination: string;
  readonly mask: string;
  readonly isDirect: boolean;
  readonly metric: number;
  readonly line: string;
}

/** `/proc/net/route` (net/ipv4/fib_trie.c, fib_route_seq_show). */
export function parseRoutes4(text: string): readonly Route4[] {
  return text.split("\n").flatMap((line) => {
    const [name, destination, gateway, , , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || destination === undefined || gateway === undefined || mask === undefined) return [];
    if (![destination, gateway, mask].every((field) => /^[0-9A-F]{8}$/.test(field)) || !/^\d{1,10}$/.test(metric ?? "")) return [];
    return [{ interface: name, destination, mask, isDirect: gateway === "00000000", metric: Number(metric), line: line.trim() }];
  });
}
