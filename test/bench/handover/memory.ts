/**
 * `npm run bench:memory`: what the built daemon takes with everything on, on a real kubelet, containerd and API server: two sticks,
 * one of them in a pod, and without and with the relay. As root. `--settle-seconds N` (28) from its start to the first look,
 * `--idle-seconds N` (60) of calm after that.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { aerialAccount } from "../../cluster/install-base.ts";
import { installResourceClaims } from "../../cluster/install-resource-claims.ts";
import { openOneNode } from "../../cluster/node/one-node.ts";
import { startPod } from "../../cluster/node/pods.ts";
import { builtCommand } from "../../lab/aerial-command.ts";
import { sonoffDonglePlus, zstickGen5 } from "../../lab/sticks.ts";
import { processorMs, residentMib } from "../relay/bench-process.ts";
import { openAllocatableDevices } from "./allocatable-devices.ts";

const { values } = parseArgs({
  options: { "settle-seconds": { type: "string", default: "28" }, "idle-seconds": { type: "string", default: "60" } },
});
const settleSeconds = Number(values["settle-seconds"]);
const idleSeconds = Number(values["idle-seconds"]);
const resource = "radio.mi.house/zigbee";
const links = [
  { name: "aerialmem0", peer: "aerialmem1", address: "10.99.1.1/24" },
  { name: "aerialmem2", peer: "aerialmem3", address: "10.99.2.1/24" },
];
const ip = (command: string): void => void execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "inherit"] });

using stack = new DisposableStack();
for (const { name, peer, address } of links) {
  ip(`link add ${name} type veth peer name ${peer}`);
  stack.defer(() => ip(`link del ${name}`));
  for (const end of [name, peer]) ip(`link set ${end} up`);
  ip(`addr add ${address} dev ${name}`);
}

await using house = await openOneNode({ install: installResourceClaims, kubelet: {} });
const { cluster, node } = house;
const command = [...(await builtCommand()), "run"];
using kubelet = openAllocatableDevices(node.paths.kubelet);
const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: node.name });

for (const relay of [false, true]) console.log(JSON.stringify(await measure(relay)));

async function measure(relay: boolean): Promise<Readonly<Record<string, unknown>>> {
  const daemon = await node.start(command, {
    environment: {
      ...shippedAllocator(),
      AERIAL__NODE__NAME: node.name,
      AERIAL__KUBERNETES__KUBECONFIG: kubeconfig,
      AERIAL__HOST__SYS: node.paths.sys,
      AERIAL__LOG__FORMAT: "json",
      AERIAL__RELAY__ENABLED: String(relay),
      ...(relay && { AERIAL__RELAY__LINKS: JSON.stringify(links.map(({ name }) => name)) }),
    },
  });
  await daemon.waitForLine(/aerial is up/u, 30_000);
  const startedAt = performance.now();
  const sticks = [await node.plug(sonoffDonglePlus), await node.plug(zstickGen5)];
  await cluster.waitForNode(node.name, ({ status }) => JSON.stringify(status).includes(`"${resource}":"1"`), 30_000);
  // The Node may still say so of the daemon before.
  while ((await kubelet.count(resource)) !== 1) await sleep(50);
  const limits = { [resource]: "1" };
  await startPod(cluster, { name: "holder", script: "sleep 1000", container: { resources: { limits } } }, 60);
  await sleep(startedAt + settleSeconds * 1_000 - performance.now());
  const pid = biggest(command.join("\0"));
  const [residentBefore, processorBefore] = [residentMib(pid), processorMs(pid)];
  await sleep(idleSeconds * 1_000);
  const idlePercent = (processorMs(pid) - processorBefore) / idleSeconds / 10;
  const figures = { relay, residentMib: residentBefore, afterIdleMib: residentMib(pid), idlePercentOfACore: idlePercent };
  await daemon.kill("SIGTERM");
  await daemon.exited;
  await cluster.kubectl(["delete", "pod", "holder", "--grace-period=0", "--force"]);
  for (const stick of sticks) await stick.unplug();
  return figures;
}

/** What the DaemonSet says to the allocator. */
function shippedAllocator(): Readonly<Record<string, string>> {
  const file = new URL("../../../daemonset/base/daemonset.yaml", import.meta.url);
  const { spec } = parse(readFileSync(file, "utf8")) as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
  };
  const environment = spec.template.spec.containers.flatMap(({ env = [] }) => env);
  return Object.fromEntries(environment.flatMap(({ name, value }) => (name.startsWith("MALLOC_") ? [[name, value ?? ""]] : [])));
}

interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** Of the processes of that command those that only started it are small. */
function biggest(words: string): number {
  const of = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  };
  const found = readdirSync("/proc")
    .filter((pid) => /^\d+$/u.test(pid) && of(pid).startsWith(words))
    .map((pid) => ({ pid: Number(pid), mib: residentMib(Number(pid)) }));
  const [most] = found.toSorted((one, other) => other.mib - one.mib);
  if (most === undefined) throw new Error("aerial is not running");
  return most.pid;
}
