/** An API server that misbehaves on request: the answers a real one gives only on its worst days. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeKubeconfig } from "./kubeconfig.ts";

/** What the server was asked. Header names are lower case. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** One answer. Bodies are sent as given, so they may be anything. */
export type Answer =
  /** A complete answer. An object is sent as JSON; text and bytes as they are, with the same content type. */
  | { readonly type: "reply"; readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Announces the whole body, sends the first half and closes the connection in order. */
  | { readonly type: "half"; readonly status: number; readonly body: unknown }
  /** Sends the body one piece at a time, `everyMs` apart: a slow link, or a watch. Ends after the last piece unless `open`. */
  | {
      readonly type: "drip";
      readonly status: number;
      readonly pieces: readonly (string | Uint8Array)[];
      readonly everyMs: number;
      readonly open?: boolean;
    }
  /** Takes the request and resets the connection (RST). */
  | { readonly type: "reset" }
  /** Takes the request and never answers. */
  | { readonly type: "silence" }
  /** Bytes on the wire that need not be HTTP at all. */
  | { readonly type: "raw"; readonly bytes: string | Uint8Array };

/** A list is worked off one answer a request, the last one for ever; a function decides for itself. */
export type Script = readonly [Answer, ...Answer[]] | ((request: SeenRequest, index: number) => Answer | Promise<Answer>);

export interface LyingServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** Path of a kubeconfig for it, with the bearer token `lie`. */
  readonly kubeconfig: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Answers by another script from the next request on; its list starts from the beginning. */
  follow(script: Script): void;
}

/** An answer with a Kubernetes `Status` body, as the API server words its refusals. */
export function refusal(code: number, reason: string, message: string): Answer {
  return {
    type: "reply",
    status: code,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code },
  };
}

/** Listens on a free loopback port, in plain HTTP, until disposed; then open connections are cut. */
export async function openLyingServer(script: Script): Promise<LyingServer> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-lying-server-"));
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  let current = { script, asked: 0 };

  const server = createServer((incoming, response) => {
    // A client that hangs up early is part of the play.
    void respond(incoming, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "GET", url = "/", headers } = incoming;
    const request: SeenRequest = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const index = current.asked++;
    await send(await choose(current.script, request, index), response, closing.signal);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  return {
    url,
    port,
    kubeconfig: await writeKubeconfig(join(directory, "kubeconfig"), { server: url, token: "lie" }),
    requests,
    follow(next) {
      current = { script: next, asked: 0 };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function choose(script: Script, request: SeenRequest, index: number): Promise<Answer> {
  if (typeof script === "function") return script(request, index);
  return script[Math.min(index, script.length - 1)] ?? script[0];
}

async function send(answer: Answer, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { socket } = response;
  switch (answer.type) {
    case "reply": {
      const body = toBytes(answer.body);
      response.writeHead(answer.status, { "content-type": "application/json", "content-length": body.length, ...answer.headers });
      response.end(body);
      return;
    }
    case "half": {
      const body = toBytes(answer.body);
      response.writeHead(answer.status, { "content-type": "application/json", "content-length": body.length });
      response.write(body.subarray(0, Math.ceil(body.length / 2)), () => socket?.end());
      return;
    }
    case "drip": {
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.flushHeaders();
      for (const piece of answer.pieces) {
        await sleep(answer.everyMs, undefined, { signal });
        response.write(piece);
      }
      if (answer.open !== true) response.end();
      return;
    }
    case "reset":
      socket?.resetAndDestroy();
      return;
    case "silence":
      return;
    case "raw":
      socket?.end(answer.bytes);
      return;
  }
}

function toBytes(body: unknown): Buffer {
  if (typeof body === "string") return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
}
