/** What plugins add to a radio's labels, known before the labels are made. */
import { Cell, type Watch } from "../../core/cell.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";

type Labels = Readonly<Record<string, string>>;

export interface DescribedRadios {
  /** The inventory's snapshots, each as soon as all its radios are described. */
  readonly snapshots: Watch<Snapshot>;
  /** Label name without prefix → value. */
  readonly labelsOf: (radio: Radio) => Labels;
  /** Keeps up with the inventory until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** `describe` is asked once for each state of a radio; it must not reject but by the signal. */
export function describeRadios(
  inventory: Watch<Snapshot>,
  describe: (radio: Radio, signal: AbortSignal) => Promise<Labels>,
): DescribedRadios {
  const described = new WeakMap<Radio, Labels>();
  const snapshots = new Cell(inventory.current);
  return {
    snapshots,
    labelsOf: (radio) => described.get(radio) ?? {},
    async run(signal) {
      for await (const snapshot of inventory.changes(signal)) {
        const unknown = [...snapshot.radios.values()].filter((radio) => !described.has(radio));
        await Promise.all(unknown.map(async (radio) => described.set(radio, await describe(radio, signal))));
        snapshots.set(snapshot);
      }
    },
  };
}
