/**
 * Other releases of Node, to run the built program on, and what better-sqlite3 is compiled to there. Out of npm's registry, once,
 * into `${XDG_CACHE_HOME:-~/.cache}/aerial/`.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const projectRoot = resolve(import.meta.dirname, "../..");
const alias = "better-sqlite3-node20";

export interface NodeRelease {
  readonly version: string;
  /** The program `node`. */
  readonly program: string;
}

/** Some 50 MB to fetch, 200 on the disk. */
export async function findNode(version: string): Promise<NodeRelease> {
  const directory = await cached(`node-${version}`, async (scratch) => {
    await run("npm", ["pack", "--silent", `node-linux-${process.arch}@${version}`], { cwd: scratch });
    const archive = `node-linux-${process.arch}-${version}.tgz`;
    await run("tar", ["xzf", archive, "--strip-components=1"], { cwd: scratch });
    await rm(join(scratch, archive));
  });
  return { version, program: join(directory, "bin/node") };
}

/** The directory of packages that has better-sqlite3 12 for this Node, compiled as npm does it where there is a C++ compiler. A minute or two. */
export async function findSqliteFor({ version, program }: NodeRelease): Promise<string> {
  const { packages } = JSON.parse(await readFile(join(projectRoot, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  const locked = packages[`node_modules/${alias}`]?.version ?? "12";
  const directory = await cached(`better-sqlite3-${locked}-node-${version}`, async (scratch) => {
    const environment = {
      PATH: [dirname(program), process.env["PATH"]].join(delimiter),
      npm_config_nodedir: resolve(program, "../.."),
      npm_config_build_from_source: "true",
    };
    const install = ["install", "--prefix", scratch, "--no-audit", "--no-fund", `${alias}@npm:better-sqlite3@${locked}`];
    await run("npm", install, { cwd: scratch, env: { ...process.env, ...environment } });
  });
  return join(directory, "node_modules");
}

async function cached(name: string, make: (scratch: string) => Promise<void>): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "aerial");
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  console.error(`fetching ${name} for tests into ${cache} (once)`);
  await mkdir(cache, { recursive: true });
  // Beside the finished one, so that renaming is atomic and half of it is never found.
  const scratch = await mkdtemp(`${directory}-`);
  try {
    await make(scratch);
    await rename(scratch, directory);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return directory;
}
