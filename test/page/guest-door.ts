/**
 * A way from this machine to a unix socket in a guest, which can dial out and not be dialled: a program there keeps some
 * connections to here open, and each becomes the way of one connection made here.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Lab } from "../lab/lab.ts";

/** Dials `argv[1]:argv[2]` ten times; what comes goes on to the unix socket `argv[3]`, and another is dialled in its place. */
const dialScript = `
  import { connect } from "node:net";
  const [, address, port, path] = process.argv;
  const dial = () => {
    const home = connect({ host: address, port: Number(port), allowHalfOpen: true });
    home.on("error", () => setTimeout(dial, 500));
    home.once("data", (first) => {
      dial();
      home.removeAllListeners("error");
      const daemon = connect(path);
      for (const [socket, other] of [[home, daemon], [daemon, home]]) socket.on("error", () => other.destroy()).on("close", () => other.destroy());
      daemon.write(first);
      home.pipe(daemon).pipe(home);
    });
  };
  for (let count = 0; count < 10; count += 1) dial();
  console.log("dialling");`;

export interface Door extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
}

export async function openGuestDoor(lab: Lab, path: string): Promise<Door> {
  await using stack = new AsyncDisposableStack();
  const idle: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  const far = stack.use(
    await listen((socket) => {
      socket.on("error", () => socket.destroy());
      const wanted = waiting.shift();
      if (wanted === undefined) idle.push(socket);
      else wanted(socket);
    }),
  );
  const near = stack.use(
    await listen((socket) => {
      const join = (other: Socket): void => {
        socket.on("error", () => other.destroy()).on("close", () => other.destroy());
        other.on("close", () => socket.destroy());
        socket.pipe(other).pipe(socket);
      };
      const free = idle.shift();
      if (free === undefined) waiting.push(join);
      else join(free);
    }),
  );
  const address = await lab.reach(far.port);
  const program = stack.use(await lab.start([process.execPath, "--input-type=module", "-e", dialScript, address, String(far.port), path]));
  await program.waitForLine(/dialling/, 60_000);
  const lifetime = stack.move();
  return { url: `http://127.0.0.1:${near.port}/`, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

async function listen(onSocket: (socket: Socket) => void): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    onSocket(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
