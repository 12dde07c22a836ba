/** The lab's hand in the guest: does what the host calls for, and tells what comes and goes in /dev. Ends when the host hangs up. */
import { mkdir, writeFile } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { release } from "node:os";
import { dirname } from "node:path";
import { type CallMessage, type GuestCallName, type GuestCalls, type GuestMessage, jsonLines } from "../protocol.ts";
import { openAdditions } from "./additions.ts";
import { watchDeviceNodes } from "./device-nodes.ts";
import { openProcesses } from "./processes.ts";
import { startUdev } from "./udev.ts";
import { openUsbPorts } from "./usb-ports.ts";
import { wallClockMs } from "./wall-clock.ts";

type CallTable = { readonly [Name in GuestCallName]: (ask: GuestCalls[Name]["ask"]) => Promise<GuestCalls[Name]["answer"]> };

/** This machine's loopback as QEMU's user network shows it to the guest. */
const hostAddress = "10.0.2.2";

const { control = "", token = "", udev = "", driversLoaded = "" } = process.env;
for (const name of ["control", "token", "udev", "driversLoaded"]) delete process.env[name];

const socket = await connect(Number(control));
const say = (message: GuestMessage): void => {
  socket.write(`${JSON.stringify(message)}\n`);
};

if (udev !== "") await startUdev();
const usb = openUsbPorts({ loadDrivers: driversLoaded !== "" });
const additions = openAdditions();
const processes = openProcesses(say);
watchDeviceNodes((news) => say({ event: "deviceNode", news }));

const calls: CallTable = {
  plug: async ({ stick, port }) => ({ port: await usb.plug(stick, port) }),
  unplug: async ({ port }) => (await usb.unplug(port), null),
  add: async ({ what }) => ({ id: await additions.add(what) }),
  remove: async ({ id }) => (await additions.remove(id), null),
  start: (ask) => processes.start(ask),
  kill: async ({ process, signal }) => (processes.kill(process, signal), null),
  async writeFile({ path, contentsBase64, mode }) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.from(contentsBase64, "base64"), { mode });
    return null;
  },
  clock: async () => ({ nowMs: wallClockMs() }),
};

async function answer({ id, call, ask }: CallMessage): Promise<void> {
  try {
    // The table's keys and argument types are those of GuestCalls; a message cannot carry the proof.
    say({ id, answer: await (calls[call] as (ask: unknown) => Promise<unknown>)(ask) });
  } catch (error) {
    say({ id, failure: error instanceof Error ? error.message : String(error) });
  }
}

socket.setEncoding("utf8").on(
  "data",
  jsonLines((message) => void answer(message as CallMessage)),
);
socket.once("close", () => process.exit(0));
say({ event: "ready", token, kernel: release() });

async function connect(port: number): Promise<Socket> {
  const socket = createConnection({ host: hostAddress, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}
