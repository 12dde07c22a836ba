/** What a relay is told to do; all of it can change while it runs. */
import type { RelayProtocol } from "../core/relay.ts";
import type { LinkSelector } from "./link-selector.ts";
import type { RelayRule } from "./rules/relay-rule.ts";

export interface RelayOptions {
  readonly links: readonly LinkSelector[];
  readonly protocols: readonly RelayProtocol[];
  readonly rules: readonly RelayRule[];
  /** Whether the built-in denials (Matter, Thread, sleep proxies) follow the rules. */
  readonly defaults: boolean;
  /** What happens to what no rule matches. */
  readonly fallback: "allow" | "deny";
  /** Packets a second; 0 is no limit, and what is left out is as the relay has it. */
  readonly limits: { readonly perSource?: number; readonly perLink?: number };
  readonly onSecondReflector: "stand-down" | "carry-on";
}
