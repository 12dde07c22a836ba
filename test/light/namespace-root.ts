/** The made-up `/sys`, `/dev` and `/run` of the namespace that this process is in. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mount, MS_BIND, MS_MOVE } from "./libc.ts";

/** What programs take for granted; bound from the real `/dev`, since an unprivileged namespace can make no nodes. */
const borrowedNodes = ["null", "zero", "full", "random", "urandom", "tty"];

/** Covers the three trees with empty ones. `work` is a directory that nobody else uses. */
export function coverHostTrees(work: string): void {
  const dev = join(work, "dev");
  mkdirSync(dev);
  mount({ source: "tmpfs", target: dev, type: "tmpfs", data: "mode=755" });
  for (const name of borrowedNodes) {
    writeFileSync(join(dev, name), "");
    mount({ source: `/dev/${name}`, target: join(dev, name), flags: MS_BIND });
  }
  for (const directory of ["pts", "shm"]) mkdirSync(join(dev, directory));
  chmodSync(join(dev, "shm"), 0o1777);
  mount({ source: "devpts", target: join(dev, "pts"), type: "devpts", data: "newinstance,ptmxmode=0666,mode=0620" });
  const links = { ptmx: "pts/ptmx", fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2" };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dev, name));
  mount({ source: dev, target: "/dev", flags: MS_MOVE });
  for (const target of ["/sys", "/run"]) mount({ source: "tmpfs", target, type: "tmpfs", data: "mode=755" });
}
