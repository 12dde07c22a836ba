/** Rules made ready: for two links and a service, those that can still decide; what is known of a service is not worked out twice. */
import type { RelayProtocol } from "../../core/relay.ts";
import { type NetworkPrefix, parseNetworkPrefix } from "../../core/network-prefix.ts";
import { inPrefix } from "../address.ts";
import { compileGlob, type Glob } from "./glob.ts";
import type { PairRules, RelayDirection, RelayRule, RelaySubject, RuleSet } from "./relay-rule.ts";
import { formatRule } from "./rule-text.ts";
import { compileServices, expandServices, type ServiceMatcher } from "./service-matcher.ts";

export interface RuleOptions {
  /** In the order in which they are asked. */
  readonly rules: readonly RelayRule[];
  /** Whether what is of no use, or of harm, on another link stays where it is unless a rule says otherwise. True when left out. */
  readonly defaults?: boolean;
  /** What holds where no rule matches. `allow` when left out. */
  readonly default?: "allow" | "deny";
}

/**
 * Matter and Thread run on link-local IPv6 and on routes announced per link; a sleep proxy answers ARP for sleepers on its
 * own link only. Found from elsewhere, they cannot be reached.
 */
const builtIn = ["matter", "thread", "sleep-proxy"];

/** The question for all types (RFC 6763 §9). */
const everyType = "_services._dns-sd._udp";

/** Far more types than a home has; beyond, the oldest is worked out anew when it is named again. */
const rememberedServices = 1024;
const rememberedPairs = 4096;

/** Each has all properties, so that all are of one shape: they are asked for each part of each packet. */
interface CompiledRule {
  readonly allow: boolean;
  readonly line: { readonly text: string; hits: number };
  readonly from: ReadonlySet<string> | undefined;
  readonly to: ReadonlySet<string> | undefined;
  readonly direction: RelayDirection | undefined;
  readonly protocol: ReadonlySet<RelayProtocol> | undefined;
  readonly service: ServiceMatcher | undefined;
  readonly instance: readonly Glob[] | undefined;
  readonly host: readonly Glob[] | undefined;
  readonly source: readonly NetworkPrefix[] | undefined;
  /** One of the defaults: what merely allows everything between two links does not speak for what it names. */
  readonly builtIn: true | undefined;
}

/** A rule that may decide about a service. */
interface Step {
  readonly rule: CompiledRule;
  /** It allows some service, and the subject names none: it speaks for the subject unless a rule is about the subject itself. */
  readonly inPart: boolean;
  /**
   * A question that says less than the rule asks about may be answered by what the rule allows: it is for every instance of
   * its type, and for the hosts behind them. What it brings is judged by itself.
   */
  readonly maybe: boolean;
  /** Nothing more to ask. */
  readonly certain: boolean;
}

/**
 * The first rule that matches decides; then the built-in defaults; then `default`. An allowing rule that names neither
 * service, instance nor host leaves alone what the defaults keep on its link: that takes a rule that means it.
 */
export function compileRules(options: RuleOptions): RuleSet {
  const defaults = options.defaults === false ? [] : builtIn;
  const rules = [
    ...options.rules.map((rule) => compileRule(rule)),
    ...defaults.map((preset) => compileRule({ action: "deny", service: [preset] }, { text: `default: ${preset}`, builtIn: true })),
    compileRule({ action: options.default ?? "allow" }, { text: "default" }),
  ];
  /** By the name of either link: a name made of both would have to be made for each packet. */
  const pairs = new Map<string, Map<string, PairRules>>();
  let pairCount = 0;
  return {
    lines: rules.map(({ line }) => line),
    between(from, to) {
      const known = pairs.get(from)?.get(to);
      if (known !== undefined) return known;
      if (pairCount >= rememberedPairs) {
        pairs.clear();
        pairCount = 0;
      }
      const fresh = compilePair(rules.filter((rule) => (rule.from?.has(from) ?? true) && (rule.to?.has(to) ?? true)));
      pairs.set(from, (pairs.get(from) ?? new Map<string, PairRules>()).set(to, fresh));
      pairCount += 1;
      return fresh;
    },
  };
}

function compileRule(rule: RelayRule, note?: { readonly text: string; readonly builtIn?: true }): CompiledRule {
  const { action, from, to, direction, protocol, service, instance, host, source } = rule;
  return {
    allow: action === "allow",
    line: { text: formatRule(rule, note?.text), hits: 0 },
    builtIn: note?.builtIn,
    from: from && new Set(from),
    to: to && new Set(to),
    direction,
    protocol: protocol && new Set(protocol),
    service: service && compileServices(expandServices(service)),
    instance: instance?.map(compileGlob),
    host: host?.map(compileGlob),
    // What is no prefix matches nobody; the configuration refuses it.
    source: source?.flatMap((text) => parseNetworkPrefix(text) ?? []),
  };
}

function compilePair(rules: readonly CompiledRule[]): PairRules {
  const tables = new Map<string, (services: readonly string[]) => readonly Step[]>();
  const tableOf = ({ protocol, direction }: RelaySubject) => {
    const key = direction === "ask" ? `?${protocol}` : protocol;
    const known = tables.get(key);
    if (known !== undefined) return known;
    const fresh = compileTable(
      rules.filter((rule) => (rule.direction ?? direction) === direction && (rule.protocol?.has(protocol) ?? true)),
      direction,
    );
    tables.set(key, fresh);
    return fresh;
  };
  return {
    byServiceOnly: rules.every(({ instance, host, source }) => instance === undefined && host === undefined && source === undefined),
    decide: (subject) => decide(tableOf(subject)(subject.services), subject),
    allows(subject) {
      const rule = decide(tableOf(subject)(subject.services), subject);
      if (rule === undefined) return false;
      rule.line.hits += 1;
      return rule.allow;
    },
  };
}

/** Looks up the rules that may decide about what names these services. */
function compileTable(rules: readonly CompiledRule[], direction: RelayDirection): (services: readonly string[]) => readonly Step[] {
  const known = new Map<string, readonly Step[]>();
  return (services) => {
    const key = services.length > 1 ? services.join(" ") : (services[0] ?? "");
    const found = known.get(key);
    if (found !== undefined) return found;
    const [oldest] = known.size >= rememberedServices ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    const steps = stepsFor(rules, services, direction);
    known.set(key, steps);
    return steps;
  };
}

/** Questions for all there is, or for a device by its name: what they bring is judged by itself. */
function namesNone(service: string, direction: RelayDirection): boolean {
  if (service === everyType) return true;
  return direction === "ask" && (service === "ssdp:all" || service === "upnp:rootdevice" || service.startsWith("uuid:"));
}

function stepsFor(rules: readonly CompiledRule[], services: readonly string[], direction: RelayDirection): readonly Step[] {
  const steps: Step[] = [];
  const general = services.every((service) => namesNone(service, direction));
  const stays = rules.some(({ builtIn, service }) => builtIn === true && service !== undefined && services.some(service));
  for (const rule of rules) {
    const { service, instance, host, source } = rule;
    if (stays && rule.allow && !isAbout(rule)) continue;
    const named = service === undefined || services.some(service);
    const inPart = general && rule.allow && (!named || instance !== undefined);
    if (!named && !inPart) continue;
    const certain = !inPart && instance === undefined && host === undefined && source === undefined;
    // What the defaults keep on its link is asked for by name, or not at all.
    const maybe = direction === "ask" && rule.allow && services.length > 0 && !(stays && service === undefined);
    steps.push({ rule, inPart, maybe, certain });
    // Nothing after it can matter.
    if (certain) break;
  }
  return steps;
}

function decide(steps: readonly Step[], subject: RelaySubject): CompiledRule | undefined {
  const [only] = steps;
  if (steps.length === 1 && only?.certain === true) return only.rule;
  let partly: CompiledRule | undefined;
  for (const step of steps) {
    const { rule, inPart, certain } = step;
    if (!certain && !matches(step, subject)) continue;
    if (inPart) partly ??= rule;
    else if (rule.allow || partly === undefined || isAbout(rule)) return rule;
    else return partly;
  }
  return partly;
}

/** Whether the rule names what it is held against, rather than all there is. */
function isAbout(rule: CompiledRule): boolean {
  return rule.service !== undefined || rule.instance !== undefined || rule.host !== undefined;
}

function matches({ rule, inPart, maybe }: Step, subject: RelaySubject): boolean {
  const { source, instance, host } = rule;
  if (source !== undefined && !source.some(({ bytes, length }) => inPrefix(subject.source, bytes, length))) return false;
  const open = maybe && subject.record !== true;
  if (instance !== undefined && !inPart && !fits(instance, subject.instance, open)) return false;
  // Only mDNS names hosts: elsewhere no answer would be from one that is allowed.
  return host === undefined || fits(host, subject.host, inPart || (open && subject.protocol === "mdns"));
}

/** `unnamed`: what is true where there is no text. */
function fits(globs: readonly Glob[], text: string | undefined, unnamed: boolean): boolean {
  return text === undefined ? unnamed : globs.some((glob) => glob(text));
}
