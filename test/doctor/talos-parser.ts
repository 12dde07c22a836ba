/** Talos' own parser of machine configurations, built from its Go module, for versions whose module can be had. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const source = join(import.meta.dirname, "talos");
/** The Go module file that pins each version of Talos. */
const modules = { "1.12": "talos-1.12.mod", "1.13": "go.mod" } as const;
export type ParsedVersion = keyof typeof modules;

export interface TalosParser {
  /** A worker's machine configuration after the patch, document by document; or why Talos refuses it. */
  apply(patch: string): { readonly documents: readonly Readonly<Record<string, unknown>>[] } | { readonly refused: string };
}

/** Builds it into `${XDG_CACHE_HOME:-~/.cache}/aerial/talos-parser-…` unless it is there. Minutes the first time. */
export function openTalosParser(version: ParsedVersion): TalosParser {
  const moduleFile = modules[version];
  const hash = createHash("sha256");
  for (const name of ["main.go", moduleFile]) hash.update(readFileSync(join(source, name)));
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "aerial");
  const program = join(cache, `talos-parser-${version}-${hash.digest("hex").slice(0, 12)}`);
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true });
    const scratch = `${program}.${process.pid}`;
    execFileSync("go", ["build", `-modfile=${moduleFile}`, "-trimpath", "-o", scratch, "."], {
      cwd: source,
      stdio: ["ignore", "inherit", "inherit"],
    });
    renameSync(scratch, program);
  }
  return {
    apply(patch) {
      const { status, stdout, stderr } = spawnSync(program, { input: patch, encoding: "utf8" });
      if (status !== 0) return { refused: stderr.trim() };
      return { documents: parseAllDocuments(stdout).map((document) => document.toJS() as Readonly<Record<string, unknown>>) };
    },
  };
}
