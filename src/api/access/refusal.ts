/** How a request is turned away. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { AerialError, type ErrorCode } from "../../core/errors.ts";
import { STATUS_CODES } from "../../core/node-http.ts";
import type { Problem } from "../contract/types.ts";
import { problemType } from "../problem.ts";
import { securityHeaders } from "./security-headers.ts";

export interface Refusal {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

interface RefusalOptions {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function refuse({ status, code, detail, headers = {} }: RefusalOptions): Refusal {
  const { hint } = new AerialError(code, detail);
  return { problem: { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, code, hint }, headers };
}

/** Too many in a short time. */
export function refuseForNow(detail: string, waitMs: number): Refusal {
  return refuse({ status: 429, code: "api.too-often", detail, headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) } });
}

/** Writes it where there is no `ServerResponse`: to whose request cannot be read. */
export function endWith(socket: Duplex, { problem, headers }: Refusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem);
  const all = {
    ...securityHeaders,
    ...headers,
    "content-type": problemType,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const head = [`HTTP/1.1 ${problem.status} ${problem.title}`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)];
  // Whoever never reads it is not waited for.
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** What was asked, for the log: never a query, in which people put secrets. */
export function describeRequest({ method = "", url = "" }: Pick<IncomingMessage, "method" | "url">): { method: string; path: string } {
  return { method, path: url.replace(/\?.*$/s, "").slice(0, 200) };
}
