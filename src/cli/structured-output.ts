/** `-o json` and `-o yaml`: whole documents for programs, yet safe to look at. */
import { printableJson } from "../core/printable.ts";
import { AerialError } from "../core/errors.ts";

export type OutputFormat = "table" | "wide" | "json" | "yaml";

/** @throws AerialError `cli.usage` for a format that is not among `allowed`. */
export function parseOutputFormat<const Format extends OutputFormat>(text: string | undefined, allowed: readonly Format[]): Format {
  const format = allowed.find((candidate) => candidate === (text ?? "table"));
  if (format === undefined) throw new AerialError("cli.usage", `unknown output format; -o takes ${allowed.join(", ")}`);
  return format;
}

/** The value as JSON or YAML without a final line feed. Characters that act on terminals are escaped; parsers give them back. */
export async function formatStructured(value: unknown, format: "json" | "yaml"): Promise<string> {
  if (format === "json") return printableJson(JSON.stringify(value, undefined, 2));
  const { Document, Scalar, visit } = await import("yaml");
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      // Only double-quoted scalars know escapes.
      if (typeof node.value === "string" && printableJson(node.value) !== node.value) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return printableJson(document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER }).trimEnd());
}
