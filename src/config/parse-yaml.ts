/** YAML → raw configuration. Scalars stay text, so that `0658` and `1e10` reach the schema as they were typed. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type Node } from "yaml";
import { printable } from "../core/printable.ts";
import { configError, type ConfigProblem } from "./config-problem.ts";
import type { Origin, RawEntry, RawNode } from "./raw-config.ts";

const maximumBytes = 1024 * 1024;
/** No configuration nests deeper than five; the recursion below must not meet thousands. */
const maximumDepth = 32;

/** Place of a byte offset: `positioned` for files, the variable alone for environment variables. */
type Locate = (offset: number) => Origin;

interface Reading {
  readonly locate: Locate;
  readonly problems: ConfigProblem[];
}

/**
 * Reads YAML 1.2 from outside bytes. `source` is how messages call it: the file's path.
 * @throws AerialError `config.invalid` with every syntax problem's line and column.
 */
export function parseYaml(bytes: Uint8Array, source: string): RawNode {
  if (bytes.length > maximumBytes) {
    throw configError([{ origin: { source, line: 1, column: 1 }, text: `is larger than ${maximumBytes / 1024} KiB` }]);
  }
  const text = new TextDecoder("utf-8").decode(bytes);
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  const locate: Locate = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { source, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (!isUtf8(bytes)) throw configError([{ origin: locate(Math.max(text.indexOf("\uFFFD"), 0)), text: "is not UTF-8 text from here on" }]);
  return readYaml(text, locate);
}

/**
 * Reads the YAML in an environment variable; `{a: b}` and `[a, b]` are what people write there.
 * @throws AerialError `config.invalid` naming the variable.
 */
export function parseYamlVariable(text: string, variable: string): RawNode {
  return readYaml(text, () => ({ source: variable }));
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function readYaml(text: string, locate: Locate): RawNode {
  const problems: ConfigProblem[] = [];
  let contents: Node | null;
  try {
    const document = parseDocument(text, { schema: "failsafe", prettyErrors: false, logLevel: "silent" });
    const reported = new Set<number>();
    for (const error of [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0])) {
      // One mistake makes the parser stumble more than once at the same place.
      if (reported.has(error.pos[0])) continue;
      reported.add(error.pos[0]);
      problems.push({ origin: locate(error.pos[0]), text: `broken YAML: ${explain(error)}` });
    }
    contents = document.contents;
  } catch (error) {
    problems.push({ origin: locate(0), text: `broken YAML: ${explain(error)}` });
    contents = null;
  }
  if (problems.length > 0) throw configError(problems);
  const raw = toRaw(contents, { locate, problems }, 0);
  if (problems.length > 0) throw configError(problems);
  return raw;
}

/** The parser recurses: thousands of opening brackets exhaust the stack, here or in its regular expressions. */
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /stack (overflow|size)/i.test(message) ? "nested too deeply" : printable(message);
}

function toRaw(node: unknown, reading: Reading, depth: number): RawNode {
  const { locate, problems } = reading;
  if (isAlias(node)) {
    problems.push({ origin: locate(node.range?.[0] ?? 0), text: "YAML aliases (`*name`) are not supported; write the value out" });
    return { kind: "empty", origin: locate(node.range?.[0] ?? 0) };
  }
  if (depth > maximumDepth) {
    problems.push({ origin: locate(0), text: `nested more than ${maximumDepth} levels deep` });
    return { kind: "empty", origin: locate(0) };
  }
  if (isScalar(node)) {
    const origin = locate(node.range?.[0] ?? 0);
    const value = typeof node.value === "string" ? node.value : "";
    const unset = node.type === Scalar.PLAIN && (value === "" || value === "~" || value === "null");
    return unset ? { kind: "empty", origin } : { kind: "text", text: value, origin };
  }
  if (isSeq(node)) {
    return { kind: "list", origin: locate(node.range?.[0] ?? 0), items: node.items.map((item) => toRaw(item, reading, depth + 1)) };
  }
  if (isMap(node)) {
    const entries = new Map<string, RawEntry>();
    for (const { key, value } of node.items) {
      if (!isScalar(key) || typeof key.value !== "string") {
        problems.push({ origin: locate(rangeStart(key)), text: "a key must be plain text" });
        continue;
      }
      const keyOrigin = locate(key.range?.[0] ?? 0);
      const read = toRaw(value, reading, depth + 1);
      entries.set(key.value, { keyOrigin, value: read.kind === "empty" ? { ...read, origin: keyOrigin } : read });
    }
    return { kind: "map", entries, origin: locate(node.range?.[0] ?? 0) };
  }
  return { kind: "empty", origin: locate(0) };
}

function rangeStart(node: unknown): number {
  return (isMap(node) || isSeq(node) || isAlias(node) || isScalar(node)) && node.range ? node.range[0] : 0;
}
