/** Device nodes of the guest, in this machine's time. */
import type { ClockOffset } from "./guest-connection.ts";
import { LabError } from "./lab-error.ts";
import type { DeviceNodeNews } from "./protocol.ts";

export interface DeviceNodeEvent {
  readonly action: "created" | "deleted";
  /** As in the guest: `/dev/ttyUSB0`. */
  readonly path: string;
  /** When the guest's agent saw it, in this machine's wall-clock milliseconds: never early, late by the agent's own delay. */
  readonly seenAtMs: number;
  /** The kernel's creation time of the node in this machine's milliseconds: never late, at most 4 ms early. */
  readonly bornAtMs?: number;
}

interface Wanted {
  readonly path: RegExp;
  readonly action: DeviceNodeEvent["action"];
  readonly sinceMs: number;
  readonly timeoutMs: number;
}

interface DeviceNodeJournal {
  readonly events: readonly DeviceNodeEvent[];
  setClock(clock: ClockOffset): void;
  record(news: DeviceNodeNews): void;
  waitFor(wanted: Wanted): Promise<DeviceNodeEvent>;
}

/** Long runs plug thousands of times; nobody looks back further. */
const kept = 4096;

export function openDeviceNodeJournal(): DeviceNodeJournal {
  const events: DeviceNodeEvent[] = [];
  const waiting = new Set<() => void>();
  let guestToHostMs = 0;
  return {
    events,
    setClock: (clock) => void (guestToHostMs = clock.guestToHostMs),
    record({ action, path, seenAtMs, bornAtMs }) {
      events.push({
        action,
        path,
        seenAtMs: seenAtMs + guestToHostMs,
        ...(bornAtMs !== undefined && { bornAtMs: bornAtMs + guestToHostMs }),
      });
      if (events.length > kept) events.shift();
      for (const look of waiting) look();
    },
    waitFor: ({ path, action, sinceMs, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new LabError(`no ${String(path)} was ${action} within ${timeoutMs} ms`));
        }, timeoutMs);
        const look = (): void => {
          const found = events.find((event) => event.action === action && event.seenAtMs >= sinceMs && path.test(event.path));
          if (!found) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
