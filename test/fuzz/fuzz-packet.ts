/** One packet of a fuzz run, which its seed and number bring back. */
import { type FuzzTarget, createWorkClock } from "./fuzz-target.ts";
import { mutateBytes, randomBytes } from "./mutate-bytes.ts";
import { createRandom, type Random } from "./random.ts";

/** Far above what the worst packet costs; a packet that takes longer holds up all others. */
const workLimitMs = 50;

/** A packet and what decides for the rules: all that is needed to see a failure again. */
export interface FuzzCase {
  readonly target: string;
  readonly packet: Uint8Array;
  readonly choice: number;
}

/** A packet as the network would have it if everybody meant harm. `pool` are packets that were taken before. */
export function makeCase(target: FuzzTarget, pool: readonly Uint8Array[], seed: number): FuzzCase {
  const random = createRandom(seed);
  const choice = random.below(0x7fff_ffff);
  if (random.once(50)) return { target: target.name, packet: randomBytes(random), choice };
  let packet: Buffer = Buffer.from(pickFrom(target.corpus, pool, random));
  for (let changes = random.below(6); changes > 0; changes -= 1) {
    packet = random.once(2) ? target.mutate(packet, random) : mutateBytes(packet, pickFrom(target.corpus, pool, random), random);
  }
  return { target: target.name, packet, choice };
}

function pickFrom(corpus: readonly Uint8Array[], pool: readonly Uint8Array[], random: Random): Uint8Array {
  const list = pool.length > 0 && random.once(2) ? pool : corpus;
  return list[random.below(list.length)] ?? new Uint8Array();
}

const clock = createWorkClock();

/** Says whether the packet was taken; throws if a promise was broken, or if even the quickest of three goes took too long. */
export function runCase(target: FuzzTarget, { packet, choice }: FuzzCase): boolean {
  let taken = false;
  for (let tries = 0; tries < 3; tries += 1) {
    clock.reset();
    taken = target.check(packet, createRandom(choice), clock);
    if (clock.spentMs < workLimitMs) return taken;
  }
  throw new TypeError(`took ${Math.round(clock.spentMs)} ms`);
}
