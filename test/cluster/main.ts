/**
 * `npm run cluster`: a real Kubernetes API to play with by hand, until Ctrl-C. `npm run cluster -- --nodes 2` has real
 * nodes too, which run pods; that needs root.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { buildBinaries, findBinaries } from "./binaries.ts";
import { openCluster } from "./cluster.ts";
import { openControlPlane } from "./control-plane.ts";
import { openKubeNode } from "./node/kube-node.ts";

const { values } = parseArgs({ options: { nodes: { type: "string", default: "0" } } });
const nodes = Array.from({ length: Number(values.nodes) }, (_none, index) => `node-${index + 1}`);
const report = (line: string) => console.error(line);

if (process.env["KUBEBUILDER_ASSETS"] === undefined) await buildBinaries(report);
const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await using cluster = await openCluster({ report });
await using stack = new AsyncDisposableStack();
if (nodes.length === 0) await cluster.createNode("node-1");
else stack.use(await openControlPlane(cluster));
for (const name of nodes) stack.use(await openKubeNode(cluster, { name, report }));
const { kubectl } = await findBinaries();
console.error(`ready in ${(cluster.startedInMs / 1000).toFixed(1)} s; ${nodes.length === 0 ? "node-1 is a Node and nothing behind it" : `nodes: ${nodes.join(", ")}`}; Ctrl-C ends it. Try:

  export KUBECONFIG=${cluster.kubeconfig}
  ${kubectl} apply -k daemonset/base
  ${kubectl} get nodes --show-labels
`);
console.log(cluster.kubeconfig);
// The signal listeners alone don't keep the process alive.
const alive = setInterval(() => {}, 60_000);
await stopped;
clearInterval(alive);
console.error("stopping");
