/** What aerial costs while nothing happens. */
import { setTimeout as sleep } from "node:timers/promises";
import { zstickGen5 } from "../lab/sticks.ts";
import type { AerialNode } from "./aerial-node.ts";
import { footprint, type Footprint } from "./soak.ts";

export interface IdleReport extends Footprint {
  readonly seconds: number;
  /** Requests that changed something on the API server. */
  readonly writes: number;
  /** Of one core; user and kernel time of the daemon. */
  readonly cpuPercent: number;
}

/** sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on (proc(5), utime). */
const ticksPerSecond = 100;
/** For the label, its Event and the follow-up scans of the plug to be over; an Event may be folded up to a minute later. */
const calmMs = 75_000;

/** Runs the daemon with one stick plugged in and then only waits. */
export async function measureIdle(node: AerialNode, seconds: number): Promise<IdleReport> {
  await using daemon = await node.start();
  await using _plugged = await plugOne(node);
  await sleep(calmMs);
  const before = { writes: await node.writes(), ticks: await cpuTicks(node, daemon.pid) };
  await sleep(seconds * 1_000);
  const ticks = (await cpuTicks(node, daemon.pid)) - before.ticks;
  const held = await footprint(node, daemon);
  return { ...held, seconds, writes: (await node.writes()) - before.writes, cpuPercent: (ticks / ticksPerSecond / seconds) * 100 };
}

async function plugOne(node: AerialNode): Promise<AsyncDisposable> {
  const plugged = await node.lab.plug(zstickGen5);
  await node.waitForLabels((labels) => Object.keys(labels).length > 0);
  return { [Symbol.asyncDispose]: () => plugged.unplug() };
}

async function cpuTicks(node: AerialNode, pid: number): Promise<number> {
  const { stdout } = await node.lab.run(["cat", `/proc/${pid}/stat`]);
  const fields = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
