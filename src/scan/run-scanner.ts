/** INTERIM, uncommitted, by the lead so that integration can begin: the scan engineer replaces this file with the real one. Seam: runScanner({host, clock, log, conditions, intervalMs, onScan}, signal). */
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import type { Log } from "../core/log.ts";
import type { Host } from "../host/host.ts";
import { createUeventSource } from "../host/uevent-socket.ts";
import { Cell } from "../core/cell.ts";
import { scanDevices } from "./scan-devices.ts";
import type { Scan } from "./scan.ts";

export interface ScannerDependencies {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly intervalMs: number;
  onScan(scan: Scan): Promise<void>;
}

export async function runScanner({ host, clock, log, intervalMs, onScan }: ScannerDependencies, signal: AbortSignal): Promise<void> {
  const hints = new Cell(0);
  const bump = (): void => hints.set(hints.current + 1);
  void createUeventSource()
    .run({ listening: () => {}, hint: bump }, signal)
    .catch((error: unknown) => log.warn({ err: String(error) }, "no kernel events"));
  void (async () => {
    while (!signal.aborted) {
      await clock.sleep(intervalMs, signal).catch(() => {});
      bump();
    }
  })();
  for await (const _ of hints.changes(signal)) {
    await onScan(await scanDevices(host, clock));
    setTimeout(bump, 1000).unref();
    await clock.sleep(50, signal).catch(() => {});
  }
}
