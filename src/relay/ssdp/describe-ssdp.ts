/** SSDP messages in a line, for people. */
import { printable } from "../../core/printable.ts";
import type { SsdpMessage } from "./read-ssdp.ts";

const longestDescription = 200;

/** `NOTIFY ssdp:alive upnp:rootdevice uuid:…`, `M-SEARCH ssdp:all MX 3`: one printable line of at most 200 characters. */
export function describeSsdp(message: SsdpMessage): string {
  const { kind, targets, nts, uuid, headers } = message;
  const first = { notify: `NOTIFY ssdp:${nts ?? ""}`, search: "M-SEARCH", response: "answer" }[kind];
  const target = targets[0] ?? "";
  const maxWait = headers.get("mx");
  const parts = [first, target];
  if (kind === "search" && maxWait !== undefined) parts.push(`MX ${maxWait}`);
  if (uuid !== undefined && !target.includes(uuid)) parts.push(`uuid:${uuid}`);
  return shorten(printable(parts.join(" ")), longestDescription);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
