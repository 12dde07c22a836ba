/**
 * The relay on 802.1Q interfaces of a real kernel: several on one trunk, which share its MAC and IPv6 link-local address.
 *
 *     router ── lan-trunk ── bridge ── eth0 of A, B, N and TRUNK
 *       lan-trunk.10                     eth0.10 of A, N
 *       lan-trunk.20                     eth0.20 of B, N
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RelayStatus } from "../../src/core/relay.ts";
import { announcement, toMessage } from "../system/dns-wire.ts";
import type { Heard, LabHost, LabProcess, LabSocket } from "../system/lab-host.ts";
import { contains, families, fresh, mdnsGroup, openMdns, openSsdp, toMdns, toSsdp, type Family } from "../system/must-world.ts";
import type { NetworkLab } from "../system/network-lab.ts";
import { mSearch, searchAnswer, textOf } from "../system/ssdp-text.ts";
import { aerialCommand } from "./aerial-command.ts";
import { type GuestLab, openGuestLab } from "./guest-lab.ts";
import { openGuestNetwork } from "./guest-network.ts";

/** How soon it must relay again after a link is fit for it; 1 s on a processor that is not emulated. */
const recoveryMs = 5_000;
const patienceMs = 60_000;
/** Long enough for a second copy, were there one. */
const settleMs = 300;

/** Their VLANs; 0: none, what it sends is untagged. */
const hosts = { A: 10, B: 20, TRUNK: 0 } as const;
type HostName = keyof typeof hosts;

let guest: GuestLab;
let lab: NetworkLab;
let aerial: readonly string[];
const sockets = new Map<string, LabSocket>();

const interfaceOf = (name: HostName): string => (hosts[name] === 0 ? "eth0" : `eth0.${hosts[name]}`);

const socketOf = (name: HostName, family: Family): LabSocket => {
  const socket = sockets.get(`${name} ${family}`);
  if (socket === undefined) throw new RangeError(`${name} has no socket of IPv${family}`);
  return socket;
};

interface Tagged {
  readonly vlan: number;
  /** The last number of its addresses. */
  readonly number: number;
  readonly on?: string;
  readonly name?: string;
}

/** Adds an 802.1Q interface with addresses to a host's leg on the trunk. */
async function addVlan(host: LabHost, { vlan, number, on = "eth0", name = `${on}.${vlan}` }: Tagged): Promise<void> {
  const addresses = [`10.72.${vlan}.${number}/24`, `fd72:0:0:${vlan}::${number}/64`] as const;
  await host.ip([
    `link add link ${on} name ${name} type vlan id ${vlan}`,
    `link set ${name} up`,
    `address add ${addresses[0]} dev ${name}`,
    `address add ${addresses[1]} dev ${name} nodad`,
  ]);
  host.note(name, addresses);
}

const addRouterVlan = (vlan: number, name = `lan-trunk.${vlan}`): Promise<void> =>
  addVlan(lab.router, { vlan, number: 1, on: "lan-trunk", name });

const environment = { NODE_COMPILE_CACHE: "/tmp/node-compile-cache", AERIAL__KUBERNETES__ENABLED: "false", AERIAL__LOG__FORMAT: "json" };

async function startAerial(host: LabHost, parameters: readonly string[], ready: RegExp): Promise<LabProcess> {
  const program = await host.start([...aerial, ...parameters], environment);
  try {
    await program.waitFor(ready, patienceMs);
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return program;
}

/** What it last said of its one pair of links, where that differs for IPv4 and for IPv6. */
function rolesOf({ output }: LabProcess): readonly string[] {
  const roles = new Map<string, string>();
  for (const [, family, role = ""] of output.matchAll(/("family":"IPv[46]",)?"why":"[^"]*","msg":"(relaying|standing by)"/g)) {
    for (const each of family === undefined ? families : [family.includes("6") ? 6 : 4]) roles.set(`${each}`, role);
  }
  return [...new Set(roles.values())];
}

/** Announces on one link; tells what each host heard of it. */
async function announce(
  from: HostName,
  family: Family,
): Promise<{ readonly payload: Uint8Array; readonly of: (host: HostName) => readonly Heard[] }> {
  const word = fresh("printer");
  const address = lab.host(from).address(family, interfaceOf(from));
  const payload = announcement({ instance: word, addresses: [address] });
  await socketOf(from, family).send(payload, toMdns(family));
  const of = (host: HostName): readonly Heard[] => socketOf(host, family).heard.filter((packet) => contains(packet, word));
  await socketOf(from === "A" ? "B" : "A", family).next((packet) => contains(packet, word), patienceMs);
  await sleep(settleMs);
  return { payload, of };
}

/** Asks until a question comes through, and tells how long that took, in the guest's time. */
async function untilThrough(from: HostName, to: HostName, family: Family): Promise<number> {
  const [near, far] = [socketOf(from, family), socketOf(to, family)];
  const word = fresh("through");
  let begin: number | undefined;
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(20)) {
    const question = { name: `${fresh(word)}.local`, type: 1 };
    const sentAt = await near.send(toMessage({ questions: [question] }), toMdns(family));
    begin ??= sentAt;
    const arrived = far.heard.find((packet) => contains(packet, word));
    if (arrived !== undefined) return arrived.at - begin;
  }
  throw new RangeError(`nothing through from ${from} to ${to} over IPv${family}`);
}

async function expectBothWays(): Promise<void> {
  for (const family of families) {
    expect(await untilThrough("A", "B", family)).toBeLessThan(recoveryMs);
    expect(await untilThrough("B", "A", family)).toBeLessThan(recoveryMs);
  }
}

/** What is announced or asked in VLAN 10 is heard in VLAN 20 as it was said, once, and the other way round. */
async function expectCrossing(): Promise<void> {
  for (const family of families) {
    for (const [from, to] of [
      ["A", "B"],
      ["B", "A"],
    ] as const) {
      const { payload, of } = await announce(from, family);
      expect(of(to)).toMatchObject([{ hops: 255, port: 5353, to: mdnsGroup[family] }]);
      expect(of(to)[0]?.data).toEqual(payload);
      expect(of(from)).toEqual([]);
    }
  }
}

beforeAll(async () => {
  guest = await openGuestLab();
  aerial = await aerialCommand(guest);
  expect(await guest.run(["modprobe", "--all", "8021q", "veth", "bridge"])).toMatchObject({ exitCode: 0, stderr: "" });
  lab = await openGuestNetwork(guest, { links: ["trunk"], hosts: { A: ["trunk"], B: ["trunk"], N: ["trunk"] } });
  for (const name of ["A", "B"] as const) await addVlan(lab.host(name), { vlan: hosts[name], number: 11 });
  for (const name of ["A", "B", "TRUNK"] as const) {
    for (const family of families) sockets.set(`${name} ${family}`, await openMdns(lab.host(name), family, interfaceOf(name)));
  }
});

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await guest?.[Symbol.asyncDispose]();
});

describe("a daemon with a trunk by name and two VLANs of it by id", () => {
  let daemon: LabProcess;

  beforeAll(async () => {
    await addRouterVlan(10);
    const links = ["lan-trunk", { name: "home", vlan: 10 }, { name: "iot", vlan: 20 }];
    await guest.writeFile("/etc/aerial/vlans.yaml", JSON.stringify({ relay: { enabled: true, links } }));
    daemon = await startAerial(lab.router, ["run", "--config", "/etc/aerial/vlans.yaml"], /"msg":"relaying"/);
  });

  afterAll(() => daemon?.[Symbol.asyncDispose]());

  it("misses a VLAN that is not there, and serves it when it comes, under whatever name", async () => {
    await daemon.waitFor(/"code":"relay.link.iot","text":"[^"]*there is no such interface/, patienceMs);
    await addRouterVlan(20, "things");
    await expectBothWays();
  });

  it("serves it when it was taken away and made anew under another name", async () => {
    await lab.router.ip(["link del things"]);
    await sleep(settleMs);
    await addRouterVlan(20);
    await expectBothWays();
  });

  it("serves it when it was made anew while nobody looked", async () => {
    await daemon.kill("SIGSTOP");
    await lab.router.ip(["link del lan-trunk.20"]);
    await addRouterVlan(20);
    await daemon.kill("SIGCONT");
    await expectBothWays();
  });

  it("says which VLANs they are", async () => {
    const command = [...aerial, "relay", "status", "-o", "json"];
    const { exitCode, stdout, stderr } = await lab.router.run(command, { timeoutMs: patienceMs });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const { links } = JSON.parse(stdout) as RelayStatus;
    expect(links).toMatchObject([
      { name: "lan-trunk", interface: "lan-trunk", state: "up" },
      { name: "home", interface: "lan-trunk.10", vlan: 10, state: "up" },
      { name: "iot", interface: "lan-trunk.20", vlan: 20, state: "up" },
    ]);
    expect(links[0]).not.toHaveProperty("vlan");
  });

  it("has a kernel whose VLANs share one link-local address and let nothing through by themselves", async () => {
    expect(await lab.router.linkLocal("lan-trunk.10")).toBe(await lab.router.linkLocal("lan-trunk.20"));
    await daemon.kill("SIGSTOP");
    const word = fresh("stopped");
    for (const family of families) {
      await socketOf("A", family).send(toMessage({ questions: [{ name: `${word}.local`, type: 1 }] }), toMdns(family));
    }
    await sleep(settleMs);
    expect([...sockets.values()].flatMap(({ heard }) => heard.filter((packet) => contains(packet, word)))).toEqual([]);
    await daemon.kill("SIGCONT");
  });

  it("carries announcements from VLAN to VLAN, once, over IPv4 and IPv6, with a hop limit of 255", expectCrossing);

  it.each(families)("hears what is untagged as of the trunk, and what is tagged as of its VLAN alone, over IPv%i", async (family) => {
    for (const from of ["A", "TRUNK"] as const) {
      const { of } = await announce(from, family);
      for (const to of ["A", "B", "TRUNK"] as const) expect(of(to)).toHaveLength(to === from ? 0 : 1);
    }
  });

  it.each(families)("brings the answer to a search in the other VLAN home over IPv%i", async (family) => {
    const target = `urn:test:${fresh("device")}`;
    const address = lab.host("B").address(family, "eth0.20");
    const location = `http://${family === 6 ? `[${address}]` : address}:1400/description.xml`;
    const answer = searchAnswer({ uuid: target, target, location });
    await using device = await openSsdp(lab.host("B"), family, "eth0.20");
    device.follow((packet) => {
      if (contains(packet, target)) void device.send(answer, { to: packet.source, port: packet.port, hops: 2 });
    });
    await using searcher = await lab.host("A").listen({ family, interface: "eth0.10" });
    await searcher.send(mSearch({ target }), toSsdp(family));
    await searcher.next(() => true, patienceMs);
    await sleep(settleMs);
    expect(searcher.heard.map(({ data }) => textOf(data))).toEqual([textOf(answer)]);
    expect(device.heard.filter((packet) => contains(packet, target))).toHaveLength(1);
  });

  it("relays again when the trunk was down, and its VLANs with it", async () => {
    await lab.router.ip(["link set lan-trunk down"]);
    await sleep(settleMs);
    await lab.router.ip(["link set lan-trunk up"]);
    await expectBothWays();
  });

  it("leaves it to another aerial, on VLANs by name, when it goes, and not before", async () => {
    const node = lab.host("N");
    for (const vlan of [10, 20]) await addVlan(node, { vlan, number: 12 });
    const command = ["relay", "run", "--link", "eth0.10", "--link", "eth0.20"];
    await using second = await startAerial(node, command, / relays","msg":"standing by"/);
    // Where the other one's answer was late for one family, it relays that until it has come.
    await expect.poll(() => rolesOf(second), { timeout: patienceMs }).toEqual(["standing by"]);
    await expectCrossing();
    await daemon.kill("SIGKILL");
    await expect.poll(() => rolesOf(second), { timeout: patienceMs }).toEqual(["relaying"]);
    await expectCrossing();
    await node.ip(["link del eth0.20"]);
    await sleep(settleMs);
    await addVlan(node, { vlan: 20, number: 12 });
    await expectBothWays();
  });
});
