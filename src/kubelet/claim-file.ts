/** The file that remembers which claims were prepared, so that they are known after a crash or a power cut. */
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AerialError, describeError, errnoOf } from "../core/errors.ts";

export interface ClaimFile {
  readonly path: string;
  /** Undefined where there is none. Throws `inventory.unusable`. */
  read(): Promise<string | undefined>;
  /** Replaces it in one step, on disk when this resolves, or leaves it as it is and throws `inventory.unusable`. */
  write(text: string): Promise<void>;
  /** Moves it out of the way for people to look at, over what was moved there before; gives its new path. */
  setAside(): Promise<string>;
}

/** A node's claims are a few hundred bytes each. */
const largestFile = 4 * 1_048_576;

export function openClaimFile(path: string): ClaimFile {
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new AerialError("inventory.unusable", `cannot ${what} ${path} (${errnoOf(error) ?? describeError(error)})`, { cause: error });
    }
  };
  return {
    path,
    read: () =>
      attempt("read", async () => {
        const size = await stat(path).then((found) => found.size, undefinedIfMissing);
        if (size === undefined) return undefined;
        await using file = await open(path, "r");
        const bytes = Buffer.alloc(Math.min(size, largestFile));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
        return bytes.subarray(0, bytesRead).toString();
      }),
    write: (text) =>
      attempt("write", async () => {
        const draft = `${path}.new`;
        try {
          await using file = await open(draft, "w", 0o600);
          await file.writeFile(text);
          await file.sync();
        } catch (error) {
          await rm(draft, { force: true }).catch(() => {});
          throw error;
        }
        await rename(draft, path);
        // The name, too, is to survive.
        await using directory = await open(dirname(path), "r");
        await directory.sync();
      }),
    setAside: () =>
      attempt("set aside", async () => {
        const aside = `${path}.unreadable`;
        await rename(path, aside);
        return aside;
      }),
  };
}

function undefinedIfMissing(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
}
