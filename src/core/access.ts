/** Who asks the API, and what they may do. */

/** viewer: sees everything. operator: acts as well. */
export type Role = "viewer" | "operator";

/** Somebody who may come in. */
export interface Caller {
  /** For the log: the token's name, or the cluster's name of the account. */
  readonly name: string;
  readonly role: Role;
}

/** What a token comes to: somebody with a role, somebody without any, or nobody that is known. */
export type TokenVerdict =
  | { readonly state: "caller"; readonly caller: Caller }
  | { readonly state: "powerless"; readonly name: string }
  | { readonly state: "unknown" };

/** Asks the cluster about a token. Throws `kube.*` when it cannot be asked. */
export type TokenReviewer = (token: string, signal: AbortSignal) => Promise<TokenVerdict>;
