/** A node without a VM: mount, network and process namespaces with made-up `/sys` and `/dev`, and real uevents, inotify and ttys. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Lab, PluggedStick, VirtualStick } from "../lab/lab.ts";
import { createProcessTable } from "../lab/process-table.ts";
import { openNamespaceLine } from "./namespace-line.ts";
import { toWire, type StickPlace } from "./namespace-protocol.ts";
import type { SerialPortOptions } from "./platform-objects.ts";

export interface NamespaceLabOptions {
  /** In a user namespace of its own, as for who is not root. Default: when this process is not root. */
  readonly unprivileged?: boolean;
}

export interface NamespaceLab extends Lab {
  readonly kind: "namespace";
  plug(stick: VirtualStick, options?: { readonly port?: number }): Promise<PluggedStick & StickPlace>;
  /** A port of the board itself, such as a Raspberry Pi's for HATs. */
  addSerialPort(options: SerialPortOptions): Promise<AsyncDisposable>;
}

const projectRoot = resolve(import.meta.dirname, "..", "..");
const commandTimeoutMs = 20_000;
const closeTimeoutMs = 3_000;

/**
 * Opens the namespaces. Plugging is whole when it resolves: no driver takes its time here. Tty nodes can be opened and
 * hang up on unplug, but are ptys: their own numbers are not those in sysfs, and nobody answers. Wi-Fi modes cannot be
 * told, since nl80211 has no such phy. Throws LabError when this machine allows no namespaces.
 */
export async function openNamespaceLab({ unprivileged = process.getuid?.() !== 0 }: NamespaceLabOptions = {}): Promise<NamespaceLab> {
  await using stack = new AsyncDisposableStack();
  const work = await mkdtemp(join(tmpdir(), "aerial-light-"));
  stack.defer(() => rm(work, { recursive: true, force: true }));

  const child = spawn("unshare", unshareArguments(work, unprivileged), {
    cwd: projectRoot,
    env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, HOME: homedir(), TMPDIR: tmpdir() },
    stdio: ["pipe", "pipe", "pipe"],
  });
  stack.defer(() => hangUp(child));
  const line = await openNamespaceLine(child, (news) => processes.hear(news));
  const processes = createProcessTable({
    start: (ask) => line.call("start", ask),
    kill: (ask) => line.call("kill", ask),
    runTimeoutMs: commandTimeoutMs,
  });

  const removal = (id: number): AsyncDisposable => ({ [Symbol.asyncDispose]: async () => void (await line.call("remove", { id })) });
  const reached = new Map<number, Promise<unknown>>();

  const lifetime = stack.move();
  return {
    kind: "namespace",
    async plug(stick, { port } = {}) {
      const { id, ...place } = await line.call("plug", { stick: toWire(stick), ...(port !== undefined && { port }) });
      return { stick, ...place, unplug: async () => void (await line.call("remove", { id })) };
    },
    add: async (what) => removal((await line.call("add", { what })).id),
    addSerialPort: async (options) => removal((await line.call("addSerialPort", options)).id),
    run: processes.run,
    start: processes.start,
    async reach(port) {
      const socket = join(work, `${port}.sock`);
      const opened = reached.get(port) ?? lifetime.use(openDoor(socket, port)).opened.then(() => line.call("forward", { port, socket }));
      reached.set(port, opened);
      await opened;
      return "127.0.0.1";
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

/** `--kill-child`: whatever happens to this process or to the agent, nothing in the namespaces outlives them. */
function unshareArguments(work: string, unprivileged: boolean): string[] {
  const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const user = unprivileged ? ["--user", "--map-root-user"] : [];
  const agent = [process.execPath, "--conditions=source", join(import.meta.dirname, "agent.ts"), work, unprivileged ? "no" : "yes"];
  return [...user, ...namespaces, "--", ...agent];
}

async function hangUp(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), closeTimeoutMs);
  await gone;
  clearTimeout(timer);
}

/** Passes what arrives at a unix socket on to a TCP port of this machine's loopback. */
function openDoor(path: string, port: number): AsyncDisposable & { readonly opened: Promise<void> } {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = createConnection({ host: "127.0.0.1", port, allowHalfOpen: true });
    for (const socket of [near, far]) sockets.add(socket.once("close", () => sockets.delete(socket)));
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  return {
    opened: new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
