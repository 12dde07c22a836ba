/** One run of numbered packets from one host to another: what arrived, when, and how often. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkNamespace } from "../../light/network-namespaces.ts";
import { percentile } from "../../end-to-end/label-latency.ts";
import { type BenchProcess, start } from "./bench-process.ts";

export interface Traffic {
  readonly family: 4 | 6;
  readonly kind: "response" | "query";
  /** Packets a second. */
  readonly rate: number;
  readonly count: number;
}

export interface Arrivals {
  readonly sent: number;
  /** Of the packets sent, those that came at least once. */
  readonly arrived: number;
  /** Send call to the far kernel's time stamp, in microseconds; NaN where none came. */
  readonly p50: number;
  readonly p99: number;
  /** How often packets came, all copies counted, at the far end; and back at the sender's. */
  readonly copies: number;
  readonly back: number;
  /** Seconds that the sender took. */
  readonly seconds: number;
}

export interface Route {
  readonly from: NetworkNamespace;
  readonly to: NetworkNamespace;
}

export interface TrafficTools {
  /** The compiled `traffic.c`. */
  readonly traffic: string;
  readonly directory: string;
}

export interface TrafficOptions {
  /** How long the relay may take for what was sent last. */
  readonly settleMs?: number;
  /** Called when all was sent and settled, before the receivers stop. */
  readonly settled?: () => Promise<void> | void;
}

let runs = 0;

export async function measureTraffic(
  { traffic, directory }: TrafficTools,
  route: Route & Traffic,
  options: TrafficOptions = {},
): Promise<Arrivals> {
  const { from, to, family, kind, rate, count } = route;
  const { settleMs = 1_000, settled = () => {} } = options;
  runs += 1;
  const [sentFile, farFile, nearFile] = ["sent", "far", "near"].map((each) => join(directory, `${runs}-${each}`));
  await using far = await receive(to, `${traffic} receive eth0 ${family} ${count} ${farFile}`);
  await using near = await receive(from, `${traffic} receive eth0 ${family} ${count} ${nearFile}`);
  await using sender = start(from, `${traffic} send eth0 ${family} ${kind} ${rate} 0 ${count} ${sentFile}`);
  await sender.exited;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  await settled();
  await Promise.all([far.stop(), near.stop()]);
  const sentAt = new BigInt64Array(bytesOf(sentFile));
  const farBytes = bytesOf(farFile);
  const arrivedAt = new BigInt64Array(farBytes, 0, count);
  const copies = new Uint32Array(farBytes, count * 8, count);
  const backCopies = new Uint32Array(bytesOf(nearFile), count * 8, count);
  const delays: number[] = [];
  for (const [number, time] of sentAt.entries()) {
    const arrival = arrivedAt[number] ?? 0n;
    if (time !== 0n && arrival !== 0n) delays.push(Number(arrival - time) / 1_000);
  }
  return {
    sent: sentAt.filter((time) => time !== 0n).length,
    arrived: delays.length,
    p50: delays.length === 0 ? Number.NaN : percentile(delays, 50),
    p99: delays.length === 0 ? Number.NaN : percentile(delays, 99),
    copies: sum(copies),
    back: sum(backCopies),
    seconds: Number(/in ([\d.]+) s/.exec(sender.output())?.[1]),
  };
}

async function receive(at: NetworkNamespace, command: string): Promise<BenchProcess> {
  const receiver = start(at, command);
  await waitFor(receiver, () => receiver.output().includes("ready"));
  return receiver;
}

/** Until the process has said what is waited for. Throws TypeError when it ends without. */
export async function waitFor(process: BenchProcess, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (!process.alive()) throw new TypeError(`a process of the bench ended: ${process.complaints()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function bytesOf(path: string | undefined): ArrayBuffer {
  return Uint8Array.from(readFileSync(path ?? "")).buffer;
}

function sum(values: Uint32Array): number {
  return values.reduce((total, each) => total + each, 0);
}
