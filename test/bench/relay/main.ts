/**
 * `npm run bench:relay`: aerial's relay beside the least that a relay can do and beside other relays, in one run on one
 * machine: how long a packet takes, how many are lost, what each costs, and what becomes of a network with two of them.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { prepare } from "../../light/network-namespaces.ts";
import { type Figures, measureRelay, quickPlan, wholePlan } from "./measure-relay.ts";
import { aerialRelay, floorRelay, installedRelays, parsePeer, type Relay } from "./relays.ts";
import { formatTable, type RelayResult } from "./report.ts";

const help = `npm run bench:relay [-- OPTIONS]

  --peer NAME=COMMAND  another relay, in the foreground; {a}, {b} and {c} stand for the interfaces. May be repeated.
                       Without {c} it is not measured with three links.
  --only NAME,NAME     these relays only
  --rounds N           of all of it, one relay after the other; shown is the median (else 1)
  --quick              fewer packets and less patience
  --json FILE          all figures of all rounds
  --no-build           aerial as it is in dist
  --help               this text

Relays: aerial, floor (floor.c, compiled here with cc), and of avahi-daemon and mdns-reflector what is installed.
Needs root or unprivileged user namespaces (avahi: root), iproute2 and cc. A round takes about two minutes a relay. Run it on a machine that does nothing else.
`;

const { values } = parseArgs({
  options: {
    peer: { type: "string", multiple: true, default: [] },
    only: { type: "string" },
    rounds: { type: "string", default: "1" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    "no-build": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const insideMark = "AERIAL_BENCH_INSIDE";
const projectRoot = resolve(import.meta.dirname, "..", "..", "..");

if (values.help) process.stdout.write(help);
else if (process.env[insideMark] === undefined) process.exitCode = enterNamespaces();
else process.exitCode = await bench();

/** Again, in namespaces of our own, so that nothing of the machine's network is touched. */
function enterNamespaces(): number {
  if (!values["no-build"]) execFileSync("npm", ["run", "-s", "build"], { cwd: projectRoot, stdio: ["ignore", "ignore", "inherit"] });
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const words = [...user, "--net", "--mount", "--", process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", words, { stdio: "inherit", env: { ...process.env, [insideMark]: "1" } });
  return status ?? 1;
}

async function bench(): Promise<number> {
  prepare();
  const directory = mkdtempSync(join(tmpdir(), "aerial-bench-relay-"));
  using stack = new DisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const [traffic, floor] = ["traffic", "floor"].map((name) => compile(name, directory));
  if (traffic === undefined || floor === undefined) return 1;

  const peers = values.peer.map((text) => ({ text, relay: parsePeer(text) }));
  const wrong = peers.find(({ relay }) => relay === undefined);
  if (wrong !== undefined) {
    console.error(`--peer ${wrong.text}: not NAME=COMMAND`);
    return 64;
  }
  const all = [aerialRelay(), floorRelay(floor), ...installedRelays(directory), ...peers.flatMap(({ relay }) => relay ?? [])];
  const wanted = values.only?.split(",");
  const relays = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
  const figures = new Map<Relay, { rounds: Figures[]; failures: string[] }>(relays.map((relay) => [relay, { rounds: [], failures: [] }]));

  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const [relay, { rounds, failures }] of figures) {
      console.error(`round ${round}: ${relay.name}`);
      try {
        rounds.push(await measureRelay({ traffic, directory }, relay, values.quick ? quickPlan : wholePlan));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        console.error(`  ${failures.at(-1)}`);
      }
    }
  }

  const results = [...figures].map(([{ name }, { rounds, failures }]): RelayResult => ({ name, rounds, failures }));
  const machine = { processors: cpus().length, kernel: release(), node: process.version };
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${machine.processors} processors, Linux ${machine.kernel}, Node ${machine.node}\n`,
  );
  console.log(formatTable(results));
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ date: new Date().toISOString(), machine, results }, null, 2)}\n`);
  return results.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

function compile(name: string, directory: string): string {
  const program = join(directory, name);
  execFileSync("cc", ["-O2", "-o", program, join(import.meta.dirname, `${name}.c`)], { stdio: "inherit" });
  return program;
}
