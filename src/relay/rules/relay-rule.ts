/** The rules' words: what may pass from which link to which. */
import type { AddressFamily, RelayProtocol } from "../../core/relay.ts";

/** Queries, probes and searches ask; answers, announcements, goodbyes and NOTIFY offer. */
export type RelayDirection = "ask" | "offer";

/** One rule as configured; what is left out matches everything. The first rule that matches decides. */
export interface RelayRule {
  readonly action: "allow" | "deny";
  /** Names of links. */
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly direction?: RelayDirection;
  /** DNS-SD types (`_hap._tcp`), UPnP types (`urn:…`), or presets (`homekit`). */
  readonly service?: readonly string[];
  /** Globs without regard to ASCII case; `*` is any run of characters. */
  readonly instance?: readonly string[];
  readonly host?: readonly string[];
  /** Addresses or prefixes of who sends: `192.0.2.7`, `192.0.2.0/24`, `fe80::/10`. */
  readonly source?: readonly string[];
  readonly protocol?: readonly RelayProtocol[];
}

/** What a rule is held against: one question, one record, or one SSDP message. */
export interface RelaySubject {
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
  readonly direction: RelayDirection;
  /** 4 or 16 bytes. */
  readonly source: Uint8Array;
  /** `_hap._tcp` or a UPnP type, lower case. Several where one message names several. Empty when it names none. */
  readonly services: readonly string[];
  /** Plain text, lower case. */
  readonly instance?: string | undefined;
  /** Without `.local`, lower case. */
  readonly host?: string | undefined;
  /** What asks, but is no question: a known answer, or what a probe proposes (RFC 6762 §7.1, §8.2). */
  readonly record?: boolean | undefined;
}

/** A rule that decides: adding to `hits` counts it. */
export interface RuleDecision {
  readonly allow: boolean;
  readonly line: { hits: number };
}

/** The rules as they hold between two links in one direction. */
export interface PairRules {
  /** Whether the subject may pass. Counts the hit of the rule that decided. */
  allows(subject: RelaySubject): boolean;
  /** What decides, not yet counted; undefined where nothing does, which denies. */
  decide(subject: RelaySubject): RuleDecision | undefined;
  /** Whether all of these rules ask for links, directions, protocols and services alone. */
  readonly byServiceOnly: boolean;
}

export interface RuleSet {
  between(from: string, to: string): PairRules;
  /** Every rule in order, presets and defaults written out, with how often it decided. */
  readonly lines: readonly { readonly text: string; readonly hits: number }[];
}
