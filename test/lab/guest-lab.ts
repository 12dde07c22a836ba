/** A node in QEMU: a real kernel in which virtual sticks are plugged and unplugged. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readAgentFiles } from "./agent-files.ts";
import { type DeviceNodeEvent, openDeviceNodeJournal } from "./device-node-journal.ts";
import { type ClockOffset, type GuestConnection, measureClock, openGuestLine } from "./guest-connection.ts";
import { buildInitramfs } from "./initramfs.ts";
import { prepareKernel } from "./kernel.ts";
import type { Lab, VirtualStick } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import { createProcessTable } from "./process-table.ts";
import type { WireStick } from "./protocol.ts";
import { type Accelerator, acceleratorsToTry, openQemu, type Qemu } from "./qemu.ts";

export interface GuestLabOptions {
  /** Whether systemd-udevd runs, as on most nodes. Not by default: what aerial needs must not depend on it. */
  readonly udev?: boolean;
  /**
   * Whether a stick's driver is loaded before it is plugged. By default it is without udevd, since then nobody loads it
   * later, and is not with it, since udevd does.
   */
  readonly driversLoaded?: boolean;
  readonly memoryMib?: number;
  /** Where progress goes, a line at a time. */
  readonly log?: (line: string) => void;
  /** How long the boot may take; 120 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** Instead of `AERIAL_LAB_ACCEL`. */
  readonly accelerator?: Accelerator | "auto";
}

export interface GuestLab extends Lab {
  readonly kind: "guest";
  /** The guest's `uname -r`. */
  readonly kernel: string;
  /** QEMU's process id on this machine. */
  readonly pid: number;
  /** Clock of the guest against this machine's, as measured at boot. */
  readonly clock: ClockOffset;
  /** How long the boot took, from starting QEMU to the agent's first word. */
  readonly bootMs: number;
  /** The guest's serial console so far: kernel complaints land here. */
  readonly console: string;
  /** What came and went below the guest's `/dev`, in this machine's time; the newest last, at most 4096. */
  readonly deviceNodeEvents: readonly DeviceNodeEvent[];
  /** The first event from `sinceMs` (this machine's time) on that matches; rejects at the deadline. */
  waitForDeviceNode(wanted: {
    readonly path: RegExp;
    readonly action: DeviceNodeEvent["action"];
    readonly sinceMs: number;
    readonly timeoutMs: number;
  }): Promise<DeviceNodeEvent>;
  /** Puts a file into the guest, whose root shows this machine's disk as it was when it was first looked at. */
  writeFile(path: string, contents: string | Uint8Array, options?: { readonly mode?: number }): Promise<void>;
}

const bootTimeoutMs = 120_000;
/** KVM boots in a second or two, or not at all. */
const fallbackMs = 20_000;
const defaultMemoryMib = 1024;
const runTimeoutMs = 60_000;
/** This machine's loopback as QEMU's user network shows it to the guest. */
const hostAddress = "10.0.2.2";
const projectRoot = resolve(import.meta.dirname, "..", "..");

/**
 * Boots a guest and gives it when plugging works. Throws LabError when something is missing on this machine (and says
 * what to install) or when the guest does not come up.
 */
export async function openGuestLab(options: GuestLabOptions = {}): Promise<GuestLab> {
  const { udev = false, driversLoaded = !udev, log = () => {} } = options;
  if (process.arch !== "x64") throw new LabError("the lab's guest runs this machine's own Node and needs an x86-64 machine");
  await using stack = new AsyncDisposableStack();

  const kernel = await prepareKernel(log);
  const work = await mkdtemp(join(tmpdir(), "aerial-lab-"));
  stack.defer(() => rm(work, { recursive: true, force: true }));

  const journal = openDeviceNodeJournal();
  const line = stack.use(
    await openGuestLine((event) => {
      if (event.event === "deviceNode") journal.record(event.news);
      else if (event.event !== "ready") processes.hear(event);
    }),
  );
  const initramfs = join(work, "initramfs.cpio");
  await writeFile(
    initramfs,
    await buildInitramfs({
      kernel,
      agent: await readAgentFiles(join(import.meta.dirname, "guest", "agent.ts")),
      parameters: {
        project: projectRoot,
        node: process.execPath,
        modules: dirname(kernel.modules),
        PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        HOME: homedir(),
        control: String(line.port),
        token: line.token,
        udev: udev ? "yes" : "",
        driversLoaded: driversLoaded ? "yes" : "",
      },
    }),
  );

  const { memoryMib = defaultMemoryMib, timeoutMs = bootTimeoutMs } = options;
  const { qemu, connection, bootMs, accelerator } = await boot({
    candidates: acceleratorsToTry(options.accelerator ?? process.env["AERIAL_LAB_ACCEL"] ?? "auto"),
    start: (accelerator) => openQemu({ image: kernel.image, initramfs, memoryMib, accelerator }),
    connected: line.connected,
    timeoutMs,
    log,
  });
  stack.use(qemu);
  stack.use(connection);
  // QEMU has read it, and this process may be killed before it could clean up.
  await rm(work, { recursive: true });
  const processes = createProcessTable({
    start: (ask) => connection.call("start", ask),
    kill: (ask) => connection.call("kill", ask),
    runTimeoutMs,
  });
  const clock = await measureClock(connection);
  journal.setClock(clock);
  log(`lab: Linux ${connection.kernel} booted in ${(bootMs / 1000).toFixed(1)} s (${accelerator})`);

  const lifetime = stack.move();
  return {
    kind: "guest",
    kernel: connection.kernel,
    pid: qemu.pid,
    clock,
    bootMs,
    get console() {
      return qemu.console;
    },
    get deviceNodeEvents() {
      return journal.events;
    },
    waitForDeviceNode: (wanted) => journal.waitFor(wanted),
    async plug(stick, { port } = {}) {
      const plugged = await connection.call("plug", { stick: toWire(stick), ...(port !== undefined && { port }) });
      return { stick, port: plugged.port, unplug: async () => void (await connection.call("unplug", { port: plugged.port })) };
    },
    async add(what) {
      const { id } = await connection.call("add", { what });
      return { [Symbol.asyncDispose]: async () => void (await connection.call("remove", { id })) };
    },
    run: processes.run,
    start: processes.start,
    reach: async () => hostAddress,
    async writeFile(path, contents, { mode = 0o644 } = {}) {
      await connection.call("writeFile", { path, contentsBase64: Buffer.from(contents).toString("base64"), mode });
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

interface Boot {
  readonly candidates: readonly Accelerator[];
  readonly start: (accelerator: Accelerator) => Promise<Qemu>;
  readonly connected: Promise<GuestConnection>;
  readonly timeoutMs: number;
  readonly log: (line: string) => void;
}

interface Booted {
  readonly qemu: Qemu;
  readonly connection: GuestConnection;
  readonly bootMs: number;
  readonly accelerator: Accelerator;
}

/** Boots with the first accelerator that works. One that has another behind it gets less time. */
async function boot({ candidates: [accelerator = "tcg", ...others], start, connected, timeoutMs, log }: Boot): Promise<Booted> {
  const startedMs = performance.now();
  await using stack = new AsyncDisposableStack();
  const qemu = stack.use(await start(accelerator));
  try {
    const connection = await booted({ qemu, connected, timeoutMs: others.length > 0 ? Math.min(timeoutMs, fallbackMs) : timeoutMs });
    stack.move();
    return { qemu, connection, bootMs: performance.now() - startedMs, accelerator };
  } catch (error) {
    qemu.kill();
    if (others.length === 0) throw error;
    log(`lab: the guest does not boot with ${accelerator}; trying ${others.join(", ")}`);
  }
  return boot({ candidates: others, start, connected, timeoutMs, log });
}

async function booted({ qemu, connected, timeoutMs }: Pick<Boot, "connected" | "timeoutMs"> & { qemu: Qemu }): Promise<GuestConnection> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new LabError(`the guest did not come up within ${timeoutMs} ms; its console:\n${qemu.console}`);
  });
  late.catch(() => {});
  const ended = qemu.ended.then(({ exitCode }): never => {
    if (qemu.console.includes("failed to execute")) throw new LabError("qemu-system-x86_64 is missing: apt-get install qemu-system-x86");
    throw new LabError(`the guest ended while booting (QEMU's exit code ${exitCode}); its console:\n${qemu.console}`);
  });
  // It also ends after a good boot, and then nobody waits for it here.
  ended.catch(() => {});
  try {
    return await Promise.race([connected, ended, late]);
  } finally {
    timer.abort();
  }
}

function toWire({ descriptors, ...stick }: VirtualStick): WireStick {
  return descriptors ? { ...stick, descriptorsBase64: Buffer.from(descriptors).toString("base64") } : stick;
}
