/** What the relay carries, and what it does not. */
import type { RelayStatus, RelayVerdict } from "../../core/relay.ts";
import { counter, gauge, type MetricFamily } from "./metric-family.ts";

/** Rules are written by hand; those beyond are counted together. */
const mostRules = 128;

const noneHeard: Readonly<Record<RelayVerdict, 0>> = {
  relayed: 0,
  trimmed: 0,
  own: 0,
  "off-link": 0,
  "wrong-port": 0,
  malformed: 0,
  "too-large": 0,
  echo: 0,
  rate: 0,
  rule: 0,
  scope: 0,
  "multi-homed": 0,
  standby: 0,
  nobody: 0,
  "send-failed": 0,
};

export function relayMetrics({ links, pairs, rules, searches, services }: RelayStatus): readonly MetricFamily[] {
  return [
    gauge(
      { name: "relay_link_up", help: "Whether packets are heard on a link and sent to it: 1, or 0 with the state that it is in." },
      links.map(({ name, state }) => [{ link: name, state }, state === "up" ? 1 : 0] as const),
    ),
    counter(
      { name: "relay_packets_heard_total", help: "Packets heard on a link, by what became of them." },
      links.flatMap(({ name, heard }) =>
        // A series that begins at zero has a rate from its first packet on.
        Object.entries({ ...noneHeard, ...heard }).map(([verdict, count]) => [{ link: name, verdict }, count] as const),
      ),
    ),
    counter(
      { name: "relay_packets_sent_total", help: "Packets sent to a link." },
      links.map(({ name, sent }) => [{ link: name }, sent] as const),
    ),
    counter(
      { name: "relay_packets_overrun_total", help: "Packets of a link that the kernel dropped because nobody read fast enough." },
      links.map(({ name, overrun }) => [{ link: name }, overrun] as const),
    ),
    gauge(
      {
        name: "relay_pair_active",
        help: "Whether this node relays between two links: 1, or 0 while it stands by for another. Family is the version of IP that it is so for.",
      },
      pairs.map(
        ({ links: [a, b], family, role }) =>
          [{ link: a, other: b, family: family === undefined ? "4 and 6" : String(family) }, role === "active" ? 1 : 0] as const,
      ),
    ),
    counter({ name: "relay_rule_hits_total", help: "Questions and records that a rule decided on." }, ruleRows(rules)),
    gauge({ name: "relay_searches", help: "Searches that are waiting for answers." }, [[{}, searches]]),
    gauge({ name: "relay_services", help: "Services that were heard and have not expired." }, [[{}, services]]),
  ];
}

/** Two rules may read the same. */
function ruleRows(rules: RelayStatus["rules"]): readonly (readonly [{ readonly rule: string }, number])[] {
  const hits = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const text = index < mostRules ? rule.text : "others";
    hits.set(text, (hits.get(text) ?? 0) + rule.hits);
  }
  return [...hits].map(([rule, count]) => [{ rule }, count] as const);
}
