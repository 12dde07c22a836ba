/** `npm run cluster`: a real Kubernetes API to play with by hand, until Ctrl-C. */
import { once } from "node:events";
import { buildBinaries, findBinaries } from "./binaries.ts";
import { openCluster } from "./cluster.ts";

const report = (line: string) => console.error(line);

if (process.env["KUBEBUILDER_ASSETS"] === undefined) await buildBinaries(report);
const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await using cluster = await openCluster({ report });
await cluster.createNode("node-1");
const { kubectl } = await findBinaries();
console.error(`ready in ${(cluster.startedInMs / 1000).toFixed(1)} s; it has one node, node-1; Ctrl-C ends it. Try:

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
