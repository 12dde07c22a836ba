/** Headers of every answer, whatever route it comes from: for browsers, what they may not do with it. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Data is neither a page nor a part of one. */
const dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * For HTML. Everything comes from this API as files: scripts and styles written into the page do not run, so that a name
 * announced by a hostile host can do nothing there either.
 */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const fixed = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": dataPolicy,
} as const;

/** A year (RFC 6797 §6.1.1). */
const strictTransport = "max-age=31536000";

/** As headers of an answer written without `ServerResponse`. */
export const securityHeaders: Readonly<Record<string, string>> = fixed;

/** Sets them; routes may set others in their place. */
export function setSecurityHeaders(
  { headers: { host }, socket }: Pick<IncomingMessage, "headers" | "socket">,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(fixed)) response.setHeader(name, value);
  // It holds for all ports of a host: with a port in the name, other programs of the node that speak plain HTTP would be cut off.
  const isTls = "encrypted" in socket;
  if (isTls && host !== undefined && !/:\d+$/.test(host)) response.setHeader("strict-transport-security", strictTransport);
}

/** The policy for what is answered with this media type, where it is not the one set already. */
export function policyFor(contentType: unknown): string | undefined {
  return typeof contentType === "string" && contentType.startsWith("text/html") ? pagePolicy : undefined;
}
