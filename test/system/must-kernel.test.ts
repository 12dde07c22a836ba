/** Boxes as they are: a hundred links, interfaces that are renamed for good, and Home Assistant's own mDNS beside the relay. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { a, announcement, toMessage, tryReadMessage } from "./dns-wire.ts";
import type { LabProcess } from "./lab-host.ts";
import { arrivals, families, fresh, openMdns, toMdns } from "./must-world.ts";
import { openNetworkLab, type NetworkLab } from "./network-lab.ts";
import { startZeroconf } from "./peers.ts";
import { openRelay } from "./relays.ts";

const patienceMs = 15_000;

/** One packet of each family from A, and how many copies there are at B. */
async function copies(lab: NetworkLab): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const family of families) {
    await using near = await openMdns(lab.host("A"), family);
    await using far = await openMdns(lab.host("B"), family);
    const word = fresh("one-of-many");
    await near.send(announcement({ instance: word, addresses: ["10.71.1.11"] }), toMdns(family));
    counts.push((await arrivals(far, word)).length);
  }
  return counts;
}

it("relays between any two of a hundred links, and sleeps when nobody speaks", { timeout: 90_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  const more = Array.from({ length: 98 }, (_, index) => `many-${index}`);
  await lab.router.ip(
    more.flatMap((name) => [`link add ${name} type veth peer name far-${name}`, `link set far-${name} up`, `link set ${name} up`]),
  );
  await lab.router.ip(more.map((name, index) => `address add 10.72.${index}.1/24 dev ${name}`));
  await using relay = await openRelay(lab, { links: ["lan-*", "many-*"], ready: /"relaying"/ });
  await expect.poll(() => copies(lab), { timeout: 30_000 }).toEqual([1, 1]);
  const cpu = async (): Promise<number> => {
    const { stdout } = await lab.router.run(["cat", `/proc/${relay.pid}/stat`]);
    const [user, system] = stdout.slice(stdout.lastIndexOf(")")).split(" ").slice(12, 14);
    return (Number(user) + Number(system)) / 100;
  };
  // What it says of five thousand pairs is said by now.
  await sleep(5_000);
  const before = await cpu();
  await sleep(5_000);
  expect((await cpu()) - before).toBeLessThan(2.5);
  expect(await copies(lab)).toEqual([1, 1]);
});

it("leaves Home Assistant's mDNS on its box alone: it finds and is found on every link, by its name", { timeout: 90_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  // A pod on the host's network, as Home Assistant's is: python-zeroconf on all interfaces, and first on the port.
  await using browser = await startZeroconf(lab.router, "browse", "_hap._tcp");
  await browser.waitFor(/browsing/, patienceMs);
  const addresses = ["lan-a", "lan-b"].map((name) => lab.router.address(4, name));
  await using assistant = await startZeroconf(lab.router, "publish", "_home-assistant._tcp", fresh("assistant"), ...addresses);
  const [, name = ""] = await assistant.waitFor(/published (\S+?)\./, patienceMs);
  await using _relay = await openRelay(lab);
  const seen: LabProcess[] = [];
  await using _browsers = { [Symbol.asyncDispose]: async () => void (await Promise.all(seen.map((each) => each[Symbol.asyncDispose]()))) };
  for (const [index, host] of ["A", "B"].entries()) {
    const found = await startZeroconf(lab.host(host), "browse", "_home-assistant._tcp");
    seen.push(found);
    const [line] = await found.waitFor(new RegExp(`^added ${name}.*$`, "m"), patienceMs);
    expect(line).toContain(addresses[index]);
    const device = fresh("device");
    await using _device = await startZeroconf(lab.host(host), "publish", "_hap._tcp", device, lab.host(host).address(4));
    await browser.waitFor(new RegExp(`^added ${device}.*${lab.host(host).address(4)}`, "m"), patienceMs);
  }
  expect(await copies(lab)).toEqual([1, 1]);
  // Nobody was told that the name is taken, or that it has gone.
  expect(assistant.output).not.toMatch(/-2\._home|conflict|Traceback/);
  for (const each of seen) expect(each.output).not.toMatch(new RegExp(`removed ${name}|-2\\._home`));
});

it("goes on with an interface that got another name for good", async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"] });
  await using relay = await openRelay(lab, { links: ["lan-*"], ready: /"relaying"/ });
  await lab.router.ip(["link set lan-b down", "link set lan-b name lan-z", "link set lan-z up"]);
  await lab.router.ip(["address replace fd71:0:0:2::1/64 dev lan-z nodad"]);
  await relay.waitFor(/"relaying"[^]*lan-z|lan-z[^]*"relaying"/, patienceMs);
  await expect.poll(() => copies(lab), { timeout: patienceMs }).toEqual([1, 1]);
});

it("sees that both its ports are on one segment, says so, and carries nothing between them", { timeout: 60_000 }, async () => {
  await using lab = await openNetworkLab({ links: ["a"] });
  await lab.connect({ host: "router", interface: "lan-b", link: "a", addresses: ["10.71.1.2/24", "fd71:0:0:1::2/64"] });
  await using _relay = await openRelay(lab, { links: ["lan-a", "lan-b"], ready: /both links are one network/ });
  for (const family of families) {
    const word = fresh("one-segment");
    await using watch = await lab.host("A").watchFrames({ contains: Uint8Array.from(Buffer.from(word)) });
    await using near = await openMdns(lab.host("A"), family);
    for (let index = 0; index < 5; index += 1) {
      await near.send(announcement({ instance: `${word}-${index}`, addresses: ["10.71.1.11"] }), toMdns(family));
      await sleep(100);
    }
    await sleep(500);
    expect((await watch.count()).matching).toBe(0);
  }
});

it("lets a host on both links speak for itself on each: neither is told the address it has on the other", async () => {
  await using lab = await openNetworkLab({ links: ["a", "b"], hosts: { AB: ["a", "b"] } });
  await using _relay = await openRelay(lab);
  const host = lab.host("AB");
  const name = `${fresh("two-legs")}.local`;
  const legs = [
    { own: host.address(4, "eth0"), socket: await openMdns(host, 4, "eth0"), listener: await openMdns(lab.host("B"), 4) },
    { own: host.address(4, "eth1"), socket: await openMdns(host, 4, "eth1"), listener: await openMdns(lab.host("A"), 4) },
  ];
  const announceAll = async (): Promise<void> => {
    for (const { own, socket } of legs)
      await socket.send(toMessage({ response: true, answers: [{ ...a(name, own), flush: true }] }), toMdns(4));
    await sleep(300);
  };
  await announceAll();
  await announceAll();
  for (const { listener } of legs) listener.forget();
  await announceAll();
  // It does relay: another name, beside it, crosses.
  expect(await copies(lab)).toEqual([1, 1]);
  for (const { own, listener } of legs) {
    const told = listener.heard.flatMap(({ data }) => tryReadMessage(data)?.answers ?? []).filter((answer) => answer.name === name);
    expect(told.map(({ data }) => data)).toEqual(legs.map((leg) => leg.own).filter((address) => address !== own));
  }
});
