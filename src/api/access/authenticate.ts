/** Who sends a token, and how often one may be wrong. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Caller } from "../../core/access.ts";
import type { Clock } from "../../core/clock.ts";
import { hasCode, isAerialError } from "../../core/errors.ts";
import type { ClusterTokens } from "./cluster-tokens.ts";
import type { FileTokens } from "./file-tokens.ts";
import { createRateLimiter } from "./rate-limiter.ts";
import { type Refusal, refuse, refuseForNow } from "./refusal.ts";

export interface AuthenticatorDependencies {
  readonly clock: Clock;
  readonly files: FileTokens;
  /** Where tokens of the cluster are taken. */
  readonly cluster?: ClusterTokens | undefined;
}

type Authentication = { readonly caller: Caller } | { readonly refusal: Refusal };

/** `client` is whom requests are counted to. */
export type Authenticate = (request: IncomingMessage, client: string, signal: AbortSignal) => Promise<Authentication>;

/** Wrong tokens from one client: ten at once, then ten a minute. */
const wrongTokens = { perSecond: 1 / 6, burst: 10, mostClients: 4_096 } as const;
/** Clients and their tokens that were right. */
const mostTrusted = 1_024;

export function createAuthenticator({ clock, files, cluster }: AuthenticatorDependencies): Authenticate {
  const wrong = createRateLimiter(wrongTokens);
  /**
   * Who guesses is not told any more, not even when right. But behind one address there may be somebody with an old token
   * and others with good ones: a token that was right from there before is looked at all the same.
   */
  const trusted = new Set<string>();

  const trust = (key: string): void => {
    trusted.delete(key);
    trusted.add(key);
    for (const oldest of trusted) {
      if (trusted.size <= mostTrusted) break;
      trusted.delete(oldest);
    }
  };

  return async (request, client, signal) => {
    const token = bearerOf(request);
    if (token === undefined)
      return refused({ status: 401, code: "api.token-missing", detail: "a bearer token is needed here", headers: challenge() });
    const key = `${client} ${createHash("sha256").update(token).digest("base64")}`;
    const waitMs = wrong.wait(client, clock.now());
    if (waitMs > 0 && !trusted.has(key)) return { refusal: refuseForNow("too many wrong tokens came from this address", waitMs) };

    const caller = await files.find(token);
    if (caller !== undefined) {
      trust(key);
      return { caller };
    }
    if (cluster !== undefined) {
      try {
        const verdict = await cluster.find(token, signal);
        if (verdict.state !== "unknown") trust(key);
        if (verdict.state === "caller") return { caller: verdict.caller };
        if (verdict.state === "powerless") {
          return refused({ status: 403, code: "api.not-allowed", detail: `${verdict.name} may neither look nor act here` });
        }
      } catch (error) {
        if (!isAerialError(error)) throw error;
        const isBusy = hasCode(error, "api.busy");
        const detail = isBusy ? error.message : "the cluster cannot be asked about this token just now";
        return refused({ status: 503, code: isBusy ? "api.busy" : "kube.unreachable", detail, headers: { "retry-after": "5" } });
      }
    }
    trusted.delete(key);
    wrong.take(client, clock.now());
    return refused({ status: 401, code: "api.token-unknown", detail: "this token is not known here", headers: challenge("invalid_token") });
  };
}

function refused(refusal: Parameters<typeof refuse>[0]): Authentication {
  return { refusal: refuse(refusal) };
}

/** RFC 6750 §3. */
function challenge(error?: string): Readonly<Record<string, string>> {
  return { "www-authenticate": `Bearer realm="aerial"${error === undefined ? "" : `, error="${error}"`}` };
}

/** The token in `Authorization: Bearer …` (RFC 6750 §2.1); undefined where there is none. */
function bearerOf({ headers: { authorization } }: IncomingMessage): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "")?.[1];
}
