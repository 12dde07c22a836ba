/** aerial on a real node whose sticks are real devices: the least of the whole path. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { sonoffDonglePlus } from "../../lab/sticks.ts";
import { openCluster, type Cluster } from "../cluster.ts";
import { openControlPlane } from "../control-plane.ts";
import { installBase } from "../install-base.ts";
import { openKubeNode, type KubeNode } from "./kube-node.ts";
import { keepPodsAway, prepareAerial } from "./node-aerial.ts";

const label = "radio.mi.house/zigbee";

let lifetime: AsyncDisposableStack;
let cluster: Cluster;
let node: KubeNode;

beforeAll(async () => {
  lifetime = new AsyncDisposableStack();
  cluster = lifetime.use(await openCluster());
  await installBase(cluster);
  await keepPodsAway(cluster);
  lifetime.use(await openControlPlane(cluster));
  node = lifetime.use(await openKubeNode(cluster, { name: "node-1" }));
});
afterAll(() => lifetime.disposeAsync());

it("labels the node while a stick is in, also after a boot", async () => {
  const aerial = await prepareAerial(cluster, node, { AERIAL__LABELS__GRACESECONDS: "1" });
  const isLabelled = (expected: string | undefined) =>
    cluster.waitForNode("node-1", ({ metadata }) => metadata.labels?.[label] === expected, 15_000);
  const first = await aerial.start();
  const stick = await node.plug(sonoffDonglePlus);
  await isLabelled("true");
  const { radios } = await aerial.get<{ radios: { id: string }[] }>("/api/v1/radios");
  expect(radios).toMatchObject([{ id: `10c4-ea60-${sonoffDonglePlus.serial}` }]);

  await node.reboot();
  await first.exited;
  await using _second = await aerial.start();
  await stick.unplug();
  await isLabelled(undefined);
});
