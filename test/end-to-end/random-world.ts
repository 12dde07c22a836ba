/** A house in which people keep plugging sticks in and out, and what is true of it at any moment. */
import type { Lab, PluggedStick, VirtualStick } from "../lab/lab.ts";
import { conbee2, enoceanUsb300, sonoffDongleE, sonoffDonglePlus, zbt1, zstickGen5 } from "../lab/sticks.ts";

/** The kind each stick of this world is labelled with. */
const kinds: ReadonlyMap<VirtualStick, string> = new Map([
  [sonoffDonglePlus, "zigbee"],
  [sonoffDongleE, "zigbee"],
  [conbee2, "zigbee"],
  [zbt1, "zigbee"],
  [zstickGen5, "zwave"],
  [enoceanUsb300, "enocean"],
]);

export interface RandomWorld {
  /** One act of somebody: mostly a plug or an unplug, at times a quick flap. Says what was done. */
  step(): Promise<string>;
  /** How many radios of each kind are plugged in. */
  counts(): Readonly<Record<string, number>>;
  /** Names of the sticks that are plugged in. */
  plugged(): readonly string[];
  unplugAll(): Promise<void>;
  readonly random: () => number;
}

export interface RandomWorldOptions {
  readonly lab: Lab;
  readonly seed: number;
  /** Called with the stick that is about to be unplugged: to hold its node open, say. */
  readonly beforeUnplug?: (stick: PluggedStick) => Promise<void>;
}

/** Each stick has its own port, as most have in real life; acts come one after the other and resolve when the kernel was told. */
export function createRandomWorld({ lab, seed, beforeUnplug }: RandomWorldOptions): RandomWorld {
  const random = createRandom(seed);
  const sticks = [...kinds.keys()];
  const plugged = new Map<VirtualStick, PluggedStick>();

  async function plug(stick: VirtualStick): Promise<void> {
    plugged.set(stick, await lab.plug(stick, { port: sticks.indexOf(stick) + 1 }));
  }
  async function unplug(stick: VirtualStick): Promise<void> {
    const held = plugged.get(stick);
    if (!held) return;
    await beforeUnplug?.(held);
    plugged.delete(stick);
    await held.unplug();
  }

  return {
    random,
    async step() {
      const stick = sticks[Math.floor(random() * sticks.length)] ?? sonoffDonglePlus;
      const act = plugged.has(stick) ? "unplugged" : "plugged";
      await (plugged.has(stick) ? unplug(stick) : plug(stick));
      if (random() >= 0.1) return `${act} ${stick.name}`;
      await (plugged.has(stick) ? unplug(stick) : plug(stick));
      return `${act} ${stick.name} and took it back`;
    },
    counts() {
      const counts: Record<string, number> = {};
      for (const stick of plugged.keys()) {
        const kind = kinds.get(stick) ?? "unknown";
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      return counts;
    },
    plugged: () => [...plugged.keys()].map(({ name }) => name),
    async unplugAll() {
      for (const stick of plugged.keys()) await unplug(stick);
    },
  };
}

/** Whether our labels say just that. */
export function labelsMatch(labels: Readonly<Record<string, string>>, counts: Readonly<Record<string, number>>): boolean {
  const said = Object.entries(labels).flatMap(([key, value]) => {
    const kind = /^[^/]+\/([a-z0-9-]+)\.count$/.exec(key)?.[1];
    return kind === undefined ? [] : [`${kind}=${value}`];
  });
  const meant = Object.entries(counts).map(([kind, count]) => `${kind}=${count}`);
  return said.toSorted().join() === meant.toSorted().join();
}

/** mulberry32: the same numbers for the same seed, so that a failure can be run again. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
