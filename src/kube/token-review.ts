/** Whose a token is, and what its owner may do with radios: both asked of the API server, and nothing taken from the token itself. */
import type { Role, TokenReviewer, TokenVerdict } from "../core/access.ts";
import { printable } from "../core/printable.ts";
import type { KubeObject } from "./exchange.ts";
import type { Kube } from "./kube.ts";

export interface TokenReviewDependencies {
  readonly kube: Pick<Kube, "create">;
  /** For one of whom the token must have been made; none: for the API server itself. */
  readonly audiences: readonly string[];
}

const tokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const accessReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/** A resource that no API server has: rights to it are given by roles all the same, and mean aerial's API and nothing else. */
const radios = { group: "radio.mi.house", resource: "radios" } as const;

/** What an account may do there, and what that makes it here. The greater right is asked about first. */
const rights: readonly { readonly verb: string; readonly role: Role }[] = [
  { verb: "update", role: "operator" },
  { verb: "get", role: "viewer" },
];

const longestName = 253;

/** The reviewer rejects with `kube.*` when the API server is away, or aerial itself may not ask it (`kube.forbidden`). */
export function createTokenReviewer({ kube, audiences }: TokenReviewDependencies): TokenReviewer {
  return async (token, signal): Promise<TokenVerdict> => {
    const spec = audiences.length === 0 ? { token } : { token, audiences };
    const review = await kube.create(tokenReviews, { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec }, signal);
    const user = userOf(review, audiences);
    if (user === undefined) return { state: "unknown" };
    const name = printable(String(user["username"]).slice(0, longestName));
    for (const { verb, role } of rights) {
      if (await isAllowed(kube, { user, verb }, signal)) return { state: "caller", caller: { name, role } };
    }
    return { state: "powerless", name };
  };
}

/** Who the token's owner is; undefined when the API server does not vouch for it, or not for any of these audiences. */
function userOf(review: KubeObject, audiences: readonly string[]): KubeObject | undefined {
  const status = asObject(review["status"]);
  const user = asObject(status["user"]);
  if (status["authenticated"] !== true || typeof user["username"] !== "string" || user["username"] === "") return undefined;
  // An authenticator that knows nothing of audiences leaves them out of its answer (TokenReviewStatus.audiences).
  const vouched: unknown = status["audiences"];
  const isMeant = audiences.length === 0 || (Array.isArray(vouched) && audiences.some((audience) => vouched.includes(audience)));
  return isMeant ? user : undefined;
}

interface Question {
  readonly user: KubeObject;
  readonly verb: string;
}

async function isAllowed(kube: Pick<Kube, "create">, { user, verb }: Question, signal: AbortSignal): Promise<boolean> {
  const { username, uid, groups, extra } = user;
  const spec = { user: username, uid, groups, extra, resourceAttributes: { ...radios, verb } };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
  return asObject((await kube.create(accessReviews, body, signal))["status"])["allowed"] === true;
}

function asObject(value: unknown): KubeObject {
  return typeof value === "object" && value !== null ? (value as KubeObject) : {};
}
