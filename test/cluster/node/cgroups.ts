/** The cgroups of a node: in every hierarchy of cgroup v1, or in the one of cgroup v2, whichever this machine has. */
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const base = "/sys/fs/cgroup";
const emptyTimeoutMs = 20_000;

export interface NodeCgroups extends AsyncDisposable {
  /** As the kubelet is to be told: `/aerial-kube-…`. */
  readonly path: string;
  /** Empties them, as a boot does: waits until no process is in them, and makes them anew. */
  renew(): Promise<void>;
}

/** Makes `/<name>` in each hierarchy. Disposing waits until no process is in them, and removes them with all below. */
export async function openCgroups(name: string): Promise<NodeCgroups> {
  await makeCgroups(name);
  return {
    path: `/${name}`,
    async renew() {
      await removeCgroups(name);
      await makeCgroups(name);
    },
    [Symbol.asyncDispose]: () => removeCgroups(name),
  };
}

async function makeCgroups(name: string): Promise<void> {
  // cgroup v2 hands a controller on only where it is told to.
  const controllers = join(base, "cgroup.controllers");
  if (existsSync(controllers)) {
    const names = (await readFile(controllers, "utf8")).trim().split(" ");
    await writeFile(join(base, "cgroup.subtree_control"), names.map((controller) => `+${controller}`).join(" "));
  }
  for (const hierarchy of hierarchies()) {
    const directory = join(base, hierarchy, name);
    await mkdir(directory, { recursive: true });
    // A cpuset without processors and memory takes no process.
    for (const setting of ["cpuset.cpus", "cpuset.mems"]) {
      if (existsSync(join(directory, setting)) && existsSync(join(base, hierarchy, setting))) {
        await writeFile(join(directory, setting), await readFile(join(base, hierarchy, setting)));
      }
    }
  }
}

/** Removes what nodes of test processes that were killed have left: `<prefix>-<pid>-…` where no such process is. */
export async function sweepCgroups(prefix: string): Promise<void> {
  const stale = new Set<string>();
  for (const hierarchy of hierarchies()) {
    for (const name of readdirSync(join(base, hierarchy))) {
      const pid = new RegExp(`^${prefix}-(\\d+)-`, "u").exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) stale.add(name);
    }
  }
  for (const name of stale) await removeCgroups(name);
}

async function removeCgroups(name: string): Promise<void> {
  const deadline = Date.now() + emptyTimeoutMs;
  for (;;) {
    try {
      for (const hierarchy of hierarchies()) removeTree(join(base, hierarchy, name));
      return;
    } catch (error) {
      // Busy for as long as a killed process has not quite gone.
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(directory, entry.name));
  rmdirSync(directory);
}

/** Names below `/sys/fs/cgroup`; of cgroup v2 alone the empty one. */
function hierarchies(): string[] {
  const mounted = readFileSync("/proc/self/mounts", "utf8").matchAll(new RegExp(`^\\S+ ${base}/?(\\S*) cgroup2? `, "gmu"));
  return [...mounted].map(([, name = ""]) => name);
}
