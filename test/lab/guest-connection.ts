/** The host's end of the line to the agent in the guest. */
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./lab-error.ts";
import { type CallMessage, type GuestCallName, type GuestCalls, type GuestEvent, type GuestMessage, jsonLines } from "./protocol.ts";

export interface GuestConnection extends Disposable {
  /** The guest's `uname -r`. */
  readonly kernel: string;
  /** Rejects with LabError when the guest says why it could not, or when it is gone. */
  call<Name extends GuestCallName>(name: Name, ask: GuestCalls[Name]["ask"]): Promise<GuestCalls[Name]["answer"]>;
}

export interface GuestLine extends AsyncDisposable {
  /** TCP port on this machine's loopback that the agent is to call. */
  readonly port: number;
  /** What the agent has to say first, so that no other program on this machine can take its place. */
  readonly token: string;
  /** The agent, once it is ready. */
  readonly connected: Promise<GuestConnection>;
}

/** Waits for the agent's call. `tell` gets all it says unasked after that. */
export async function openGuestLine(tell: (event: GuestEvent) => void): Promise<GuestLine> {
  const token = randomBytes(16).toString("hex");
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true });
  const connected = new Promise<GuestConnection>((resolve) => {
    server.on("connection", (socket) => {
      sockets.add(socket.once("close", () => sockets.delete(socket)));
      speak(socket, { token, tell, ready: resolve });
    });
  });
  return {
    port: await listen(server),
    token,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

interface Ears {
  readonly token: string;
  readonly tell: (event: GuestEvent) => void;
  readonly ready: (connection: GuestConnection) => void;
}

function speak(socket: Socket, { token, tell, ready }: Ears): void {
  const pending = new Map<number, { resolve: (answer: unknown) => void; reject: (error: LabError) => void }>();
  let lastId = 0;
  const connection = (kernel: string): GuestConnection => ({
    kernel,
    async call(call, ask) {
      if (socket.destroyed) throw new LabError(`the guest is gone; ${call} was not asked`);
      const id = ++lastId;
      // Types of ask and answer are tied together by GuestCalls, which the agent implements.
      return (await new Promise<unknown>((resolve, reject) => {
        pending.set(id, { resolve, reject });
        socket.write(`${JSON.stringify({ id, call, ask } satisfies CallMessage)}\n`);
      })) as never;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  });
  let known = false;
  const receive = (message: GuestMessage): void => {
    if (!known) {
      known = "event" in message && message.event === "ready" && message.token === token;
      if (!known || !("kernel" in message)) socket.destroy();
      else ready(connection(message.kernel));
    } else if ("event" in message) {
      tell(message);
    } else {
      const answered = pending.get(message.id);
      pending.delete(message.id);
      if ("failure" in message) answered?.reject(new LabError(`the guest: ${message.failure}`));
      else answered?.resolve(message.answer);
    }
  };
  socket.setEncoding("utf8").on(
    "data",
    jsonLines((message) => receive(message as GuestMessage)),
  );
  socket.on("error", () => socket.destroy());
  socket.once("close", () => {
    for (const { reject } of pending.values()) reject(new LabError("the guest is gone"));
    pending.clear();
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new LabError("the control port has no address");
  return address.port;
}

/** How far the guest's wall clock is from this machine's. */
export interface ClockOffset {
  /** Add to a guest time to get this machine's. */
  readonly guestToHostMs: number;
  /** Half the shortest round trip: the true offset is at most this far away. */
  readonly uncertaintyMs: number;
}

/** Asks the guest for its time over and over and keeps the answer with the shortest round trip, as NTP does (RFC 5905 §10). */
export async function measureClock(connection: GuestConnection, rounds = 20): Promise<ClockOffset> {
  let best: ClockOffset | undefined;
  for (let round = 0; round < rounds; round++) {
    const askedMs = performance.timeOrigin + performance.now();
    const { nowMs } = await connection.call("clock", null);
    const uncertaintyMs = (performance.timeOrigin + performance.now() - askedMs) / 2;
    if (!best || uncertaintyMs < best.uncertaintyMs) best = { guestToHostMs: askedMs + uncertaintyMs - nowMs, uncertaintyMs };
    await sleep(2);
  }
  if (!best) throw new LabError("a clock measurement takes at least one round");
  return best;
}
