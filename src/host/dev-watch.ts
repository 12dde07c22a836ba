/** inotify on the host's `/dev`: needs no privilege, no network namespace and no udev. */
import { type FSWatcher, statSync, watch } from "node:fs";
import { basename } from "node:path";
import { AerialError } from "../core/errors.ts";
import type { HintSource } from "./hint-source.ts";

/**
 * Hints when a node comes or goes directly below `root`. The directory itself is watched, never `/dev/serial/by-id`:
 * udevd removes that with its last link, and a watch on it then stays silent. `run` rejects with `host.read` where
 * there is nothing to watch, and when the directory is replaced.
 */
export function createDevWatch(root: string): HintSource {
  return {
    name: "device-nodes",
    hearsAll: false,
    async run(listener, signal) {
      const watched = inodeOf(root);
      const watcher = openWatcher(root);
      await new Promise<void>((resolve, reject) => {
        const fail = (cause?: unknown): void => {
          watcher.close();
          reject(new AerialError("host.read", `cannot watch ${root} any longer`, { cause }));
        };
        watcher.on("change", (type, name) => {
          // Writing to any device is a `change`: only nodes that come and go count. A chmod is left to the next scan.
          if (type !== "rename") return;
          // News of the directory itself comes under its own name.
          if (name === basename(root) && inodeOf(root) !== watched) return fail();
          listener.hint();
        });
        watcher.on("error", fail);
        const stop = (): void => {
          watcher.close();
          resolve();
        };
        signal.addEventListener("abort", stop, { once: true });
        if (signal.aborted) stop();
        else listener.listening();
      });
    },
  };
}

function openWatcher(root: string): FSWatcher {
  try {
    return watch(root, { persistent: false, encoding: "utf8" });
  } catch (error) {
    throw new AerialError("host.read", `cannot watch ${root}`, { cause: error });
  }
}

function inodeOf(root: string): number | undefined {
  try {
    return statSync(root, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}
