/** Keeps a CDI file for each radio of this node, by which a container runtime gives it to containers. */
import type { Clock } from "../../core/clock.ts";
import type { Output } from "../../core/output.ts";
import type { CdiDirectory } from "../../kubelet/cdi-directory.ts";
import { type CdiFileOptions, cdiFilesFor } from "./cdi-files.ts";

export interface CdiOutputDependencies extends CdiFileOptions {
  readonly directory: Pick<CdiDirectory, "read" | "write" | "remove">;
  readonly clock: Clock;
}

/** Whoever empties or edits the directory unheard is found out after this long. */
const lookAgainMs = 30_000;

/**
 * Writes what differs, and removes the files of radios that are away. A file that cannot be written keeps no other from being
 * written; the first error is thrown in the end.
 */
export function createCdiOutput({ directory, clock, ...options }: CdiOutputDependencies): Output {
  return {
    name: "cdi",
    async apply(snapshot) {
      // Until the first whole scan all radios count as absent: the files may be right as they are.
      if (!snapshot.complete) return undefined;
      const wanted = cdiFilesFor(snapshot, options);
      const present = await directory.read();
      const stale = [...present.keys()].filter((name) => !wanted.has(name));
      const changed = [...wanted].filter(([name, content]) => present.get(name) !== content);
      const results = await Promise.allSettled([
        ...changed.map(([name, content]) => directory.write(name, content)),
        ...stale.map((name) => directory.remove(name)),
      ]);
      for (const result of results) if (result.status === "rejected") throw result.reason;
      return clock.now() + lookAgainMs;
    },
  };
}

/** Takes back all that is ours, and gives the number of files. For `aerial cleanup`; throws `handover.cdi`. */
export async function removeCdiFiles(directory: Pick<CdiDirectory, "read" | "remove">): Promise<number> {
  const ours = [...(await directory.read())].flatMap(([name, content]) => (content === undefined ? [] : [name]));
  for (const name of ours) await directory.remove(name);
  return ours.length;
}
