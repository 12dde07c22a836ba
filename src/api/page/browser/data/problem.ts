/** What went wrong, in the words of RFC 9457 where the daemon said it. */

export class Problem extends Error {
  override readonly name = "Problem";
  /** HTTP status; 0 when nobody answered. */
  readonly status: number;
  readonly code: string | undefined;
  /** What a person can do. */
  readonly hint: string | undefined;

  constructor(detail: string, { status, code, hint }: { readonly status: number; readonly code?: string; readonly hint?: string }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** Whatever was thrown, as something that can be shown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // What fetch() throws when there is no connection says something else in every browser.
  if (error instanceof TypeError) return new Problem("aerial does not answer.", { status: 0, hint: "The page keeps trying." });
  return new Problem(error instanceof Error ? error.message : String(error), { status: 0 });
}

/** Out of an answer that is no success; its body is read. */
export async function readProblem(response: Response): Promise<Problem> {
  const { status } = response;
  const said: unknown = await response.json().catch(() => undefined);
  const text = (name: string): string | undefined => {
    const value = typeof said === "object" && said !== null ? (said as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const code = text("code");
  const hint = text("hint");
  return new Problem(text("detail") ?? text("title") ?? `aerial answered with status ${status}`, {
    status,
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  });
}
