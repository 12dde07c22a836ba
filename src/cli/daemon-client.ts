/** Asking the daemon, over its unix socket. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { AerialError, errnoOf, isAerialError } from "../core/errors.ts";
import { request } from "../core/node-http.ts";
import { printable } from "../core/printable.ts";
import { loadConfig } from "../config/load-config.ts";
import { socketCandidates } from "../config/machine.ts";
import type { Problem } from "../api/contract/types.ts";
import { type Invocation, textOption } from "./command.ts";

/** Without a byte for so long, an answer is given up. */
const answerDeadlineMs = 10_000;
/** The same for streams, in which a heartbeat comes every 15 s. */
const streamDeadlineMs = 45_000;
/** What the daemon may say is wrong with a request; the rest is between it and this command. */
const toldCodes = [
  "inventory.unknown-radio",
  "relay.off",
  "relay.away",
  "cluster.off",
  "pods.forbidden",
  "kube.unreachable",
  "kube.forbidden",
  "kube.unauthorized",
  "api.busy",
] as const;
const largestAnswer = 64 * 1024 * 1024;

export interface DaemonClient {
  /** The JSON at `path`. Throws `api.*`, or what of `relay.*`, `cluster.off`, `pods.*`, `kube.*` and `inventory.unknown-radio` the daemon says. */
  get(path: string): Promise<unknown>;
  /** As `get`, but 503 is an answer too: health checks say no with it. */
  ask(path: string): Promise<Answer>;
  /** The text at `path`. Throws as `get` does. */
  text(path: string): Promise<string>;
  /** What doing something at `path` answers. Throws as `get` does. */
  post(path: string): Promise<unknown>;
  /** The file that doing something at `path` answers with, as it comes, and the name that the daemon gives it. Throws as `get` does. */
  download(path: string): Promise<Download>;
  /** Lines of a stream as they come, until the daemon ends it or the signal aborts. */
  lines(path: string, signal?: AbortSignal): AsyncIterable<string>;
}

interface Download {
  readonly name: string;
  readonly body: AsyncIterable<Uint8Array>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A client for the daemon that the command's options and configuration point to. Connects when asked something. */
export function createDaemonClient(invocation: Invocation): DaemonClient {
  const file = textOption(invocation, "config");
  const socket = textOption(invocation, "socket");
  const { machine } = invocation;
  const candidates =
    socket === undefined ? socketCandidates(loadConfig({ machine, ...(file === undefined ? {} : { file }) }).config, machine) : [socket];
  return clientFor(candidates);
}

/** A client that tries the sockets in order and talks to the first that answers. */
export function clientFor(candidates: readonly string[]): DaemonClient {
  const fetchJson = async (path: string, accepted: readonly number[], method: Method = "GET"): Promise<Answer> => {
    const response = await connect(candidates, { path, method });
    const status = response.statusCode ?? 0;
    const body = await readJson(response);
    if (!accepted.includes(status)) throw toError(status, body);
    return { status, body };
  };
  return {
    ask: (path) => fetchJson(path, [200, 503]),
    get: async (path) => (await fetchJson(path, [200])).body,
    post: async (path) => (await fetchJson(path, [200], "POST")).body,
    async text(path) {
      const response = await connect(candidates, { path });
      if (response.statusCode !== 200) throw toError(response.statusCode ?? 0, await readJson(response));
      return readText(response);
    },
    async download(path) {
      const response = await connect(candidates, { path, method: "POST" });
      if (response.statusCode !== 200) throw toError(response.statusCode ?? 0, await readJson(response));
      const [, name = "download"] = /filename="([\w.-]+)"/.exec(response.headers["content-disposition"] ?? "") ?? [];
      return { name, body: readBytes(response) };
    },
    async *lines(path, signal) {
      try {
        const response = await connect(candidates, { path, signal });
        if (response.statusCode !== 200) throw toError(response.statusCode ?? 0, await readJson(response));
        yield* readLines(response);
      } catch (error) {
        // The request is torn down in the middle of whatever it was at.
        if (signal?.aborted !== true) throw error;
      }
    },
  };
}

type Method = "GET" | "POST";

interface Question {
  readonly path: string;
  readonly method?: Method;
  readonly signal?: AbortSignal | undefined;
}

async function connect(candidates: readonly string[], question: Question): Promise<IncomingMessage> {
  const refusals: string[] = [];
  for (const socketPath of candidates) {
    try {
      return await send(socketPath, question);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ECONNREFUSED") refusals.push(socketPath);
      else if (errno === "EACCES" || errno === "EPERM") refusals.push(`${socketPath}: permission denied`);
      else throw new AerialError("api.protocol", `asking the daemon at ${printable(socketPath)} failed`, { cause: error });
    }
  }
  throw new AerialError("api.unreachable", `no aerial is running (tried ${printable(refusals.join(", "))})`);
}

async function send(socketPath: string, { path, method = "GET", signal }: Question): Promise<IncomingMessage> {
  const outgoing = request({
    socketPath,
    path,
    method,
    headers: { host: "localhost", accept: "application/json" },
    agent: false,
    ...(signal && { signal }),
  });
  outgoing.once("timeout", () => outgoing.destroy(new AerialError("api.protocol", "the daemon does not answer in time")));
  outgoing.setTimeout(answerDeadlineMs);
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

/** The body's parts; the connection breaking is told as what it means. */
async function* readChunks(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  response.setEncoding("utf8");
  try {
    yield* response as AsyncIterable<string>;
  } catch (error) {
    if (isAerialError(error)) throw error;
    throw new AerialError("api.unreachable", "the daemon has stopped", { cause: error });
  }
}

async function* readBytes(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* response as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (isAerialError(error)) throw error;
    throw new AerialError("api.unreachable", "the daemon has stopped before all was there", { cause: error });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of readChunks(response)) {
    text += chunk;
    if (text.length > largestAnswer) throw new AerialError("api.protocol", "the daemon's answer is too large");
  }
  return text;
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const text = await readText(response);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AerialError("api.protocol", "the daemon's answer is not JSON", { cause: error });
  }
}

async function* readLines(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let rest = "";
  response.socket.setTimeout(streamDeadlineMs);
  for await (const chunk of readChunks(response)) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > largestAnswer) throw new AerialError("api.protocol", "a line of the daemon's answer is too long");
    yield* parts;
  }
}

function toError(status: number, body: unknown): AerialError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const detail = typeof problem.detail === "string" ? problem.detail : `the daemon answered ${status}`;
  return new AerialError(toldCodes.find((code) => code === problem.code) ?? "api.protocol", detail);
}
