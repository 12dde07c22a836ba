/** How long after a stick's device node the API server has its label. */
import type { GuestLab } from "../lab/guest-lab.ts";
import type { NamespaceLab } from "../light/namespace-lab.ts";
import { sonoffDonglePlus, zstickGen5 } from "../lab/sticks.ts";
import type { AerialNode } from "./aerial-node.ts";

export interface LatencyOptions {
  readonly node: AerialNode;
  readonly lab: GuestLab | NamespaceLab;
  readonly plugs: number;
  readonly say: (line: string) => void;
}

const deadlineMs = 30_000;

/**
 * Milliseconds from the device node to the news of the label on the API server, a plug at a time; sticks alternate, so
 * that no label is there already. The daemon must run with a grace of 0.
 */
export async function measureLabelLatency({ node, lab, plugs, say }: LatencyOptions): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let plug = 0; plug < plugs; plug += 1) {
    const [stick, kind] = plug % 2 === 0 ? ([sonoffDonglePlus, "zigbee"] as const) : ([zstickGen5, "zwave"] as const);
    const sinceMs = wallClock();
    // Watching before plugging: a watch that only begins afterwards would be measured too.
    const labelled = node.waitForLabels((labels) => labels[`radio.mi.house/${kind}`] === "true", deadlineMs).then(() => wallClock());
    // Awaited below; should plugging fail, that is the error to see.
    labelled.catch(() => {});
    const plugged = await lab.plug(stick, { port: 1 });
    await labelled;
    const bornAtMs = lab.kind === "guest" ? await nodeBirth(lab, sinceMs) : sinceMs;
    const tookMs = (await labelled) - bornAtMs;
    latencies.push(tookMs);
    say(`plug ${plug + 1} of ${plugs}: ${stick.name} labelled ${Math.round(tookMs)} ms after its device node`);
    await plugged.unplug();
    await node.waitForLabels((labels) => Object.keys(labels).length === 0, deadlineMs);
  }
  return latencies;
}

/** The nearest-rank percentile; `percent` from 0 to 100. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

async function nodeBirth(lab: GuestLab, sinceMs: number): Promise<number> {
  const event = await lab.waitForDeviceNode({ path: /\/tty(?:USB|ACM)\d+$/, action: "created", sinceMs, timeoutMs: deadlineMs });
  return event.bornAtMs ?? event.seenAtMs;
}

function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
