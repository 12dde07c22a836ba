/** What is measured of a plug on its way to a real API server, and what the cluster's list says of it. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClusterRadioList } from "../../src/api/contract/types.ts";
import { type AerialNode, openAerialNode, prefix } from "../end-to-end/aerial-node.ts";
import { type NamespaceLab, openNamespaceLab } from "../light/namespace-lab.ts";
import type { LabProcess } from "../lab/lab.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";

let lab: NamespaceLab;
let node: AerialNode;
let daemon: LabProcess;

beforeAll(async () => {
  lab = await openNamespaceLab();
  node = await openAerialNode({ lab });
  daemon = await node.start();
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await node?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** Values by series, as `/metrics` writes them. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const body = await new Promise<string>((resolve, reject) => {
    request(
      { socketPath: node.socket, path: "/metrics", headers: { host: "localhost" } },
      (answer) => void text(answer).then(resolve, reject),
    )
      .on("error", reject)
      .end();
  });
  const samples = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

test("a plug is timed until it is known and until it is labelled, and listed for the cluster; reading that writes nothing", async () => {
  await expect
    .poll(async () => (await scrape()).get('aerial_output_last_success_timestamp_seconds{output="labels"}'), { timeout: 20_000 })
    .toBeGreaterThan(0);
  expect((await scrape()).get("aerial_label_latency_seconds_count")).toBe(0);

  await lab.plug(sonoffDonglePlus, { port: 1 });
  await node.waitForLabels((labels) => labels[`${prefix}/zigbee`] === "true");
  await expect.poll(async () => (await scrape()).get("aerial_label_latency_seconds_count"), { timeout: 5_000 }).toBe(1);
  const after = await scrape();
  expect(after.get('aerial_change_latency_seconds_count{change="attached"}')).toBe(1);
  const [known = 0, labelled = 0] = [
    after.get('aerial_change_latency_seconds_sum{change="attached"}'),
    after.get("aerial_label_latency_seconds_sum"),
  ];
  expect(known).toBeGreaterThan(0);
  expect(labelled).toBeGreaterThan(known);
  expect(labelled).toBeLessThan(30);

  // Events, too, have to be out before writes are counted.
  await expect.poll(async () => (await node.cluster.listEvents()).length, { timeout: 10_000 }).toBe(1);
  const writes = await node.writes();
  const list = await node.get<ClusterRadioList>("/api/v1/cluster/radios");
  expect(list.nodes).toMatchObject([{ name: node.name, list: "published", radios: 1 }]);
  expect(list.radios).toMatchObject([{ node: node.name, kinds: ["zigbee"], state: "present", certainty: "likely" }]);
  for (let turn = 0; turn < 10; turn += 1) await scrape();
  expect(await node.writes()).toBe(writes);
});
