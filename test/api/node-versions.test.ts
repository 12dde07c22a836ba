/** The built program on the oldest Node that it allows and on its other LTS releases; all other tests run on Node 24. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventPage } from "../../src/api/contract/types.ts";
import type { RadioView } from "../../src/api/radio-view.ts";
import { oldestNode } from "../../src/node-version.ts";
import { getOverSocket } from "../lab/aerial-command.ts";
import type { LabProcess } from "../lab/lab.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { type NamespaceLab, openNamespaceLab } from "../light/namespace-lab.ts";
import { ptr, toMessage } from "../system/dns-wire.ts";
import { arrivals, fresh, openMdns, toMdns } from "../system/must-world.ts";
import { type NetworkLab, openNetworkLab } from "../system/network-lab.ts";
import { type InstalledProgram, installProgram, ownPackages } from "./installed-program.ts";
import { findNode, findSqliteFor, type NodeRelease } from "./node-releases.ts";

const oldest = `${oldestNode.join(".")}.0`;
const versions = [oldest, "22.23.3", "26.10.0"];
const setUpMs = 600_000;
const startMs = 20_000;

const plugin = `
  import { definePlugin } from "aerial/sdk";
  export const plugin = definePlugin({ apiVersion: 1, name: "acme", fingerprints: [] });`;

const nodes = new Map<string, NodeRelease>();
const stack = new AsyncDisposableStack();
let program: InstalledProgram;
/** Its own files and nothing else: no native code. */
let bare: InstalledProgram;
let node: NamespaceLab;
let network: NetworkLab;

beforeAll(async () => {
  execFileSync(resolve(import.meta.dirname, "../../scripts/build"), { stdio: ["ignore", "ignore", "inherit"] });
  for (const version of versions) nodes.set(version, await findNode(version));
  program = stack.use(await installProgram([await findSqliteFor(nodeOf(oldest)), ownPackages]));
  bare = stack.use(await installProgram([]));
  node = stack.use(await openNamespaceLab());
  network = stack.use(await openNetworkLab({ links: ["a", "b"] }));
}, setUpMs);

afterAll(() => stack.disposeAsync());

function nodeOf(version: string): NodeRelease {
  const found = nodes.get(version);
  if (found === undefined) throw new RangeError(`no Node ${version}`);
  return found;
}

interface Home extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly get: (path: string) => Promise<string>;
  readonly radios: () => Promise<readonly RadioView[]>;
}

/** What a daemon keeps, and how to reach it. */
async function openHome(): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-node-versions-"));
  const [file, socket] = [join(directory, "acme.mjs"), join(directory, "aerial.sock")];
  await writeFile(file, plugin, { mode: 0o600 });
  const get = (path: string): Promise<string> => getOverSocket(socket, path);
  return {
    environment: {
      AERIAL__NODE__NAME: "lab-node",
      AERIAL__KUBERNETES__ENABLED: "false",
      AERIAL__STATE__DIRECTORY: directory,
      AERIAL__PLUGINS__PATHS: JSON.stringify([file]),
      AERIAL__API__SOCKET: socket,
    },
    get,
    radios: async () => (JSON.parse(await get("/api/v1/radios")) as { readonly radios: readonly RadioView[] }).radios,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function startDaemon(version: string, { environment }: Home): Promise<LabProcess> {
  const daemon = await node.start([nodeOf(version).program, program.main, "run"], { environment });
  await daemon.waitForLine(/aerial is up/, startMs);
  return daemon;
}

async function plug(): Promise<AsyncDisposable> {
  const plugged = await node.plug(sonoffDonglePlus);
  let gone: Promise<void> | undefined;
  return { [Symbol.asyncDispose]: () => (gone ??= plugged.unplug()) };
}

describe.each(versions)("Node %s", (version) => {
  test("says the version, without a warning", async () => {
    const { stdout, stderr } = await promisify(execFile)(nodeOf(version).program, [program.main, "version"]);
    expect([stdout, stderr]).toEqual([expect.stringContaining(`(Node ${version})`), ""]);
  });

  test("finds a radio, runs a plugin of others, answers, and remembers all of it when it is killed", async () => {
    await using home = await openHome();
    await using first = await startDaemon(version, home);
    await using plugged = await plug();
    await expect.poll(home.radios, { timeout: startMs }).toMatchObject([{ state: "present" }]);
    const [radio] = await home.radios();
    expect(await home.get("/api/v1/plugins")).toContain('"acme"');
    expect(await home.get("/api/v1/conditions")).not.toContain('"plugin.');
    expect(await home.get("/metrics")).toMatch(/^aerial_/m);
    expect(JSON.parse(await home.get("/api/v1/doctor"))).toHaveProperty("findings");
    await first.kill("SIGKILL");
    await first.exited;
    await plugged[Symbol.asyncDispose]();

    await using second = await startDaemon(version, home);
    await expect.poll(home.radios, { timeout: startMs }).toMatchObject([{ id: radio?.id, state: "absent" }]);
    const { events } = JSON.parse(await home.get("/api/v1/events?limit=100")) as EventPage;
    expect(events.map(({ type }) => type)).toContain("attached");
    await second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    expect(first.output + second.output).not.toMatch(/Warning|this is a bug/);
  });

  test("relays from link to link, and ends well when told to", async () => {
    const links = ["--link", "lan-a", "--link", "lan-b"];
    await using relay = await network.router.start([nodeOf(version).program, program.main, "relay", "run", ...links]);
    await using near = await openMdns(network.host("A"), 4);
    await using far = await openMdns(network.host("B"), 4);
    await relay.waitFor(/"msg":"relaying"/, startMs);
    const word = fresh("node");
    await near.send(toMessage({ questions: [{ name: `${word}.local`, type: 1 }], answers: [ptr(word, word)] }), toMdns(4));
    expect(await arrivals(far, word)).toHaveLength(1);
    await relay.kill("SIGTERM");
    expect(await relay.exited).toBe(0);
    expect(relay.output).not.toMatch(/Warning|this is a bug/);
  });
});

test("where SQLite is not compiled for an older Node, it says what to do", async () => {
  await using home = await openHome();
  const { exitCode, stderr } = await node.run([nodeOf(oldest).program, bare.main, "run"], { environment: home.environment });
  expect(exitCode).toBe(74);
  expect(stderr).toContain(`cannot load better-sqlite3-node20, the SQLite for Node ${oldest}`);
  expect(stderr).toContain("npm rebuild better-sqlite3-node20");
});

test("a relay that cannot start is tried again until it is told to end", async () => {
  await using relay = await network.router.start([process.execPath, bare.main, "relay", "run", "--link", "lan-a", "--link", "lan-b"]);
  await relay.waitFor(/(the relay's thread failed[^]*){2}/, startMs);
  await relay.kill("SIGTERM");
  expect(await relay.exited).toBe(0);
});
