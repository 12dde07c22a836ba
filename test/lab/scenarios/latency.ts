/** Device node to label, fifty times. */
import { openAerialNode } from "../../end-to-end/aerial-node.ts";
import { measureLabelLatency, percentile } from "../../end-to-end/label-latency.ts";
import { openNamespaceLab } from "../../light/namespace-lab.ts";
import type { Scenario } from "../scenario.ts";

const plugs = 50;
const environment = { AERIAL__LABELS__GRACESECONDS: "0" };

export const scenario: Scenario = {
  name: "latency",
  summary: `measures device node → label over ${plugs} plugs: in the guest, and on this machine's own kernel without emulation`,
  async run(lab, say) {
    const report = (where: string, latencies: readonly number[]): void => {
      const [p50, p99] = [percentile(latencies, 50), percentile(latencies, 99)].map(Math.round);
      say(`${where}: p50 ${p50} ms, p99 ${p99} ms, over ${latencies.length} plugs`);
    };
    const measure = async (options: Pick<Parameters<typeof measureLabelLatency>[0], "lab">): Promise<readonly number[]> => {
      await using node = await openAerialNode({ lab: options.lab, environment });
      await using _daemon = await node.start();
      // Awaited here: what is used lives until this function ends.
      return await measureLabelLatency({ node, plugs, say: () => {}, ...options });
    };
    report("guest, emulated processor", await measure({ lab }));
    await using namespace = await openNamespaceLab();
    report("namespace, this machine's processor and made-up /sys", await measure({ lab: namespace }));
  },
};
