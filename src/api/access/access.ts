/**
 * Who may do what. Over the unix socket and the loopback address everything is allowed to whoever gets there, but for pages
 * of other sites; elsewhere a bearer token is needed, and its role decides. `x-aerial-role` in the contract says which role
 * an operation asks for.
 *
 * For the page: its files ask for no role, since they hold no data. On 401 from the API it asks for a token, keeps it in
 * sessionStorage and sends it with each fetch as `Authorization: Bearer …`, the stream of events included (EventSource
 * cannot send headers). Each answer to somebody who was let in says in `aerial-role` what that somebody may do.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Caller, Role, TokenReviewer } from "../../core/access.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import type { Log } from "../../core/log.ts";
import { type Authenticate, createAuthenticator } from "./authenticate.ts";
import { clientOf } from "./client-address.ts";
import { createClusterTokens } from "./cluster-tokens.ts";
import { openFileTokens, type TokenFile } from "./file-tokens.ts";
import { type HostNames, isOwnHost } from "./host-names.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { type Refusal, refuse, refuseForNow } from "./refusal.ts";
import { senderOf } from "./request-origin.ts";

/** `none`: nobody is asked who they are. */
export type RequiredRole = "none" | Role;

/** By which way a request has come in. */
export interface Entrance {
  /** Only `exposed` asks for a token. */
  readonly kind: "socket" | "loopback" | "exposed";
  /** For the log. */
  readonly address: string;
  /** Names it answers to; on the unix socket any. */
  readonly hosts?: HostNames;
}

export interface AccessOptions {
  readonly tokens: readonly TokenFile[];
  /** Asks the cluster about tokens; where it is missing they are not taken. */
  readonly review?: TokenReviewer | undefined;
  /** Origins of other sites whose pages may use the API. */
  readonly cors: readonly string[];
  /** On exposed addresses, for each client; 0: no limit. */
  readonly requestsPerSecond: number;
}

interface AccessDependencies extends AccessOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
}

/** Headers are for the answer. `preflight`: a browser asks whether a page may ask, and that is the answer. */
type Admission =
  | { readonly state: "admitted"; readonly caller?: Caller; readonly headers: Readonly<Record<string, string>> }
  | { readonly state: "preflight"; readonly headers: Readonly<Record<string, string>> }
  | { readonly state: "refused"; readonly refusal: Refusal };

export interface Access {
  /** The connection has come in this way. */
  enter(socket: Socket, entrance: Entrance): void;
  /** Whether `admit` would let this request, from the node itself, read anything, without asking anybody. */
  isLocalReading(request: IncomingMessage): boolean;
  /** Whether the request may do what asks for this role. A refusal is logged, without the token. */
  admit(request: IncomingMessage, role: RequiredRole): Promise<Admission>;
  /**
   * Whether the token of a request that was admitted would be accepted now; undefined where none was asked for. To be asked
   * again and again for as long as an answer takes. While nobody can tell, such as with the cluster away, it would.
   */
  outlives(request: IncomingMessage, role: RequiredRole): (() => Promise<boolean>) | undefined;
}

/** Who is on the node itself. */
const local: Caller = { name: "local", role: "operator" };
const mostClients = 4_096;

/** The signal ends what is asked of the cluster. */
export async function openAccess(dependencies: AccessDependencies, signal: AbortSignal): Promise<Access> {
  const { clock, log, conditions, tokens, review, requestsPerSecond } = dependencies;
  const named = new Set(dependencies.cors);
  const entrances = new WeakMap<Socket, Entrance>();
  const files = await openFileTokens({ tokens, clock, conditions, log });
  const cluster = review && createClusterTokens({ review, clock, conditions });
  const authenticate = createAuthenticator({ clock, files, cluster });
  const limiter =
    requestsPerSecond === 0 ? undefined : createRateLimiter({ perSecond: requestsPerSecond, burst: requestsPerSecond * 2, mostClients });
  const refusals = createRefusalLog(log, clock);
  const judge = createJudge({ named, limiter, clock, authenticate });

  return {
    enter: (socket, entrance) => void entrances.set(socket, entrance),
    outlives(request, role) {
      if (role === "none" || entrances.get(request.socket)?.kind !== "exposed") return undefined;
      const client = clientOf(request.socket.remoteAddress);
      return async () => {
        const outcome = await authenticate(request, client, signal);
        if ("refusal" in outcome) return ![401, 403].includes(outcome.refusal.problem.status);
        return role === "viewer" || outcome.caller.role === "operator";
      };
    },
    isLocalReading(request) {
      const entrance = entrances.get(request.socket);
      if (entrance === undefined || entrance.kind === "exposed" || !isReading(request)) return false;
      return malformedOf(request, entrance) === undefined && senderOf(request, named) === "own";
    },
    async admit(request, role) {
      const entrance = entrances.get(request.socket);
      // Nothing comes in by no entrance.
      if (entrance === undefined) return { state: "refused", refusal: misdirected };
      const client = clientOf(request.socket.remoteAddress);
      const admission = await judge({ request, role, entrance, client }, signal);
      if (admission.state === "refused") refusals.note({ request, entrance, client, ...admission.refusal.problem });
      else if (admission.state === "admitted" && !isReading(request))
        refusals.noteAction({ request, entrance, client, caller: admission.caller });
      return admission;
    },
  };
}

interface JudgeDependencies {
  readonly named: ReadonlySet<string>;
  readonly limiter: ReturnType<typeof createRateLimiter> | undefined;
  readonly clock: Clock;
  readonly authenticate: Authenticate;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly role: RequiredRole;
  readonly entrance: Entrance;
  readonly client: string;
}

function createJudge({ named, limiter, clock, authenticate }: JudgeDependencies) {
  return async ({ request, role, entrance, client }: Asked, signal: AbortSignal): Promise<Admission> => {
    const malformed = malformedOf(request, entrance);
    if (malformed !== undefined) return { state: "refused", refusal: malformed };
    const sender = senderOf(request, named);
    if (sender === "foreign") return { state: "refused", refusal: foreign };
    const headers = sender === "named" ? corsHeaders(request) : {};
    if (sender === "named" && isPreflight(request)) return { state: "preflight", headers: { ...headers, ...preflightHeaders(request) } };
    const refused = (refusal: Refusal): Admission => ({
      state: "refused",
      refusal: { ...refusal, headers: { ...headers, ...refusal.headers } },
    });

    if (entrance.kind !== "exposed") {
      const caller = role === "none" ? {} : { caller: local };
      return { state: "admitted", ...caller, headers: { ...headers, ...roleHeader(local) } };
    }
    // Probes are counted apart: whoever shares the kubelet's address cannot use up what is its own.
    const waitMs = limiter?.take(role === "none" ? `health ${client}` : client, clock.now()) ?? 0;
    if (waitMs > 0) return refused(refuseForNow("too many requests came from this address", waitMs));
    if (role === "none") return { state: "admitted", headers };
    const outcome = await authenticate(request, client, signal);
    if ("refusal" in outcome) return refused(outcome.refusal);
    const { caller } = outcome;
    if (role === "operator" && caller.role !== "operator") return refused(notAllowed(caller));
    return { state: "admitted", caller, headers: { ...headers, ...roleHeader(caller) } };
  };
}

const misdirected = refuse({ status: 421, code: "api.foreign-host", detail: "this API does not answer to that name" });
const foreign = refuse({ status: 403, code: "api.foreign-page", detail: "the page of another site has sent this request" });

function notAllowed({ name, role }: Caller): Refusal {
  return refuse({ status: 403, code: "api.not-allowed", detail: `${name} is a ${role}, and this asks for an operator` });
}

/** What no browser of a person who means it, and no program, would send. */
function malformedOf(request: IncomingMessage, { hosts }: Entrance): Refusal | undefined {
  const { url = "", headers, rawHeaders } = request;
  // The absolute form goes to proxies, and would overrule the Host header (RFC 9112 §3.2.2).
  if (!url.startsWith("/")) return refuse({ status: 400, code: "api.malformed", detail: "the request's target is not a path" });
  if (countHosts(rawHeaders) > 1) return refuse({ status: 400, code: "api.malformed", detail: "there is more than one Host header" });
  if (hosts !== undefined && !isOwnHost(headers.host, hosts)) return misdirected;
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  // What forms and scripts of other sites can send without asking is not JSON (Fetch standard, "CORS-safelisted").
  if (hasBody && !/^application\/([\w.-]+\+)?json *(;|$)/i.test(headers["content-type"] ?? ""))
    return refuse({ status: 415, code: "api.malformed", detail: "a body must be JSON, and say so" });
  return undefined;
}

/** `rawHeaders` has names and values in turns. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") count += 1;
  }
  return count;
}

function isReading({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

function roleHeader({ role }: Caller): Readonly<Record<string, string>> {
  return { "aerial-role": role };
}

/** No credentials of the browser's own are meant: tokens are sent by the page. */
function corsHeaders({ headers: { origin = "" } }: IncomingMessage): Readonly<Record<string, string>> {
  return { "access-control-allow-origin": origin, "access-control-expose-headers": "aerial-role, retry-after", vary: "origin" };
}

function preflightHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  // Private Network Access: a page from the internet asks a machine at home.
  const isPrivate = headers["access-control-request-private-network"] === "true";
  return {
    "access-control-allow-methods": "GET, HEAD, POST, PATCH",
    "access-control-allow-headers": "authorization, content-type, last-event-id",
    "access-control-max-age": "600",
    ...(isPrivate ? { "access-control-allow-private-network": "true" } : {}),
  };
}
