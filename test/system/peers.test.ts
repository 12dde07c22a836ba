/** Real programs find each other across the relay: avahi, python-zeroconf, a legacy resolver, libgssdp. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabHost, LabProcess } from "./lab-host.ts";
import { families, fresh, type Family } from "./must-world.ts";
import { openNetworkLab, type NetworkLab } from "./network-lab.ts";
import { openAvahi, startUpnpBrowser, startUpnpDevice, startZeroconf } from "./peers.ts";
import { openRelay } from "./relays.ts";

let lab: NetworkLab;
let relay: LabProcess;
const avahis: LabProcess[] = [];

beforeAll(async () => {
  lab = await openNetworkLab({ links: ["a", "b"] });
  relay = await openRelay(lab);
  avahis.push(...(await Promise.all(["A", "B"].map((name) => openAvahi(lab.host(name))))));
});

afterAll(async () => {
  for (const each of [...avahis, relay]) await each?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const patienceMs = 15_000;
const publish = async (host: LabHost, name: string, type = "_http._tcp"): Promise<LabProcess> => {
  const published = await host.start(["avahi-publish", "-s", name, type, "8080", "path=/"]);
  await published.waitFor(/Established/, patienceMs);
  return published;
};

describe("avahi on A", () => {
  it("is seen by avahi on B over both families, resolves to addresses that can be reached, and says goodbye", async () => {
    const name = fresh("avahi");
    await using browser = await lab.host("B").start(["avahi-browse", "-rp", "_http._tcp"]);
    {
      await using published = await publish(lab.host("A"), name);
      for (const family of families) {
        const [line = ""] = await browser.waitFor(new RegExp(`^=;eth0;IPv${family};${name};.*;8080;.*$`, "m"), patienceMs);
        expect(line).toContain(family === 4 ? ";10.71.1.11;" : ";fd71:0:0:1::b;");
      }
      await published.kill("SIGTERM");
      await published.exited;
    }
    for (const family of families) await browser.waitFor(new RegExp(`^-;eth0;IPv${family};${name};`, "m"), patienceMs);
  });

  it("is seen by python-zeroconf on B, with its addresses, and its goodbye too", async () => {
    const name = fresh("zeroconf");
    await using browser = await startZeroconf(lab.host("B"), "browse", "_ipp._tcp");
    await browser.waitFor(/browsing/, patienceMs);
    const published = await publish(lab.host("A"), name, "_ipp._tcp");
    const [line] = await browser.waitFor(new RegExp(`^added ${name}.*\\n`, "m"), patienceMs);
    expect(line).toContain("hostA.local. 8080");
    expect(line).toContain("10.71.1.11");
    expect(line).not.toContain("fe80");
    await published.kill("SIGTERM");
    await browser.waitFor(new RegExp(`^removed ${name}`, "m"), patienceMs);
  });

  it("sees what python-zeroconf publishes on B", async () => {
    const name = fresh("published");
    await using browser = await lab.host("A").start(["avahi-browse", "-rp", "_hap._tcp"]);
    await using _published = await startZeroconf(lab.host("B"), "publish", "_hap._tcp", name, "10.71.2.12", "fd71:0:0:2::c");
    await browser.waitFor(new RegExp(`^=;eth0;IPv4;${name};.*;8123;`, "m"), patienceMs);
  });

  it("gives way when its name is taken on B: one of the two is called #2, and both are seen", async () => {
    const name = fresh("Living Room");
    await using first = await publish(lab.host("B"), name);
    const second = await lab.host("A").start(["avahi-publish", "-s", name, "_http._tcp", "8081"]);
    await second.waitFor(new RegExp(`Established under name '${name} #2'`), patienceMs);
    expect(first.output).not.toContain("#2");
    await second[Symbol.asyncDispose]();
  });

  it("keeps its host's name while the relay runs: nothing comes back as somebody else's", () => {
    for (const avahi of avahis) expect(avahi.output).not.toMatch(/host name conflict/i);
  });

  it("keeps its host's name when its host is on both links", { timeout: 60_000 }, async () => {
    await using both = await openNetworkLab({ links: ["a", "b"], hosts: { AB: ["a", "b"] } });
    await using _relay = await openRelay(both);
    await using avahi = await openAvahi(both.host("AB"), { hostName: "twolegs" });
    await using published = await publish(both.host("AB"), fresh("two-legs"));
    await expect(avahi.waitFor(/conflict|twolegs-2/i, 6_000)).rejects.toThrow(/did not say/);
    expect(published.output).not.toMatch(/collision|#2/i);
  });
});

describe("a legacy resolver on B", () => {
  const ask = (host: LabHost, id: number, type: string) =>
    host.run([
      "/usr/bin/python3",
      "-c",
      `import dns.message, dns.query
question = dns.message.make_query("hostA.local", "${type}")
question.id = ${id}
answer = dns.query.udp(question, "224.0.0.251", port=5353, timeout=3)
print(answer.id, [str(each) for each in answer.answer])`,
    ]);

  it.each([
    ["A", "10.71.1.11"],
    ["AAAA", "fd71:0:0:1::b"],
  ])("is told hostA's %s record", async (type, address) => {
    const { stdout, stderr } = await ask(lab.host("B"), 4711, type);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^4711 /);
    expect(stdout).toContain(address);
  });

  it("is told it beside another that asks the same with the same id", async () => {
    const answers = await Promise.all([1, 2].map(() => ask(lab.host("B"), 99, "A")));
    for (const { stdout } of answers) expect(stdout).toMatch(/^99 .*10\.71\.1\.11/);
  });
});

describe.each(families)("libgssdp over IPv%i", (family: Family) => {
  const location = { 4: "http://10.71.1.11:9000/device.xml", 6: "http://[fd71:0:0:1::b]:9000/device.xml" }[family];
  let links: NetworkLab;
  let relay: LabProcess;

  beforeAll(async () => {
    links = await openNetworkLab({ links: ["a", "b"] });
    relay = await openRelay(links);
    // With other addresses libgssdp 1.6.2 announces to ff0e::c and listens to ff05::c: it does not hear itself.
    if (family === 6) for (const name of ["A", "B"]) await links.host(name).ip(["address flush dev eth0 scope global"]);
  });

  afterAll(async () => {
    await relay?.[Symbol.asyncDispose]();
    await links?.[Symbol.asyncDispose]();
  });

  /** gssdp-discover knows IPv4 only. */
  const discover = (): Promise<LabProcess> =>
    family === 4
      ? links.host("B").start(["gssdp-discover", "-i", "eth0", "-m", "all", "-t", "upnp:rootdevice"])
      : startUpnpBrowser(links.host("B"), "eth0", "6", "upnp:rootdevice");

  it("hears a device on A come and go", async () => {
    const uuid = `00000000-0000-0000-0000-0000000000${family}1`;
    await using listener = await discover();
    // Its search must be over, so that it is an announcement that it hears.
    await sleep(1_500);
    await using device = await startUpnpDevice(links.host("A"), "eth0", `${family}`, uuid, location);
    await listener.waitFor(new RegExp(`\\bavailable\\s+[^]*${uuid}`), patienceMs);
    await listener.waitFor(new RegExp(location.replaceAll(/[.[\]]/g, "\\$&")), patienceMs);
    await device.kill("SIGTERM");
    await listener.waitFor(new RegExp(`unavailable\\s+[^]*${uuid}`), patienceMs);
  });

  it("finds a device on A by searching, without a route to it", async () => {
    const uuid = `00000000-0000-0000-0000-0000000000${family}2`;
    await using device = await startUpnpDevice(links.host("A"), "eth0", `${family}`, uuid, location);
    await device.waitFor(/announced/, patienceMs);
    // Its first announcements have been made, and the next ones come in minutes.
    await sleep(2_500);
    await using searcher = await discover();
    await searcher.waitFor(new RegExp(uuid), patienceMs);
    await searcher.waitFor(new RegExp(location.replaceAll(/[.[\]]/g, "\\$&")), patienceMs);
  });
});
