/** Links change under a relay: they flap, get other addresses, go and come back, and are not all alike. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announcement, filler, readMessage, toMessage, txt } from "./dns-wire.ts";
import type { LabProcess, LabSocket } from "./lab-host.ts";
import { arrivals, contains, families, fresh, openMdns, openSsdp, settleMs, toMdns, toSsdp, type Family } from "./must-world.ts";
import { openNetworkLab, type NetworkLab } from "./network-lab.ts";
import { openRelay, started } from "./relays.ts";
import { mSearch } from "./ssdp-text.ts";

/** How soon it must relay again after a link is fit for it. */
const recoveryMs = 1_000;
const links = ["lan-a", "lan-b"];

let lab: NetworkLab;
let relay: LabProcess;

beforeEach(async () => {
  lab = await openNetworkLab({ links: ["a", "b"] });
  relay = await openRelay(lab, { links });
});

afterEach(async () => {
  await relay?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

interface Way {
  readonly from?: string;
  readonly to?: string;
  readonly family?: Family;
}

/** Asks every 20 ms until a query comes through, and tells how long that took. */
async function untilThrough({ from = "A", to = "B", family = 4 }: Way = {}): Promise<number> {
  await using near = await openMdns(lab.host(from), family);
  await using far = await openMdns(lab.host(to), family);
  const begin = performance.now();
  const word = fresh("through");
  const arrived: number[] = [];
  far.follow((packet) => {
    if (contains(packet, word)) arrived.push(performance.now());
  });
  for (let index = 0; arrived.length === 0; index += 1) {
    if (performance.now() - begin > 10_000)
      throw new RangeError(`nothing through from ${from} to ${to} over IPv${family} in 10 s:\n${relay.output}`);
    await near.send(toMessage({ questions: [{ name: `${word}-${index}.local`, type: 1 }] }), toMdns(family)).catch(() => 0);
    await sleep(20);
  }
  return (arrived[0] ?? begin) - begin;
}

async function expectBothWays(): Promise<void> {
  for (const family of families) {
    for (const [from, to] of [
      ["A", "B"],
      ["B", "A"],
    ] as const) {
      expect(await untilThrough({ from, to, family })).toBeLessThan(recoveryMs);
    }
  }
}

/** Keeps asking on both sides while links change, as programs do. */
async function openTraffic(): Promise<AsyncDisposable> {
  const sockets: LabSocket[] = [];
  for (const host of ["A", "B"]) for (const family of families) sockets.push(await openMdns(lab.host(host), family));
  const timer = setInterval(() => {
    sockets.forEach((socket, index) => {
      const query = toMessage({ questions: [{ name: `${fresh("traffic")}.local`, type: 1 }] });
      socket.send(query, toMdns(index % 2 === 0 ? 4 : 6)).catch(() => 0);
    });
  }, 10);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of sockets) await socket[Symbol.asyncDispose]();
    },
  };
}

describe("under traffic", () => {
  it("relays again within a second after a link was down, three times", async () => {
    await using _traffic = await openTraffic();
    for (let flap = 0; flap < 3; flap += 1) {
      await lab.router.ip(["link set lan-b down"]);
      await sleep(300);
      // What the kernel forgets of IPv6 when a link goes down is set again by who manages the network.
      await lab.router.ip(["link set lan-b up", `address replace fd71:0:0:2::1/64 dev lan-b nodad`]);
      await expectBothWays();
    }
  });

  it("relays again within a second when a link gets another address", async () => {
    await using _traffic = await openTraffic();
    await lab.router.ip(["address del 10.71.2.1/24 dev lan-b", "address add 10.71.2.77/24 dev lan-b"]);
    await lab.router.ip(["address del fd71:0:0:2::1/64 dev lan-b", "address add fd71:0:0:2::77/64 dev lan-b nodad"]);
    await expectBothWays();
    await using far = await openMdns(lab.host("B"), 4);
    await using near = await openMdns(lab.host("A"), 4);
    const word = fresh("new-source");
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(4));
    expect((await arrivals(far, word)).map(({ source }) => source)).toEqual(["10.71.2.77"]);
  });

  it("relays again within a second when an interface was taken away and made anew under its name", async () => {
    await using _traffic = await openTraffic();
    await lab.disconnect({ host: "router", interface: "lan-b" });
    await sleep(300);
    await lab.connect({ host: "router", interface: "lan-b", link: "b" });
    await expectBothWays();
  });

  it("relays again within a second when an interface was renamed and named back", async () => {
    await using _traffic = await openTraffic();
    const rename = (from: string, to: string) => [`link set ${from} down`, `link set ${from} name ${to}`, `link set ${to} up`];
    await lab.router.ip(rename("lan-b", "other"));
    await sleep(500);
    await lab.router.ip([...rename("other", "lan-b"), "address replace fd71:0:0:2::1/64 dev lan-b nodad"]);
    await expectBothWays();
  });

  it("still runs, and relays, after all of that at once", async () => {
    await using _traffic = await openTraffic();
    for (let round = 0; round < 5; round += 1) {
      await lab.router.ip(["link set lan-a down", "address flush dev lan-b", "link set lan-a up"]);
      await lab.disconnect({ host: "router", interface: "lan-b" });
      await lab.connect({ host: "router", interface: "lan-b", link: "b" });
      await lab.router.ip(["address replace fd71:0:0:1::1/64 dev lan-a nodad"]);
    }
    await expectBothWays();
  });
});

describe("links that are not alike", () => {
  it("serves an interface that appears after the start", async () => {
    await relay[Symbol.asyncDispose]();
    await lab.disconnect({ host: "router", interface: "lan-b" });
    relay = await openRelay(lab, { links, ready: started });
    await sleep(3_000);
    await lab.connect({ host: "router", interface: "lan-b", link: "b" });
    await expectBothWays();
  });

  it("serves IPv6 where a link has no IPv4, and the other way round", async () => {
    await lab.router.ip(["address flush dev lan-b scope global"]);
    expect(await untilThrough({ family: 6 })).toBeLessThan(recoveryMs);
    await lab.router.ip(["address add 10.71.2.1/24 dev lan-b"]);
    await lab.router.sysctl({ "ipv6/conf/lan-b/disable_ipv6": 1 });
    expect(await untilThrough({ family: 4 })).toBeLessThan(recoveryMs);
    await lab.router.sysctl({ "ipv6/conf/lan-b/disable_ipv6": 0 });
    expect(await untilThrough({ family: 6 })).toBeLessThan(recoveryMs);
  });

  it("serves hosts of a second subnet on a link, also one that overlaps with another link's", async () => {
    await lab.router.ip(["address add 10.72.0.1/24 dev lan-a", "address add 10.71.2.99/25 dev lan-a"]);
    await lab.host("A").ip(["address add 10.72.0.11/24 dev eth0", "address add 10.71.2.98/25 dev eth0"]);
    await untilThrough();
    await using far = await openMdns(lab.host("B"), 4);
    await using near = await openMdns(lab.host("A"), 4);
    for (const source of ["10.72.0.11", "10.71.2.98"]) {
      const word = fresh("second-subnet");
      await using socket = await lab.host("A").listen({ family: 4, port: 5353, source });
      await socket.send(announcement({ instance: word, addresses: [source] }), toMdns(4));
      expect(await arrivals(far, word)).toHaveLength(1);
      expect(near.heard.filter((packet) => contains(packet, word))).toEqual([]);
    }
  });

  it("serves hosts behind a router address with a /32 and a route", async () => {
    await lab.router.ip(["address del 10.71.1.1/24 dev lan-a", "address add 10.71.1.1/32 dev lan-a", "route add 10.71.1.0/24 dev lan-a"]);
    expect(await untilThrough({ from: "B", to: "A" })).toBeLessThan(recoveryMs);
  });

  it("splits responses by record for a link of MTU 1280, and fragments none of 1400 B", async () => {
    await lab.router.ip(["link set lan-b mtu 1280"]);
    await sleep(500);
    for (const family of families) {
      await using watch = await lab.host("B").watchFrames();
      await using near = await openMdns(lab.host("A"), family);
      await using far = await openMdns(lab.host("B"), family);
      const word = fresh("split");
      // Long texts and few names: compression alone does not make it fit.
      const names = Array.from({ length: 3 }, (_, index) => `${word}-${index}._http._tcp.local`);
      const payload = toMessage({ response: true, answers: names.map((name) => txt(name, filler(420))) });
      expect(payload.length).toBeGreaterThan(1380);
      expect(payload.length).toBeLessThan(1440);
      await near.send(payload, toMdns(family));
      const got = (): readonly string[] =>
        far.heard.filter((packet) => contains(packet, word)).flatMap(({ data }) => readMessage(data).answers.map(({ name }) => name));
      await far.next(() => got().length >= names.length);
      await sleep(settleMs);
      expect(got().toSorted()).toEqual(names);
      expect((await watch.count()).fragments).toBe(0);
    }
  });

  it("sends from the IPv6 address that is there when a privacy address is replaced", async () => {
    await lab.router.ip(["address add fd71:0:0:2::aaaa/64 dev lan-b nodad"]);
    await using far = await openMdns(lab.host("B"), 6);
    await lab.router.ip(["address del fd71:0:0:2::aaaa/64 dev lan-b", "address add fd71:0:0:2::bbbb/64 dev lan-b nodad"]);
    expect(await untilThrough({ family: 6 })).toBeLessThan(recoveryMs);
    expect(far.heard.every(({ source }) => source.startsWith("fe80"))).toBe(true);
  });
});

describe("many", () => {
  it("brings 600 searchers their answers, or says no to some, and serves the next one", { timeout: 60_000 }, async () => {
    await using device = await openSsdp(lab.host("B"), 4);
    device.follow((packet) => {
      const target = /ST: (\S+)/.exec(Buffer.from(packet.data).toString("latin1"))?.[1];
      const answer = `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=100\r\nEXT:\r\nLOCATION: http://10.71.2.12/\r\nST: ${target}\r\nUSN: uuid:${target}\r\n\r\n`;
      void device.send(Uint8Array.from(Buffer.from(answer)), { to: packet.source, port: packet.port, hops: 2 });
    });
    const searchers: LabSocket[] = [];
    for (let index = 0; index < 600; index += 1) searchers.push(await lab.host("A").listen({ family: 4 }));
    for (const searcher of searchers) await searcher.send(mSearch({ target: `urn:${fresh("many")}`, mx: 1 }), toSsdp(4));
    await sleep(2_000);
    const answered = searchers.filter(({ heard }) => heard.length > 0).length;
    expect(answered).toBeGreaterThan(100);
    for (const searcher of searchers) await searcher[Symbol.asyncDispose]();
    // Those that were refused are forgotten after MX + 3 s at the latest.
    await sleep(4_500);
    await using last = await lab.host("A").listen({ family: 4 });
    await last.send(mSearch({ target: `urn:${fresh("last")}` }), toSsdp(4));
    await last.next();
  });

  it("relays again when restarted under load", async () => {
    await using _traffic = await openTraffic();
    await relay.kill("SIGKILL");
    await relay.exited;
    relay = await openRelay(lab, { links });
    await expectBothWays();
  });
});

describe("three links", () => {
  it("carries each packet to each other link once", async () => {
    await relay[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    lab = await openNetworkLab({ links: ["a", "b", "c"] });
    relay = await openRelay(lab);
    for (const family of families) {
      const sockets = new Map<string, LabSocket>();
      for (const host of ["A", "B", "C"]) sockets.set(host, await openMdns(lab.host(host), family));
      for (const [from, near] of sockets) {
        const word = fresh(`three-${from}`);
        await near.send(announcement({ instance: word, addresses: [lab.host(from).address(4)] }), toMdns(family));
        for (const [to, far] of sockets) {
          if (to !== from) expect(await arrivals(far, word)).toHaveLength(1);
        }
        expect(near.heard.filter((packet) => contains(packet, word))).toEqual([]);
      }
      for (const socket of sockets.values()) await socket[Symbol.asyncDispose]();
    }
  });
});
