/** A connection to a D-Bus message bus: calls out, answers and signals in. */
import { createConnection, type Socket } from "node:net";
import { AerialError } from "../core/errors.ts";
import { type DbusCall, type DbusMessage, type DbusValue, decodeMessage, encodeCall, messageLength } from "./dbus-message.ts";
import { toPrintable } from "./decode-text.ts";

export interface DbusConnection extends Disposable {
  /** Resolves to the answer's body. Rejects with `host.bluez` and the D-Bus error's name in `details`, when the bus goes, or on abort. */
  call(call: DbusCall, signal: AbortSignal): Promise<readonly DbusValue[]>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

export interface DbusDeps {
  /** The bus' unix socket. */
  readonly socketPath: string;
  readonly onSignal: (message: DbusMessage) => void;
}

/** The driver of the bus itself. */
export const busDriver = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" } as const;

/** The bus' greeting is two lines. */
const greetingLimit = 4096;

/** Connects, authenticates and says hello. Rejects with `host.bluez`. */
export async function openDbus({ socketPath, onSignal }: DbusDeps, signal: AbortSignal): Promise<DbusConnection> {
  const socket = createConnection(socketPath);
  const waiting = new Map<number, { resolve(body: readonly DbusValue[]): void; reject(error: unknown): void }>();
  let serial = 0;

  const receive = (message: DbusMessage): void => {
    if (message.type === "signal") return onSignal(message);
    const caller = message.replySerial === undefined ? undefined : waiting.get(message.replySerial);
    if (caller === undefined || message.type === "call") return;
    if (message.type === "return") return caller.resolve(message.body);
    const text = typeof message.body[0] === "string" ? toPrintable(message.body[0]) : "no reason given";
    caller.reject(new AerialError("host.bluez", `D-Bus call failed: ${text}`, { details: { name: message.errorName } }));
  };

  const closed = new Promise<void>((resolve) => {
    let reason: unknown;
    const incoming = createIncoming(receive);
    socket.on("data", (chunk) => {
      try {
        incoming(chunk);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.on("error", (error) => (reason = error));
    socket.on("close", () => {
      const cause = new AerialError("host.bluez", "the D-Bus connection is closed", { cause: reason });
      for (const caller of waiting.values()) caller.reject(cause);
      resolve();
    });
  });

  const call: DbusConnection["call"] = (request, stopped) =>
    new Promise((resolve, reject) => {
      serial += 1;
      const own = serial;
      const abort = (): void => settle(() => reject(stopped.reason));
      const settle = (act: () => void): void => {
        waiting.delete(own);
        stopped.removeEventListener("abort", abort);
        act();
      };
      waiting.set(own, { resolve: (body) => settle(() => resolve(body)), reject: (error) => settle(() => reject(error)) });
      stopped.addEventListener("abort", abort, { once: true });
      if (stopped.aborted) abort();
      else if (socket.destroyed) settle(() => reject(new AerialError("host.bluez", "the D-Bus connection is closed")));
      else socket.write(encodeCall(request, own));
    });

  authenticate(socket);
  try {
    await call({ ...busDriver, member: "Hello" }, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return { call, closed, [Symbol.dispose]: () => void socket.destroy() };
}

/**
 * SASL EXTERNAL without naming a user, so that the bus takes the one the kernel tells it: in a user namespace our own
 * idea of it is another. All in one go, as sd-bus does: nothing is sent that depends on an answer.
 */
function authenticate(socket: Socket): void {
  socket.write("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
}

/** Takes bytes as they come: first the lines of the greeting, then messages. Throws `host.bluez` on anything else. */
function createIncoming(receive: (message: DbusMessage) => void): (chunk: Uint8Array) => void {
  let pending = Buffer.alloc(0);
  let greeted = false;

  const takeGreeting = (): boolean => {
    const end = pending.indexOf("\r\n");
    if (end < 0) {
      if (pending.length > greetingLimit) throw new AerialError("host.bluez", "this is no D-Bus");
      return false;
    }
    const line = pending.toString("latin1", 0, end);
    pending = pending.subarray(end + 2);
    if (line.startsWith("OK ")) greeted = true;
    else if (line.trim() !== "DATA") throw new AerialError("host.bluez", "D-Bus refuses this process");
    return true;
  };

  const takeMessage = (): boolean => {
    const length = messageLength(pending);
    if (length === undefined || pending.length < length) return false;
    const message = decodeMessage(pending.subarray(0, length));
    pending = pending.subarray(length);
    receive(message);
    return true;
  };

  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (greeted ? takeMessage() : takeGreeting());
  };
}
