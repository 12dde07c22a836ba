/** What kind of mDNS message one is. */
import type { DnsMessage } from "../dns/dns-message.ts";

/** RFC 6762 §3, for whoever takes part in full. */
const mdnsPort = 5353;

export type MdnsKind =
  /** An announcement or an answer. */
  | "response"
  /** A response all of whose answers take something back (RFC 6762 §10.1). */
  | "goodbye"
  /** Proposes records before claiming a name (§8.1). */
  | "probe"
  /** More known answers to a query that went before (§7.2). */
  | "continuation"
  /** From another port than 5353: answered to that port, and with its id (§6.7). */
  | "legacy-query"
  | "query";

/** `port`: where the message was sent from. */
export function classifyMessage(message: DnsMessage, port: number): MdnsKind {
  const { response, questions, records } = message;
  if (response) {
    const answers = records.filter(({ section }) => section === "answer");
    return answers.length > 0 && answers.every(({ ttl }) => ttl === 0) ? "goodbye" : "response";
  }
  if (port !== mdnsPort) return "legacy-query";
  if (questions.length === 0) return "continuation";
  return records.some(({ section }) => section === "authority") ? "probe" : "query";
}
