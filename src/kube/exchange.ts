/** One HTTP exchange with the API server: bounded in time and size, every way it can go wrong a coded error. */
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { AerialError, errnoOf, isAerialError } from "../core/errors.ts";
import { Agent as HttpAgent, request as httpRequest } from "../core/node-http.ts";
import type { Connection } from "./connection.ts";
import { type Asked, toRefusal } from "./refusal.ts";

export interface Exchange extends Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
}

/** Nodes with many images and annotations stay below 2 MiB: etcd takes no larger objects. */
export const largestBody = 4 * 1024 * 1024;

/** Idle connections are kept this long; the API server keeps them longer. */
const keepIdleMs = 60_000;

/** Sends requests over kept connections. Credentials go out as they are at that moment. */
export interface Sender extends Disposable {
  /** Resolves with the headers of a successful answer; its body is still to be read. Throws `kube.*`. */
  send(connection: Connection, exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage>;
}

/** Keeps connections to one server until its certificates change. */
export function openSender(): Sender {
  let kept: { readonly key: string; readonly agent: Agent } | undefined;

  const agentFor = ({ server, tls }: Connection): Agent => {
    const key = JSON.stringify([server, tls]);
    if (kept?.key === key) return kept.agent;
    kept?.agent.destroy();
    const options = { keepAlive: true, timeout: keepIdleMs };
    const agent = server.startsWith("https:") ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
    kept = { key, agent };
    return agent;
  };

  return {
    async send(connection, exchange, signal) {
      const agent = agentFor(connection);
      for (;;) {
        const response = await attempt({ connection, exchange, agent }, signal);
        if (response === "stale") continue;
        if (isSuccess(response)) return response;
        throw toRefusal(response.statusCode ?? 0, parseJson(await readText(response, exchange)), exchange);
      }
    },
    [Symbol.dispose]: () => kept?.agent.destroy(),
  };
}

interface Attempt {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly agent: Agent;
}

/** `stale`: a kept connection was closed by the other side just as it was taken up again, which says nothing yet. */
async function attempt({ connection, exchange, agent }: Attempt, signal: AbortSignal): Promise<IncomingMessage | "stale"> {
  signal.throwIfAborted();
  const { method, body } = exchange;
  const url = new URL(connection.server + exchange.path);
  url.search = new URLSearchParams(exchange.query).toString();
  const request = openRequest(url, {
    method,
    agent,
    signal,
    headers: {
      accept: "application/json",
      "user-agent": "aerial",
      ...connection.headers,
      ...(body && { "content-type": body.type, "content-length": Buffer.byteLength(body.text) }),
    },
  });
  try {
    return await answerTo(request, body?.text);
  } catch (error) {
    signal.throwIfAborted();
    if (request.reusedSocket && errnoOf(error) === "ECONNRESET") return "stale";
    if (errnoOf(error)?.startsWith("HPE_")) {
      throw new AerialError("kube.protocol", `${url.origin} does not answer in HTTP`, { cause: error });
    }
    throw new AerialError("kube.unreachable", `cannot reach the API server at ${url.origin}`, { cause: error });
  }
}

function openRequest(url: URL, options: RequestOptions): ClientRequest {
  try {
    return url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
  } catch (error) {
    // What Node refuses before it sends anything: a certificate or key that is none, a token with a line break.
    throw new AerialError("kube.config", `the credentials for ${url.origin} cannot be used`, { cause: error });
  }
}

function answerTo(request: ClientRequest, text: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      // Whoever reads it is told; but nobody may be reading yet.
      response.on("error", () => {});
      resolve(response);
    });
    request.end(text);
  });
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

/** The whole body. Throws `kube.protocol` when it is cut short or larger than any object the API server keeps. */
export async function readText(response: IncomingMessage, asked: Asked): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largestBody) {
        response.destroy();
        throw new AerialError("kube.protocol", `the answer to ${asked.method} ${asked.path} is larger than ${largestBody} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw cutShort(error, asked);
  }
  return Buffer.concat(chunks).toString();
}

/** What an error while reading a body means. */
export function cutShort(error: unknown, asked: Asked): unknown {
  if (isAerialError(error) || errnoOf(error) === undefined) return error;
  return new AerialError("kube.protocol", `the answer to ${asked.method} ${asked.path} was cut short`, { cause: error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A Kubernetes object, as far as everybody can rely on it. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Parses one JSON object; throws `kube.protocol` for anything else. */
export function parseObject(text: string, asked: Asked): KubeObject {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AerialError("kube.protocol", `the answer to ${asked.method} ${asked.path} is not a JSON object`);
  }
  return value as KubeObject;
}
