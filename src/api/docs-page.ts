/**
 * The contract as a page to read: one document without scripts, written out of `openapi.json`. The libraries that show such
 * documents are megabytes of script that want a policy with holes.
 */
import { type ContractDocument, type ContractOperation, type ContractSchema, parametersOf, parseContract } from "./contract/document.ts";
import { docsStyle } from "./docs-style.ts";

/** Only its own style, by its hash. */
export const docsPolicy = `default-src 'none'; style-src '${docsStyle.hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** HTML. */
export function docsPage(document: ContractDocument = parseContract()): string {
  const { info, tags = [], paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const groups = tags.map(({ name, description }) => ({
    name,
    description,
    operations: operations.filter(({ operation }) => operation.tags?.includes(name) === true),
  }));
  const contents = groups.map(
    (group) =>
      markup`<li><a href="#${group.name}">${group.name}</a><ul>${group.operations.map(
        ({ operation, method }) =>
          markup`<li><a href="#${operation.operationId}">${operation.summary ?? operation.operationId}</a> <small>${method}</small></li>`,
      )}</ul></li>`,
  );
  const sections = groups.map(
    (group) =>
      markup`<section aria-labelledby="${group.name}"><h2 id="${group.name}">${group.name}</h2>${paragraphs(group.description)}${group.operations.map((one) => showOperation(one, document))}</section>`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      markup`<article id="schema-${name}"><h3>${name}</h3>${paragraphs(schema.description)}${showSchema(schema)}</article>`,
  );
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8" /><meta name="viewport" content="width=device-width" /><title>${info.title} API</title><style>${docsStyle.css}</style></head><body><nav aria-label="Contents"><ul>${contents}<li><a href="#problems">problems</a></li><li><a href="#types">types</a></li></ul></nav><main><h1>${info.title} API</h1>${paragraphs(info.description)}<p>For programs: <a href="/openapi.json">openapi.json</a>, OpenAPI 3.1.</p>${sections}${showProblems(operations)}<section aria-labelledby="types"><h2 id="types">types</h2>${schemas}</section></main></body></html>`
    .text;
}

interface Described {
  readonly path: string;
  readonly method: string;
  readonly operation: ContractOperation;
}

function showOperation({ path, method, operation }: Described, document: ContractDocument): Html {
  const parameters = parametersOf(operation, document);
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  const answers = Object.entries(operation.responses);
  return markup`<article id="${operation.operationId}"><h3>${operation.summary ?? operation.operationId}</h3><p class="line"><code><b>${method}</b> ${path}</code> <span class="role">${roles[operation["x-aerial-role"]]}</span></p>${paragraphs(operation.description)}${
    parameters.length === 0
      ? nothing
      : markup`<h4>Parameters</h4><dl>${parameters.map(
          ({ name, in: place, required, schema, description }) =>
            markup`<dt><code>${name}</code> <small>${place}${required === true ? ", required" : ""}: ${typeOf(schema)}${limitsOf(schema)}</small></dt><dd>${description ?? ""}</dd>`,
        )}</dl>`
  }${
    bodies.length === 0
      ? nothing
      : markup`<h4>Body</h4><dl>${bodies.map(([type, { schema }]) => markup`<dt><code>${type}</code></dt><dd>${typeOf(schema)}</dd>`)}</dl>`
  }<h4>Answers</h4><dl>${answers
    .filter((answer) => !isProblem(answer))
    .map(
      ([status, { description, content }]) =>
        markup`<dt><code>${status}</code> ${Object.entries(content ?? {}).map(
          ([type, { schema }]) => markup`<small><code>${type}</code> ${typeOf(schema)}</small>`,
        )}</dt><dd>${description ?? ""}</dd>`,
    )}</dl><p><a href="#problems">Problems</a>: ${joined(
    answers.filter(isProblem).map(([status]) => markup`<a href="#problem-${status}">${status}</a>`),
    ", ",
  )}</p>  </article>`;
}

type Answer = readonly [status: string, answer: ContractOperation["responses"][string]];

function isProblem([, { content }]: Answer): boolean {
  return content?.["application/problem+json"] !== undefined;
}

/** What each status means is the same everywhere. */
function showProblems(operations: readonly Described[]): Html {
  const found = operations.flatMap(({ operation }) => Object.entries(operation.responses).filter(isProblem));
  const meanings = new Map(found.map(([status, { description }]) => [status, description ?? ""]));
  return markup`<section aria-labelledby="problems"><h2 id="problems">problems</h2><dl>${[...meanings]
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([status, meaning]) => markup`<dt id="problem-${status}"><code>${status}</code></dt><dd>${meaning}</dd>`)}</dl></section>`;
}

const roles = { none: "no token", viewer: "viewer", operator: "operator" } as const;

function showSchema(schema: ContractSchema): Html {
  if (schema.properties === undefined) return markup`<p>${typeOf(schema)}${limitsOf(schema)}</p>`;
  return markup`<dl>${Object.entries(schema.properties).map(
    ([name, one]) =>
      markup`<dt><code>${name}</code> <small>${typeOf(one)}${limitsOf(one)}${schema.required?.includes(name) === true ? "" : ", may be absent"}</small></dt><dd>${one.description ?? ""}</dd>`,
  )}</dl>`;
}

function typeOf(schema: ContractSchema): Html {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return markup`<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.enum !== undefined)
    return markup`${joined(
      schema.enum.map((value) => markup`<code>${JSON.stringify(value)}</code>`),
      " | ",
    )}`;
  if (schema.anyOf !== undefined) return markup`${joined(schema.anyOf.map(typeOf), " | ")}`;
  if (schema.type === "array") return markup`list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return markup`text → ${typeOf(schema.additionalProperties)}`;
  return markup`${schema.type ?? (schema.properties === undefined ? "anything" : "object")}`;
}

function limitsOf({ minLength, maxLength, minimum, maximum, default: preset, format }: ContractSchema): string {
  const parts = [
    format,
    minLength !== undefined || maxLength !== undefined ? `${minLength ?? 0} to ${maxLength ?? "any number of"} characters` : undefined,
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : minimum === undefined ? undefined : `${minimum} or more`,
    preset === undefined ? undefined : `${JSON.stringify(preset)} unless said`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : `, ${parts.join(", ")}`;
}

/** Text of the contract, in which an empty line parts paragraphs and backticks hold code. */
function paragraphs(text = ""): readonly Html[] {
  return text
    .split(/\n\n+/)
    .filter((one) => one !== "")
    .map(
      (paragraph) =>
        markup`<p>${paragraph.split("`").map((part, index) => (index % 2 === 1 ? markup`<code>${part}</code>` : markup`${part}`))}</p>`,
    );
}

/** Markup, which is not escaped again. */
interface Html {
  readonly text: string;
}

type Piece = string | Html | readonly Html[];

const nothing: Html = { text: "" };

function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { text: parts.reduce((text, part, index) => `${text}${toText(pieces[index - 1] ?? "")}${part}`) };
}

function toText(piece: Piece): string {
  if (typeof piece === "string") return escape(piece);
  return "text" in piece ? piece.text : piece.map(({ text }) => text).join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function joined(pieces: readonly Html[], between: string): readonly Html[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [piece] : [{ text: escape(between) }, piece]));
}
