/** JSON Schema in few words. */

export const text = { type: "string" } as const;
export const flag = { type: "boolean" } as const;
export const count = { type: "integer", minimum: 0 } as const;
export const texts = { type: "array", items: text } as const;

export function object<Properties extends Record<string, object>>(properties: Properties, optional: readonly (keyof Properties)[] = []) {
  const required = Object.keys(properties).filter((key) => !optional.includes(key));
  return { type: "object", properties, required } as const;
}

export const list = (items: object) => ({ type: "array", items }) as const;
export const word = (...words: string[]) => ({ type: "string", enum: words }) as const;

const problem = object({ type: text, title: text, status: count, detail: text, code: text, hint: text }, ["code", "hint"]);

/** What every route may answer instead. */
export const errors = { "4xx": problem, "5xx": problem } as const;
