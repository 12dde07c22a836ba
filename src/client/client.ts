/** Asks aerial's API, in Node and in browsers. What can be asked, and what comes back, is the contract's. */
import type { Operations, TraceLine, WatchLine } from "../api/contract/types.ts";
import { followStream, type FollowOptions, type StreamEvent } from "./follow-stream.ts";
import { operationTable } from "./operation-table.ts";
import { AerialProblem, readProblem } from "./problem.ts";
import { readLines } from "./read-lines.ts";

type Id = keyof typeof operationTable;
type Form<Name extends Id> = (typeof operationTable)[Name]["gives"];
type Answered = { [Name in Id]: Form<Name> extends "json" | "text" | "bytes" ? Name : never }[Id];

interface RequestOptions {
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

type Body<Name extends Id> = Operations[Name]["body"] extends undefined ? unknown : { readonly body: Operations[Name]["body"] };
/** `{}` where there are none. */
type Fields<Given> = string extends keyof Given ? unknown : Given;

/** Parameters of path and query by their names, the body, and a signal. */
export type Input<Name extends Id> = Fields<Operations[Name]["path"]> & Fields<Operations[Name]["query"]> & Body<Name> & RequestOptions;

type Method<Name extends Id, Result> =
  RequestOptions extends Input<Name> ? (input?: Input<Name>) => Result : (input: Input<Name>) => Result;

/**
 * A method for each operation of the contract, by its id: `client.listRadios({ kind: "zigbee" })`. Each rejects with an
 * `AerialProblem` where aerial answers with one, and with what `fetch` rejects with where it does not answer.
 */
export type AerialClient = { readonly [Name in Answered]: Method<Name, Promise<Operations[Name]["result"]>> } & {
  /** Lines of the watch, until the signal aborts or aerial ends it. */
  readonly watchRadios: Method<"watchRadios", AsyncGenerator<WatchLine, void, undefined>>;
  /** What becomes of each packet. */
  readonly traceRelay: Method<"traceRelay", AsyncGenerator<TraceLine, void, undefined>>;
  /**
   * What happens, each event once and none left out: where the connection breaks it is made again, from where it broke. Ends
   * when the signal aborts; rejects only with a problem that trying again does not mend.
   */
  readonly events: (options?: FollowOptions) => AsyncGenerator<StreamEvent, void, undefined>;
};

export interface ClientOptions {
  /** Where aerial is, such as `http://localhost:18088`. */
  readonly url: string | URL;
  /** Where a token is asked for. */
  readonly token?: string;
  /** Instead of the global one: for a unix socket, a certificate of one's own, or tests. */
  readonly fetch?: typeof fetch;
}

/** Connects when asked something. */
export function createAerialClient({ url, token, fetch: send = fetch }: ClientOptions): AerialClient {
  const authorization: Readonly<Record<string, string>> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  const ask = async (
    id: Id,
    input: Readonly<Record<string, unknown>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> => {
    const { body, signal, ...parameters } = input;
    const operation: { readonly method: string; readonly path: string; readonly body?: string } = operationTable[id];
    const response = await send(toUrl(url, operation.path, parameters), {
      method: operation.method,
      headers: { ...authorization, ...headers, ...(operation.body !== undefined && { "content-type": operation.body }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal instanceof AbortSignal && { signal }),
    });
    if (response.ok || (id === "getReadiness" && response.status === 503)) return response;
    throw new AerialProblem(await readProblem(response));
  };

  const methods = Object.entries(operationTable).map(([id, { gives }]) => [id, toMethod(id as Id, gives)] as const);
  const events = (options: FollowOptions = {}): AsyncGenerator<StreamEvent, void, undefined> =>
    followStream((headers, input) => ask("streamEvents", input, headers), options);
  return { ...Object.fromEntries(methods), events } as unknown as AerialClient;

  function toMethod(id: Id, gives: Form<Id>) {
    return (input: Readonly<Record<string, unknown>> = {}) => {
      if (gives === "lines") return readLines(() => ask(id, input));
      return ask(id, input).then((response) => readAnswer(response, gives));
    };
  }
}

async function readAnswer(response: Response, gives: Form<Id>): Promise<unknown> {
  if (gives === "json") return response.json();
  return gives === "bytes" ? new Uint8Array(await response.arrayBuffer()) : response.text();
}

function toUrl(base: string | URL, path: string, parameters: Readonly<Record<string, unknown>>): URL {
  const rest = new Map(Object.entries(parameters).filter(([, value]) => value !== undefined));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = String(rest.get(name));
    rest.delete(name);
    return encodeURIComponent(value);
  });
  const url = new URL(filled, base);
  for (const [name, value] of rest) url.searchParams.set(name, String(value));
  return url;
}
