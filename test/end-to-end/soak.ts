/** A house that never rests: plugs, unplugs, flaps and renumbering for hours, and what is left of it in the daemon. */
import type { LabProcess } from "../lab/lab.ts";
import type { AerialNode } from "./aerial-node.ts";
import { createRandomWorld, labelsMatch } from "./random-world.ts";

export interface SoakOptions {
  readonly node: AerialNode;
  readonly cycles: number;
  /** After how many cycles the daemon counts as warm. */
  readonly warmCycles: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface Footprint {
  readonly descriptors: number;
  readonly residentKib: number;
  /** Anonymous pages alone: what the process itself holds, without the program's own file. */
  readonly anonymousKib: number;
}

export interface SoakReport {
  readonly warm: Footprint;
  readonly end: Footprint;
  /** Times labels were compared with the truth, each right within its deadline. */
  readonly settled: number;
  readonly renumbered: number;
}

/** One cycle is a plug and an unplug, or a flap. Throws when labels do not come to match the truth. */
export async function soak({ node, cycles, warmCycles, seed, say }: SoakOptions): Promise<SoakReport> {
  const daemon = await node.start();
  let renumbered = 0;
  const holders: LabProcess[] = [];
  const world = createRandomWorld({
    lab: node.lab,
    seed,
    async beforeUnplug() {
      while (holders.length > 2) await holders.shift()?.[Symbol.asyncDispose]();
      if (world.random() > 0.1) return;
      // A program that holds a tty open over an unplug: the next stick gets another number.
      const holder = await node.lab.start(["sh", "-c", "for tty in /dev/ttyUSB* /dev/ttyACM*; do exec 3<>$tty; done; exec sleep 30"]);
      holders.push(holder);
      renumbered += 1;
    },
  });
  let settled = 0;
  let warm: Footprint | undefined;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    for (const half of [1, 2]) {
      const act = await world.step();
      await node
        .waitForLabels((labels) => labelsMatch(labels, world.counts()))
        .catch((error: unknown) => {
          throw new Error(`cycle ${cycle}.${half}: after somebody ${act}, labels stayed wrong (seed ${seed})`, { cause: error });
        });
      settled += 1;
    }
    if (cycle === warmCycles) warm = await footprint(node, daemon);
    if (cycle % 20 === 0) say(`${cycle} of ${cycles} cycles, ${JSON.stringify(await footprint(node, daemon))}`);
  }
  for (const holder of holders) await holder[Symbol.asyncDispose]();
  await world.unplugAll();
  await node.waitForLabels((labels) => labelsMatch(labels, {}));
  const end = await footprint(node, daemon);
  await daemon.kill("SIGTERM");
  await daemon.exited;
  return { warm: warm ?? end, end, settled, renumbered };
}

/** What the daemon holds now. */
export async function footprint(node: AerialNode, { pid }: LabProcess): Promise<Footprint> {
  const { stdout } = await node.lab.run(["sh", "-c", `ls /proc/${pid}/fd | wc -l; cat /proc/${pid}/status`]);
  const kib = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(stdout)?.[1]);
  return { descriptors: Number.parseInt(stdout, 10), residentKib: kib("VmRSS"), anonymousKib: kib("RssAnon") };
}
