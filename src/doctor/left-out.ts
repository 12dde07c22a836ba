/** Of the catalogue's checks, those that are not there, and why. */

/** All ids of the catalogue: groups and how far each counts. Numbers that are missing here were never given. */
const catalogue = { THR: 26, USB: 27, TTY: 4, BLE: 8, WIFI: 5, LORA: 4, NET: 12, K8S: 9 } as const;
const neverGiven: ReadonlySet<string> = new Set(["USB-20", "USB-23", "USB-24", "USB-25"]);

export const catalogueIds: readonly string[] = Object.entries(catalogue).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}-${String(index + 1).padStart(2, "0")}`).filter((id) => !neverGiven.has(id)),
);

/** Id → why aerial cannot judge it from where it is. */
export const leftOut: Readonly<Record<string, string>> = {
  "THR-16":
    "The firmware's mismatch is told in the border router's log only. aerial reads no pod's log: that would take the right to read all of them. THR-11 tells of what follows, an interface that does not come up.",
  "THR-23":
    "Dropped packets are counted by the kernel for all together, and firewall rules are read over nf_netlink, which aerial does not speak; nothing would tell a dropped answer of the mesh from any other.",
  "USB-22":
    "A list of which firmware is the newest for which stick would be old the day after it was written, and aerial does not ask the network for one.",
  "USB-26":
    "That firmware and Zigbee2MQTT do not match is told in its log only. aerial reads no pod's log: that would take the right to read all of them.",
  "NET-01":
    "A bridge of Linux that snoops without hearing a querier floods all multicast (net/bridge/br_input.c, br_multicast_querier_exists), so nothing is lost. Whether a switch outside does so, no file of this machine tells.",
  "NET-12":
    "That Cilium does not bring multicast of the LAN into pods is no fault of this machine that could be found or mended; aerial runs in the host's network, which NET-10 looks after.",
  "THR-25": "The policy of a firewall chain is read over nf_netlink, which aerial does not speak; no file tells it.",
};
