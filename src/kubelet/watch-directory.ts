/** That something came or went in a directory which may itself come and go. */
import { type FSWatcher, watch } from "node:fs";
import { Cell, type Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../core/first-of.ts";
import { linkSignal } from "../core/linked-signal.ts";
import { inodeOf } from "./inode-of.ts";

/** Disposing ends watching. */
export interface DirectoryWatch extends Disposable {
  /** Counts the reasons to look again: news of inotify, and time that went by. */
  readonly hints: Watch<number>;
  /** For reasons to look again that others have. */
  hint(): void;
}

/** How soon a directory is found that is not there yet, or that inotify cannot watch. */
const unwatchedMs = 1_000;
/** Of one that is watched inotify tells everything, its own end included, but not that something was mounted over it. */
const watchedMs = 10_000;

/** The directory need not be there yet. */
export function watchDirectory(directory: string, clock: Clock, signal: AbortSignal): DirectoryWatch {
  const hints = new Cell(0);
  const hint = (): void => hints.set(hints.current + 1);
  const lifetime = linkSignal(signal);
  let watched: { readonly watcher: FSWatcher; readonly inode: string } | undefined;
  const leave = (): void => {
    watched?.watcher.close();
    watched = undefined;
  };
  /** Whether another directory, or none, is watched than before. */
  const follow = (): boolean => {
    const inode = inodeOf(directory);
    if (inode === watched?.inode) return false;
    leave();
    if (inode === undefined) return true;
    try {
      const watcher = watch(directory, { persistent: false }, hint);
      watcher.on("error", leave);
      watched = { watcher, inode };
    } catch {
      // No inotify to be had: the timer finds everything.
    }
    return true;
  };
  const run = async (): Promise<void> => {
    while (!lifetime.signal.aborted) {
      // What came between the last look and the watch nobody told of.
      if (follow()) hint();
      const known = hints.current;
      const due = clock.now() + (watched === undefined ? unwatchedMs : watchedMs);
      await firstOf(lifetime.signal, (wait) => [sleepUntil(clock, due, wait), changeFrom(hints, known, wait)]);
      if (clock.now() >= due) hint();
    }
    leave();
  };
  void run();
  return {
    hints,
    hint,
    [Symbol.dispose]() {
      lifetime.abort(new AerialError("internal.abort", "nobody watches the directory any more"));
      lifetime[Symbol.dispose]();
      leave();
    },
  };
}
