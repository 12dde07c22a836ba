import fc from "fast-check";
import { expect, it } from "vitest";
import { createDurations } from "../../core/durations.ts";
import { writeExposition } from "./exposition.ts";
import { counter, gauge, histogram } from "./metric-family.ts";

const openMetrics =
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

it("writes what Prometheus has always read, unless OpenMetrics is preferred", async () => {
  const families = [counter({ name: "plugs_total", help: "Plugs." }, [[{ port: "1-1" }, 3]])];
  const plain = { contentType: "text/plain; version=0.0.4; charset=utf-8" };
  const open = { contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8" };
  for (const accept of [
    undefined,
    "",
    "*/*",
    "text/plain",
    "text/html,application/json;q=0.9",
    "application/openmetrics-text;q=0.1,text/plain",
    "application/openmetrics-text;q=0",
  ]) {
    expect(await writeExposition(families, accept)).toEqual({
      ...plain,
      text: '# HELP aerial_plugs_total Plugs.\n# TYPE aerial_plugs_total counter\naerial_plugs_total{port="1-1"} 3\n',
    });
  }
  for (const accept of [openMetrics, "application/openmetrics-text"]) {
    expect(await writeExposition(families, accept)).toEqual({
      ...open,
      text: '# HELP aerial_plugs Plugs.\n# TYPE aerial_plugs counter\naerial_plugs_total{port="1-1"} 3\n# EOF\n',
    });
  }
});

it("a histogram's buckets hold all that is below them", async () => {
  const durations = createDurations([0.1, 1]);
  for (const seconds of [0.05, 0.5, 0.5, 3]) durations.add(seconds);
  const { text } = await writeExposition([histogram({ name: "wait_seconds", help: "Waits." }, [[{ of: "x" }, durations]])], undefined);
  expect(text.split("\n").filter((line) => line.startsWith("aerial"))).toEqual([
    'aerial_wait_seconds_bucket{of="x",le="0.1"} 1',
    'aerial_wait_seconds_bucket{of="x",le="1"} 3',
    'aerial_wait_seconds_bucket{of="x",le="+Inf"} 4',
    'aerial_wait_seconds_sum{of="x"} 4.05',
    'aerial_wait_seconds_count{of="x"} 4',
  ]);
});

it("a family without samples is not written", async () => {
  expect((await writeExposition([gauge({ name: "empty", help: "Nothing." }, [])], undefined)).text.trim()).toBe("");
});

it("whatever a device calls itself, a label stays one label on one line", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (model) => {
      const { text } = await writeExposition([gauge({ name: "radio", help: "A radio." }, [[{ model }, 1]])], undefined);
      const lines = text.split("\n");
      const sample = lines.slice(2).join("\n");
      expect(lines).toHaveLength(4);
      const written = /^aerial_radio\{model="((?:[^"\\\n]|\\[\\n"])*)"\} 1\n$/.exec(sample)?.[1];
      expect(written?.replaceAll(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter))).toBe(model.toWellFormed());
    }),
  );
});
