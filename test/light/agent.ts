/** The lab's hand in the namespace: does what the test process calls for over stdin, and tells what processes write over stdout. */
import { unlinkSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { openProcesses } from "../lab/guest/processes.ts";
import { jsonLines, type AddedKind } from "../lab/protocol.ts";
import { createHeldNodes } from "./held-nodes.ts";
import { createHostTree, type TreeDevice } from "./host-tree.ts";
import type { KernelHooks } from "./kernel-objects.ts";
import { call, makeCharacterDevice } from "./libc.ts";
import { coverHostTrees } from "./namespace-root.ts";
import { fromWire, type NamespaceCall, type NamespaceCallName, type NamespaceCalls, type NamespaceMessage } from "./namespace-protocol.ts";
import { bindPty, openPty, type Pty, unbindPty } from "./ptys.ts";
import { openUeventSpeaker } from "./uevent-socket.ts";

type CallTable = { readonly [Name in NamespaceCallName]: (ask: NamespaceCalls[Name]["ask"]) => Promise<NamespaceCalls[Name]["answer"]> };

const [work = "", mayMakeNodes = ""] = process.argv.slice(2);

const say = (message: NamespaceMessage): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

coverHostTrees(work);
bringLoopbackUp();
const heldNodes = createHeldNodes();
const lines = new Map<string, Pty>();

const hooks: KernelHooks = {
  numberNode(path, node) {
    if (!/\/tty(?:USB|ACM)\d+$/u.test(path)) return node;
    const { major, minor } = openLine(path);
    return { ...node, major, minor };
  },
  makeNode(path, { major, minor }) {
    const line = lines.get(path);
    if (line !== undefined) bindPty(path, line);
    else if (mayMakeNodes === "yes") makeCharacterDevice(path, major, minor);
    else writeFileSync(path, "", { mode: 0o600 });
  },
  removeNode(path) {
    heldNodes.leaving(path);
    const line = lines.get(path);
    lines.delete(path);
    if (line === undefined) unlinkSync(path);
    else unbindPty(path, line);
  },
  announce: openUeventSpeaker(),
};

const tree = createHostTree("/", { hooks, isHeld: (node) => heldNodes.isHeld(node) });
const processes = openProcesses((news) => {
  if (news.event === "output" || news.event === "exited") say(news);
});
const inserted = new Map<number, TreeDevice>();
let lastId = 0;

function openLine(path: string): Pty {
  const line = openPty();
  lines.set(path, line);
  return line;
}

const keep = (device: TreeDevice): number => {
  inserted.set((lastId += 1), device);
  return lastId;
};

const take = (id: number): void => {
  inserted.get(id)?.remove();
  inserted.delete(id);
};

const additions: Readonly<Record<AddedKind, () => TreeDevice>> = {
  bluetooth: () => tree.addBluetooth(),
  wifi: () => tree.addWifi(),
  "wifi-station-only": () => tree.addWifi(),
  ieee802154: () => tree.addIeee802154(),
  spidev: () => tree.addSpidev(),
};

const calls: CallTable = {
  async plug({ stick, port }) {
    const plugged = tree.plug(fromWire(stick), port === undefined ? {} : { port });
    const { path, nodes, busNumber, deviceNumber, portPath } = plugged;
    return { id: keep(plugged), port: plugged.port, path, nodes, busNumber, deviceNumber, portPath };
  },
  add: async ({ what }) => ({ id: keep(additions[what]()) }),
  addSerialPort: async (ask) => ({ id: keep(tree.addSerialPort(ask)) }),
  remove: async ({ id }) => (take(id), null),
  start: (ask) => processes.start(ask),
  kill: async ({ process, signal }) => (processes.kill(process, signal), null),
  forward: async ({ port, socket }) => (await forward(port, socket), null),
};

async function answer({ id, call, ask }: NamespaceCall): Promise<void> {
  try {
    // The table's keys and argument types are those of NamespaceCalls; a message cannot carry the proof.
    say({ id, answer: await (calls[call] as (ask: unknown) => Promise<unknown>)(ask) });
  } catch (error) {
    say({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** Listens on the namespace's own loopback and passes each connection on through a unix socket, which knows no network namespaces. */
async function forward(port: number, path: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = createConnection({ path, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** As `ip link set lo up`: SIOCSIFFLAGS with IFF_UP on `lo` (netdevice(7)); its addresses come by themselves. */
function bringLoopbackUp(): void {
  const [AF_INET, SOCK_DGRAM, SIOCSIFFLAGS, IFF_UP] = [2, 2, 0x8914, 1];
  const request = Buffer.alloc(40);
  request.write("lo");
  request.writeInt16LE(IFF_UP, 16);
  call("configure", call("socket", AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, request);
}

process.stdin
  .setEncoding("utf8")
  .on(
    "data",
    jsonLines((message) => void answer(message as NamespaceCall)),
  )
  .once("end", () => process.exit(0));
say({ event: "ready" });
