/** Figures of several relays side by side, as a markdown table. */
import { percentile } from "../../end-to-end/label-latency.ts";
import type { Figures, Load } from "./measure-relay.ts";

export interface RelayResult {
  readonly name: string;
  /** One for each round; empty when it could not be measured. */
  readonly rounds: readonly Figures[];
  /** Why a round is missing. */
  readonly failures: readonly string[];
}

type Column = readonly [title: string, cell: (rounds: readonly Figures[]) => string];

const columns: readonly Column[] = [
  ["response v4, 50/s: p50 / p99 us", (rounds) => delays(rounds, ({ home }) => home.response4)],
  ["query v4, 50/s", (rounds) => delays(rounds, ({ home }) => home.query4)],
  ["response v6, 50/s", (rounds) => delays(rounds, ({ home }) => home.response6)],
  ["5,000/s: p50 / p99 us", (rounds) => delays(rounds, ({ busy }) => busy)],
  ["5,000/s, after the rest: p50 / p99 us", (rounds) => delays(rounds, ({ steady }) => steady)],
  ["20,000/s: p50 / p99 us", (rounds) => delays(rounds, ({ burst }) => burst)],
  ["lost at 50 / 5,000 / 20,000, %", (rounds) => [homeLoss, busyLoss, burstLoss].map((loss) => shown(middle(rounds, loss))).join(" / ")],
  ["CPU us a packet at 50/s", (rounds) => shown(middle(rounds, ({ home }) => costOf(home.response4) * 1_000))],
  [
    "CPU s per 10,000 at 5,000 / 20,000 / 5,000 again",
    (rounds) => [busyCost, burstCost, steadyCost].map((cost) => shown(middle(rounds, cost))).join(" / "),
  ],
  ["idle, ms/s", (rounds) => shown(middle(rounds, ({ idleMsPerSecond }) => idleMsPerSecond))],
  ["MiB at start / after", (rounds) => both(rounds, ({ residentMib }) => [residentMib.start, residentMib.after])],
  ["two of it: frames a packet, far / back", (rounds) => both(rounds, ({ pair }) => [pair.far, pair.back])],
  ["another's unicast kept, of 8", (rounds) => shown(Math.min(...rounds.map(({ holderKeeps }) => holderKeeps)))],
  ["B to C while A floods: p99 ms / lost %", hostileCell],
];

const homeLoss = ({ home }: Figures): number => Math.max(lossOf(home.response4), lossOf(home.query4));
const busyLoss = ({ busy }: Figures): number => lossOf(busy);
const burstLoss = ({ burst }: Figures): number => lossOf(burst);
const busyCost = ({ busy }: Figures): number => costOf(busy) * 10;
const steadyCost = ({ steady }: Figures): number => costOf(steady) * 10;
const burstCost = ({ burst }: Figures): number => costOf(burst) * 10;

/** Medians over the rounds; a relay a row. */
export function formatTable(results: readonly RelayResult[]): string {
  const lines = [
    ["relay", ...columns.map(([title]) => title)],
    ["---", ...columns.map(() => "---")],
    ...results.map(({ name, rounds }) => [name, ...columns.map(([, cell]) => (rounds.length === 0 ? "-" : cell(rounds)))]),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function delays(rounds: readonly Figures[], load: (figures: Figures) => Load): string {
  return both(rounds, (figures) => [load(figures).p50, load(figures).p99]);
}

function hostileCell(rounds: readonly Figures[]): string {
  const loads = rounds.flatMap(({ hostile }) => hostile ?? []);
  if (loads.length === 0) return "-";
  return `${shown(median(loads.map(({ p99 }) => p99 / 1_000)))} / ${shown(median(loads.map(lossOf)))}`;
}

function both(rounds: readonly Figures[], pair: (figures: Figures) => readonly [number, number]): string {
  return [0, 1].map((index) => shown(middle(rounds, (figures) => pair(figures)[index] ?? Number.NaN))).join(" / ");
}

/** Of the packets sent, in percent. */
function lossOf({ sent, arrived }: Load): number {
  return sent === 0 ? Number.NaN : ((sent - arrived) / sent) * 100;
}

/** Milliseconds on a processor for each packet that arrived. */
function costOf({ processorMs, arrived }: Load): number {
  return arrived === 0 ? Number.NaN : processorMs / arrived;
}

function middle(rounds: readonly Figures[], value: (figures: Figures) => number): number {
  return median(rounds.map(value));
}

function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Three significant digits, whole from 100 on. */
function shown(value: number): string {
  if (Number.isNaN(value)) return "-";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
