/** aerial on a real node whose sticks are real devices: the least of the whole path. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { sonoffDonglePlus } from "../../lab/sticks.ts";
import type { Cluster } from "../cluster.ts";
import type { KubeNode } from "./kube-node.ts";
import { prepareAerial } from "./node-aerial.ts";
import { type OneNode, openOneNode } from "./one-node.ts";

const label = "radio.mi.house/zigbee";

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;

beforeAll(async () => {
  house = await openOneNode();
  ({ cluster, node } = house);
});
afterAll(() => house[Symbol.asyncDispose]());

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
