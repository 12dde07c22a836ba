/** What can ail a node, and how it is brought about and mended, as shell scripts. */
import { startNamed } from "./doctor-node.ts";

export interface Ailment {
  /** The check that must find it. */
  readonly id: string;
  readonly what: string;
  /** Of the finding, where it has one. */
  readonly subject?: string;
  readonly provoke: string;
  readonly mend: string;
}

const sysctl = (name: string, [bad, good]: readonly [string, string]): Pick<Ailment, "provoke" | "mend"> => ({
  provoke: `sysctl -qw ${name}="${bad}"`,
  mend: `sysctl -qw ${name}="${good}"`,
});
const home = "net.ipv6.conf.home";
const addVlan = "ip link add link trunk name trunk.20 type vlan id 20; ip link set trunk.20 up; ip address add 10.72.20.2/24 dev trunk.20";

/** A socket that shares its port with nobody, on an interface that is then given the name of the relay's. */
const selfishSocket = `
import socket, subprocess, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"other")
s.bind(("224.0.0.251", 5353))
subprocess.run("ip link set other name trunk.20; ip link set trunk.20 up; ip address add 10.72.20.2/24 dev trunk.20", shell=True, check=True)
time.sleep(100000)`;

export const threadAilments: readonly Ailment[] = [
  {
    id: "THR-01",
    what: "IPv6 is switched off on the interface",
    subject: "home",
    ...sysctl(`${home}.disable_ipv6`, ["1", "0"]),
  },
  {
    id: "NET-05",
    what: "IPv6 is switched off on a link",
    subject: "trunk.20",
    ...sysctl("net.ipv6.conf.trunk/20.disable_ipv6", ["1", "0"]),
  },
  { id: "THR-02", what: "forwarding is off", ...sysctl("net.ipv6.conf.all.forwarding", ["0", "1"]) },
  {
    id: "THR-03",
    what: "forwarding is on where only a Matter server runs",
    provoke: "pkill -x otbr-agent; ip link delete wpan0",
    mend: `ip tuntap add wpan0 mode tun; ip link set wpan0 up; ${startNamed("otbr-agent")}`,
  },
  {
    id: "THR-04",
    what: "router advertisements are ignored by a node that forwards",
    subject: "home",
    ...sysctl(`${home}.accept_ra`, ["1", "2"]),
  },
  { id: "THR-05", what: "routes of 64 bits are dropped", subject: "home", ...sysctl(`${home}.accept_ra_rt_info_max_plen`, ["0", "64"]) },
  { id: "THR-06", what: "routes of 64 bits are too short", subject: "home", ...sysctl(`${home}.accept_ra_rt_info_min_plen`, ["96", "0"]) },
  { id: "THR-07", what: "route information is not read", subject: "home", ...sysctl(`${home}.accept_ra_rtr_pref`, ["0", "1"]) },
  {
    id: "THR-09",
    what: "there is no link-local address",
    subject: "home",
    provoke: "ip -6 address flush dev home scope link",
    mend: "ip link set home down; ip link set home up; ip route replace default via 10.72.10.1 dev home",
  },
  {
    id: "THR-10",
    what: "a directory is in the place of /dev/net/tun",
    provoke: "mv /dev/net/tun /dev/net/tun.away; mkdir /dev/net/tun",
    mend: "rmdir /dev/net/tun; mv /dev/net/tun.away /dev/net/tun",
  },
  { id: "THR-11", what: "the Thread interface is down", subject: "wpan0", provoke: "ip link set wpan0 down", mend: "ip link set wpan0 up" },
  {
    id: "THR-15",
    what: "two border routers",
    provoke: "setsid /run/otbr-agent 200000 >/dev/null 2>&1 &",
    mend: "pkill -f 'otbr-agent [2]00000'",
  },
  {
    id: "THR-17",
    what: "connections of sleepy devices are forgotten",
    ...sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", ["120", "3600"]),
  },
  { id: "THR-18", what: "too few groups may be joined", ...sysctl("net.ipv4.igmp_max_memberships", ["20", "1024"]) },
  { id: "THR-19", what: "too little room for socket options", ...sysctl("net.core.optmem_max", ["20480", "131072"]) },
  {
    id: "THR-21",
    what: "the border router's API is on loopback only",
    provoke: `setsid python3 -c 'import http.server as h; h.HTTPServer(("127.0.0.1", 8081), h.SimpleHTTPRequestHandler).serve_forever()' >/dev/null 2>&1 &`,
    mend: "pkill -f '[8]081'",
  },
  { id: "THR-26", what: "nobody may ping without rights", ...sysctl("net.ipv4.ping_group_range", ["1 0", "0 2147483647"]) },
];

export const networkAilments: readonly Ailment[] = [
  {
    id: "NET-02",
    what: "strict filtering where two interfaces are in one network",
    subject: "trunk.20",
    provoke: "sysctl -qw net.ipv4.conf.all.rp_filter=1; ip address add 10.72.20.3/24 dev port; ip route replace 10.72.20.0/24 dev port",
    mend: "sysctl -qw net.ipv4.conf.all.rp_filter=0; ip address delete 10.72.20.3/24 dev port; ip route replace 10.72.20.0/24 dev trunk.20",
  },
  {
    id: "NET-03",
    what: "packets are too short for IPv6",
    subject: "trunk.20",
    provoke: "ip link set trunk.20 mtu 1200",
    mend: "ip link set trunk.20 mtu 1500",
  },
  { id: "NET-04", what: "another relay runs", provoke: startNamed("mdns-repeater"), mend: "pkill -x mdns-repeater" },
  { id: "NET-06", what: "an interface is missing", subject: "trunk.20", provoke: "ip link delete trunk.20", mend: addVlan },
  {
    id: "NET-07",
    what: "5353 is taken by a program that does not share",
    subject: "trunk.20",
    provoke: `ip link delete trunk.20; ip link add link trunk name other type vlan id 20; setsid python3 -c '${selfishSocket}' >/dev/null 2>&1 &`,
    mend: `pkill -f '[S]O_BINDTODEVICE'; ip link delete trunk.20; ${addVlan}`,
  },
  {
    id: "NET-08",
    what: "multicast is off",
    subject: "trunk.20",
    provoke: "ip link set trunk.20 multicast off",
    mend: "ip link set trunk.20 multicast on",
  },
  {
    id: "NET-11",
    what: "a link is down",
    subject: "trunk.20",
    provoke: "ip link set trunk.20 down",
    mend: "ip link set trunk.20 up; ip address replace 10.72.20.2/24 dev trunk.20",
  },
];
