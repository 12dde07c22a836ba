/** What comes and goes directly below /dev, with the times the label's latency is measured from. */
import { statSync, watch } from "node:fs";
import { join } from "node:path";
import type { DeviceNodeNews } from "../protocol.ts";
import { wallClockMs } from "./wall-clock.ts";

const folder = "/dev";

/** Tells of every node from now on. A node that came and went before we looked is told as deleted only. */
export function watchDeviceNodes(tell: (news: DeviceNodeNews) => void): void {
  watch(folder, (kind, name) => {
    if (kind !== "rename" || name === null) return;
    const seenAtMs = wallClockMs();
    const path = join(folder, name);
    const bornAtMs = statSync(path, { throwIfNoEntry: false })?.birthtimeMs;
    if (bornAtMs === undefined) {
      tell({ action: "deleted", path, seenAtMs });
      return;
    }
    // A file system that keeps no birth time says 0.
    tell({ action: "created", path, seenAtMs, ...(bornAtMs > 0 && { bornAtMs }) });
  });
}
