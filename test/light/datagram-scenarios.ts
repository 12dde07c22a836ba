/** What the relay's sockets are put through in network namespaces; each gives what came of it, to be judged by the test. */
import { readFileSync } from "node:fs";
import { type DatagramSocket, openDatagrams } from "../../src/host/datagram.ts";
import { openNetworkLinks } from "../../src/host/network-links.ts";
import { createDatagramPoller } from "../../src/host/datagram-poller.ts";
import { addLink, address, type Group, linkNames, openHouse, say } from "./datagram-house.ts";
import { captureFrames } from "./frames.ts";
import { ip, setDuplicateDetection } from "./network-namespaces.ts";
import { openPortHolder } from "./port-holder.ts";

const groups: readonly Group[] = [
  { group: "224.0.0.251", port: 5353 },
  { group: "ff02::fb", port: 5353 },
  { group: "239.255.255.250", port: 1900, hops: 2 },
  { group: "ff02::c", port: 1900, hops: 2 },
  { group: "ff05::c", port: 1900, hops: 2 },
  { group: "255.255.255.255", port: 1900, hops: 2 },
];
const mdns: Group = { group: "224.0.0.251", port: 5353 };
const mdns6: Group = { group: "ff02::fb", port: 5353 };

export const scenarios = {
  /** Each host says something to each group, while another program here has joined them all on both links. */
  async ingress() {
    using house = await openHouse();
    using holder = openPortHolder({ family: 4, port: 5353, reusePort: true });
    for (const link of linkNames) holder.join("224.0.0.251", house.link(link).index);
    const sockets: Record<string, DatagramSocket> = {};
    for (const link of linkNames) for (const group of groups) sockets[`${link} ${group.group}`] = house.onLink(link, group);
    for (const link of linkNames) {
      for (const group of groups) say(house.onHost(link, group), `from ${link} to ${group.group}`, address(group.group, group.port));
    }
    return { heard: house.hear(sockets), expected: Object.keys(sockets).map((name) => `${name}: from ${name.replace(" ", " to ")}`) };
  },

  /** Another program on port 5353, there before us or coming later, and what it keeps of 8 unicast and 8 multicast datagrams. */
  async coexistence() {
    using house = await openHouse();
    const outcomes: Record<string, unknown> = {};
    for (const family of [4, 6] as const) {
      const group = family === 4 ? mdns : mdns6;
      using host = house.onHost("lanA", group);
      for (const reusePort of [true, false]) {
        for (const first of ["holder", "aerial"]) {
          using before = first === "holder" ? openPortHolder({ family, port: 5353, reusePort }) : undefined;
          using ours = house.onLink("lanA", group);
          using holder = before ?? openPortHolder({ family, port: 5353, reusePort });
          holder.join(group.group, house.link("lanA").index);
          for (let count = 0; count < 8; count += 1) {
            say(host, "unicast", address(family === 4 ? "10.1.0.1" : "fd00:1::1", 5353));
            say(host, "multicast", address(group.group, 5353));
          }
          const heard = house.hear({ ours });
          const kept = holder.take();
          outcomes[`IPv${family}, ${reusePort ? "with" : "without"} SO_REUSEPORT, ${first} first`] = {
            unicast: kept.filter((text) => text === "unicast").length,
            multicast: kept.filter((text) => text === "multicast").length,
            ours: heard.filter((text) => text === "ours: multicast").length,
            stolen: heard.filter((text) => text !== "ours: multicast"),
          };
        }
      }
    }
    return outcomes;
  },

  /** A program that shares its port with nobody. */
  async held() {
    using house = await openHouse();
    using _holder = openPortHolder({ family: 4, port: 5353, reusePort: false, reuseAddress: false });
    try {
      house.onLink("lanA", mdns);
      return "opened";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  },

  /** What we send is heard at the far end, by nobody here; what others here send we hear. */
  async loop() {
    using house = await openHouse();
    using holder = openPortHolder({ family: 4, port: 5353, reusePort: true });
    holder.join(mdns.group, house.link("lanA").index);
    const [ours, twin, host] = [house.onLink("lanA", mdns), house.onLink("lanA", mdns), house.onHost("lanA", mdns)];
    const reply = house.datagrams.openReply({ family: 4, link: house.link("lanA"), hops: 255 });
    say(ours, "relayed", address(mdns.group, 5353));
    say(reply, "asked", address(mdns.group, 5353));
    const afterOurs = { holder: holder.take(), heard: house.hear({ ours, twin, host }) };
    ip("route add 224.0.0.0/4 dev lanA");
    holder.say("local", address(mdns.group, 5353));
    reply[Symbol.dispose]();
    return { ...afterOurs, afterLocal: house.hear({ ours, twin, host }) };
  },

  /** Unicast answers come back to the one that asked, and to it only; on this link only. */
  async answers() {
    using house = await openHouse();
    const link = house.link("lanA");
    const [one, other] = [1, 2].map(() => house.datagrams.openReply({ family: 4, link, hops: 255 }));
    const host = house.onHost("lanA", mdns);
    if (one === undefined || other === undefined) return undefined;
    say(one, "query", address(mdns.group, 5353));
    const asked = house.hear({ host });
    say(host, "answer", address("10.1.0.1", one.port));
    // From the other link to the same address and port: it comes in by another interface.
    house.hosts.lanB.ip("route add 10.1.0.0/24 via 10.2.0.1");
    say(house.onHost("lanB"), "forged", address("10.1.0.1", one.port));
    const heard = house.hear({ one, other });
    for (const socket of [one, other]) socket[Symbol.dispose]();
    return { asked, heard };
  },

  /** A cable pulled and put back, and another address: the sockets stay as they are. */
  async flap() {
    using house = await openHouse();
    const [ours, host] = [house.onLink("lanA", mdns), house.onHost("lanA", mdns)];
    const [ours6, host6] = [house.onLink("lanA", mdns6), house.onHost("lanA", mdns6)];
    const heard: (readonly string[])[] = [];
    using frames = house.hosts.lanA.run(() => captureFrames());
    const round = (): void => {
      for (const [near, far, { group, port }] of [[ours, host, mdns] as const, [ours6, host6, mdns6] as const]) {
        say(near, "out", address(group, port));
        say(far, "in", address(group, port));
      }
      heard.push(house.hear({ ours, ours6, host, host6 }));
    };
    round();
    ip("link set lanA down");
    const whileDown = say(ours, "down", address(mdns.group, 5353));
    ip("link set lanA up");
    ip("address add fd00:1::1/64 dev lanA nodad");
    round();
    ip("address del 10.1.0.1/24 dev lanA");
    ip("address add 10.1.0.77/24 dev lanA");
    round();
    const sources = frames
      .take()
      .flatMap(({ source, destination }) => (destination === mdns.group && source !== "10.1.0.2" ? [source] : []));
    return { heard, sources, failedWhileDown: whileDown !== 0 };
  },

  /** An interface taken away and made again under the same name is another one. */
  async recreate() {
    using house = await openHouse();
    const before = house.link("lanA");
    const old = house.onLink("lanA", mdns);
    ip("link del lanA");
    const sentIntoNothing = say(old, "lost", address(mdns.group, 5353));
    addLink("lanA", 1, house.hosts.lanA);
    const after = house.link("lanA");
    const ours = house.onLink("lanA", mdns);
    say(house.onHost("lanA", mdns), "again", address(mdns.group, 5353));
    const errors: number[] = [];
    using poller = createDatagramPoller(house.datagrams, { onError: (_, errno) => void errors.push(errno) });
    poller.add(old, () => {});
    for (let turn = 0; turn < 20; turn += 1) poller.poll(0);
    return {
      otherIndex: before.index !== after.index,
      failed: sentIntoNothing !== 0,
      heard: house.hear({ old, ours }),
      errors: errors.length,
    };
  },

  /** How datagrams look on the wire. */
  async wire() {
    using house = await openHouse();
    using frames = house.hosts.lanA.run(() => captureFrames());
    for (const group of groups) say(house.onLink("lanA", group), "x", address(group.group, group.port));
    say(house.onLink("lanA", mdns), "x", address("10.1.0.2", 5353));
    say(house.onLink("lanA", mdns6), "x", address("fd00:1::2", 5353));
    const linkLocal = house.link("lanA").addresses.find(({ text }) => text.startsWith("fe80"))?.text;
    // Neighbours are looked for first.
    house.hear({});
    const seen = frames.take().filter(({ port }) => port === 5353 || port === 1900);
    return seen.map(({ hops, source, destination, port }) => {
      const shown = source === linkLocal ? "link-local" : source;
      return `${shown} port ${port} to ${destination}, ${hops} hops`;
    });
  },

  /** Longer than the interface carries: in fragments, not refused. */
  async fragments() {
    using house = await openHouse();
    ip("link set lanA mtu 1280");
    house.hosts.lanA.ip("link set eth0 mtu 1280");
    const heard: string[] = [];
    for (const { group, port } of [mdns, mdns6]) {
      const [ours, host] = [house.onLink("lanA", { group, port }), house.onHost("lanA", { group, port })];
      for (const length of [1400, 8_900]) {
        const errno = say(ours, "y".repeat(length), address(group, port));
        heard.push(
          `${group} ${length}: error ${errno}, ${house
            .hear({ host })
            .map((text) => text.length - "host: ".length)
            .join()}`,
        );
      }
    }
    return heard;
  },

  /** What the kernel tells of changes, and what there is after each. */
  async links() {
    using house = await openHouse();
    using network = await openNetworkLinks();
    using poller = createDatagramPoller(house.datagrams);
    let readable = false;
    poller.addReadable(network.descriptor, () => (readable = true));
    const outcomes: Record<string, unknown> = {};
    const after = (what: string, action: () => void, name = "lanA"): void => {
      network.drain();
      action();
      readable = false;
      poller.poll(1_000);
      const told = readable && network.drain();
      const link = network.links().find((each) => each.name === name);
      outcomes[what] =
        link === undefined ? { told } : { told, up: link.up, mtu: link.mtu, addresses: link.addresses.map(({ text }) => text) };
    };
    const linkLocal = house.link("lanA").addresses.find(({ text }) => text.startsWith("fe80"))?.text;
    after("an address is added", () => ip("address add 10.9.0.1/16 dev lanA"));
    after("an address is taken", () => ip("address del 10.9.0.1/16 dev lanA"));
    after("a tentative address", () => {
      setDuplicateDetection("lanA", true);
      ip("address add fd00:9::1/64 dev lanA");
    });
    after("another MTU", () => ip("link set lanA mtu 1400"));
    after("the far end is down", () => house.hosts.lanA.ip("link set eth0 down"));
    after("down", () => ip("link set lanA down"));
    after("another name", () => ip("link set lanA name lanZ"), "lanZ");
    after("gone", () => ip("link del lanZ"), "lanZ");
    network.drain();
    poller.poll(0);
    readable = false;
    poller.poll(50);
    const text = JSON.stringify(outcomes);
    return { outcomes: JSON.parse(text.replaceAll(linkLocal ?? "?", "link-local")) as unknown, quiet: !readable };
  },

  /** More changes than the kernel keeps for us. */
  async changesLost() {
    using house = await openHouse();
    using network = await openNetworkLinks();
    const changes = Array.from({ length: 1_000 }, (_, count) => `link set lanA mtu ${1300 + (count % 100)}`);
    ip("-batch -", changes);
    const first = network.drain();
    return { first, second: network.drain(), mtu: house.link("lanA").mtu };
  },

  /** What a process without any capability can do; on loopback, which is all it has. */
  async unprivileged() {
    const capabilities = /^CapEff:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    const datagrams = await openDatagrams();
    const loopback = { name: "lo", index: 1 };
    using network = await openNetworkLinks();
    for (const { group, port, hops = 255 } of groups) {
      datagrams.openGroup({ family: group.includes(":") ? 6 : 4, link: loopback, group, port, hops })[Symbol.dispose]();
    }
    for (const family of [4, 6] as const) datagrams.openReply({ family, link: loopback, hops: 255 })[Symbol.dispose]();
    const limit = Number(readFileSync("/proc/sys/net/core/rmem_max", "utf8"));
    return { capabilities, uid: process.getuid?.(), notes: [...datagrams.notes], limit, links: network.links().map(({ name }) => name) };
  },
};
