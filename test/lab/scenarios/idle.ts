/** Ten minutes of nothing. */
import { openAerialNode } from "../../end-to-end/aerial-node.ts";
import { measureIdle } from "../../end-to-end/idle.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  name: "idle",
  summary: "leaves aerial alone for AERIAL_LAB_SECONDS (600) with a stick plugged in: writes to the API server, processor time, memory",
  async run(lab, say) {
    await using node = await openAerialNode({ lab });
    say(JSON.stringify(await measureIdle(node, Number(process.env["AERIAL_LAB_SECONDS"] ?? 600))));
  },
};
