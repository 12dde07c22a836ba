/** What a real daemon measures, read by the programs of the Prometheus project: promtool, and Prometheus itself. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { type MeasuredDaemon, openMeasuredDaemon } from "./measured-daemon.ts";
import { findPrometheus, openPrometheus, type PrometheusServer } from "./prometheus.ts";
import { readExpression } from "./promql.ts";

const config = resolve(import.meta.dirname, "../../config");
const ruleFile = join(config, "prometheus/aerial-alerts.yaml");
const openMetrics = "application/openmetrics-text";

/** Labels that Prometheus adds to whatever it scrapes, and the metric that it makes itself. */
const ownLabels = ["instance", "job"];
const ownMetrics = ["up"];
/** What this node is not in. */
const rareValues = new Set(["state=bootloader", "severity=error"]);

interface Query {
  readonly where: string;
  readonly expression: string;
  /** What is shown of each result. */
  readonly shown: readonly string[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string; readonly textFormat: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

interface AlertFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: Readonly<Record<string, string>> }[];
  }[];
}

async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(join(config, "grafana/aerial-dashboard.json"), "utf8")) as Dashboard;
}

async function readQueries(): Promise<readonly Query[]> {
  const { panels, annotations } = await readDashboard();
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = "" }) => ({ where: title, expression: fillIn(expr), shown: namesIn(legendFormat) })),
  );
  const ofAnnotations = annotations.list.map(({ name, expr, textFormat }) => ({
    where: name,
    expression: fillIn(expr),
    shown: namesIn(textFormat),
  }));
  const { groups } = parse(await readFile(ruleFile, "utf8")) as AlertFile;
  const ofAlerts = groups
    .flatMap(({ rules }) => rules)
    .map(({ alert, expr, annotations: { summary = "", description = "" } }) => ({
      where: alert,
      expression: expr,
      shown: [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, name = ""]) => name),
    }));
  return [...ofPanels, ...ofAnnotations, ...ofAlerts];
}

/** As Grafana does before it asks. */
function fillIn(expression: string): string {
  return expression.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*");
}

function namesIn(legend: string): readonly string[] {
  return [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name = ""]) => name);
}

async function promtool(args: readonly string[], input = ""): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = spawn((await findPrometheus()).promtool, args, { cwd: join(config, "prometheus") });
  child.stdin.end(input);
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolvePromise) => void child.once("close", resolvePromise)),
  ]);
  return { exitCode, output: stdout + stderr };
}

describe("alerts", () => {
  it("are rules that promtool takes", async () => {
    expect(await promtool(["check", "rules", ruleFile])).toMatchObject({ exitCode: 0 });
  });

  it("fire when they should and only then", async () => {
    const { exitCode, output } = await promtool(["test", "rules", "aerial-alerts.test.yaml"]);
    expect(output).toContain("SUCCESS");
    expect(exitCode).toBe(0);
  });

  it("are all tested", async () => {
    const names = [...(await readFile(ruleFile, "utf8")).matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    const tested = await readFile(join(config, "prometheus/aerial-alerts.test.yaml"), "utf8");
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`alertname: ${name}\n\\s+exp_alerts:\n\\s+- exp_labels`).test(tested))).toEqual([]);
  });
});

describe("a daemon with a stick, a relay and readers", () => {
  let daemon: MeasuredDaemon;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    daemon = await openMeasuredDaemon();
    await daemon.ask("/api/v1/doctor", { method: "POST" });
    await daemon.ask("/nowhere");
    prometheus = await openPrometheus({ directory: daemon.directory, target: daemon.address, ruleFile });
    // Two scrapes, so that there are rates.
    await vi.waitFor(async () => expect(await prometheus.query("count_over_time(up[1m]) > 2")).toHaveLength(1), {
      timeout: 20_000,
      interval: 500,
    });
  });

  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
  });

  it("tells what promtool finds no fault with", async () => {
    const { type, body } = await daemon.ask("/metrics");
    expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await promtool(["check", "metrics"], body)).toEqual({ exitCode: 0, output: "" });
  });

  it("tells the same in OpenMetrics, which Prometheus prefers and reads", async () => {
    const { type, body } = await daemon.ask("/metrics", { accept: openMetrics });
    expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(body.endsWith("\n# EOF\n")).toBe(true);
    const { activeTargets } = (await prometheus.get("targets")) as {
      readonly activeTargets: readonly { health: string; lastError: string }[];
    };
    expect(activeTargets).toMatchObject([{ health: "up", lastError: "" }]);
  });

  it("has something to tell of every part", async () => {
    const parts = await prometheus.query("aerial_scrape_part_up");
    expect(parts.map(({ metric, value }) => `${metric["part"]} ${value[1]}`).sort()).toEqual(
      ["api", "conditions", "doctor", "handover", "history", "inventory", "outputs", "process", "relay", "scan"].map((part) => `${part} 1`),
    );
    const one = async (query: string): Promise<number> => Number((await prometheus.query(query))[0]?.value[1]);
    expect(await one('sum(aerial_radio_present{kind="zigbee"})')).toBe(1);
    expect(await one('aerial_radio_changes_total{change="attached"}')).toBe(1);
    expect(await one('aerial_change_latency_seconds_count{change="attached"}')).toBe(1);
    expect(await one('aerial_output_failures_total{output="labels"}')).toBeGreaterThan(0);
    expect(await one('aerial_output_last_success_timestamp_seconds{output="labels"}')).toBe(0);
    expect(await one('aerial_relay_link_up{link="iot"}')).toBe(1);
    expect(await one('aerial_device_plugin_devices{resource="radio.mi.house/zigbee", health="healthy"}')).toBe(1);
    expect(await one('aerial_api_requests_total{operation="getMetrics", status="200"}')).toBeGreaterThan(1);
    expect(await one('aerial_api_requests_total{operation="none", status="404"}')).toBe(1);
    expect(await one('aerial_api_streams_open{operation="watchRadios"}')).toBe(1);
    expect(await one("sum(aerial_doctor_findings)")).toBeGreaterThan(0);
  });

  it("has every metric, label and value that a panel or an alert asks for", async () => {
    const series = (await prometheus.query('{job="aerial"}')).map(({ metric }) => metric);
    const labelsOf = new Map<string, Set<string>>();
    for (const { __name__: name = "", ...labels } of series) {
      const known = labelsOf.get(name) ?? new Set(ownLabels);
      for (const [label, value] of Object.entries(labels)) known.add(label).add(`${label}=${value}`);
      labelsOf.set(name, known);
    }
    for (const name of ownMetrics) labelsOf.set(name, new Set(ownLabels));
    const missing: string[] = [];
    const queries = await readQueries();
    expect(queries.length).toBeGreaterThan(50);
    for (const { where, expression, shown } of queries) {
      const { selectors, groupings } = readExpression(expression);
      if (selectors.length === 0) missing.push(`${where}: asks for nothing`);
      const known = new Set(selectors.flatMap(({ metric }) => [...(labelsOf.get(metric) ?? [])]));
      for (const { metric, matchers } of selectors) {
        const labels = labelsOf.get(metric);
        if (labels === undefined) missing.push(`${where}: ${metric}`);
        for (const { label, operator, value } of matchers) {
          const wanted = operator === "=" && !rareValues.has(`${label}=${value}`) ? `${label}=${value}` : label;
          if (labels !== undefined && !labels.has(wanted)) missing.push(`${where}: ${metric}{${wanted}}`);
        }
      }
      for (const label of [...groupings, ...shown]) if (!known.has(label)) missing.push(`${where}: ${label} in ${expression}`);
    }
    expect(missing).toEqual([]);
  });

  it("answers every query of the dashboard, with what its legend shows", async () => {
    for (const { where, expression, shown } of await readQueries()) {
      const results = await prometheus.query(expression);
      const bare = results.filter(({ metric }) => shown.some((label) => metric[label] === undefined));
      expect(bare, `${where}: ${expression}`).toEqual([]);
    }
  });

  it("has rules that Prometheus evaluates", async () => {
    const { groups } = (await prometheus.get("rules")) as {
      readonly groups: readonly {
        readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
      }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
  });
});
