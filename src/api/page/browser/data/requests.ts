/** Requests to the API this page came from. */
import type { Role } from "./connection.ts";
import { readProblem, toProblem } from "./problem.ts";

const tokenKey = "aerial.token";
/** Relative, so that the page also works below another path behind a proxy. */
const base = "api/v1";

/** The bearer token given in this tab; it is forgotten with the tab. */
export const token = {
  get current(): string | undefined {
    return sessionStorage.getItem(tokenKey) ?? undefined;
  },
  set(value: string | undefined): void {
    if (value === undefined) sessionStorage.removeItem(tokenKey);
    else sessionStorage.setItem(tokenKey, value);
  },
};

let tellRole: (role: Role) => void = () => undefined;

/** `listener` is told with each answer what whoever asked may do. */
export function tellRoleTo(listener: (role: Role) => void): void {
  tellRole = listener;
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The answer to a request below `/api/v1`, if it is a success. @throws Problem */
export async function ask(path: string, { method = "GET", body, headers, signal }: RequestOptions = {}): Promise<Response> {
  const bearer = token.current;
  let response: Response;
  try {
    response = await fetch(`${base}${path}`, {
      method,
      cache: "no-store",
      headers: {
        ...headers,
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    throw toProblem(error);
  }
  if (!response.ok) throw await readProblem(response);
  const role = response.headers.get("aerial-role");
  if (role === "viewer" || role === "operator") tellRole(role);
  return response;
}

/** As `ask`, read as JSON. */
export async function askJson<Answer>(path: string, options?: RequestOptions): Promise<Answer> {
  const response = await ask(path, options);
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    throw toProblem(error);
  }
}
