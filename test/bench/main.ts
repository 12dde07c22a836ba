/**
 * `npm run bench`: aerial's own figures, each beside a peer measured in the same run, as a ratio. Peers are what a program
 * that does the one thing and nothing else costs on this machine: one server-side apply, Node's bare HTTP server, bare Node.
 */
import { openAerialNode, type AerialNode } from "../end-to-end/aerial-node.ts";
import { measureLabelLatency, percentile } from "../end-to-end/label-latency.ts";
import { footprint } from "../end-to-end/soak.ts";
import { openNamespaceLab, type NamespaceLab } from "../light/namespace-lab.ts";
import type { LabProcess } from "../lab/lab.ts";
import { measureList, plugRadios } from "./api/measure-list.ts";
import { measureFanOut } from "./fan-out.ts";

const plugs = 50;
const applies = 50;
const radios = 20;

function row(what: string, value: string, compared: string): void {
  console.log(`${what.padEnd(46)} ${value.padEnd(28)} ${compared}`);
}

await using lab = await openNamespaceLab();
console.error("starting etcd and kube-apiserver");
await using node = await openAerialNode({ lab, build: true, environment: { AERIAL__LABELS__GRACESECONDS: "0" } });
const startedMs = performance.now();
await using daemon = await node.start();
while (!(await node.get<{ ready: boolean }>("/readyz")).ready) await new Promise((resolve) => setTimeout(resolve, 5));
row("start to first snapshot published", `${Math.round(performance.now() - startedMs)} ms`, "budget 1500 ms");

console.error(`${plugs} plugs`);
const latencies = await measureLabelLatency({ node, lab, plugs, say: () => {} });
const bare = await measureBareApply(node);
const [p50, p99] = [percentile(latencies, 50), percentile(latencies, 99)];
row(
  "device node to label, p50",
  `${p50.toFixed(0)} ms`,
  `${(p50 / percentile(bare, 50)).toFixed(1)} × one bare server-side apply; budget 250 ms`,
);
row(
  "device node to label, p99",
  `${p99.toFixed(0)} ms`,
  `${(p99 / percentile(bare, 99)).toFixed(1)} × one bare server-side apply; budget 1000 ms`,
);

await measureApi(lab, node, daemon);
await compareFanOut();
const { residentKib, anonymousKib } = await footprint(node, daemon);
const bareKib = await measureBareNode();
row(
  "memory with a cluster, after all this",
  `${(residentKib / 1024).toFixed(0)} MiB resident`,
  `${(residentKib / bareKib).toFixed(1)} × bare Node; ${(anonymousKib / 1024).toFixed(0)} MiB anonymous; budget 120 MiB`,
);
process.exit(0);

/** What the label costs when nothing has to be found out: the API server's own time. */
async function measureBareApply({ cluster, name }: AerialNode): Promise<readonly number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < applies; turn += 1) {
    const object = { apiVersion: "v1", kind: "Node", metadata: { name, labels: { "bench/turn": String(turn) } } };
    const from = performance.now();
    await cluster.api.apply(`/api/v1/nodes/${name}`, object, "bench");
    times.push(performance.now() - from);
  }
  return times;
}

async function measureApi(on: NamespaceLab, of: AerialNode, process: LabProcess): Promise<void> {
  const get = (path: string): Promise<{ readonly radios: readonly unknown[] }> => of.get(path);
  await plugRadios({ lab: on, get }, radios);
  const { aerial, bare, radios: found } = await measureList({ lab: on, process, socket: of.socket, get });
  row(
    `GET /api/v1/radios, ${found} radios`,
    `${Math.round(aerial.perCoreSecond)} a second a core`,
    `${(aerial.perCoreSecond / bare.perCoreSecond).toFixed(2)} × Node's bare server with the same bytes; budget 10000`,
  );
}

async function compareFanOut(): Promise<void> {
  const [bare, ...ours] = await measureFanOut();
  if (bare === undefined) return;
  for (const { what, p50, p99, cpuMicroseconds } of ours) {
    row(
      `stored to read by 100, ${what}`,
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      `p99 ${(p99 / bare.p99).toFixed(2)} × Node's bare server that writes the same; ${(cpuMicroseconds / bare.cpuMicroseconds).toFixed(1)} × its processor time, with the database`,
    );
  }
}

async function measureBareNode(): Promise<number> {
  await using bareNode = await lab.start([process.execPath, "-e", "setInterval(() => {}, 1e6)"]);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return (await footprint(node, bareNode)).residentKib;
}
