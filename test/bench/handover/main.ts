/**
 * `npm run bench:handover`: how long after a plug a radio can be had by a pod, on a real kubelet, containerd and API server. As
 * root. `--plugs N` (20), `--status-seconds N` (10, the kubelet's default): how often the kubelet writes the Node's status.
 */
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { installResourceClaims } from "../../cluster/install-resource-claims.ts";
import { prepareAerial } from "../../cluster/node/node-aerial.ts";
import { openOneNode } from "../../cluster/node/one-node.ts";
import { startPod } from "../../cluster/node/pods.ts";
import { percentile } from "../../end-to-end/label-latency.ts";
import { sonoffDonglePlus, zstickGen5 } from "../../lab/sticks.ts";
import { openAllocatableDevices } from "./allocatable-devices.ts";

const { values } = parseArgs({
  options: { plugs: { type: "string", default: "20" }, "status-seconds": { type: "string", default: "10" } },
});
const plugs = Number(values.plugs);
const statusSeconds = Number(values["status-seconds"]);
const deadlineMs = 60_000;
const say = (line: string): void => console.error(line);

await using house = await openOneNode({
  install: installResourceClaims,
  kubelet: { nodeStatusUpdateFrequency: `${statusSeconds}s` },
  report: say,
});
const { cluster, node } = house;
const aerial = await prepareAerial(cluster, node, { AERIAL__HANDOVER__GRACESECONDS: "0", AERIAL__LABELS__GRACESECONDS: "0" });
await using _daemon = await aerial.start();
using kubelet = openAllocatableDevices(node.paths.kubelet);

const figures = {
  "label on the Node": [] as number[],
  kubelet: [] as number[],
  "Node status": [] as number[],
  ResourceSlice: [] as number[],
};
const resourceOf = (kind: string): string => `radio.mi.house/${kind}`;

async function until(what: string, isSo: () => Promise<boolean> | boolean, pauseMs = 5): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not in ${deadlineMs} ms: ${what}`);
    await sleep(pauseMs);
  }
  return performance.now();
}

/** What the watches have told, by name of the thing. */
const watched = { labels: new Set<string>(), status: new Map<string, string>(), slices: new Set<string>() };
const stop = new AbortController();
const follow = async (path: string, hear: (object: Readonly<Record<string, unknown>>) => void): Promise<void> => {
  while (!stop.signal.aborted)
    try {
      for await (const { type, object } of cluster.api.watch(path, stop.signal)) hear(type === "DELETED" ? {} : object);
    } catch {
      await sleep(100);
    }
};
void follow("/api/v1/nodes?fieldSelector=metadata.name=node-1", (object) => {
  const { metadata, status } = object as {
    metadata?: { labels?: Record<string, string> };
    status?: { allocatable?: Record<string, string> };
  };
  watched.labels = new Set(Object.keys(metadata?.labels ?? {}));
  watched.status = new Map(Object.entries(status?.allocatable ?? {}));
});
void follow("/apis/resource.k8s.io/v1/resourceslices", (object) => {
  const { spec } = object as { spec?: { devices?: { attributes?: Record<string, { string?: string }>; taints?: unknown[] }[] } };
  const devices = (spec?.devices ?? []).filter(({ taints }) => taints === undefined || taints.length === 0);
  watched.slices = new Set(devices.flatMap(({ attributes }) => attributes?.["kind"]?.string ?? []));
});

for (let plug = 0; plug < plugs; plug += 1) {
  const [stick, kind] = plug % 2 === 0 ? ([sonoffDonglePlus, "zigbee"] as const) : ([zstickGen5, "zwave"] as const);
  const resource = resourceOf(kind);
  // Not in step with the kubelet's own clock.
  await sleep(Math.random() * statusSeconds * 1_000);
  const startedAt = performance.now();
  const plugged = await node.plug(stick);
  const [label, own, status, slice] = await Promise.all([
    until("the label", () => watched.labels.has(resource)),
    // The kubelet answers 100 a second (podresources: DefaultQPS), and aerial asks too.
    until("the kubelet's own list", async () => (await kubelet.count(resource)) === 1, 20),
    until("the Node's status", () => watched.status.get(resource) === "1"),
    until("the ResourceSlice", () => watched.slices.has(kind)),
  ]);
  figures["label on the Node"].push(label - startedAt);
  figures.kubelet.push(own - startedAt);
  figures["Node status"].push(status - startedAt);
  figures.ResourceSlice.push(slice - startedAt);
  say(`plug ${plug + 1} of ${plugs}: ${[label, own, slice, status].map((at) => Math.round(at - startedAt)).join(", ")} ms`);
  await plugged.unplug();
  await until("it is gone", () => watched.status.get(resource) !== "1" && !watched.slices.has(kind) && !watched.labels.has(resource), 20);
}

const running: number[] = [];
for (let pod = 0; pod < 5; pod += 1) {
  const name = `bench-${pod}`;
  const started = startPod(
    cluster,
    { name, script: "test -c /dev/radio/zigbee && sleep 1000", container: { resources: { limits: { [resourceOf("zigbee")]: "1" } } } },
    60,
  );
  started.catch(() => {});
  await sleep(1_000 + Math.random() * 1_000);
  const startedAt = performance.now();
  const plugged = await node.plug(sonoffDonglePlus);
  await started;
  running.push(performance.now() - startedAt);
  say(`pod ${pod + 1} of 5: ${Math.round(running.at(-1) ?? 0)} ms from plug to Ready`);
  await cluster.kubectl(["delete", "pod", name, "--grace-period=0", "--force"]);
  await plugged.unplug();
  await until("it is gone", () => watched.status.get(resourceOf("zigbee")) !== "1", 20);
}
stop.abort();

console.log(`${plugs} plugs; the kubelet writes the Node's status every ${statusSeconds} s`);
for (const [what, found] of Object.entries({ ...figures, "pod that waited for it is Ready": running })) {
  console.log(`${what.padEnd(32)} p50 ${Math.round(percentile(found, 50))} ms, p99 ${Math.round(percentile(found, 99))} ms`);
}
