/** What happens to a stick's name when a program still holds its old one open. */
import type { Scenario } from "../scenario.ts";
import { sonoffDonglePlus } from "../sticks.ts";

const timeoutMs = 15_000;

export const scenario: Scenario = {
  name: "renumber",
  summary: "unplugs a stick whose tty is open, plugs it again, and shows that it comes back under another name",
  async run(lab, say) {
    const nextTty = async (sinceMs: number): Promise<string> =>
      (await lab.waitForDeviceNode({ path: /\/ttyUSB\d+$/, action: "created", sinceMs, timeoutMs })).path;

    let sinceMs = Date.now();
    const first = await lab.plug(sonoffDonglePlus, { port: 1 });
    const tty = await nextTty(sinceMs);
    say(`plugged: ${tty}`);
    await using holder = await lab.start(["sh", "-c", `exec 3<>${tty} && echo open && exec sleep 600`]);
    await holder.waitForLine(/open/, timeoutMs);
    await first.unplug();
    say(`unplugged while process ${holder.pid} holds it open`);

    sinceMs = Date.now();
    await lab.plug(sonoffDonglePlus, { port: 1 });
    say(`plugged again into the same port: ${await nextTty(sinceMs)}`);
  },
};
