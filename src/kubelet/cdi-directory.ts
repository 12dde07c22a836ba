/**
 * The directory in which container runtimes look for CDI files (github.com/cncf-tags/container-device-interface, SPEC.md), as far
 * as its files are ours. Others' are never read, changed or removed.
 */
import { constants, watch } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Cell, type Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { AerialError, describeError, errnoOf } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";

export interface CdiDirectory {
  /**
   * Our files by name. One that has our name but not our kind in it, such as half a file or a link, has the content undefined: it
   * may be written over, but is not ours to remove. Throws `handover.cdi`.
   */
  read(): Promise<ReadonlyMap<string, string | undefined>>;
  /** Replaces the file in one step, or leaves it as it is and throws `handover.cdi`. */
  write(name: string, content: string): Promise<void>;
  /** Removes one of our files; one that is gone already is no error. Throws `handover.cdi`. */
  remove(name: string): Promise<void>;
  /** Changes when somebody else has changed, added or removed a file with a name of ours, as far as the kernel tells; `run` hears it. */
  readonly edits: Watch<number>;
  /** Keeps `edits` until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CdiDirectoryOptions {
  readonly path: string;
  /** What our files' names begin with. */
  readonly prefix: string;
  /** What they say of their kind: `radio.mi.house/radio`. */
  readonly kind: string;
  readonly clock: Clock;
}

/** One of ours has a few hundred bytes for each of its devices. */
const largestFile = 262_144;
/** More of ours than any machine has radios: somebody plays tricks. */
const mostFiles = 1_024;
/** Between a change and a look at it: ours come with several events each. */
const settleMs = 50;
/** A directory that is not there, or cannot be watched, is tried again after this long. */
const retryMs = 10_000;

/** Opens nothing yet. The directory is made with the first file. */
export function openCdiDirectory({ path, prefix, kind, clock }: CdiDirectoryOptions): CdiDirectory {
  const edits = new Cell(0);
  /** What each of our files looked like after we wrote it; undefined once we removed it. */
  const written = new Map<string, string | undefined>();
  let wake = (): void => {};
  let working = 0;
  const isOurs = (name: string): boolean => name.startsWith(prefix) && name.endsWith(".json") && !name.includes("/");

  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    working += 1;
    try {
      return await work();
    } catch (error) {
      throw new AerialError("handover.cdi", `cannot ${what} in ${path} (${errnoOf(error) ?? describeError(error)})`, { cause: error });
    } finally {
      working -= 1;
    }
  };

  const hasForeignEdit = async (names: ReadonlySet<string>): Promise<boolean> => {
    for (const name of names) if ((await signatureOf(join(path, name))) !== written.get(name)) return true;
    return false;
  };

  const watchOnce = async (signal: AbortSignal): Promise<void> => {
    const changed = new Set<string>();
    let timer: NodeJS.Timeout | undefined;
    const lookLater = (): void => {
      timer ??= setTimeout(() => void look().catch(() => {}), settleMs).unref();
    };
    const look = async (): Promise<void> => {
      timer = undefined;
      // How our own work looks is not known before it is done.
      if (working > 0) return lookLater();
      const names = new Set(changed);
      changed.clear();
      if (await hasForeignEdit(names)) edits.set(edits.current + 1);
    };
    const watcher = watch(path, { persistent: false }, (_event, name) => {
      // The directory itself is gone; of another one in its place this watch hears nothing.
      if (name === basename(path)) watcher.close();
      if (name === null || !isOurs(name) || changed.size >= mostFiles) return;
      changed.add(name);
      lookLater();
    });
    const ended = new Promise<void>((resolve) => {
      watcher.on("error", () => resolve());
      watcher.on("close", () => resolve());
    });
    const close = (): void => watcher.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      if (signal.aborted) return;
      // What happened before there was a watch.
      if (await hasForeignEdit(new Set(written.keys()))) edits.set(edits.current + 1);
      await ended;
    } finally {
      signal.removeEventListener("abort", close);
      watcher.close();
      clearTimeout(timer);
    }
  };

  return {
    edits,
    read: () =>
      attempt("list the CDI files", async () => {
        const names = (await listDirectory(path)).filter((name) => name.startsWith(prefix) || name.startsWith(`.${prefix}`));
        if (names.length > mostFiles) throw new RangeError(`more than ${mostFiles} files begin with ${prefix}`);
        const found = new Map<string, string | undefined>();
        for (const name of names) {
          if (isOurs(name)) found.set(name, await readOurs(join(path, name), kind));
          else if (isLeftover(name, isOurs)) await rm(join(path, name), { force: true });
        }
        return found;
      }),
    write: (name, content) =>
      attempt(`write the CDI file ${name}`, async () => {
        if (!isOurs(name)) throw new RangeError("it is none of ours");
        await mkdir(path, { recursive: true });
        await replaceFile(path, name, content);
        written.set(name, await signatureOf(join(path, name)));
        wake();
      }),
    remove: (name) =>
      attempt(`remove the CDI file ${name}`, async () => {
        if (!isOurs(name) || (await readOurs(join(path, name), kind)) === undefined) return;
        await rm(join(path, name), { force: true });
        written.delete(name);
      }),
    async run(signal) {
      while (!signal.aborted) {
        try {
          await watchOnce(signal);
        } catch {
          // Not there, or no watch to be had: the files are looked at by the clock as well.
        }
        using wait = linkSignal(signal);
        // The first file makes the directory.
        wake = () => wait.abort(new AerialError("internal.abort", "there is something to watch"));
        await clock.sleep(retryMs, wait.signal).catch(() => {});
        wake = () => {};
      }
    },
  };
}

async function listDirectory(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Its content, if it is a plain file that says our kind. */
async function readOurs(path: string, kind: string): Promise<string | undefined> {
  let file;
  try {
    // Neither a link nor a pipe that would keep us waiting.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENOENT", "ELOOP", "EISDIR", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > largestFile) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(stat.size), 0, stat.size, 0);
    const content = buffer.toString("utf8", 0, bytesRead);
    return kindOf(content) === kind ? content : undefined;
  } finally {
    await file.close();
  }
}

function kindOf(content: string): unknown {
  try {
    const parsed: unknown = JSON.parse(content);
    return typeof parsed === "object" && parsed !== null && "kind" in parsed ? parsed.kind : undefined;
  } catch {
    return undefined;
  }
}

/** Runtimes read what ends in .json or .yaml, so the file gets its name only when it is whole. */
async function replaceFile(directory: string, name: string, content: string): Promise<void> {
  const temporary = join(directory, `.${name}.tmp`);
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o644);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** What we were writing when we were killed. */
function isLeftover(name: string, isOurs: (name: string) => boolean): boolean {
  return name.startsWith(".") && name.endsWith(".tmp") && isOurs(name.slice(1, -".tmp".length));
}

/** Changes with whatever is done to a file, and undefined when it is not there. */
async function signatureOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs } = await lstat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return undefined;
  }
}
