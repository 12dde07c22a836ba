/** aerial itself on the namespace lab's node, and a way for the browser of this machine to its page. */
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aerialOnLab } from "../light/aerial-on-lab.ts";
import { type NamespaceLab, openNamespaceLab } from "../light/namespace-lab.ts";

export interface LabPage extends AsyncDisposable {
  readonly lab: NamespaceLab;
  /** Ends with a slash. The bytes go to the daemon's unix socket: as at the node itself, no token is asked for. */
  readonly url: string;
  /** Kills the daemon at once, and starts it again. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function openLabPage(environment: Readonly<Record<string, string>> = {}): Promise<LabPage> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-page-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = stack.use(await openNamespaceLab());
  const socket = join(directory, "aerial.sock");
  const aerial = aerialOnLab(lab, { AERIAL__API__SOCKET: socket, ...environment });
  const { url } = stack.use(await openDoor(socket));
  let daemon = await aerial.start();
  let isUp = true;
  stack.defer(async () => {
    if (isUp) await daemon[Symbol.asyncDispose]();
  });
  const lifetime = stack.move();
  return {
    lab,
    url,
    async kill() {
      isUp = false;
      await daemon.process.kill("SIGKILL");
      await daemon.process.exited;
    },
    async start() {
      daemon = await aerial.start();
      isUp = true;
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

/** Passes what arrives at a port of this machine's loopback on to a unix socket. */
async function openDoor(path: string): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(path);
    for (const socket of [near, far]) sockets.add(socket.once("close", () => sockets.delete(socket)));
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
