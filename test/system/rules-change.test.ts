/** What a relay may carry is changed while it runs: by its file, at a signal, and without losing a packet of what may cross before and after. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { announcement } from "./dns-wire.ts";
import type { LabProcess, LabSocket } from "./lab-host.ts";
import { arrivals, fresh, openMdns, toMdns } from "./must-world.ts";
import { openNetworkLab, type NetworkLab } from "./network-lab.ts";
import { aerialRelay, openRelay } from "./relays.ts";

const printers = "_ipp._tcp.local";
const spacingMs = 20;
/** How soon a changed file must hold. */
const takenMs = 2_000;

const denied = "rules:\n  - { action: deny, service: printers }\n";
const allowed = "rules:\n  - { action: allow, service: printers }\n  - { action: deny, service: cast }\n";

let lab: NetworkLab;
let directory: string;
let file: string;

beforeAll(async () => {
  lab = await openNetworkLab({ links: ["a", "b", "c"] });
});
afterAll(() => lab?.[Symbol.asyncDispose]());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-rules-"));
  file = join(directory, "rules.yaml");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** As careful programs write a file. */
function replace(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Announces a service that nobody knows yet. */
function announce(socket: LabSocket, instance: string, service: string): Promise<number> {
  return socket.send(announcement({ instance, service, addresses: ["10.71.1.11"] }), toMdns(4));
}

async function crosses(near: LabSocket, far: LabSocket, service: string): Promise<boolean> {
  const word = fresh("probe");
  const marker = fresh("marker");
  await announce(near, word, service);
  await announce(near, marker, "_http._tcp.local");
  // What must cross has come: so has what may.
  await arrivals(far, marker);
  return (await arrivals(far, word, { copies: 0 })).length > 0;
}

/** The relay's thread may have been about to carry a packet when its rules changed. */
async function untilCrosses(near: LabSocket, far: LabSocket, wanted: boolean): Promise<void> {
  await expect.poll(() => crosses(near, far, printers), { timeout: takenMs, interval: 10 }).toBe(wanted);
}

interface Sent {
  readonly word: string;
  readonly at: number;
}

/** Announces web servers and printers, `count` of each, while something is done; tells when each was sent. */
async function announceWhile(near: LabSocket, count: number, change: (index: number) => void) {
  const web: Sent[] = [];
  const printing: Sent[] = [];
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) {
    change(index);
    const [page, printer] = [fresh("web"), fresh("printer")];
    web.push({ word: page, at: await announce(near, page, "_http._tcp.local") });
    printing.push({ word: printer, at: await announce(near, printer, printers) });
    await sleep(Math.max(begin + (index + 1) * spacingMs - performance.now(), 0));
  }
  return { web, printing };
}

/** How often each was heard. */
function copiesOf(far: LabSocket, sent: readonly Sent[]): readonly number[] {
  const heard = far.heard.map(({ data }) => Buffer.from(data).toString("latin1"));
  return sent.map(({ word }) => heard.filter((text) => text.includes(word)).length);
}

const newRules = /"msg":"new rules are in force"/g;

describe("relay run --rules FILE", () => {
  let relay: LabProcess;
  let near: LabSocket;
  let far: LabSocket;

  beforeEach(async () => {
    writeFileSync(file, allowed);
    relay = await openRelay(lab, { links: ["lan-a", "lan-b"], arguments: ["--rules", file] });
    near = await openMdns(lab.host("A"), 4);
    far = await openMdns(lab.host("B"), 4);
  });
  afterEach(async () => {
    for (const each of [near, far, relay]) await each?.[Symbol.asyncDispose]();
  });

  it("loses and doubles no packet of what may always cross while the file is replaced five times", async () => {
    const { web } = await announceWhile(near, 200, (index) => {
      if (index % 40 === 10) replace((index - 10) % 80 === 0 ? denied : allowed);
    });
    await sleep(500);
    expect(copiesOf(far, web)).toEqual(web.map(() => 1));
    expect(relay.output.match(newRules)).toHaveLength(5);
    await untilCrosses(near, far, false);
  });

  it("carries no more within two seconds what is newly denied, and again what is allowed", async () => {
    const changed: number[] = [];
    const { web, printing } = await announceWhile(near, 400, (index) => {
      if (index === 20) replace(denied);
      // In place: it is empty for a moment, which would allow everything.
      if (index === 220) writeFileSync(file, allowed);
      if (index === 20 || index === 220) changed.push(Date.now());
    });
    await sleep(500);
    const [deniedAt = 0, allowedAt = 0] = changed;
    const copies = (from: number, to: number) =>
      copiesOf(
        far,
        printing.filter(({ at }) => at >= from && at < to),
      );
    expect(new Set(copies(0, deniedAt))).toEqual(new Set([1]));
    expect(new Set(copies(deniedAt + takenMs, allowedAt))).toEqual(new Set([0]));
    expect(new Set(copies(allowedAt + takenMs, Infinity))).toEqual(new Set([1]));
    expect(copiesOf(far, web)).toEqual(web.map(() => 1));
  });

  it("goes on with the rules before while the file is wrong, and says which line", async () => {
    replace(denied);
    await relay.waitFor(newRules);
    replace("rules:\n  - { action: deny, service: printers }\n  - { action: alow }\n");
    const [line] = await relay.waitFor(/[^\n]*"code":"relay.rules"[^\n]*/);
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      text: `The rules are not used as they are now: ${file}:3:15: rules[1].action must be allow or deny, not "alow". Those before them stay in force.`,
    });
    await untilCrosses(near, far, false);
    rmSync(file);
    await relay.waitFor(/cannot read the rules [^\n]*ENOENT/);
    await untilCrosses(near, far, false);
    replace(denied);
    await relay.waitFor(/"code":"relay.rules","msg":"condition is over"/);
    expect(relay.output.match(newRules)).toHaveLength(1);
    replace(allowed);
    await relay.waitFor(/("msg":"new rules are in force"[^]*){2}/);
    await untilCrosses(near, far, true);
  });

  it("reads them at SIGHUP too, and runs on", async () => {
    writeFileSync(file, denied);
    await relay.kill("SIGHUP");
    await relay.waitFor(newRules);
    await relay.kill("SIGHUP");
    await untilCrosses(near, far, false);
  });
});

it("a relay whose terminal was closed ends", async () => {
  writeFileSync(file, denied);
  const onTerminal = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0: os.execvp(sys.argv[1], sys.argv[1:])
text = b""
while b"relaying" not in text: text += os.read(terminal, 4096)
os.close(terminal)
print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
`;
  const command = [...aerialRelay(["lan-a", "lan-b"]), "--rules", file];
  await using python = await lab.router.start(["/usr/bin/python3", "-c", onTerminal, ...command]);
  await python.waitFor(/ended 0/, 20_000);
});

it("the daemon takes links and rules of its configuration as it changes, and loses no packet of what stays", async () => {
  const section = (links: string, rule: string): string =>
    `relay:\n  enabled: true\n  links: [${links}]\n  rules:\n    - { action: deny, service: ${rule} }\n`;
  replace(section("lan-a, lan-b", "cast"));
  const environment = {
    AERIAL__STATE__DIRECTORY: join(directory, "state"),
    AERIAL__API__SOCKET: join(directory, "socket"),
    AERIAL__KUBERNETES__ENABLED: "false",
    AERIAL__LOG__FORMAT: "json",
  };
  const command = [process.execPath, "--conditions=source", "src/main.ts", "run", "--config", file];
  await using daemon = await lab.router.start(command, environment);
  await daemon.waitFor(/"msg":"relaying"/, 20_000);
  await using near = await openMdns(lab.host("A"), 4);
  await using far = await openMdns(lab.host("B"), 4);
  await using further = await openMdns(lab.host("C"), 4);
  const { web, printing } = await announceWhile(near, 200, (index) => {
    if (index === 20) replace(section("lan-a, lan-b, lan-c", "printers"));
  });
  await daemon.waitFor(/("msg":"relaying"[^]*){3}/, 15_000);
  expect(copiesOf(far, web)).toEqual(web.map(() => 1));
  expect(new Set(copiesOf(far, printing.slice(-50)))).toEqual(new Set([0]));
  expect(await crosses(near, further, "_http._tcp.local")).toBe(true);

  replace(`${section("lan-a, lan-b, lan-c", "printers")}scan: { interval: 60 }\n`);
  await daemon.waitFor(/restart aerial to use scan; what else it says of relay is in force/, 5_000);
  replace(section("lan-a, lan-b, lan-c", "prnters").replace("enabled", "enbled"));
  await daemon.waitFor(/"code":"config.file"[^\n]*:2:3: unknown key/, 5_000);
  await untilCrosses(near, far, false);
});
