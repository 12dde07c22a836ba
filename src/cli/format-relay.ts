/** The relay's status, what it has seen, and its packets, as tables and lines. */
import type { TraceLine } from "../api/contract/types.ts";
import { printable } from "../core/printable.ts";
import type { RelayLinkStatus, RelayPairStatus, RelayRuleStatus, RelayStatus, RelayVerdict, SeenService } from "../core/relay.ts";
import { type Column, formatTable } from "./table.ts";
import type { Color, Terminal } from "./terminal.ts";

type Heard = RelayLinkStatus["heard"];

/** Gone on, whole or in part. */
const carried: ReadonlySet<RelayVerdict> = new Set(["relayed", "trimmed"]);

function sum(heard: Heard, counts: (verdict: RelayVerdict) => boolean): number {
  return entries(heard).reduce((total, [verdict, packets]) => (counts(verdict) ? total + packets : total), 0);
}

function entries(heard: Heard): readonly (readonly [RelayVerdict, number])[] {
  return Object.entries(heard) as [RelayVerdict, number][];
}

/** `own 12, echo 3`: most first. */
function describeDropped(heard: Heard): string {
  const dropped = entries(heard).filter(([verdict, packets]) => packets > 0 && !carried.has(verdict));
  return dropped
    .toSorted(([, a], [, b]) => b - a)
    .map(([verdict, packets]) => `${verdict} ${packets}`)
    .join(", ");
}

const stateColors = { up: "green", down: "yellow", absent: "yellow", failed: "red" } as const;

const linkColumns: readonly Column<RelayLinkStatus>[] = [
  { title: "LINK", cell: ({ name }) => name },
  { title: "INTERFACE", cell: (link) => link.interface },
  { title: "VLAN", cell: ({ vlan }) => vlan?.toString() },
  { title: "STATE", cell: ({ state }) => ({ text: state, color: stateColors[state] }) },
  { title: "HEARD", cell: ({ heard }) => String(sum(heard, () => true)) },
  { title: "RELAYED", cell: ({ heard }) => String(sum(heard, (verdict) => carried.has(verdict))) },
  { title: "SENT", cell: ({ sent }) => String(sent) },
  { title: "DROPPED", cell: ({ heard }) => describeDropped(heard) },
  { title: "OVERRUN", cell: ({ overrun }) => (overrun === 0 ? "0" : { text: String(overrun), color: "red" }) },
  { title: "ADDRESSES", cell: ({ addresses }) => addresses.join(" ") },
];

const pairColumns: readonly Column<RelayPairStatus>[] = [
  { title: "BETWEEN", cell: ({ links }) => links.join(" and ") },
  { title: "ROLE", cell: ({ role }) => ({ text: role, color: role === "active" ? "green" : "dim" }) },
  { title: "SINCE", cell: ({ since }) => since },
  { title: "WHY", cell: ({ why }) => why },
];

const ruleColumns: readonly Column<RelayRuleStatus>[] = [
  { title: "HITS", cell: ({ hits }) => String(hits) },
  { title: "RULE", cell: ({ text }) => text },
];

/** Lines of `aerial relay status`. */
export function formatRelayStatus(status: RelayStatus, terminal: Terminal): readonly string[] {
  const { id, protocols, links, pairs, rules, searches, services } = status;
  const troubles = links.filter(({ why }) => why !== undefined);
  return [
    printable(
      `relay ${id}: ${protocols.join(", ")}; ${plural(services, "service")} known, ${plural(searches, "search", "searches")} under way`,
    ),
    "",
    ...formatTable(linkColumns, links, terminal),
    ...troubles.map(({ name, why }) => printable(`${name}: ${why ?? ""}`)),
    ...(pairs.length === 0 ? [] : ["", ...formatTable(pairColumns, pairs, terminal)]),
    ...(rules.length === 0 ? [] : ["", ...formatTable(ruleColumns, rules, terminal)]),
  ];
}

function plural(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}

/** By type, then name, then link, as people look for them. */
export function sortServices(services: readonly SeenService[]): readonly SeenService[] {
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return services.toSorted((a, b) => compare(a.service, b.service) || compare(a.instance, b.instance) || compare(a.link, b.link));
}

/** `192.0.2.7:80`, `[2001:db8::7]:80`, or what there is of it. */
function describePlace({ addresses, port }: SeenService): string {
  const [address] = addresses;
  if (address === undefined) return port === undefined ? "" : `:${port}`;
  if (port === undefined) return address;
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

const second = 1_000;
const units = [
  ["d", 86_400 * second],
  ["h", 3_600 * second],
  ["m", 60 * second],
] as const;

/** `12s`, `3m`, `5h`, `2d`: how long ago, or nothing when that is no time. */
function describeAge(since: string, now: number): string {
  const age = now - Date.parse(since);
  if (Number.isNaN(age)) return "";
  const [unit, milliseconds] = units.find(([, length]) => age >= length) ?? ["s", second];
  return `${Math.max(0, Math.floor(age / milliseconds))}${unit}`;
}

const relayedColumn: Column<SeenService> = { title: "RELAYED TO", cell: ({ relayedTo }) => relayedTo.join(" ") };

/** Columns of `aerial relay services`. `now` in milliseconds since the Unix epoch. */
export function serviceColumns(now: number): readonly Column<SeenService>[] {
  return [
    { title: "SERVICE", cell: ({ service }) => service },
    { title: "INSTANCE", cell: ({ instance }) => instance },
    { title: "HOST", cell: ({ host }) => host },
    { title: "ADDRESS", cell: describePlace },
    { title: "LINK", cell: ({ link }) => link },
    { title: "AGE", cell: ({ lastSeen }) => describeAge(lastSeen, now) },
    relayedColumn,
  ];
}

/** Columns of `aerial relay services -o wide`. */
export function wideServiceColumns(now: number): readonly Column<SeenService>[] {
  return [
    { title: "PROTOCOL", cell: ({ protocol }) => protocol },
    ...serviceColumns(now),
    { title: "EXPIRES", cell: ({ expires }) => expires },
    { title: "ADDRESSES", cell: ({ addresses }) => addresses.join(" ") },
    {
      title: "TEXT",
      cell: ({ text }) =>
        Object.entries(text)
          .map(([key, value]) => `${key}=${value}`)
          .join(" "),
    },
  ];
}

const verdictColors: Partial<Record<RelayVerdict, Color>> = {
  relayed: "green",
  trimmed: "green",
  "send-failed": "red",
  malformed: "red",
  rate: "red",
};
const widestVerdict = 11;

/** A line of `aerial relay trace`: `03:04:05.678 relayed     home > iot  mdns 192.0.2.5  query _hap._tcp.local PTR`. */
export function formatTraceLine(line: Exclude<TraceLine, { readonly type: "heartbeat" }>, terminal: Terminal): string {
  if (line.type === "lost") return terminal.paint("yellow", `${line.lines} packets are not shown: this was too slow for them`);
  const { at, protocol, family, from, source, bytes, what, to, verdict, why } = line;
  const color = verdictColors[verdict] ?? "yellow";
  const shown = printable(verdict).padEnd(widestVerdict);
  const way = to === undefined ? from : `${from} > ${to}`;
  const carrier = `${protocol}${family === 6 ? "/v6" : ""}`;
  const rest = `${way}  ${carrier} ${source}  ${what} (${bytes} B)${why === undefined ? "" : `: ${why}`}`;
  return `${printable(at.slice(11, 23))} ${terminal.paint(color, shown)} ${printable(rest)}`;
}
