/** What the relay's thread tells the daemon: conditions as they come and go, status when asked, services and pairs when they change. */
import type { RelayLinkStatus, RelayStatus, RelayTrace } from "../core/relay.ts";
import { formatAddress } from "../host/ip-address.ts";
import type { Flood } from "./guard/rate-limit.ts";
import { describeCarriage } from "./link-carriage.ts";
import type { LinkSockets } from "./link-sockets.ts";
import type { RelayEngine } from "./relay-engine.ts";
import type { SelectedLink } from "./link-selector.ts";
import type { RelayLinks } from "./relay-links.ts";
import type { FromRelay } from "./relay-messages.ts";

export interface RelayReport {
  /** Undefined while nobody follows. */
  trace(): ((line: Omit<RelayTrace, "at">) => void) | undefined;
  follow(on: boolean): void;
  status(now: number): RelayStatus;
  tick(now: number): void;
  nextTick(now: number): number;
  /** Tells what is left to tell. */
  close(now: number): void;
}

export interface RelayReportDependencies {
  readonly engine: RelayEngine;
  readonly sockets: LinkSockets;
  readonly links: RelayLinks;
  readonly notes: ReadonlySet<string>;
  readonly tell: (message: FromRelay) => void;
}

/** Services change in bursts; a reader wants to know within the second. */
const leastServicesPauseMs = 500;
/** One part in so many of the time may go into telling services. */
const servicesShare = 1_000;
/** When nothing but times has changed. */
const servicesRenewMs = 60_000;
/** Traces are sent together. */
const tracePauseMs = 100;
const traceLinesAtOnce = 500;
const mostFloods = 64;
/** Floods and reflectors come and go by time alone. */
const conditionsPauseMs = 500;

type LinkState = Pick<RelayLinkStatus, "state" | "why">;

const nothing = { carried: "", missing: "" };

interface Held {
  readonly severity: "info" | "warning" | "error";
  readonly text: string;
}

export function createRelayReport({ engine, sockets, links, notes, tell }: RelayReportDependencies): RelayReport {
  const floods = new Map<string, number>();
  let following = false;
  let lines: RelayTrace[] = [];
  let linesLost = 0;
  let conditions = new Map<string, Held>();
  let servicesVersion = -1;
  let servicesAt = -Infinity;
  let servicesPauseMs = leastServicesPauseMs;
  let tracedAt = -Infinity;
  let checkedAt = -Infinity;
  let pairsSaid = "";
  let rolesVersion = -1;
  let linksVersion = -1;

  /** The worst of each flood so far, coarsely: what is told is to change seldom. */
  const worst = ({ link, source = "", packetsPerSecond }: Flood): number => {
    const key = `${link}\0${source}`;
    const held = Math.max(floods.get(key) ?? 0, coarse(packetsPerSecond));
    if (floods.size < mostFloods || floods.has(key)) floods.set(key, held);
    return held;
  };

  const write = (line: Omit<RelayTrace, "at">): void => {
    if (lines.length >= traceLinesAtOnce) linesLost += 1;
    else lines.push({ at: new Date().toISOString(), ...line });
  };

  const linkState = ({ name, link }: SelectedLink): LinkState => {
    if (link === undefined) return { state: "absent", why: "there is no such interface" };
    if (!link.up) return { state: "down", why: "the interface is down or has no carrier" };
    if (link.addresses.length === 0) return { state: "down", why: "the interface has no address to send from" };
    const problems = sockets.problems(name);
    if (problems.length === 0) return { state: "up" };
    const why = problems.join(". ");
    const open = engine.links.find((one) => one.name === name);
    const { carried, missing } =
      open === undefined ? nothing : describeCarriage(open, { protocols: engine.protocols, carries: sockets.carries });
    if (carried === "") return { state: "failed", why };
    return missing === "" ? { state: "up" } : { state: "up", why: `${missing} is not relayed, ${carried} is; ${why}` };
  };

  const linkStatus = (selected: SelectedLink): RelayLinkStatus => {
    const { name, link } = selected;
    const { heard, sent } = engine.counters.of(name);
    const counted = { heard, sent, overrun: sockets.overrun(name) };
    if (link === undefined) return { name, addresses: [], ...linkState(selected), ...counted };
    return {
      name,
      interface: link.name,
      ...(link.vlan !== undefined && { vlan: link.vlan }),
      mtu: link.mtu,
      addresses: link.addresses.map(({ bytes, prefixLength }) => `${formatAddress(bytes)}/${prefixLength}`),
      ...counted,
      ...linkState(selected),
    };
  };

  const current = (now: number): Map<string, Held> => {
    const found = new Map<string, Held>();
    for (const selected of links.selected) {
      const { name } = selected;
      const { state, why } = linkState(selected);
      if (state === "up" && why === undefined) continue;
      const severity = state === "failed" ? "error" : "warning";
      const what = state === "up" ? `Not everything is relayed to and from ${name}` : `Nothing is relayed to or from ${name}`;
      found.set(`relay.link.${name}`, { severity, text: `${what}: ${why ?? state}.` });
    }
    if (notes.size > 0) found.set("relay.capabilities", { severity: "info", text: `${[...notes].join(". ")}.` });
    const flooding = engine.rate.floods(now);
    if (flooding.length === 0) floods.clear();
    for (const flood of flooding) {
      const who = flood.source === undefined ? "the link as a whole" : addressText(flood.source);
      const code = `relay.flood.${flood.link}`;
      const text = `${who} floods ${flood.link} with ${worst(flood)} packets a second and more; what is over the limit is not relayed. Find that host, or raise relay.limits.`;
      found.set(code, { severity: "warning", text: join(found.get(code)?.text, text) });
    }
    for (const { code, text } of engine.echoes.conditions(now)) {
      found.set(code, { severity: "warning", text: join(found.get(code)?.text, text) });
    }
    return found;
  };

  const compare = (now: number): void => {
    const next = current(now);
    for (const [code, held] of next) {
      const before = conditions.get(code);
      if (before?.text !== held.text || before.severity !== held.severity) tell({ type: "condition", code, ...held });
    }
    for (const code of conditions.keys()) if (!next.has(code)) tell({ type: "clear", code });
    conditions = next;
  };

  const tellPairs = (now: number): void => {
    rolesVersion = engine.roles.version;
    const pairs = engine.roles.pairs(now);
    const said = JSON.stringify(pairs);
    if (said !== pairsSaid) tell({ type: "pairs", pairs });
    pairsSaid = said;
  };

  const tellServices = (now: number): void => {
    if (engine.seen.version === servicesVersion && (engine.seen.size === 0 || now - servicesAt < servicesRenewMs)) return;
    const begin = performance.now();
    servicesVersion = engine.seen.version;
    tell({ type: "services", services: engine.seen.list(now, Date.now()) });
    // A long list is told less often: packets wait while it is made.
    servicesAt = now;
    servicesPauseMs = Math.max(leastServicesPauseMs, (performance.now() - begin) * servicesShare);
  };

  const tellTraces = (now: number): void => {
    tracedAt = now;
    if (lines.length === 0) return;
    tell({ type: "trace", lines, lost: linesLost });
    lines = [];
    linesLost = 0;
  };

  return {
    trace: () => (following ? write : undefined),
    follow(on) {
      following = on;
      lines = [];
    },
    status(now) {
      return {
        id: engine.roles.id,
        protocols: engine.protocols,
        links: links.selected.map(linkStatus),
        pairs: engine.roles.pairs(now),
        rules: engine.rules.lines.map(({ text, hits }) => ({ text, hits })),
        searches: engine.searches.size,
        services: engine.seen.list(now, Date.now()).length,
      };
    },
    tick(now) {
      if (engine.roles.version !== rolesVersion) tellPairs(now);
      if (now - checkedAt >= conditionsPauseMs || links.version !== linksVersion) {
        linksVersion = links.version;
        checkedAt = now;
        compare(now);
      }
      if (now - servicesAt >= servicesPauseMs) tellServices(now);
      if (now - tracedAt >= tracePauseMs) tellTraces(now);
    },
    nextTick(now) {
      const services = engine.seen.version === servicesVersion ? Infinity : servicesAt + servicesPauseMs;
      const passing = [...conditions.keys()].some((code) => code.startsWith("relay.flood.") || code === "relay.second-reflector");
      const checks = passing ? checkedAt + conditionsPauseMs : Infinity;
      const traces = lines.length === 0 ? Infinity : tracedAt + tracePauseMs;
      return Math.max(now, Math.min(services, traces, checks));
    },
    close(now) {
      tellServices(now);
      tellTraces(now);
    },
  };
}

/** Rounded down to 1, 2 or 5 times a power of ten. */
function coarse(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  const digit = value / power;
  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

function join(before: string | undefined, text: string): string {
  return before === undefined ? text : `${before} ${text}`;
}

/** Sources are kept as a string of their bytes. */
function addressText(key: string): string {
  return formatAddress(Uint8Array.from(key, (letter) => letter.charCodeAt(0)));
}
