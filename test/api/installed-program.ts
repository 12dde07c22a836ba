/** The built program as it is installed: its files, and beside them no other packages than it loads at run time. */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const projectRoot = resolve(import.meta.dirname, "../..");
const loaded = new Set(["better-sqlite3", "better-sqlite3-node20", "koffi"]);

/** The project's own, of which nothing is compiled. */
export const ownPackages = join(projectRoot, "node_modules");

export interface InstalledProgram extends AsyncDisposable {
  /** `dist/src/main.js` */
  readonly main: string;
}

/** Each package is taken from the first of these directories that has it. */
export async function installProgram(directories: readonly string[]): Promise<InstalledProgram> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-installed-"));
  for (const name of ["dist", "package.json"]) await cp(join(projectRoot, name), join(directory, name), { recursive: true });
  const modules = join(directory, "node_modules");
  await mkdir(modules);
  const packages = new Map<string, string>();
  for (const place of directories.toReversed()) {
    for (const name of await readdir(place)) if (loaded.has(name)) packages.set(name, join(place, name));
  }
  for (const [name, place] of packages) await symlink(place, join(modules, name));
  return {
    main: join(directory, "dist/src/main.js"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
