/** All that is measured of one relay, each measure with the relay started anew in namespaces of its own. */
import { openBenchNetwork } from "./bench-network.ts";
import { type BenchProcess, processorMs, residentMib, start } from "./bench-process.ts";
import { type Arrivals, measureTraffic, type Route, type Traffic, type TrafficTools, waitFor } from "./measure-traffic.ts";
import type { Relay } from "./relays.ts";

/** Traffic relayed, and the processor's time for it. */
export interface Load extends Arrivals {
  readonly processorMs: number;
}

export interface Figures {
  readonly home: Readonly<Record<"response4" | "query4" | "response6", Load>>;
  readonly busy: Load;
  /** The same once more after the burst: what an interpreter has yet to compile is compiled by then. */
  readonly steady: Load;
  readonly burst: Load;
  /** Milliseconds on a processor in each second without traffic. */
  readonly idleMsPerSecond: number;
  readonly residentMib: { readonly start: number; readonly after: number };
  readonly pair: PairFigures;
  /** Of 8 unicast datagrams to another program on the port, those it got; the worse of both orders of start. */
  readonly holderKeeps: number;
  /** Undefined where it takes no three links. */
  readonly hostile?: Load;
}

/** Two of it on the same links: frames for each packet at the far end, and back at the sender's. */
interface PairFigures {
  readonly far: number;
  readonly back: number;
}

export interface Plan {
  readonly home: number;
  readonly busy: number;
  readonly burst: number;
  readonly settleSeconds: number;
  readonly idleSeconds: number;
  readonly hostileSeconds: number;
}

export const wholePlan: Plan = { home: 250, busy: 50_000, burst: 200_000, settleSeconds: 20, idleSeconds: 20, hostileSeconds: 10 };
export const quickPlan: Plan = { home: 100, busy: 10_000, burst: 40_000, settleSeconds: 3, idleSeconds: 3, hostileSeconds: 3 };

const homeRate = 50;
const busyRate = 5_000;
const burstRate = 20_000;
const floodRate = 50_000;
const pairPackets = 20;
const unicastPackets = 8;
/** A relay that does not relay by then does not at all. */
const attempts = 10;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Throws TypeError, with what the relay wrote, when it relays nothing. */
export async function measureRelay(tools: TrafficTools, relay: Relay, plan: Plan): Promise<Figures> {
  const loads = await measureLoads(tools, relay, plan);
  const pair = await measurePair(tools, relay);
  const holderKeeps = Math.min(await measureHolder(tools, relay, true), await measureHolder(tools, relay, false));
  const hostile = await measureHostile(tools, relay, plan);
  return { ...loads, pair, holderKeeps, ...(hostile !== undefined && { hostile }) };
}

async function measureLoads(tools: TrafficTools, relay: Relay, plan: Plan): Promise<Omit<Figures, "pair" | "holderKeeps" | "hostile">> {
  using network = await openBenchNetwork();
  const { lanA, lanB } = network.hosts;
  const [router] = network.routers;
  const command = relay.command(["lanA", "lanB"]);
  if (router === undefined || command === undefined) throw new TypeError(`${relay.name} does not take two links`);
  await using running = start(router, command);
  const route = { from: lanA, to: lanB };
  await untilRelayed(tools, running, route);
  // What the compiler and the collector of an interpreter still do about the packets so far is no idling.
  await pause(plan.settleSeconds * 1_000);
  const idleFrom = processorMs(running.pid);
  const startMib = residentMib(running.pid);
  await pause(plan.idleSeconds * 1_000);
  const idleMsPerSecond = (processorMs(running.pid) - idleFrom) / plan.idleSeconds;
  const load = (traffic: Traffic): Promise<Load> => measureLoad(tools, running, { ...route, ...traffic });
  const home = { rate: homeRate, count: plan.home };
  const figures = {
    home: {
      response4: await load({ family: 4, kind: "response", ...home }),
      query4: await load({ family: 4, kind: "query", ...home }),
      response6: await load({ family: 6, kind: "response", ...home }),
    },
    busy: await load({ family: 4, kind: "response", rate: busyRate, count: plan.busy }),
    burst: await load({ family: 4, kind: "response", rate: burstRate, count: plan.burst }),
    steady: await load({ family: 4, kind: "response", rate: busyRate, count: plan.busy }),
    idleMsPerSecond,
  };
  return { ...figures, residentMib: { start: startMib, after: residentMib(running.pid) } };
}

async function measureLoad(tools: TrafficTools, relay: BenchProcess, traffic: Route & Traffic): Promise<Load> {
  const from = processorMs(relay.pid);
  let spent = 0;
  const settled = (): void => {
    spent = processorMs(relay.pid) - from;
  };
  const arrivals = await measureTraffic(tools, traffic, { settled });
  if (!relay.alive()) throw new TypeError(`the relay ended: ${relay.complaints()}`);
  const wantedSeconds = traffic.count / traffic.rate;
  if (arrivals.seconds > wantedSeconds * 1.1) {
    console.error(`  the sender took ${arrivals.seconds} s instead of ${wantedSeconds} at ${traffic.rate}/s: this machine is too busy`);
  }
  return { ...arrivals, processorMs: spent };
}

async function measurePair(tools: TrafficTools, relay: Relay): Promise<PairFigures> {
  using network = await openBenchNetwork({ routers: 2 });
  const command = relay.command(["lanA", "lanB"]);
  if (command === undefined) return { far: Number.NaN, back: Number.NaN };
  await using stack = new AsyncDisposableStack();
  const running = network.routers.map((router) => stack.use(start(router, command)));
  // Time to find each other, without a packet that a pair that does not could throw to and fro.
  await pause(8_000);
  const traffic = { family: 4, kind: "response", rate: 10, count: pairPackets } as const;
  const settled = async (): Promise<void> => void (await Promise.all(running.map((each) => each.stop())));
  const { sent, copies, back } = await measureTraffic(tools, { from: network.hosts.lanA, to: network.hosts.lanB, ...traffic }, { settled });
  return { far: copies / sent, back: back / sent };
}

/** `first`: the other program is there before the relay. */
async function measureHolder(tools: TrafficTools, relay: Relay, first: boolean): Promise<number> {
  using network = await openBenchNetwork();
  const [router] = network.routers;
  const command = relay.command(["lanA", "lanB"]);
  if (router === undefined || command === undefined) return Number.NaN;
  const hold = async (): Promise<BenchProcess> => {
    const holder = start(router, `${tools.traffic} hold lanA`);
    await waitFor(holder, () => holder.output().includes("ready"));
    return holder;
  };
  await using early = first ? await hold() : undefined;
  await using running = start(router, command);
  await untilRelayed(tools, running, { from: network.hosts.lanA, to: network.hosts.lanB });
  await using holder = early ?? (await hold());
  await using sender = start(network.hosts.lanA, `${tools.traffic} unicast 10.1.0.1 ${unicastPackets}`);
  await sender.exited;
  await pause(200);
  await holder.stop();
  return Number(/(\d+) \d+\s*$/.exec(holder.output())?.[1]);
}

/** From B to C, while one host on A sends as much as it can; with the relay's own limits. */
async function measureHostile(tools: TrafficTools, relay: Relay, plan: Plan): Promise<Load | undefined> {
  const command = relay.command(["lanA", "lanB", "lanC"], { limits: true });
  if (command === undefined) return undefined;
  using network = await openBenchNetwork({ links: 3 });
  const { lanA, lanB, lanC } = network.hosts;
  const [router] = network.routers;
  if (router === undefined) return undefined;
  await using running = start(router, command);
  await untilRelayed(tools, running, { from: lanB, to: lanC });
  const seconds = plan.hostileSeconds + 4;
  const file = `${tools.directory}/flood`;
  await using flood = start(lanA, `${tools.traffic} send eth0 4 response ${floodRate} 1000000 ${seconds * floodRate} ${file}`);
  await pause(1_000);
  const load = await measureLoad(tools, running, {
    from: lanB,
    to: lanC,
    family: 4,
    kind: "response",
    rate: 20,
    count: plan.hostileSeconds * 20,
  });
  await flood.stop();
  return load;
}

/** It is there, warm, and its interpreter, where it has one, has seen some hundred packets. */
async function untilRelayed(tools: TrafficTools, relay: BenchProcess, route: Route): Promise<void> {
  const few = { ...route, family: 4, kind: "response" } as const;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { arrived } = await measureTraffic(tools, { ...few, rate: 50, count: 10 }, { settleMs: 300 });
    if (!relay.alive()) break;
    if (arrived === 0) continue;
    await measureTraffic(tools, { ...few, rate: 500, count: 500 }, { settleMs: 500 });
    return;
  }
  throw new TypeError(`nothing is relayed; the relay wrote: ${relay.complaints()}${relay.output().slice(-500)}`);
}
