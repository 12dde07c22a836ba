/** What the API server's refusals mean to us. */
import { AerialError, type ErrorCode } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

/** What was asked, for messages. */
export interface Asked {
  readonly method: string;
  readonly path: string;
}

/** HTTP status codes as Kubernetes uses them (API conventions, "HTTP Status codes"); 410 means: that history is gone, start anew. */
const codes: Readonly<Record<number, ErrorCode>> = {
  400: "kube.invalid",
  401: "kube.unauthorized",
  403: "kube.forbidden",
  404: "kube.not-found",
  405: "kube.invalid",
  406: "kube.invalid",
  409: "kube.conflict",
  410: "kube.conflict",
  413: "kube.invalid",
  415: "kube.invalid",
  422: "kube.invalid",
};

/** The authorizer's sentence (apiserver pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage). */
const forbidden =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) (?:resource "(?<resource>[^"]*)"(?: in API group "(?<group>[^"]*)")?|path "(?<path>[^"]*)")(?: in the namespace "(?<namespace>[^"]*)")?/;

/** The error for an answer other than success. `body` is the Status object if there was one; anything else is tolerated. */
export function toRefusal(status: number, body: unknown, asked: Asked): AerialError {
  const { message, reason } = readStatus(body);
  const said = status === 429 ? budgetSentence(body) : undefined;
  if (said !== undefined) {
    return new AerialError("kube.disruption-budget", `${asked.method} ${asked.path} was refused for now: ${said}`, {
      details: { status, reason, said },
    });
  }
  const code = codes[status] ?? (status >= 500 || status === 429 ? "kube.unreachable" : "kube.protocol");
  const missing = status === 403 ? missingRule(message) : undefined;
  const why = missing?.text ?? (message === "" ? "" : `: ${message}`);
  return new AerialError(code, `${asked.method} ${asked.path} was answered ${status}${reason === "" ? "" : ` ${reason}`}${why}`, {
    details: { status, reason, ...missing?.details },
  });
}

interface MissingRule {
  readonly text: string;
  readonly details: Readonly<Record<string, string>>;
}

function missingRule(message: string): MissingRule | undefined {
  const groups = forbidden.exec(message)?.groups;
  const { user, verb, resource, group = "", namespace } = groups ?? {};
  if (user === undefined || verb === undefined || resource === undefined) return undefined;
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  return {
    text: `: ${user} may not ${verb} ${resource}${where}; its role lacks {apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}`,
    details: { user, verb, resource, group, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function readStatus(body: unknown): { readonly message: string; readonly reason: string } {
  if (typeof body !== "object" || body === null) return { message: "", reason: "" };
  const { message, reason } = body as { readonly message?: unknown; readonly reason?: unknown };
  return { message: oneLine(message), reason: oneLine(reason) };
}

/**
 * What an eviction is told by a PodDisruptionBudget: too many requests, with a cause of this type that names the budget
 * (pkg/registry/core/pod/storage/eviction.go). A server that has too much to do answers 429 too, without the cause.
 */
function budgetSentence(body: unknown): string | undefined {
  const causes: unknown = (body as { readonly details?: { readonly causes?: unknown } | null } | null | undefined)?.details?.causes;
  if (!Array.isArray(causes)) return undefined;
  for (const cause of causes.slice(0, mostCauses) as readonly unknown[]) {
    const { message, reason } = readStatus(cause);
    if (reason === "DisruptionBudget") return message === "" ? "a disruption budget forbids it" : message;
  }
  return undefined;
}

const mostCauses = 16;
const longestText = 1_000;

/** Foreign text made fit for one log line. */
function oneLine(text: unknown): string {
  return typeof text === "string" ? printable(text.replaceAll(/\s+/g, " ").trim().slice(0, longestText)) : "";
}
