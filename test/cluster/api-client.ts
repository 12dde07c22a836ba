/** The least client that can ask the API server anything, so that tests of aerial's own client don't lean on it. */
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";

const timeoutMs = 10_000;

export interface Credentials {
  readonly token?: string;
  /** PEM pair of a client certificate. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

interface ApiRequest {
  /** GET unless said otherwise. */
  readonly method?: string;
  readonly body?: unknown;
  /** `application/json` unless said otherwise. */
  readonly contentType?: string;
}

/** An API object as far as tests look into it. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
  readonly [field: string]: unknown;
}

interface ApiResponse {
  readonly status: number;
  /** The answer parsed from JSON, or its text. */
  readonly body: unknown;
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

export interface ApiClient {
  /** One request; any status is an answer, only a broken connection throws. */
  request(path: string, options?: ApiRequest): Promise<ApiResponse>;
  /** Like `request`, but throws on a status from 400 and gives the object. */
  fetch<T = ApiObject>(path: string, options?: ApiRequest): Promise<T>;
  /** Server-side apply of `object` at `path`, forced, by `fieldManager`. */
  apply(path: string, object: unknown, fieldManager: string): Promise<ApiResponse>;
  /**
   * What a collection holds (ADDED), then its changes, until `signal` aborts or the server ends it; throws when the server
   * reports an error. A list and a watch from there: for a watch from "now" the server would ask etcd how far it is, and
   * etcd 3.4 cannot say.
   */
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** The changes after a version, without the list. */
  watchFrom(path: string, resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
}

/** A client for the API server at `server`, speaking as whoever the credentials say. Holds nothing open. */
export function createApiClient(server: string, certificateAuthority: string, credentials: Credentials): ApiClient {
  const { token, client } = credentials;

  function send(path: string, { method = "GET", body, contentType = "application/json" }: ApiRequest, signal: AbortSignal) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpsRequest(
        new URL(path, server),
        {
          method,
          ca: certificateAuthority,
          agent: false,
          signal,
          ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
          headers: {
            accept: "application/json",
            "user-agent": "aerial-test",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { "content-type": contentType }),
          },
        },
        resolve,
      );
      request.once("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async function request(path: string, options: ApiRequest = {}): Promise<ApiResponse> {
    const response = await send(path, options, AbortSignal.timeout(timeoutMs));
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
    return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text };
  }

  async function fetchObject<T = ApiObject>(path: string, options: ApiRequest = {}): Promise<T> {
    const { status, body } = await request(path, options);
    if (status >= 400) throw new Error(`${options.method ?? "GET"} ${path}: ${status} ${messageOf(body)}`);
    return body as T;
  }

  async function* watchFrom(path: string, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const query = new URLSearchParams({ watch: "true", resourceVersion });
    const response = await send(`${path}${path.includes("?") ? "&" : "?"}${query.toString()}`, {}, signal);
    let rest = "";
    for await (const chunk of response.setEncoding("utf8")) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === "ERROR") throw new Error(`watch ${path}: ${messageOf(event.object)}`);
        yield event;
      }
    }
  }

  return {
    request,
    fetch: fetchObject,
    apply(path, object, fieldManager) {
      const query = new URLSearchParams({ fieldManager, force: "true" });
      return request(`${path}?${query.toString()}`, { method: "PATCH", body: object, contentType: "application/apply-patch+yaml" });
    },
    async *watch(path, signal) {
      const list = await fetchObject<{ items: ApiObject[]; metadata: { resourceVersion: string } }>(path);
      for (const object of list.items) yield { type: "ADDED", object };
      yield* watchFrom(path, list.metadata.resourceVersion, signal);
    },
    watchFrom,
  };
}

/** What a Kubernetes `Status` says, or the whole answer when it is none. */
export function messageOf(body: unknown): string {
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string") return body.message;
  return typeof body === "string" ? body : JSON.stringify(body);
}
