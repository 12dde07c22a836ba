/** Whether device nodes that are gone are still open somewhere: the kernel gives their numbers to nobody until they are closed. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export interface HeldNodes {
  /** To be called before the node is taken away. */
  leaving(path: string): void;
  isHeld(path: string): boolean;
}

/** Looks at the descriptors of all processes that `/proc` shows. */
export function createHeldNodes(): HeldNodes {
  const gone = new Map<string, string>();
  return {
    leaving(path) {
      gone.set(path, identityOf(path) ?? "");
    },
    isHeld(path) {
      const identity = gone.get(path);
      if (identity === undefined) return false;
      if (openFiles().has(identity)) return true;
      gone.delete(path);
      return false;
    },
  };
}

function openFiles(): ReadonlySet<string> {
  const open = new Set<string>();
  for (const process of namesIn("/proc").filter((name) => /^\d+$/u.test(name))) {
    const descriptors = join("/proc", process, "fd");
    for (const descriptor of namesIn(descriptors)) {
      const identity = identityOf(join(descriptors, descriptor));
      if (identity !== undefined) open.add(identity);
    }
  }
  return open;
}

/** Processes end while one looks at them. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
