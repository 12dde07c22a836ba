/** The configuration as it may be shown. */

/** Keys whose text is a secret itself. Today every secret is in a file of its own, of which the configuration has the path. */
const secretKeys = /^(?:.*(?:password|passphrase|secret|token))$/i;

/** A copy in which the text of such keys is `***`. */
export function hideSecrets(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, hide(key, value)]));
}

function hide(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => hide(key, one));
  if (typeof value === "object" && value !== null) return hideSecrets(value as Readonly<Record<string, unknown>>);
  return typeof value === "string" && secretKeys.test(key) ? "***" : value;
}
