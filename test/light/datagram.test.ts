/** The relay's sockets on links that are real to the kernel: each scenario in network namespaces of its own. */
import { execFile } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { scenarios } from "./datagram-scenarios.ts";

const projectRoot = resolve(import.meta.dirname, "..", "..");
const agent = join(import.meta.dirname, "datagram-agent.ts");
const newNamespaces = ["unshare", "--user", "--map-root-user", "--net", "--"];
const withoutCapabilities = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];
const withLoopback = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

/** What a scenario gives, in the namespaces that `inside` makes. */
async function play<Name extends keyof typeof scenarios>(
  name: Name,
  inside = newNamespaces,
): Promise<Awaited<ReturnType<(typeof scenarios)[Name]>>> {
  const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const { stdout } = await promisify(execFile)("env", [...inside, process.execPath, "--conditions=source", agent, name], {
    cwd: projectRoot,
    env: { PATH: path },
  });
  return JSON.parse(stdout) as Awaited<ReturnType<(typeof scenarios)[Name]>>;
}

describe("datagram sockets", () => {
  it("hear each group on their own link only, whatever other programs join", async () => {
    const { heard, expected } = await play("ingress");
    expect(heard.toSorted()).toEqual(expected.toSorted());
  });

  it("leave all unicast to others on the port, and all hear multicast, in any order", async () => {
    const outcomes = await play("coexistence");
    expect(Object.keys(outcomes)).toHaveLength(8);
    for (const outcome of Object.values(outcomes)) expect(outcome).toEqual({ unicast: 8, multicast: 8, ours: 8, stolen: [] });
  });

  it("say so where a program keeps the port to itself", async () => {
    expect(await play("held")).toBe("cannot open a socket for 224.0.0.251 port 5353 on lanA: bind (EADDRINUSE)");
  });

  it("are not heard on this host, but hear it", async () => {
    expect(await play("loop")).toEqual({
      holder: [],
      heard: ["host: relayed", "host: asked"],
      afterLocal: ["ours: local", "twin: local", "host: local"],
    });
  });

  it("bring a unicast answer to the one that asked, from its link only", async () => {
    expect(await play("answers")).toEqual({ asked: ["host: query"], heard: ["one: answer"] });
  });

  it("outlive a cable pulled and another address", async () => {
    const { heard, sources, failedWhileDown } = await play("flap");
    for (const round of heard) expect(round.toSorted()).toEqual(["host6: out", "host: out", "ours6: in", "ours: in"]);
    expect(heard).toHaveLength(3);
    expect(sources).toEqual(["10.1.0.1", "10.1.0.1", "10.1.0.77"]);
    expect(failedWhileDown).toBe(true);
  });

  it("are dead, and do no harm, once their interface is gone; its successor is another", async () => {
    expect(await play("recreate")).toEqual({ otherIndex: true, failed: true, heard: ["ours: again"], errors: 0 });
  });

  it("send from the group's port and the link's own address, with the hops they are told", async () => {
    expect(await play("wire")).toEqual([
      "10.1.0.1 port 5353 to 224.0.0.251, 255 hops",
      "link-local port 5353 to ff02::fb, 255 hops",
      "10.1.0.1 port 1900 to 239.255.255.250, 2 hops",
      "link-local port 1900 to ff02::c, 2 hops",
      "fd00:1::1 port 1900 to ff05::c, 2 hops",
      "10.1.0.1 port 1900 to 255.255.255.255, 2 hops",
      "10.1.0.1 port 5353 to 10.1.0.2, 255 hops",
      "fd00:1::1 port 5353 to fd00:1::2, 255 hops",
    ]);
  });

  it("send what is longer than the interface's MTU in fragments", async () => {
    expect(await play("fragments")).toEqual([
      "224.0.0.251 1400: error 0, 1400",
      "224.0.0.251 8900: error 0, 8900",
      "ff02::fb 1400: error 0, 1400",
      "ff02::fb 8900: error 0, 8900",
    ]);
  });

  it("need no capability; a small receive buffer is said to be one", async () => {
    const outcome = await play("unprivileged", [...newNamespaces, ...withLoopback, ...withoutCapabilities]);
    const { limit } = outcome;
    const note = `CAP_NET_ADMIN is missing: receive buffers are limited to ${Math.floor(limit / 1024)} KiB by net.core.rmem_max`;
    expect(outcome).toMatchObject({ capabilities: "0000000000000000", notes: limit < 4 << 20 ? [note] : [], links: ["lo"] });
  });
});

describe("network links", () => {
  it("are told of when they change, and are then as they are", async () => {
    const { outcomes, quiet } = await play("links");
    const addresses = ["10.1.0.1", "fd00:1::1", "link-local"];
    expect(outcomes).toEqual({
      "an address is added": { told: true, up: true, mtu: 1500, addresses: ["10.1.0.1", "10.9.0.1", "fd00:1::1", "link-local"] },
      "an address is taken": { told: true, up: true, mtu: 1500, addresses },
      "a tentative address": { told: true, up: true, mtu: 1500, addresses },
      "another MTU": { told: true, up: true, mtu: 1400, addresses },
      "the far end is down": { told: true, up: false, mtu: 1400, addresses },
      down: { told: true, up: false, mtu: 1400, addresses: ["10.1.0.1"] },
      "another name": { told: true, up: false, mtu: 1400, addresses: ["10.1.0.1"] },
      gone: { told: true },
    });
    expect(quiet).toBe(true);
  });

  it("are said to have changed when the kernel had no room left to say so", async () => {
    expect(await play("changesLost")).toEqual({ first: true, second: false, mtu: 1399 });
  });
});
