/** Where the API is reached: a unix socket, and a loopback TCP port if asked for. */
import { once } from "node:events";
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AerialError, errnoOf } from "../core/errors.ts";
import { plainProblem, problemType } from "./problem.ts";

/** Callers are commands, probes and dashboards of one machine. */
const limits = { connections: 64, headerBytes: 8 * 1024, headersTimeoutMs: 5_000, requestTimeoutMs: 10_000, keepAliveMs: 5_000 } as const;

/**
 * Listens on a unix socket that its owner and group may use. A socket file that nobody answers on is a leftover and replaced.
 * @throws AerialError `api.listen` when another program answers there, or the place can't be used.
 */
export async function listenOnSocket(path: string, handler: RequestListener): Promise<Server> {
  try {
    mkdirSync(dirname(path), { recursive: true });
    await removeLeftover(path);
    const server = createLimitedServer(handler);
    server.listen(path);
    await once(server, "listening");
    chmodSync(path, 0o660);
    return server;
  } catch (error) {
    throw toListenError(`the unix socket ${path}`, error);
  }
}

/** Listens on 127.0.0.1. @throws AerialError `api.listen` */
export async function listenOnPort(port: number, handler: RequestListener): Promise<Server> {
  try {
    const server = createLimitedServer(handler);
    server.listen({ host: "127.0.0.1", port });
    await once(server, "listening");
    return server;
  } catch (error) {
    throw toListenError(`127.0.0.1:${port}`, error);
  }
}

/** Stops taking connections and ends those there are. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function createLimitedServer(handler: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
    },
    handler,
  );
  server.maxConnections = limits.connections;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return;
    const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    const problem = plainProblem(status, "the request is not valid HTTP or exceeds the limits");
    const body = JSON.stringify(problem);
    const head = [
      `HTTP/1.1 ${status} ${problem.title}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${body.length}`,
      "Connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
  return server;
}

async function removeLeftover(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) throw new AerialError("api.listen", `${path} is there and no socket`);
  if (await answers(path)) throw new AerialError("api.listen", `another program answers at ${path}`);
  unlinkSync(path);
}

/** Whether somebody accepts connections; only a refusal proves that nobody does. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ECONNREFUSED" || errno === "ENOENT") return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

function toListenError(where: string, error: unknown): AerialError {
  const reason = error instanceof AerialError ? error.message : (errnoOf(error) ?? String(error));
  return new AerialError("api.listen", `the API cannot listen on ${where}: ${reason}`, { cause: error });
}
