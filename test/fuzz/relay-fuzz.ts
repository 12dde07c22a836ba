/**
 * `npm run fuzz:relay -- [--packets N] [--minutes M] [--seed N] [--target dns|ssdp|wsd|engine] [--oracle dnspython] [--python PATH]`: packets as nobody
 * means well sends them, against all that the relay reads. Ends with one line that says what was held; cases that failed are kept
 * in `seeds`, which the unit tests try for ever.
 */
import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { parseArgs } from "node:util";
import { createDnsTarget } from "./dns-target.ts";
import { createEngineTarget } from "./engine-target.ts";
import { askDnspython } from "./dnspython-judge.ts";
import { type FuzzCase, makeCase, runCase } from "./fuzz-packet.ts";
import { keepCase } from "./kept-cases.ts";
import { ssdpTarget, wsdTarget } from "./text-targets.ts";

const poolSize = 512;
const checkpoint = 100_000;
/** Of heap between checkpoints, once what is bounded has had time to fill. */
const growthLimitMib = 16;
const warmUp = 200_000;
const judgedAtOnce = 20_000;
const mostFailures = 20;

const { values } = parseArgs({
  options: {
    packets: { type: "string", default: "100000" },
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_007) },
    target: { type: "string" },
    oracle: { type: "string" },
    python: { type: "string", default: "python3" },
  },
});
const packets = Number(values.packets);
const seed = Number(values.seed);

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const toJudge: Uint8Array[] = [];
let judged = 0;
const readers = [
  createDnsTarget(values.oracle === "dnspython" ? (packet) => toJudge.push(packet) : undefined),
  ssdpTarget,
  wsdTarget,
] as const;
// Most of what comes is DNS.
const targets = [readers[0], ...readers, createEngineTarget(readers)]
  .filter(({ name }) => values.target === undefined || name === values.target)
  .map((target) => ({ target, pool: [] as Uint8Array[] }));

const begunMs = performance.now();
const deadlineMs = begunMs + Number(values.minutes) * 60_000;
let done = 0;
let taken = 0;
let failures = 0;
let baseMib: number | undefined;

function fail(failed: FuzzCase, error: unknown): void {
  failures += 1;
  const why = error instanceof Error ? error.message : String(error);
  console.log(`FAILED ${failed.target}: ${why}; kept as ${keepCase(failed, why)}`);
}

function judge(): void {
  for (const { packet, fault } of askDnspython(values.python, toJudge))
    fail({ target: "dns", packet, choice: 0 }, new TypeError(`dnspython: ${fault}`));
  judged += toJudge.length;
  toJudge.length = 0;
}

function report(): void {
  collectGarbage();
  const mib = process.memoryUsage().heapUsed / 2 ** 20;
  const seconds = (performance.now() - begunMs) / 1000;
  if (done >= warmUp) baseMib ??= mib;
  console.log(
    `${done} packets, ${taken} taken, ${failures} failed, ${Math.round(done / seconds)}/s, ${mib.toFixed(1)} MiB of heap${judged > 0 ? `, ${judged} judged by dnspython` : ""}`,
  );
  if (baseMib !== undefined && mib > baseMib + growthLimitMib) {
    failures += 1;
    console.log(`FAILED: the heap grew from ${baseMib.toFixed(1)} to ${mib.toFixed(1)} MiB`);
  }
}

console.log(`seed ${seed}`);
while (done < packets && performance.now() < deadlineMs && failures < mostFailures) {
  const each = targets[done % targets.length];
  if (each === undefined) break;
  const { target, pool } = each;
  const fuzzCase = makeCase(target, pool, Math.imul(seed, 0x9e37_79b1) + done);
  try {
    if (runCase(target, fuzzCase)) {
      taken += 1;
      // What was taken leads on to what nobody would have thought of; short ones, so that the run does not drown in long ones.
      if (fuzzCase.packet.length < 1500) pool[pool.length < poolSize ? pool.length : taken % poolSize] = fuzzCase.packet;
    }
  } catch (error) {
    fail(fuzzCase, error);
  }
  done += 1;
  if (toJudge.length >= judgedAtOnce) judge();
  if (done % checkpoint === 0) report();
}
if (toJudge.length > 0) judge();
report();
console.log(
  `${failures === 0 ? "held" : "BROKEN"}: ${done} packets, seed ${seed}, ${((performance.now() - begunMs) / 60_000).toFixed(1)} min`,
);
process.exitCode = failures === 0 ? 0 : 1;
