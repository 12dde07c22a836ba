/**
 * A file that people or Kubernetes write is looked at again when it may have changed. inotify only wakes us: on the file, which
 * is edited in place, perhaps behind a symlink or a bind mount, and on its directory, where it is replaced by a rename, and
 * where Kubernetes swaps the symlink through which a ConfigMap's files are reached. What is then asked is the file's stamp,
 * which is asked now and then besides.
 */
import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Cell, type Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { errnoOf } from "../core/errors.ts";
import { toFileStamp } from "../core/file-stamp.ts";
import { changeFrom, firstOf, sleepUntil } from "../core/first-of.ts";

export interface FileToFollow {
  /** It need not be there. */
  readonly file: string;
  readonly clock: Clock;
  /** With each change of it the file is looked at, whether or not it has changed. */
  readonly asked: Watch<unknown>;
  /** Reads the file. False where that failed: then it is called again now and then, and as soon as the file changes. */
  readonly look: () => boolean;
}

/** A file is written in steps, of which the first empties it: only one that was left alone for so long is read. */
const settleMs = 100;
/** One that is never left alone is read nevertheless. */
const longestSettleMs = 1_000;
/** inotify does not tell that a symlink further up was swapped, or something mounted over it. */
const watchedMs = 10_000;
/** Where inotify cannot be had, or the directory is not there yet. */
const unwatchedMs = 3_000;

/** Calls `look` at once, and whenever the file may have changed, until the signal aborts. */
export async function runFileFollower({ file, clock, asked, look }: FileToFollow, signal: AbortSignal): Promise<void> {
  const hints = new Cell(0);
  let watched: FileWatches | undefined;
  let known: string | undefined;
  let answered = asked.current;
  let failedAt: number | undefined;

  const sleepUnlessAsked = (milliseconds: number): Promise<void> =>
    firstOf(signal, (wait) => [sleepUntil(clock, clock.now() + milliseconds, wait), changeFrom(asked, answered, wait)]);
  /** The stamp once it stays as it is, or somebody asks. */
  const settle = async (stamp: string): Promise<string> => {
    const until = clock.now() + longestSettleMs;
    for (let before = stamp; ;) {
      await sleepUnlessAsked(settleMs);
      const now = await stampOf(file);
      if (now === before || asked.current !== answered || clock.now() >= until) return now;
      before = now;
    }
  };

  while (!signal.aborted) {
    const hinted = hints.current;
    // Made anew each time: what they were on may be gone. Before the stamp is asked, so that nothing happens in between.
    const renewed = openWatches(file, () => hints.set(hints.current + 1));
    watched?.[Symbol.dispose]();
    watched = renewed;
    let stamp = await stampOf(file);
    const isNew = known !== undefined && stamp !== known;
    if (isNew && asked.current === answered) stamp = await settle(stamp);
    const isRetry = failedAt !== undefined && clock.now() >= failedAt + watchedMs;
    if (signal.aborted) break;
    if (stamp !== known || isRetry || asked.current !== answered) {
      answered = asked.current;
      known = stamp;
      failedAt = look() ? undefined : clock.now();
    }
    const due = clock.now() + (renewed.isWhole ? watchedMs : unwatchedMs);
    await firstOf(signal, (wait) => [sleepUntil(clock, due, wait), changeFrom(hints, hinted, wait), changeFrom(asked, answered, wait)]);
    // In a directory where much comes and goes we would else look for each.
    if (hints.current !== hinted) await sleepUnlessAsked(settleMs);
  }
  watched?.[Symbol.dispose]();
}

interface FileWatches extends Disposable {
  /** Whether inotify tells of the directory; of a file that is not there it need not. */
  readonly isWhole: boolean;
}

function openWatches(file: string, hint: () => void): FileWatches {
  const name = basename(file);
  const directory = open(dirname(file), (type, changed) => {
    // Of other files only their coming and going matters: one may be a symlink that leads to ours.
    if (type === "rename" || changed === name) hint();
  });
  const itself = open(file, hint);
  return {
    isWhole: directory !== undefined,
    [Symbol.dispose]() {
      directory?.close();
      itself?.close();
    },
  };

  function open(path: string, listener: (type: string, changed: string | null) => void): { close(): void } | undefined {
    try {
      const watcher = watch(path, { persistent: false, encoding: "utf8" }, listener);
      watcher.on("error", hint);
      return watcher;
    } catch {
      // The timer finds everything.
      return undefined;
    }
  }
}

/** Why it cannot be had is a stamp too. */
async function stampOf(file: string): Promise<string> {
  try {
    return toFileStamp(await stat(file, { bigint: true }));
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
}
