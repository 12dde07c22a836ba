/** The contract as OpenAPI 3.1: what the TypeSpec compiler makes of `src/api/contract/*.tsp`, in the words JSON Schema has most readers for. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const root = fileURLToPath(new URL("../", import.meta.url));

/** Compiles the contract. Throws with what the compiler says is wrong with it. */
export function compileContract(): Json {
  const directory = mkdtempSync(join(tmpdir(), "aerial-contract-"));
  try {
    const compiler = join(root, "node_modules/@typespec/compiler/cmd/tsp.js");
    const parameters = [compiler, "compile", "src/api/contract", `--output-dir=${directory}`, "--warn-as-error", "--pretty=false"];
    execFileSync(process.execPath, parameters, { cwd: root, stdio: "pipe" });
    return addLinks(simplify(JSON.parse(readFileSync(join(directory, "openapi.json"), "utf8")) as Json));
  } catch (error) {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`the contract does not compile\n${said}`, { cause: error });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * No schema here is made of others (`allOf`), so `unevaluatedProperties` says just what `additionalProperties` does, which
 * more programs know. `explode` and `variables` say what holds anyway.
 */
function simplify(value: Json): Json {
  if (Array.isArray(value)) return value.map(simplify);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "explode" && key !== "variables");
  return Object.fromEntries(
    entries.map(([key, inner]) =>
      key === "unevaluatedProperties"
        ? ["additionalProperties", isNothing(inner) ? false : isAnything(inner) ? true : simplify(inner)]
        : [key, simplify(inner)],
    ),
  );
}

/** TypeSpec has no words for OpenAPI's links: `x-aerial-links` of an operation says which parameters of others its answer has, by JSON pointer. */
function addLinks(document: Json): Json {
  const { paths } = document as unknown as LinkedDocument;
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const { "x-aerial-links": links, responses } = operation;
    if (links === undefined) continue;
    delete operation["x-aerial-links"];
    responses["200"]!.links = Object.fromEntries(
      Object.entries(links).map(([operationId, parameters]) => [
        operationId,
        {
          operationId,
          parameters: Object.fromEntries(Object.entries(parameters).map(([name, pointer]) => [name, `$response.body#${pointer}`])),
        },
      ]),
    );
  }
  return document;
}

interface LinkedDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, LinkedOperation>>>>;
}

interface LinkedOperation {
  "x-aerial-links"?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly responses: Readonly<Record<string, { links?: Json }>>;
}

function isNothing(schema: Json): boolean {
  return JSON.stringify(schema) === '{"not":{}}';
}

function isAnything(schema: Json): boolean {
  return JSON.stringify(schema) === "{}";
}
