/** gRPC on a unix socket, for the kubelet to call. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import grpc from "@grpc/grpc-js";
import { AerialError, describeError, isAerialError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import type { GrpcMethod } from "./grpc-message.ts";
import { openUnixListener } from "./unix-listener.ts";

/** One method and what answers it; made by `unary` and `serverStream`. */
export interface GrpcHandler {
  readonly path: string;
  readonly register: (server: grpc.Server, calls: Calls) => void;
}

/** Disposing ends streams at once, gives other calls a second, and takes the socket away if it is still ours. */
export interface GrpcServer extends AsyncDisposable {
  readonly path: string;
  /** Whether the socket's name still leads to us. */
  isInPlace(): boolean;
}

interface GrpcServerOptions {
  readonly path: string;
  readonly handlers: readonly GrpcHandler[];
  readonly log: Log;
  /** Of a request, in bytes; 256 KiB unless told. */
  readonly maxMessageBytes?: number;
}

/** Calls being answered. */
interface Calls {
  readonly log: Log;
  readonly answers: Set<Promise<void>>;
  /** The server is to close: streams end. */
  readonly closing: AbortSignal;
  /** It waits no longer for the others. */
  readonly closed: AbortSignal;
}

/** What both kinds of call have. */
interface Cancellable {
  once(event: "cancelled", listener: () => void): unknown;
}

/** The kubelet has one, and two while it restarts. */
const mostConnections = 64;
/** Of what HTTP/2 keeps for one connection; MB. */
const sessionMemory = 4;
/** A part of aerial that closes has 3 s for all. */
const closeMs = 1_000;
/** For what was said last to go out: shutting down drops it. */
const lastWordsMs = 20;
/** Status messages are headers, of which a client takes 8 KiB at least. */
const longestMessage = 1_000;

/**
 * Answers each call once. What `handle` throws ends the call: an AerialError with its message, anything else as internal.
 * Its signal aborts when the caller gives up, or the server closes and waits no longer.
 */
export function unary<Request, Response>(
  { path, request, response }: GrpcMethod<Request, Response>,
  handle: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
): GrpcHandler {
  const answer = async (
    call: grpc.ServerUnaryCall<Request, Response>,
    reply: grpc.sendUnaryData<Response>,
    { closed, log }: Calls,
  ): Promise<void> => {
    using ending = endWith(call, closed);
    try {
      reply(null, await handle(call.request, ending.signal));
    } catch (error) {
      reply(toStatus(error, path, log));
    }
  };
  return {
    path,
    register(server, calls) {
      const handler: grpc.handleUnaryCall<Request, Response> = (call, reply) => keep(answer(call, reply, calls), calls);
      server.register(path, handler, response.encode, request.decode, "unary");
    },
  };
}

/**
 * Sends what `handle` yields, no faster than it is taken. `handle` must end with its signal, which aborts when the caller
 * leaves or the server closes.
 */
export function serverStream<Request, Response>(
  { path, request, response }: GrpcMethod<Request, Response>,
  handle: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): GrpcHandler {
  const send = async (call: grpc.ServerWritableStream<Request, Response>, { closing, log }: Calls): Promise<void> => {
    using ending = endWith(call, closing);
    const { signal } = ending;
    try {
      for await (const message of handle(call.request, signal)) {
        if (signal.aborted) break;
        if (!call.write(message)) await once(call, "drain", { signal });
      }
      call.end();
    } catch (error) {
      if (signal.aborted) call.end();
      else call.emit("error", toStatus(error, path, log));
    }
  };
  return {
    path,
    register(server, calls) {
      const handler: grpc.handleServerStreamingCall<Request, Response> = (call) => {
        call.on("error", () => {});
        keep(send(call, calls), calls);
      };
      server.register(path, handler, response.encode, request.decode, "serverStream");
    },
  };
}

/** Serves at `path` until disposed. Throws what `openUnixListener` throws. */
export async function openGrpcServer({ path, handlers, log, maxMessageBytes = 262_144 }: GrpcServerOptions): Promise<GrpcServer> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": 128,
    "grpc.enable_channelz": 0,
    "grpc-node.max_session_memory": sessionMemory,
  });
  const closing = new AbortController();
  const closed = new AbortController();
  const calls: Calls = { log, answers: new Set(), closing: closing.signal, closed: closed.signal };
  for (const handler of handlers) handler.register(server, calls);
  // Its own way to bind fails where a name was left behind, and takes away the names of others as it closes.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const listener = await openUnixListener({ path, mostConnections, accept: (socket) => injector.injectConnection(socket) });
  return {
    path,
    isInPlace: () => listener.isInPlace(),
    async [Symbol.asyncDispose]() {
      const reason = new AerialError("internal.abort", "the server is closing");
      listener.leave();
      closing.abort(reason);
      await atMost(closeMs, Promise.all(calls.answers));
      closed.abort(reason);
      await sleep(lastWordsMs);
      // It never ends by itself while the kubelet keeps its connection.
      server.forceShutdown();
      await listener[Symbol.asyncDispose]();
    },
  };
}

function keep(answering: Promise<void>, { answers }: Calls): void {
  const kept = answering.finally(() => answers.delete(kept));
  answers.add(kept);
}

/** Aborts with `parent`, or when the caller gives up. */
function endWith(call: Cancellable, parent: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const link = linkSignal(parent);
  call.once("cancelled", () => link.abort(new AerialError("internal.abort", "the caller gave up")));
  return link;
}

/** The kubelet shows the message in the pod's events. */
function toStatus(error: unknown, path: string, log: Log): Partial<grpc.StatusObject> {
  const known = isAerialError(error);
  if (!known) log.error({ method: path, err: describeError(error) }, "call failed");
  const code = known ? grpc.status.FAILED_PRECONDITION : grpc.status.INTERNAL;
  // Percent-encoded on its way, which a lone surrogate would end.
  return { code, details: describeError(error).toWellFormed().slice(0, longestMessage).toWellFormed() };
}

async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  await Promise.race([work, sleep(milliseconds, undefined, { signal: enough.signal }).catch(() => {})]);
  enough.abort();
}
