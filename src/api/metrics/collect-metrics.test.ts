import { expect, it } from "vitest";
import { ambiguous, sampleRadio, sampleSnapshot, zigbee } from "../../../test/fixtures/sample-radios.ts";
import { createChangeLatency } from "../../core/change-latency.ts";
import type { DoctorReport } from "../../core/check.ts";
import type { Condition } from "../../core/condition.ts";
import { createDurations } from "../../core/durations.ts";
import type { HistoryEntry, Radio } from "../../core/radio.ts";
import { createApiCounters } from "./api-counters.ts";
import { createMetrics, type MetricSources } from "./collect-metrics.ts";
import type { MetricFamily } from "./metric-family.ts";

const at = "2026-01-01T00:00:00.000Z";

function entry(sequence: number, type: HistoryEntry["type"]): HistoryEntry {
  return { sequence, at, type, radioId: "a", text: "", details: {} };
}

function condition(code: string, severity: Condition["severity"]): [string, Condition] {
  return [code, { code, severity, text: "", since: at }];
}

function sources(changes: Partial<MetricSources> = {}): MetricSources {
  return {
    build: { version: "1.2.3", kernel: "6.18.0" },
    snapshot: () => sampleSnapshot([]),
    conditions: () => new Map(),
    history: { newest: () => 0, read: () => [] },
    scans: () => ({ durations: createDurations(), failures: 0, hints: new Map() }),
    latency: createChangeLatency(),
    outputs: () => new Map(),
    api: createApiCounters(),
    ownFiles: () => ({ openFiles: 20, databaseBytes: 4096 }),
    ...changes,
  };
}

/** `{"kind":"zigbee"} 1` for each sample of a family. */
function samplesOf(families: readonly MetricFamily[], name: string): readonly string[] {
  return (families.find((family) => family.name === name)?.samples ?? []).map(({ labels, value }) => `${JSON.stringify(labels)} ${value}`);
}

it("counts radios by kind, state and attachment; a radio of two kinds in both", async () => {
  const radios = [
    sampleRadio("a", { identity: { ...zigbee, kinds: ["zigbee", "thread"] } }),
    sampleRadio("b"),
    sampleRadio("c", { presence: "absent" }),
    sampleRadio("d", { mode: "bootloader" }),
    sampleRadio("e", { identity: ambiguous, name: "stick by the window" }),
  ];
  const families = await createMetrics(sources({ snapshot: () => sampleSnapshot(radios) }))();
  expect(samplesOf(families, "aerial_radios")).toEqual([
    '{"kind":"zigbee","state":"present","attachment":"local"} 2',
    '{"kind":"thread","state":"present","attachment":"local"} 1',
    '{"kind":"zigbee","state":"absent","attachment":"local"} 1',
    '{"kind":"zigbee","state":"bootloader","attachment":"local"} 1',
    '{"kind":"ambiguous","state":"present","attachment":"local"} 1',
  ]);
  expect(samplesOf(families, "aerial_radio_present")).toContain(
    '{"radio":"e","name":"stick by the window","kind":"ambiguous","model":"CP2102 bridge","attachment":"local"} 1',
  );
  expect(samplesOf(families, "aerial_radio_present").at(2)).toMatch(/"radio":"c".* 0$/);
});

it("counts what history has stored since start, page by page and each entry once, also when it begins anew", async () => {
  let stored = [entry(1, "attached"), entry(2, "detached")];
  const history: MetricSources["history"] = {
    newest: () => stored.at(-1)?.sequence ?? 0,
    read: ({ after, limit }) => stored.filter(({ sequence }) => sequence > after).slice(0, limit),
  };
  const collect = createMetrics(sources({ history }));
  const count = async (): Promise<readonly string[]> =>
    samplesOf(await collect(), "aerial_radio_changes_total").filter((sample) => !sample.endsWith(" 0"));
  expect(await count()).toEqual([]);
  stored = [...stored, ...Array.from({ length: 2_500 }, (_, index) => entry(3 + index, "reattached"))];
  expect(await count()).toEqual(['{"change":"reattached"} 2500']);
  expect(await count()).toEqual(['{"change":"reattached"} 2500']);
  stored = [entry(1, "moved")];
  expect(await count()).toEqual(['{"change":"reattached"} 2500', '{"change":"moved"} 1']);
});

it("tells the worst conditions one by one, and all of them in number", async () => {
  const many = Array.from({ length: 200 }, (_, index) => condition(`device.1-${index}.unstable`, "warning"));
  const held = new Map([...many, condition("kubernetes.unusable", "error")]);
  const families = await createMetrics(sources({ conditions: () => held }))();
  expect(samplesOf(families, "aerial_conditions")).toEqual([
    '{"severity":"error"} 1',
    '{"severity":"warning"} 200',
    '{"severity":"info"} 0',
  ]);
  expect(samplesOf(families, "aerial_condition_active")).toHaveLength(128);
  expect(samplesOf(families, "aerial_condition_active")[0]).toBe('{"code":"kubernetes.unusable","severity":"error"} 1');
});

it("tells of every check of the doctor's last run how often it failed, and nothing before the first", async () => {
  const finding = { title: "", source: "", text: "", evidence: [] };
  const findings: DoctorReport["findings"] = [
    { ...finding, id: "USB-01", level: "fail", verdict: "fail", subject: "1-1" },
    { ...finding, id: "USB-01", level: "fail", verdict: "fail", subject: "1-2" },
    { ...finding, id: "USB-01", level: "fail", verdict: "pass", subject: "1-3" },
    { ...finding, id: "NET-02", level: "warning", verdict: "unknown" },
  ];
  let report: DoctorReport | undefined;
  const collect = createMetrics(sources({ doctor: () => report }));
  expect(samplesOf(await collect(), "aerial_doctor_findings")).toEqual([]);
  report = { at, durationMs: 250, os: { id: "talos", name: "Talos" }, findings, notApplicable: [] };
  const families = await collect();
  expect(samplesOf(families, "aerial_doctor_failed")).toEqual([
    '{"check":"USB-01","level":"fail"} 2',
    '{"check":"NET-02","level":"warning"} 0',
  ]);
  expect(samplesOf(families, "aerial_doctor_findings").filter((sample) => !sample.endsWith(" 0"))).toEqual([
    '{"level":"fail","verdict":"pass"} 1',
    '{"level":"fail","verdict":"fail"} 2',
    '{"level":"warning","verdict":"unknown"} 1',
  ]);
  expect(samplesOf(families, "aerial_doctor_last_run_duration_seconds")).toEqual(["{} 0.25"]);
});

it("tells of each resource how many radios can be had, and of each radio how many containers have it", async () => {
  const radios = [
    sampleRadio("a"),
    sampleRadio("b", { name: "hall" }),
    sampleRadio("c", { presence: "absent" }),
    sampleRadio("d"),
    sampleRadio("e"),
  ];
  const given = { namespace: "home", container: "main", request: "x", since: at } as const;
  const holders = [
    { ...given, radioId: "a", pod: "z2m", way: "device-plugin" },
    { ...given, radioId: "e", pod: "z2m", way: "device-plugin" },
    { ...given, radioId: "b", pod: "zha", way: "resource-claim" },
    { ...given, radioId: "b", pod: "other", way: "resource-claim" },
  ] as const;
  const resourceOf = ({ id }: Radio): string | undefined => (id === "d" ? undefined : "radio.mi.house/zigbee");
  const devicePlugin = {
    registrations: createDurations(),
    registrationFailures: 1,
    allocations: createDurations(),
    allocationsRefused: 2,
    preStarts: createDurations(),
    preStartsRefused: 3,
  };
  const restarts = new Map([["b", 2]]);
  const figures = { holders, resourceOf, restarts, devicePlugin };
  const families = await createMetrics(sources({ snapshot: () => sampleSnapshot(radios), handover: () => figures }))();
  expect(samplesOf(families, "aerial_device_plugin_devices")).toEqual([
    '{"resource":"radio.mi.house/zigbee","health":"healthy"} 2',
    '{"resource":"radio.mi.house/zigbee","health":"unhealthy"} 2',
  ]);
  expect(samplesOf(families, "aerial_radio_handed_out")).toEqual([
    '{"radio":"a","name":"","resource":"radio.mi.house/zigbee"} 1',
    '{"radio":"b","name":"hall","resource":"radio.mi.house/zigbee"} 2',
    '{"radio":"c","name":"","resource":"radio.mi.house/zigbee"} 0',
    '{"radio":"e","name":"","resource":"radio.mi.house/zigbee"} 1',
  ]);
  expect(samplesOf(families, "aerial_device_plugin_pre_starts_refused_total")).toEqual(["{} 3"]);
  expect(samplesOf(families, "aerial_replug_restarts_total")).toEqual([
    '{"radio":"a"} 0',
    '{"radio":"b"} 2',
    '{"radio":"c"} 0',
    '{"radio":"e"} 0',
  ]);
  const claimsOnly = await createMetrics(
    sources({ snapshot: () => sampleSnapshot(radios), handover: () => ({ holders, resourceOf, restarts }) }),
  )();
  expect(claimsOnly.filter(({ name, samples }) => name.includes("device_plugin") && samples.length > 0)).toEqual([]);
});

it("a part that cannot tell does not take the others with it", async () => {
  const relay = () => Promise.reject(new Error("away"));
  const families = await createMetrics(sources({ relay }))();
  const up = samplesOf(families, "aerial_scrape_part_up");
  expect(up).toContain('{"part":"relay"} 0');
  expect(up.filter((sample) => sample.endsWith(" 0"))).toHaveLength(1);
  expect(samplesOf(families, "process_open_fds")).toEqual(["{} 20"]);
});

it("every family has help, a fitting name and no series twice", async () => {
  const api = createApiCounters();
  const { answers, durations } = api.operation("listRadios");
  answers.set(200, 3).set(400, 1);
  durations.add(0.000_02);
  api.stream("watchRadios").open += 1;
  const counts = createDurations();
  const devicePlugin = {
    registrations: counts,
    registrationFailures: 0,
    allocations: counts,
    allocationsRefused: 0,
    preStarts: counts,
    preStartsRefused: 0,
  };
  const handover = () => ({ holders: [], restarts: new Map<string, number>(), resourceOf: () => "radio.mi.house/zigbee", devicePlugin });
  const snapshot = () => sampleSnapshot([sampleRadio("a"), sampleRadio("b")]);
  const families = await createMetrics(sources({ api, snapshot, handover }))();
  expect(samplesOf(families, "aerial_api_requests_total")).toEqual([
    '{"operation":"listRadios","status":"200"} 3',
    '{"operation":"listRadios","status":"400"} 1',
  ]);
  const seriesTwice = families.filter(({ name, samples }) => {
    const series = samples.map(({ metricName = name, labels }) => `${metricName}${JSON.stringify(labels)}`);
    return new Set(series).size < series.length;
  });
  expect(seriesTwice).toEqual([]);
  expect(families.filter(({ name }) => !/^(aerial|process|nodejs)_[a-z_]+$/.test(name))).toEqual([]);
  expect(families.filter(({ name, type }) => name.endsWith("_total") !== (type === "counter"))).toEqual([]);
  expect(families.filter(({ help }) => !help.endsWith("."))).toEqual([]);
  expect(families.filter(({ samples }) => samples.some(({ value }) => !Number.isFinite(value)))).toEqual([]);
});
