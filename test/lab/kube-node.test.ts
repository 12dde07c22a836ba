/** A real kubelet, real USB drivers and aerial in between: a replug as it happens at home. */
import { expect, it } from "vitest";
import { openCluster } from "../cluster/cluster.ts";
import { openControlPlane } from "../cluster/control-plane.ts";
import { installBase } from "../cluster/install-base.ts";
import { openGuestNode } from "../cluster/node/guest-node.ts";
import { keepPodsAway } from "../cluster/node/node-aerial.ts";
import { startPod } from "../cluster/node/pods.ts";
import { sonoffDonglePlus } from "./sticks.ts";

const resourceName = "radio.mi.house/zigbee";

/** Says what the stick gave back, and never lets go of the line: the kernel then has to call it another one after a replug. */
const script = `
  exec 3<>"$RADIO_ZIGBEE_PATH" || exit 1
  stty raw -echo <&3
  echo ping >&3
  read answer <&3
  echo "$RADIO_ZIGBEE_DEVICE gave $answer"
  trap 'exit 0' TERM
  while :; do sleep 1 & wait $!; done`;

it("a pod without privileges talks to its stick again after a replug under another name", { timeout: 600_000 }, async () => {
  await using cluster = await openCluster();
  await installBase(cluster);
  await keepPodsAway(cluster);
  await using _controlPlane = await openControlPlane(cluster, { nodeGraceSeconds: 120 });
  await using node = await openGuestNode(cluster, { name: "guest-1", kubelet: { nodeStatusUpdateFrequency: "1s" } });
  console.log(`node in the guest Ready in ${node.readyInMs} ms`);
  const aerial = await node.prepareAerial();
  const startedAt = performance.now();
  await using daemon = await aerial.start();
  console.log(`aerial up in ${Math.round(performance.now() - startedAt)} ms`);
  const says = async (pattern: RegExp, timeoutMs: number): Promise<void> => {
    try {
      await expect.poll(() => node.podLog("holder"), { timeout: timeoutMs, interval: 250 }).toMatch(pattern);
    } catch (error) {
      const pod = await cluster.kubectl(["describe", "pod", "holder"]);
      throw new Error(`${String(error)}\n${pod}\n${daemon.output.slice(-4_000)}\n${node.logs()}`, { cause: error });
    }
  };

  const stick = await node.lab.plug(sonoffDonglePlus);
  await cluster.waitForNode("guest-1", ({ status }) => JSON.stringify(status).includes(`"${resourceName}":"1"`), 60_000);
  await startPod(cluster, { name: "holder", script, container: { resources: { limits: { [resourceName]: "1" } } } }, 120);
  await says(/ 188:0 gave ping$/mu, 60_000);

  await stick.unplug();
  const pluggedAt = performance.now();
  await node.lab.plug(sonoffDonglePlus, { port: stick.port });
  await says(/ 188:1 gave ping$/mu, 120_000);
  console.log(`bytes again ${Math.round(performance.now() - pluggedAt)} ms after the plug`);
  expect(await cluster.kubectl(["get", "pod", "holder", "--output=jsonpath={.status.containerStatuses[0].restartCount}"])).toBe("1");
});
