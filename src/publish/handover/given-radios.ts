/** Radios that the device plugin gave away and of which the kubelet has not told yet who has them. */
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";

export interface GivenRadios {
  /** Their ids. Changes when one is given, and when the kubelet has told. */
  readonly ids: Watch<ReadonlySet<string>>;
  give(radioId: string): void;
  /** The kubelet has said who has what, having been asked then (milliseconds since the epoch). */
  told(askedAt: number): void;
}

/** So long after an allocation it may not be told: the kubelet writes it down once the plugin has answered. */
const untoldMs = 2_500;

/** They stay given for as long as the kubelet cannot be asked, however long: nobody else may get them meanwhile. */
export function createGivenRadios(clock: Pick<Clock, "now">): GivenRadios {
  const ids = new Cell<ReadonlySet<string>>(new Set());
  const times = new Map<string, number>();
  const changed = (): void => ids.set(new Set(times.keys()));
  return {
    ids,
    give(radioId) {
      times.set(radioId, clock.now());
      changed();
    },
    told(askedAt) {
      const before = times.size;
      for (const [id, at] of times) if (at + untoldMs <= askedAt) times.delete(id);
      if (times.size !== before) changed();
    },
  };
}
