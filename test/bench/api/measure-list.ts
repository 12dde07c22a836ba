/** What the list of radios costs the daemon, beside a bare server of Node's that sends the same bytes and does nothing else. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stickCatalogue } from "../../lab/sticks.ts";
import type { LabProcess } from "../../lab/lab.ts";
import type { NamespaceLab } from "../../light/namespace-lab.ts";

interface ServerCost {
  /** Requests a second of the clock; on a machine that does something else too, less than it could be. */
  readonly perSecond: number;
  /** Requests a second of the server's own time on a processor. */
  readonly perCoreSecond: number;
}

export interface ListCost {
  readonly radios: number;
  readonly bytes: number;
  readonly aerial: ServerCost;
  readonly bare: ServerCost;
}

interface Daemon {
  readonly lab: NamespaceLab;
  readonly process: LabProcess;
  /** A path that is the same in the lab and outside. */
  readonly socket: string;
  readonly get: (path: string) => Promise<{ readonly radios: readonly unknown[] }>;
}

const path = "/api/v1/radios";
const connections = 16;
const rounds = 5;
const requests = { warmUp: 20_000, measured: 40_000 };

const bareServer = `
  const body = require("node:fs").readFileSync(process.argv[1]);
  require("node:http")
    .createServer((request, response) => response.setHeader("content-type", "application/json").end(body))
    .listen(process.argv[2], () => console.log("up"));`;

/** Plugs in until there are so many radios. */
export async function plugRadios({ lab, get }: Pick<Daemon, "lab" | "get">, count: number): Promise<void> {
  const sticks = Object.values(stickCatalogue).filter(({ driver }) => driver !== "none");
  for (let port = 1; (await get(path)).radios.length < count; port += 1) {
    const stick = sticks[port % sticks.length];
    if (stick) await lab.plug({ ...stick, serial: `BENCH${port}X` }, { port });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  // Follow-up scans and the stability of what is new.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
}

/** Both are asked in turns, so that what else the machine does hits them alike; the medians are given. */
export async function measureList({ lab, process: daemon, socket, get }: Daemon): Promise<ListCost> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-bench-"));
  const load = join(directory, "http-load");
  execFileSync("cc", ["-O2", "-o", load, join(import.meta.dirname, "http-load.c")], { stdio: "inherit" });
  const list = await get(path);
  const body = join(directory, "body.json");
  await writeFile(body, JSON.stringify(list));
  const peerSocket = join(directory, "peer.sock");
  await using peer = await lab.start([process.execPath, "-e", bareServer, body, peerSocket]);
  await peer.waitForLine(/up/u, 10_000);

  const ticks = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const cpuSeconds = async ({ pid }: LabProcess): Promise<number> => {
    // Fields 14 and 15 (proc_pid_stat(5)); the name before them has no blanks here.
    const { stdout } = await lab.run(["cat", `/proc/${pid}/stat`]);
    const fields = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  };
  const ask = (at: string, what: string, count: number): number => {
    const said = execFileSync(load, [at, what, String(connections), String(count)], { encoding: "utf8" });
    return Number(said.split(" ")[1]);
  };
  const measure = async (server: LabProcess, at: string, what: string): Promise<ServerCost> => {
    const before = await cpuSeconds(server);
    const seconds = ask(at, what, requests.measured);
    return { perSecond: requests.measured / seconds, perCoreSecond: requests.measured / ((await cpuSeconds(server)) - before) };
  };

  ask(socket, path, requests.warmUp);
  ask(peerSocket, "/", requests.warmUp);
  const costs: { readonly aerial: ServerCost; readonly bare: ServerCost }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    costs.push({ aerial: await measure(daemon, socket, path), bare: await measure(peer, peerSocket, "/") });
  }
  await rm(directory, { recursive: true, force: true });
  return {
    radios: list.radios.length,
    bytes: Buffer.byteLength(JSON.stringify(list)),
    aerial: medianCost(costs.map(({ aerial }) => aerial)),
    bare: medianCost(costs.map(({ bare }) => bare)),
  };
}

function medianCost(costs: readonly ServerCost[]): ServerCost {
  return { perSecond: median(costs.map((cost) => cost.perSecond)), perCoreSecond: median(costs.map((cost) => cost.perCoreSecond)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
