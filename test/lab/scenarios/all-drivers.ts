/** Every stick of the catalogue in turn, with how long its device node took. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Scenario } from "../scenario.ts";
import { stickCatalogue } from "../sticks.ts";

const nodePatienceMs = 15_000;
/** A device without a tty has nothing to wait for but this. */
const enumerationMs = 1_000;

export const scenario: Scenario = {
  name: "all-drivers",
  summary: "plugs every stick there is, one after the other, and shows what the kernel makes of it",
  async run(lab, say) {
    for (const [name, stick] of Object.entries(stickCatalogue)) {
      const sinceMs = Date.now();
      const plugged = await lab.plug(stick);
      const toldMs = performance.timeOrigin + performance.now();
      if (stick.driver === "none" || stick.driver === "btusb") {
        await sleep(enumerationMs);
        say(`${name}: ${stick.vendorId}:${stick.productId} in port ${plugged.port}, no tty`);
      } else {
        const node = await lab.waitForDeviceNode({ path: /\/tty(?:USB|ACM)\d+$/, action: "created", sinceMs, timeoutMs: nodePatienceMs });
        const tookMs = Math.round((node.bornAtMs ?? node.seenAtMs) - toldMs);
        say(`${name}: ${stick.vendorId}:${stick.productId} in port ${plugged.port} became ${node.path} after ${tookMs} ms`);
      }
      await plugged.unplug();
    }
  },
};
