/** The real process, as a shell would start it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openApi } from "../api/open-api.ts";
import type { ApiSources, RelayView } from "../api/sources.ts";
import { Cell } from "../core/cell.ts";
import { AerialError } from "../core/errors.ts";
import type { RadioHolder } from "../core/handover.ts";
import type { Radio, Snapshot } from "../core/radio.ts";
import { apiSources } from "../../test/fixtures/api-sources.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
// A process takes most of a second to start here, and several on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
const patience = { timeout: 20_000 };

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-cli-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

function start(argv: readonly string[], node: readonly string[] = []) {
  const { PATH } = process.env;
  const child = spawn(process.execPath, ["--conditions=source", ...node, main, ...argv], {
    env: { PATH, HOME: directory, AERIAL_CONFIG: config(""), AERIAL__STATE__DIRECTORY: join(directory, "state") },
  });
  children.push(child);
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const exited = once(child, "close").then(([code]) => ({ ...output, code: code as number | null }));
  return { child, output, exited };
}

const run = (...argv: string[]) => start(argv).exited;

function config(text: string): string {
  const file = join(directory, "config.yaml");
  writeFileSync(file, text);
  return file;
}

const radio: Radio = {
  id: "acme-0001",
  idBasis: "serial",
  presence: "present",
  mode: "application",
  firstSeen: "2026-01-02T03:04:05.678Z",
  lastSeen: "2026-01-02T03:04:05.678Z",
  device: {
    sysPath: "devices/x/ttyUSB0",
    function: "serial",
    nodes: [{ path: "/dev/ttyUSB0", major: 188, minor: 0 }],
  },
  identity: {
    state: "identified",
    kinds: ["zigbee"],
    certainty: "certain",
    alternatives: [],
    vendor: "Acme",
    model: "Stick \u001b[31m",
    mode: "application",
    evidence: [],
  },
};

const snapshotOf = (revision: number, radios: readonly Radio[]): Snapshot => ({
  revision,
  node: "node-1",
  complete: true,
  radios: new Map(radios.map((one) => [one.id, one])),
  others: [],
});

/** A relay that has seen one service, and a packet each 10 ms. */
const relay: RelayView = {
  status: () => Promise.resolve({ id: "node-1", protocols: ["mdns"], links: [], pairs: [], rules: [], searches: 0, services: 1 }),
  services: () =>
    Promise.resolve([
      {
        protocol: "mdns",
        service: "_hap._tcp",
        instance: "Lamp \u001b[31m",
        addresses: [],
        text: {},
        link: "iot",
        lastSeen: "2026-01-02T03:04:05.678Z",
        expires: "2026-01-02T03:04:05.678Z",
        relayedTo: [],
      },
    ]),
  async *trace(signal) {
    while (!signal.aborted) {
      yield {
        at: "2026-01-02T03:04:05.678Z",
        protocol: "mdns",
        family: 4,
        from: "iot",
        source: "192.0.2.7",
        bytes: 9,
        what: "answer \u001b[31m",
        verdict: "echo",
      };
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },
};

type Parts = { readonly ready?: boolean } & Pick<ApiSources, "relay" | "radioPods" | "handover">;

async function daemon(radios: readonly Radio[], { ready = true, ...parts }: Parts = {}) {
  const socket = join(directory, "a.sock");
  const snapshots = new Cell(snapshotOf(1, radios));
  const api = await openApi(
    {
      ...apiSources(),
      socket,
      snapshots,
      readiness: () => ({ ready, waitingFor: ready ? [] : ["first scan"] }),
      ...parts,
    },
    new AbortController().signal,
  );
  return { socket, snapshots, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

describe("without a daemon", () => {
  test("help and version", async () => {
    expect(await run("--help")).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("aerial COMMAND --help") as string });
    expect(await run("version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^aerial \d+\.\d+\.\d+ /) as string });
  });

  test("wrong usage is 64, and says what was meant", async () => {
    expect(await run("scna")).toMatchObject({ code: 64, stdout: "", stderr: expect.stringContaining('did you mean "scan"?') as string });
  });

  test("a wrong configuration is 78 and starts with the place", async () => {
    const file = join(directory, "wrong.yaml");
    writeFileSync(file, "version: 1\nlables: {}\n");
    const { code, stderr, stdout } = await run("run", "--config", file);
    expect(code).toBe(78);
    expect(stdout).toBe("");
    expect(stderr.split("\n")[0]).toBe(`${file}:2:1: unknown key "lables"; did you mean "labels"?`);
  });

  test("asking it is 69, and says where it was looked for and what to do", async () => {
    const { code, stderr } = await run("devices", "--socket", join(directory, "none.sock"));
    expect(code).toBe(69);
    expect(stderr).toContain(`no aerial is running (tried ${join(directory, "none.sock")})`);
    expect(stderr).toContain("`aerial run`");
    expect(stderr).toContain("`aerial scan`");
  });

  test("cleanup without a cluster is 69 and says so", async () => {
    const { code, stderr } = await run("cleanup");
    expect(code).toBe(69);
    expect(stderr).toContain("no cluster to clean up");
  });
});

describe("scan", () => {
  test("looks below another root, and says what it cannot see", async () => {
    mkdirSync(join(directory, "sys/class/tty"), { recursive: true });
    mkdirSync(join(directory, "dev"));
    const { code, stdout, stderr } = await run("scan", "--root", directory);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "no devices that could be radios\n" });
    expect(stderr).toContain("cannot see USB devices");
  });

  test("prints JSON that programs can read", async () => {
    mkdirSync(join(directory, "sys/class/tty"), { recursive: true });
    mkdirSync(join(directory, "dev"));
    const { stdout } = await run("scan", "--root", directory, "-o", "json");
    expect(JSON.parse(stdout)).toMatchObject({ devices: [], blindSpots: [{ what: "USB devices" }] });
  });

  test("of a machine without sysfs is 74", async () => {
    expect(await run("scan", "--root", directory)).toMatchObject({ code: 74, stderr: expect.stringContaining("no sysfs at") as string });
  });

  test("loads neither the API server, nor the store, nor the cluster client", async () => {
    mkdirSync(join(directory, "sys/class/tty"), { recursive: true });
    mkdirSync(join(directory, "dev"));
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => (process.stderr.write(url + "\\n"), next(url, context)) });`;
    const { exited } = start(["scan", "--root", directory], ["--import", `data:text/javascript,${encodeURIComponent(hook)}`]);
    const { stderr, code } = await exited;
    expect(code).toBe(0);
    expect(stderr).toContain("src/cli/scan-command.ts");
    expect(stderr).not.toMatch(/node_modules\/(fastify|pino|better-sqlite3|@kubernetes|dbus-next)\//);
  });
});

test("run logs to standard output and ends well when told to", async () => {
  mkdirSync(join(directory, "sys/class/tty"), { recursive: true });
  for (const name of ["dev", "proc", "run"]) mkdirSync(join(directory, name));
  const roots = ["sys", "dev", "proc", "run"].map((name) => `${name}: ${join(directory, name)}`).join(", ");
  const file = join(directory, "run.yaml");
  writeFileSync(
    file,
    `host: {${roots}}\nstate: {directory: ${directory}}\napi: {socket: ${join(directory, "a.sock")}}\nkubernetes: {enabled: false}\n`,
  );
  const { child, output, exited } = start(["run", "--config", file]);
  await expect.poll(() => output.stdout, patience).toMatch(/"msg":"(started|aerial is up)"/);
  child.kill("SIGTERM");
  const { code, stderr, stdout } = await exited;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object)[0],
  ).toMatchObject({ level: "info", msg: "configuration read", file });
});

describe("with a daemon", () => {
  test("devices lists radios, safely", async () => {
    await using one = await daemon([radio]);
    const { code, stdout } = await run("devices", "-s", one.socket);
    expect(code).toBe(0);
    expect(stdout).toBe(
      "NAME       KIND    MODEL                  STATE    ATTACHED  DEVICE        PORT  SERIAL\n" +
        "acme-0001  zigbee  Acme Stick \\u{1b}[31m  present  local     /dev/ttyUSB0  -     -\n",
    );
  });

  test("explain says why, and 1 for what nobody knows", async () => {
    await using one = await daemon([radio]);
    expect(await run("explain", "/dev/ttyUSB0", "-s", one.socket)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("It is zigbee") as string,
    });
    expect(await run("explain", "nix", "-s", one.socket)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing here goes by "nix"') as string,
    });
  });

  test("explain names the pod that was given the radio, and by what another would ask for it", async () => {
    const holder: RadioHolder = {
      radioId: radio.id,
      namespace: "home",
      pod: "z2m-0",
      container: "main",
      way: "device-plugin",
      request: "radio.mi.house/zigbee",
      since: "2026-01-02T03:04:05.678Z",
    };
    const handover = { holders: new Cell([holder]), resourceOf: () => "radio.mi.house/zigbee" };
    await using one = await daemon([radio], { handover });
    const { stdout } = await run("explain", radio.id, "-s", one.socket);
    expect(stdout).toMatch(/^ {2}resource +radio\.mi\.house\/zigbee\n {2}handed to +home\/z2m-0 \(container main\) since 2026-/m);
  });

  test("pods lists those that ask for radios, and explain pod says why one waits", async () => {
    const pod = {
      namespace: "home",
      name: "z2m-0",
      phase: "pending",
      wants: [{ way: "device-plugin", request: "radio.mi.house/zigbee", count: 2 }],
      holds: [],
      waiting: "No node has it \u001b[31m.",
    } as const;
    const radioPods = () => Promise.resolve({ at: "2026-01-02T03:04:05.678Z", complete: false, pods: [pod] });
    await using one = await daemon([], { radioPods });
    const { stdout, stderr } = await run("pods", "-s", one.socket);
    expect(stdout).toBe(
      "POD         STATE    NODE  ASKS FOR                    HOLDS  WHY IT WAITS\n" +
        "home/z2m-0  pending  -     2 of radio.mi.house/zigbee  -      No node has it \\u{1b}[31m.\n",
    );
    expect(stderr).toContain("this is not all");
    expect(JSON.parse((await run("pods", "-s", one.socket, "-o", "json")).stdout)).toEqual([pod]);
    for (const key of ["home/z2m-0", "z2m-0"]) {
      expect(await run("explain", "pod", key, "-s", one.socket)).toMatchObject({
        code: 0,
        stdout: "home/z2m-0: pending\n  No node has it \\u{1b}[31m.\n  asks for  2 of radio.mi.house/zigbee\n",
      });
    }
    expect(await run("explain", "pod", "away/z2m-0", "-s", one.socket)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no pod away/z2m-0 asks for a radio\n`aerial pods`") as string,
    });
  });

  test("pods says which right is missing, or that there is no cluster", async () => {
    const refused = new AerialError("pods.forbidden", "aerial may not list the cluster's pods");
    const one = await daemon([], { radioPods: () => Promise.reject(refused) });
    expect(await run("pods", "-s", one.socket)).toMatchObject({
      code: 77,
      stderr: expect.stringContaining("components/see-pods") as string,
    });
    await one[Symbol.asyncDispose]();
    await using other = await daemon([]);
    expect(await run("pods", "-s", other.socket)).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("no radios are given to pods here") as string,
    });
  });

  test("health is 0 when it lives, and 1 when asked for more than it has done", async () => {
    await using one = await daemon([], { ready: false });
    expect(await run("health", "-s", one.socket)).toMatchObject({ code: 0 });
    const { code, stdout } = await run("health", "--ready", "-s", one.socket);
    expect(code).toBe(1);
    expect(stdout).toContain("waiting for first scan");
  });

  test("watch tells what comes, and that the daemon went", async () => {
    const one = await daemon([]);
    const { output, exited } = start(["watch", "-s", one.socket]);
    // Connected or not: either way the radio is told of.
    one.snapshots.set(snapshotOf(2, [radio]));
    await expect.poll(() => output.stdout, patience).toMatch(/present|attached/);
    one.snapshots.set(snapshotOf(3, [{ ...radio, presence: "absent", absentSince: radio.lastSeen }]));
    await expect.poll(() => output.stdout, patience).toContain("detached");
    await one[Symbol.asyncDispose]();
    expect(await exited).toMatchObject({ code: 69, stderr: expect.stringContaining("the daemon has stopped") as string });
  });

  test("relay status, services and trace tell of the relay, safely", async () => {
    await using one = await daemon([], { relay });
    expect(await run("relay", "status", "-s", one.socket)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("relay node-1: mdns; 1 service known") as string,
    });
    const services = await run("relay", "services", "--service", "hap", "-s", one.socket);
    expect(services.stdout).toContain("_hap._tcp  Lamp \\u{1b}[31m");
    const none = await run("relay", "services", "--link", "home", "-s", one.socket);
    expect(none).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("no services") as string });
    const { child, output, exited } = start(["relay", "trace", "-s", one.socket]);
    await expect.poll(() => output.stdout, patience).toContain("echo        iot  mdns 192.0.2.7  answer \\u{1b}[31m (9 B)\n");
    child.kill("SIGINT");
    expect(await exited).toMatchObject({ code: 0, stderr: "" });
  });

  test("relay commands say when there is no relay, or that the daemon went", async () => {
    const one = await daemon([]);
    const { code, stderr } = await run("relay", "status", "-s", one.socket);
    expect(code).toBe(69);
    expect(stderr).toContain("no relay is configured here\nname two links or more");
    await one[Symbol.asyncDispose]();
    await using other = await daemon([], { relay });
    const { output, exited } = start(["relay", "trace", "-o", "json", "-s", other.socket]);
    await expect.poll(() => output.stdout, patience).toContain("\n");
    expect(JSON.parse(output.stdout.split("\n")[0] ?? "")).toMatchObject({ type: "packet", what: "answer \u001b[31m" });
    await other[Symbol.asyncDispose]();
    expect(await exited).toMatchObject({ code: 69, stderr: expect.stringContaining("the daemon has stopped") as string });
  });

  test("a reader that has had enough is no failure", async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({ ...radio, id: `radio-${index}` }));
    await using one = await daemon(many);
    const { child, exited } = start(["devices", "-s", one.socket, "-o", "json"]);
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await exited).toMatchObject({ code: 0, stderr: "" });
  });
});
