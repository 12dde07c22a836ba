/** What is shipped: the daemon out of `scripts/build`, in few files, finds all that it needs beside it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const projectRoot = resolve(import.meta.dirname, "../..");
const main = join(projectRoot, "dist/src/main.js");

const pluginFile = `
  import { definePlugin } from "aerial/sdk";
  export const plugin = definePlugin({ apiVersion: 1, name: "acme", fingerprints: [] });`;

/** Tells which of Node's own modules the program has loaded, once it is up. */
const reporter = `
  process.on("SIGUSR2", () => process.stdout.write(JSON.stringify({ msg: "modules", modules: process.moduleLoadList }) + "\\n"));`;

interface Daemon extends AsyncDisposable {
  readonly get: (path: string) => Promise<Response>;
  readonly modules: () => Promise<readonly string[]>;
}

async function openDaemon(): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-build-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const [plugin, hook] = [join(directory, "acme.mjs"), join(directory, "reporter.mjs")];
  await writeFile(plugin, pluginFile, { mode: 0o600 });
  await writeFile(hook, reporter);
  const child = spawn(process.execPath, ["--import", hook, main, "run"], {
    env: {
      PATH: process.env["PATH"],
      AERIAL__NODE__NAME: "built-node",
      AERIAL__KUBERNETES__ENABLED: "false",
      AERIAL__STATE__DIRECTORY: directory,
      AERIAL__PLUGINS__PATHS: JSON.stringify([plugin]),
      AERIAL__RELAY__ENABLED: "true",
      AERIAL__RELAY__LINKS: "[nowhere0, nowhere1]",
      AERIAL__API__SOCKET: join(directory, "aerial.sock"),
      AERIAL__API__PORT: "0",
      AERIAL__LOG__FORMAT: "json",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(async () => {
    if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
  });
  const lines = createInterface({ input: child.stdout });
  const said = new Map<string, PromiseWithResolvers<Record<string, unknown>>>(
    ["aerial is up", "modules"].map((msg) => [msg, Promise.withResolvers()]),
  );
  lines.on("line", (text) => {
    const entry = JSON.parse(text) as Record<string, unknown>;
    said.get(String(entry["msg"]))?.resolve(entry);
  });
  const line = (msg: string): Promise<Record<string, unknown>> =>
    Promise.race([
      said.get(msg)?.promise ?? Promise.reject(new Error(msg)),
      once(child, "exit").then(() => Promise.reject(new Error(`aerial ended before it said: ${msg}`))),
    ]);
  const { addresses } = await line("aerial is up");
  const address = (addresses as readonly string[]).find((url) => url.startsWith("http://127.0.0.1:"));
  const lifetime = stack.move();
  return {
    get: (path) => fetch(new URL(path, address)),
    async modules() {
      child.kill("SIGUSR2");
      return (await line("modules"))["modules"] as readonly string[];
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

let daemon: Daemon;

beforeAll(async () => {
  execFileSync(join(projectRoot, "scripts/build"), { stdio: ["ignore", "ignore", "inherit"] });
  daemon = await openDaemon();
});

afterAll(() => daemon[Symbol.asyncDispose]());

test("it knows its version", () => {
  expect(execFileSync(process.execPath, [main, "version"], { encoding: "utf8" })).toMatch(/^aerial \d+\.\d+\.\d+ /);
});

test("it is written for the oldest Node that it allows, and tells an older one so", async () => {
  const files = (await readdir(dirname(main), { recursive: true })).filter((name) => name.endsWith(".js"));
  const texts = await Promise.all(files.map((name) => readFile(join(dirname(main), name), "utf8")));
  expect(texts.filter((text) => /^\s*(await )?using \w+ =/m.test(text))).toEqual([]);
  const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.8"}})';
  const { status, stderr } = spawnSync(process.execPath, ["--import", older, main, "version"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([69, expect.stringContaining("aerial needs Node 20.19 or newer, and this is 18.20.8")]);
});

test("the page comes with its modules, and the document of the API", async () => {
  const page = await (await daemon.get("/")).text();
  const [, script] = /<script type="module" src="([^"]+)">/.exec(page) ?? [];
  expect(script).toMatch(/^assets\/.+\/main\.js$/);
  const module = await daemon.get(`/${script}`);
  expect([module.status, module.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
  expect(await (await daemon.get("/openapi.json")).json()).toHaveProperty("openapi");
});

test("plugins of others run in their thread, with the kit that is shipped", async () => {
  const plugins: unknown = await (await daemon.get("/api/v1/plugins")).json();
  expect(JSON.stringify(plugins)).toContain('"acme"');
  const conditions = JSON.stringify(await (await daemon.get("/api/v1/conditions")).json());
  expect(conditions).not.toContain("plugin.");
});

test("the relay's thread is up", async () => {
  await expect.poll(async () => (await daemon.get("/api/v1/relay")).status, { timeout: 10_000 }).toBe(200);
});

test("Node's client for fetch, 12 MiB that nothing here uses, is not loaded", async () => {
  await daemon.get("/");
  const modules = await daemon.modules();
  expect(modules).toContain("NativeModule http");
  expect(modules.filter((name) => name.includes("undici"))).toEqual([]);
});

test("others can import the client", async () => {
  expect(await import(pathToFileURL(join(projectRoot, "dist/src/client/index.js")).href)).toHaveProperty("createAerialClient");
});
