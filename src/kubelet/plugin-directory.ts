/** The directory in which the kubelet and its device plugins leave their sockets for each other. */
import { once } from "node:events";
import { type FSWatcher, lstatSync, readdirSync, rmSync, watch } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Cell, type Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { errnoOf } from "../core/errors.ts";
import { checkSocketPath } from "./socket-path.ts";

/** Disposing ends watching. */
export interface PluginDirectory extends Disposable {
  /** Counts the reasons to look again: news of inotify, and a second that went by. */
  readonly hints: Watch<number>;
  /** For reasons to look again that others have. */
  hint(): void;
  /** Names the kubelet's socket as it is now, so that another life of the kubelet has another; undefined while there is none. */
  kubelet(): string | undefined;
}

/** The kubelet's own socket (kubernetes/kubelet pkg/apis/deviceplugin/v1beta1/constants.go). */
export const kubeletSocket = "kubelet.sock";

/** inotify alone would miss that the directory itself was replaced. */
const lookMs = 1_000;

/** The directory need not be there yet. */
export function watchPluginDirectory(directory: string, clock: Clock, signal: AbortSignal): PluginDirectory {
  const hints = new Cell(0);
  const hint = (): void => hints.set(hints.current + 1);
  const ending = new AbortController();
  const stop = (): void => ending.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let watched: { readonly watcher: FSWatcher; readonly inode: string } | undefined;
  const leave = (): void => {
    watched?.watcher.close();
    watched = undefined;
  };
  const follow = (): void => {
    const inode = inodeOf(directory);
    if (inode === watched?.inode) return;
    leave();
    if (inode === undefined) return;
    try {
      const watcher = watch(directory, { persistent: false }, hint);
      watcher.on("error", leave);
      watched = { watcher, inode };
    } catch {
      // No inotify to be had: the timer finds everything.
    }
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      follow();
      hint();
      await clock.sleep(lookMs, ending.signal).catch(() => {});
    }
    leave();
  };
  void run();
  return {
    hints,
    hint,
    kubelet: () => inodeOf(join(directory, kubeletSocket)),
    [Symbol.dispose]() {
      signal.removeEventListener("abort", stop);
      stop();
      leave();
    },
  };
}

/** Tells what is at a path from what was there before; its time too, since inodes are used again. */
function inodeOf(path: string): string | undefined {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Removes the sockets in `directory` with a name that `isOurs` knows and nobody listening. Says how many; never throws. */
export async function removeStaleSockets(directory: string, isOurs: (name: string) => boolean): Promise<number> {
  let removed = 0;
  for (const name of namesIn(directory).filter(isOurs)) {
    const path = join(directory, name);
    try {
      if (!lstatSync(path).isSocket() || (await isHeard(path))) continue;
      rmSync(path, { force: true });
      removed += 1;
    } catch {
      // Gone meanwhile, or not ours to remove: it does no harm.
    }
  }
  return removed;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Whether somebody listens; also where that cannot be said. */
async function isHeard(path: string): Promise<boolean> {
  const socket = connect(checkSocketPath(path));
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return errnoOf(error) !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
