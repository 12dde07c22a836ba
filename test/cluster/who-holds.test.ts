/** Who holds a radio and why another pod waits, told by aerial on a node with a real kubelet: API, commands, metrics, doctor. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DoctorReport, RadioList, RadioPodList } from "../../src/api/contract/types.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import type { Cluster } from "./cluster.ts";
import { basePath } from "./install-base.ts";
import type { KubeNode } from "./node/kube-node.ts";
import { type NodeAerial, prepareAerial } from "./node/node-aerial.ts";
import { type OneNode, openOneNode } from "./node/one-node.ts";
import { scriptPod, startPod } from "./node/pods.ts";

const resource = "radio.mi.house/zigbee";
const limits = { resources: { limits: { [resource]: "1" } } };
const id = `10c4-ea60-${sonoffDonglePlus.serial}`;
const patience = { timeout: 60_000, interval: 250 };

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;
let aerial: NodeAerial;

beforeAll(async () => {
  house = await openOneNode();
  ({ cluster, node } = house);
  await cluster.kubectl(["apply", "-f", join(basePath, "../components/see-pods/pod-access.yaml")]);
  aerial = await prepareAerial(cluster, node);
  await aerial.start();
});
afterAll(() => house[Symbol.asyncDispose]());

const radio = async () => (await aerial.get<RadioList>("/api/v1/radios")).radios.find((one) => one.id === id);
const podNamed = async (name: string) => (await aerial.get<RadioPodList>("/api/v1/pods")).pods.find((pod) => pod.name === name);

it("from the plug to the last pod", async () => {
  const stick = await node.plug(sonoffDonglePlus);
  await expect.poll(radio, patience).toMatchObject({ resource, handedTo: [] });
  await startPod(cluster, { name: "first", script: "exec sleep 10000", container: limits });

  const givenAt = performance.now();
  const holding = { namespace: "default", pod: "first", container: "main", way: "device-plugin", request: resource };
  await expect.poll(radio, patience).toMatchObject({ handedTo: [{ ...holding, since: expect.stringMatching(/^2\d{3}-.*Z$/) }] });
  console.log(`known to the API ${Math.round(performance.now() - givenAt)} ms after the pod was ready`);
  const { stdout } = await aerial.cli("explain", id);
  expect(stdout).toMatch(/^ {2}resource +radio\.mi\.house\/zigbee\n {2}handed to +default\/first \(container main\) since 2/mu);

  await cluster.kubectl(["apply", "-f", "-"], {
    stdin: JSON.stringify(scriptPod({ name: "second", script: "exec sleep 10000", container: limits })),
  });
  const taken = new RegExp(`^Every radio that is ${resource} is taken: ${id} on node-1 is held by default/first since 2`, "u");
  await expect.poll(() => podNamed("second"), patience).toMatchObject({ phase: "pending", waiting: expect.stringMatching(taken) });
  expect(await podNamed("first")).toMatchObject({ phase: "running", node: "node-1", holds: [id] });
  expect((await aerial.cli("explain", "pod", "default/second")).stdout).toMatch(/^default\/second: pending\n {2}Every radio/u);

  const { stdout: examined } = await aerial.cli("doctor", "-o", "json");
  const { findings } = JSON.parse(examined) as DoctorReport;
  const verdicts = findings.filter((finding) => /^K8S-0[14]$/.test(finding.id)).map((finding) => `${finding.id} ${finding.verdict}`);
  expect(verdicts).toEqual(["K8S-01 pass", "K8S-04 pass"]);

  await cluster.kubectl(["delete", "pod", "first", "--now"]);
  await expect.poll(radio, patience).toMatchObject({ handedTo: [{ pod: "second" }] });
  await expect.poll(() => podNamed("second"), patience).toMatchObject({ phase: "running", holds: [id] });
  expect((await podNamed("second"))?.waiting).toBeUndefined();

  await stick.unplug();
  await cluster.kubectl(["delete", "pod", "second", "--now"]);
  await expect.poll(radio, patience).toMatchObject({ state: "absent", handedTo: [] });
  await cluster.kubectl(["apply", "-f", "-"], {
    stdin: JSON.stringify(scriptPod({ name: "third", script: "exec sleep 10000", container: limits })),
  });
  const gone = new RegExp(`^No node has ${resource} now: unplugged is ${id} from node-1 since 2`, "u");
  await expect.poll(() => podNamed("third"), patience).toMatchObject({ phase: "pending", waiting: expect.stringMatching(gone) });
}, 240_000);
