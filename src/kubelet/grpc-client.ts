/** gRPC to the kubelet's unix sockets. */
import grpc from "@grpc/grpc-js";
import { AerialError, type ErrorCode } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import { printable } from "../core/printable.ts";
import type { GrpcMethod } from "./grpc-message.ts";
import { checkSocketPath } from "./socket-path.ts";

/** Connects when first used, and again when the other side came back. Disposing ends all calls. */
export interface GrpcClient extends Disposable {
  /**
   * Calls once. Throws `kubelet.unreachable` where nobody listens, the connection breaks or no answer came in time,
   * `kubelet.refused` for any other error the other side gives, and the signal's reason.
   */
  call<Request, Response>(method: GrpcMethod<Request, Response>, request: Request, options: CallOptions): Promise<Response>;
  /** Yields what the other side sends until it ends the stream, the signal aborts, or the consumer leaves. Throws like `call`. */
  stream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): AsyncGenerator<Response, void, undefined>;
}

interface CallOptions {
  readonly signal: AbortSignal;
  /** Milliseconds until the call is given up. */
  readonly deadlineMs: number;
}

interface GrpcClientOptions {
  readonly path: string;
  /** Of an answer, in bytes; 4 MiB unless told. */
  readonly maxMessageBytes?: number;
}

/** Statuses that say nothing about the request: the same may work a moment later. */
const away: ReadonlySet<grpc.status> = new Set([grpc.status.UNAVAILABLE, grpc.status.CANCELLED, grpc.status.DEADLINE_EXCEEDED]);
const longestMessage = 1_000;

/** Throws `kubelet.socket-path` where the path is too long for a socket. Nothing is connected yet. */
export function openGrpcClient({ path, maxMessageBytes = 4_194_304 }: GrpcClientOptions): GrpcClient {
  const client = new grpc.Client(`unix:${checkSocketPath(path)}`, grpc.credentials.createInsecure(), {
    // Servers of Go and Node refuse a path as the name of a host.
    "grpc.default_authority": "localhost",
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.enable_channelz": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc-node.max_session_memory": 4 + Math.ceil(maxMessageBytes / 1_000_000) * 2,
  });
  return {
    async call({ path: method, request: encoder, response }, request, { signal, deadlineMs }) {
      signal.throwIfAborted();
      using until = linkSignal(signal);
      const late = new AerialError("kubelet.unreachable", `${method} at ${path} was not answered within ${deadlineMs} ms`);
      const timer = setTimeout(() => until.abort(late), deadlineMs);
      try {
        return await new Promise((resolve, reject) => {
          const call = client.makeUnaryRequest(method, encoder.encode, response.decode, request, (error, answer) => {
            if (error === null && answer !== undefined) resolve(answer);
            else reject(until.signal.aborted ? until.signal.reason : toError(error, path, method));
          });
          until.signal.addEventListener("abort", () => call.cancel(), { once: true });
        });
      } finally {
        clearTimeout(timer);
      }
    },
    async *stream({ path: method, request: encoder, response }, request, signal) {
      signal.throwIfAborted();
      const call = client.makeServerStreamRequest(method, encoder.encode, response.decode, request);
      const cancel = (): void => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      try {
        yield* call as AsyncIterable<never>;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw toError(error, path, method);
      } finally {
        signal.removeEventListener("abort", cancel);
        // Cancelling reports itself as an error once more.
        call.on("error", () => {});
        call.cancel();
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function toError(error: unknown, socket: string, method: string): AerialError {
  const { code, details } = { code: grpc.status.UNKNOWN, details: "", ...(error as Partial<grpc.ServiceError> | null) };
  const kind: ErrorCode = away.has(code) ? "kubelet.unreachable" : "kubelet.refused";
  const said = printable(details.slice(0, longestMessage));
  return new AerialError(kind, `${method} at ${socket}: ${grpc.status[code]} ${said}`.trim(), {
    cause: error,
    details: { status: grpc.status[code] },
  });
}
