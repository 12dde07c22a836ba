/** Which files may become plugins: what runs inside a privileged daemon must not be writable by others. */
import { stat } from "node:fs/promises";
import { basename, extname, isAbsolute } from "node:path";
import { AerialError } from "../core/errors.ts";

const extensions = [".js", ".mjs", ".ts", ".mts"];

/** Rejects with `plugin.invalid`, saying what to change about the file. */
export async function checkPluginFile(path: string): Promise<void> {
  if (!isAbsolute(path)) throw invalid(path, "is not an absolute path");
  if (!extensions.includes(extname(path))) throw invalid(path, `must end in ${extensions.join(", ")}`);
  let facts;
  try {
    facts = await stat(path);
  } catch (error) {
    throw new AerialError("plugin.invalid", `the plugin file ${path} cannot be read`, { cause: error, details: { path } });
  }
  if (!facts.isFile()) throw invalid(path, "is not a file");
  const self = process.geteuid?.() ?? 0;
  if (facts.uid !== 0 && facts.uid !== self)
    throw invalid(path, `belongs to user ${facts.uid}; it must belong to root or to the user aerial runs as`);
  if ((facts.mode & 0o022) !== 0) throw invalid(path, "can be written by others; `chmod go-w` it");
}

/** What a plugin is called in conditions until it has told its name. */
export function nameOfFile(path: string): string {
  const name = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return name === "" ? "unnamed" : name;
}

function invalid(path: string, what: string): AerialError {
  return new AerialError("plugin.invalid", `the plugin file ${path} ${what}`, { details: { path } });
}
