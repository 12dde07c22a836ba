/** A thousand cycles. */
import { openAerialNode } from "../../end-to-end/aerial-node.ts";
import { soak } from "../../end-to-end/soak.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  name: "soak",
  summary: "plugs and unplugs for AERIAL_LAB_CYCLES cycles (1000), with flaps and renumbering; labels must follow, memory must not grow",
  async run(lab, say) {
    const cycles = Number(process.env["AERIAL_LAB_CYCLES"] ?? 1_000);
    await using node = await openAerialNode({ lab, environment: { AERIAL__LABELS__GRACESECONDS: "0" } });
    const report = await soak({ node, cycles, warmCycles: Math.min(100, Math.ceil(cycles / 2)), seed: 1, say });
    say(JSON.stringify(report));
  },
};
