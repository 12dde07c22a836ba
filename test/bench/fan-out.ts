/**
 * From stored to read, with a hundred readers: aerial's live events beside a server that does nothing but write the same
 * bytes to a hundred responses. Run alone: `node --conditions=source test/bench/fan-out.ts`.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Timetable } from "./fan-out-process.ts";
import { percentile } from "../end-to-end/label-latency.ts";

const readers = 100;
const events = 200;
const turns = 3;
const pauseMs = 20;
const script = new URL("fan-out-process.ts", import.meta.url).pathname;

type Transport = "stream" | "socket";
/** When each event came, by its number. */
type Arrivals = Map<number, bigint>;

interface Round {
  /** Milliseconds from stored to read, of each event for each reader. */
  readonly latencies: readonly number[];
  /** Of the server, for each event. */
  readonly cpuMicroseconds: number;
}

async function measure(kind: "aerial" | "bare", transport: Transport): Promise<Round> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-fan-out-"));
  const child = fork(script, [kind, directory, String(events), String(pauseMs)], { execArgv: ["--conditions=source"] });
  await once(child, "message");
  const socketPath = join(directory, "api.sock");
  const open = transport === "stream" ? followStream : followSocket;
  const arrivals = await Promise.all(Array.from({ length: readers }, () => open(socketPath)));
  await sleep(500);
  child.send("go");
  const [{ times, cpuMicroseconds }] = (await once(child, "message")) as [Timetable];
  while (arrivals.some(({ size }) => size < events)) await sleep(10);
  child.kill("SIGKILL");
  await once(child, "exit");
  await rm(directory, { recursive: true, force: true });
  const latencies = arrivals.flatMap((arrived) =>
    // aerial has two entries of its own before.
    [...arrived.values()].slice(-events).map((at, index) => Number(at - BigInt(times[index] ?? 0)) / 1e6),
  );
  return { latencies, cpuMicroseconds: cpuMicroseconds / events };
}

function note(arrivals: Arrivals, text: string): void {
  const at = process.hrtime.bigint();
  for (const [, number] of text.matchAll(/"?id"?: ?"?[0-9a-z-]+\.(\d+)["\n]/g)) {
    if (!arrivals.has(Number(number))) arrivals.set(Number(number), at);
  }
}

async function followStream(socketPath: string): Promise<Arrivals> {
  const arrivals: Arrivals = new Map();
  const asked = request({ socketPath, path: "/api/v1/events/stream", agent: false });
  asked.on("error", () => {}).end();
  const [answer] = await once(asked, "response");
  answer.setEncoding("utf8").on("error", () => {});
  answer.on("data", (text: string) => {
    if (text.includes("event: history")) note(arrivals, text);
  });
  return arrivals;
}

async function followSocket(socketPath: string): Promise<Arrivals> {
  const arrivals: Arrivals = new Map();
  const socket = new WebSocket(`ws+unix://${socketPath}:/api/v1/events/socket?after=now`, { headers: { host: "localhost" } });
  socket.on("error", () => {});
  await once(socket, "message");
  socket.on("message", (data: Buffer) => {
    const text = data.toString("utf8");
    if (text.startsWith('{"event":"history"')) note(arrivals, text);
  });
  return arrivals;
}

interface FanOut {
  readonly what: string;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of the server for each event: making and storing it, and sending it to everybody. */
  readonly cpuMicroseconds: number;
}

const contestants = [
  { what: "bare node:http", kind: "bare", transport: "stream" },
  { what: "server-sent events", kind: "aerial", transport: "stream" },
  { what: "WebSocket", kind: "aerial", transport: "socket" },
] as const;

/** In turns, so that whatever else the machine does falls on all alike; the bare server comes first. */
export async function measureFanOut(): Promise<readonly FanOut[]> {
  const rounds = contestants.map(({ what, kind, transport }) => ({ what, kind, transport, found: [] as Round[] }));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const { kind, transport, found } of rounds) found.push(await measure(kind, transport));
  }
  return rounds.map(({ what, found }) => {
    const latencies = found.flatMap((round) => round.latencies);
    const cpuMicroseconds = found.reduce((sum, round) => sum + round.cpuMicroseconds, 0) / turns;
    return { what, p50: percentile(latencies, 50), p99: percentile(latencies, 99), cpuMicroseconds };
  });
}

if (import.meta.main) {
  for (const { what, p50, p99, cpuMicroseconds } of await measureFanOut()) {
    console.log(`${what.padEnd(20)} p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${cpuMicroseconds.toFixed(0)} µs of processor`);
  }
}
