/** A listening unix socket whose name comes and goes as a whole. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { lstatSync, renameSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { AerialError, describeError } from "../core/errors.ts";
import { checkSocketPath } from "./socket-path.ts";

export interface UnixListener extends AsyncDisposable {
  readonly path: string;
  /** Whether `path` is still this socket: whoever cleans up its directory leaves us listening to nobody. */
  isInPlace(): boolean;
  /** Takes the name away and no further connections; those there are go on until we are disposed of. */
  leave(): void;
}

interface UnixListenerOptions {
  readonly path: string;
  readonly accept: (socket: Socket) => void;
  /** How many may be connected. To let another in, the one that said the least is ended. */
  readonly mostConnections: number;
  /** Who has said nothing by then is ended; milliseconds. */
  readonly silenceMs?: number;
}

/**
 * Listens at `path`, whatever was there before: it is bound under another name and moved there, so that nobody finds a
 * name without a listener, and ending us never takes away the socket of whoever took the name after us.
 * Throws `kubelet.socket-path`, and `kubelet.socket` for what the system refuses.
 */
export async function openUnixListener(options: UnixListenerOptions): Promise<UnixListener> {
  const { path } = options;
  // The kubelet's plugin watcher passes over names that begin with a dot.
  const draft = checkSocketPath(join(dirname(checkSocketPath(path)), `.aerial-${randomBytes(4).toString("hex")}`));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => admit(socket, sockets, options));
  server.unref();
  let inode: bigint;
  try {
    server.listen(draft);
    await once(server, "listening");
    inode = lstatSync(draft, { bigint: true }).ino;
    renameSync(draft, path);
  } catch (error) {
    server.close();
    throw new AerialError("kubelet.socket", `cannot listen at ${path}: ${describeError(error)}`, { cause: error });
  }
  // Errors of accepting, such as too many open files: the next connection may be taken again.
  server.on("error", () => {});
  const isInPlace = (): boolean => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode;
  let left: Promise<void> | undefined;
  const leave = (): Promise<void> => {
    if (left !== undefined) return left;
    try {
      if (isInPlace()) rmSync(path, { force: true });
    } catch {
      // The directory is gone or read-only: nothing of ours to tidy up.
    }
    left = new Promise((resolve) => {
      server.close(() => resolve());
    });
    return left;
  };
  return {
    path,
    isInPlace,
    leave: () => void leave(),
    async [Symbol.asyncDispose]() {
      const closed = leave();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function admit(socket: Socket, sockets: Set<Socket>, { accept, mostConnections, silenceMs = 10_000 }: UnixListenerOptions): void {
  socket.on("error", () => {});
  sockets.add(socket);
  const silence = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroy();
  }, silenceMs);
  silence.unref();
  socket.once("close", () => {
    clearTimeout(silence);
    sockets.delete(socket);
  });
  if (sockets.size > mostConnections) endLeast(sockets, socket);
  accept(socket);
}

/** Refusing instead would let whoever opens many and says nothing shut out the kubelet. */
function endLeast(sockets: Set<Socket>, newcomer: Socket): void {
  let least: Socket | undefined;
  for (const socket of sockets) {
    if (socket !== newcomer && (least === undefined || socket.bytesRead < least.bytesRead)) least = socket;
  }
  if (least === undefined) return;
  sockets.delete(least);
  least.destroy();
}
