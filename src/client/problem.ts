/** What aerial says is wrong with a request (RFC 9457). */
import type { Problem } from "../api/contract/types.ts";

/** Thrown for every answer that is a problem. */
export class AerialProblem extends Error {
  override readonly name = "AerialProblem";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** aerial's stable code, such as `inventory.unknown-radio`. */
  get code(): string | undefined {
    return this.problem.code;
  }
}

/** The problem, or what can be said of an answer that is none: something else answers there, a proxy perhaps. */
export async function readProblem(response: Response): Promise<Problem> {
  const { status, statusText } = response;
  const unknown: Problem = { type: "about:blank", title: statusText, status, detail: `the answer was ${status} ${statusText}`.trimEnd() };
  if (response.headers.get("content-type")?.startsWith("application/problem+json") !== true) {
    await response.body?.cancel();
    return unknown;
  }
  const said = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return { ...unknown, ...said, status };
}
