/** Errors as RFC 9457 problem details. */
import { type ErrorCode, isAerialError } from "../core/errors.ts";
import { STATUS_CODES } from "../core/node-http.ts";
import type { Problem } from "./contract/types.ts";

export const problemType = "application/problem+json; charset=utf-8";

const statuses: Partial<Record<ErrorCode, number>> = {
  "inventory.unknown-radio": 404,
  "inventory.leased": 409,
  "inventory.name-taken": 409,
  "inventory.invalid-name": 422,
  "inventory.invalid-kind": 422,
  "inventory.unusable": 503,
  "events.gone": 410,
  "relay.off": 404,
  "relay.away": 503,
  "cluster.off": 404,
  "pods.forbidden": 503,
  "kube.unreachable": 503,
  "kube.forbidden": 503,
  "kube.unauthorized": 503,
  "kube.not-found": 503,
  "kube.conflict": 503,
  "kube.protocol": 503,
  "scan.late": 503,
  "doctor.off": 503,
  "api.busy": 503,
  "api.off": 503,
  "internal.abort": 503,
};

/** A problem without a code of its own: the status says it all (RFC 9457 §4.2.1). */
export function plainProblem(status: number, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
}

/** What a client gets to see of an error. Bugs are not described: the log has them. */
export function toProblem(error: unknown): Problem {
  if (isAerialError(error)) {
    const problem = plainProblem(statuses[error.code] ?? 500, error.message);
    return { ...problem, code: error.code, hint: error.hint };
  }
  const status = clientErrorStatus(error);
  if (status !== undefined && error instanceof Error) return plainProblem(status, error.message);
  return plainProblem(500, "an internal error; the log of aerial says more");
}

/** Fastify's own errors (validation, limits, media types) carry the status they deserve. */
function clientErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
