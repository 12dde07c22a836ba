/** The guest's agent as plain JavaScript, so that the emulated CPU need not compile a type stripper first (about a second). */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";

/** `from "./x.ts"`, as every import of a file is written here. */
const fileImport = /(?<=\bfrom ")(\.{1,2}\/[^"]+)\.ts(?=")/g;

export interface AgentFile {
  /** Below the folder of the lab, with `.js`. */
  readonly path: string;
  readonly contents: Uint8Array;
}

/** The agent and all it imports from this folder. Type-only imports vanish with the types. */
export async function readAgentFiles(entry: string): Promise<AgentFile[]> {
  const files = new Map<string, AgentFile>();
  const visit = async (path: string): Promise<void> => {
    if (files.has(path)) return;
    const source = stripTypeScriptTypes(await readFile(path, "utf8"));
    const contents = Buffer.from(source.replaceAll(fileImport, "$1.js"));
    files.set(path, { path: relative(import.meta.dirname, path).replace(/\.ts$/, ".js"), contents });
    for (const [, stem = ""] of source.matchAll(fileImport)) await visit(join(dirname(path), `${stem}.ts`));
  };
  await visit(entry);
  return [...files.values()];
}
