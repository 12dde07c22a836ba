/**
 * Whether another site's page has sent a request. On a listener that asks for no token, the browser of whoever sits at the
 * machine could be made to act by any page it shows; the headers that browsers add, and pages cannot touch, give it away.
 */
import type { IncomingMessage } from "node:http";

/** own: this API's own page, a person's address bar, or no browser at all. named: a site that `api.cors` lists. */
export type Sender = "own" | "named" | "foreign";

/** `named` holds origins as browsers write them. */
export function senderOf({ method, headers }: Pick<IncomingMessage, "method" | "headers">, named: ReadonlySet<string>): Sender {
  const { origin, host } = headers;
  // Browsers send Origin with every request but plain GET and HEAD, and with WebSockets (Fetch standard §3.2; RFC 6455 §4.1).
  if (origin !== undefined) return isSameHost(origin, host) ? "own" : named.has(origin) ? "named" : "foreign";
  // For the rest there is Sec-Fetch-Site, which other programs do not send (Fetch Metadata §2).
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return "own";
  // A link on another page may lead here: the answer is shown, and that page cannot read it.
  const followsLink = method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  return followsLink ? "own" : "foreign";
}

/** By name and port; the scheme may differ, since a proxy in front may speak TLS. `null` and its like are nobody's. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !/^https?:\/\//.test(origin)) return false;
  const [scheme = ""] = origin.split("//");
  const asked = `${scheme}//${host}`;
  if (!URL.canParse(origin) || !URL.canParse(asked)) return false;
  // Both as URLs: default ports and letters' case make no difference.
  return new URL(origin).host === new URL(asked).host;
}
