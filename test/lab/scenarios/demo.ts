/** The whole path: a virtual Zigbee stick in the guest, its label on a real API server. */
import { openAerialNode } from "../../end-to-end/aerial-node.ts";
import { measureLabelLatency } from "../../end-to-end/label-latency.ts";
import { sonoffDonglePlus } from "../sticks.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  name: "demo",
  summary: "starts an API server, runs aerial in the guest, plugs a Zigbee stick and shows the label arriving",
  async run(lab, say) {
    say("starting etcd and kube-apiserver on this machine, with the rights of daemonset/base");
    await using node = await openAerialNode({ lab });
    say("starting aerial in the guest");
    await using _daemon = await node.start();
    await measureLabelLatency({ node, lab, plugs: 1, say });
    const plugged = await lab.plug(sonoffDonglePlus);
    for (const [key, value] of Object.entries(await node.waitForLabels((labels) => Object.keys(labels).length > 0))) {
      say(`node ${node.name}: ${key}=${value}`);
    }
    say((await node.cli("devices")).stdout.trimEnd());
    await plugged.unplug();
    say("unplugged; the labels outlive it by the grace of 5 s");
    const sinceMs = performance.now();
    await node.waitForLabels((labels) => Object.keys(labels).length === 0);
    say(`labels withdrawn after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`);
  },
};
