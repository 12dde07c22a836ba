/**
 * `npm run bench:replug`: how long after a replug, under another name and other numbers, a pod that held the stick has bytes of it
 * again, on a real kubelet, containerd and API server. As root. `--pods N` (10), each new, since the kubelet makes a container that
 * ends twice within ten minutes wait. `--deaf`: programs that do not listen to SIGTERM.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { prepareAerial } from "../../cluster/node/node-aerial.ts";
import { openOneNode } from "../../cluster/node/one-node.ts";
import { patientPod } from "../../cluster/node/patient-pod.ts";
import { startPod } from "../../cluster/node/pods.ts";
import { percentile } from "../../end-to-end/label-latency.ts";
import { sonoffDonglePlus } from "../../lab/sticks.ts";

const { values } = parseArgs({ options: { pods: { type: "string", default: "10" }, deaf: { type: "boolean", default: false } } });

await using house = await openOneNode();
const { cluster, node } = house;
const aerial = await prepareAerial(cluster, node);
await using _daemon = await aerial.start();

const bytesMs: number[] = [];
const restarts: number[] = [];
for (let pod = 0; pod < Number(values.pods); pod += 1) {
  const stick = await node.plug(sonoffDonglePlus);
  await cluster.waitForNode("node-1", ({ status }) => JSON.stringify(status).includes('"radio.mi.house/zigbee":"1"'), 20_000);
  const name = `holder-${pod}`;
  await startPod(cluster, patientPod({ name, isDeaf: values.deaf }), 30);
  await stick.line.waitForWritten(/^open/mu);
  await stick.unplug();
  await sleep(1_000);
  const pluggedAt = performance.now();
  const again = await node.plug(sonoffDonglePlus, { without: stick.nodes });
  await again.line.waitForWritten(new RegExp(`^open 4:${again.line.minor}$`, "mu"), 60_000);
  bytesMs.push(performance.now() - pluggedAt);
  restarts.push(Number(await cluster.kubectl(["get", "pod", name, "--output=jsonpath={.status.containerStatuses[0].restartCount}"])));
  console.error(`${name}: ${Math.round(bytesMs.at(-1) ?? 0)} ms, ${restarts.at(-1)} restarts`);
  await cluster.kubectl(["delete", "pod", name, "--now", "--wait"]);
  await again.unplug();
}
const [p50, p99] = [50, 99].map((percent) => Math.round(percentile(bytesMs, percent)));
console.log(JSON.stringify({ pods: bytesMs.length, deaf: values.deaf, p50, p99, mostRestarts: Math.max(...restarts) }));
