/** WS-Discovery messages in a line, for people. */
import { printable } from "../../core/printable.ts";
import type { WsdMessage } from "./read-wsd.ts";

const longestDescription = 200;

/** `hello printdevicetype urn:uuid:…`: one printable line of at most 200 characters. */
export function describeWsd({ kind, types, endpoint }: WsdMessage): string {
  const text = printable([kind, ...types, endpoint ?? ""].join(" ").trim());
  return text.length <= longestDescription ? text : `${text.slice(0, longestDescription - 1)}…`;
}
