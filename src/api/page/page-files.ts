/** The page's files, as browsers get them. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageFiles {
  readonly index: PageFile;
  /** Names the contents of all files together: under another name are other contents. */
  readonly build: string;
  /** By their paths below `assets/BUILD/`. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".js": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8",
};

/** Reads all files. Run from its sources, the page's modules are stripped of their types here; a build has done so. */
export async function readPageFiles(): Promise<PageFiles> {
  const isSource = import.meta.url.endsWith(".ts");
  const assets = new Map<string, PageFile>();
  const still = fileURLToPath(new URL("static/", import.meta.url));
  for (const name of ["style.css", "icon.svg"]) assets.set(name, toFile(name, await readFile(join(still, name))));
  const browser = fileURLToPath(new URL("browser/", import.meta.url));
  const suffix = isSource ? ".ts" : ".js";
  const names = await readModules(`main${suffix}`, async (name) => {
    const text = await readFile(join(browser, name), "utf8");
    const module = isSource ? await stripTypes(text) : text;
    assets.set(name, toFile(name, Buffer.from(module)));
    return module;
  });
  const build = createHash("sha256");
  for (const [name, { bytes }] of assets) build.update(`${name}\n${bytes.length}\n`).update(bytes);
  const id = build.digest("base64url").slice(0, 16);
  const html = (await readFile(join(still, "index.html"), "utf8"))
    .replaceAll("assets/BUILD/", `assets/${id}/`)
    .replace("<!-- MODULES -->", moduleTags(`assets/${id}/`, names));
  return { index: toFile("index.html", Buffer.from(html)), build: id, assets };
}

/** All modules are named, so that the browser need not find them one after the other. */
function moduleTags(path: string, [main, ...others]: readonly string[]): string {
  const preloads = others.map((name) => `<link rel="modulepreload" href="${path}${name}" />`);
  return [...preloads, `<script type="module" src="${path}${main ?? ""}"></script>`].join("\n    ");
}

/** Reads a module and all that it imports, each once; gives their names. Modules of types alone are imported by none. */
async function readModules(main: string, read: (name: string) => Promise<string>): Promise<readonly string[]> {
  const names = [main];
  for (const name of names) {
    for (const [, specifier = ""] of (await read(name)).matchAll(/\bfrom "(\.[^"]+)"/g)) {
      const imported = posix.join(posix.dirname(name), specifier);
      if (!names.includes(imported)) names.push(imported);
    }
  }
  return names;
}

function toFile(name: string, bytes: Buffer): PageFile {
  return { type: types[extname(name)] ?? "application/octet-stream", bytes };
}

async function stripTypes(source: string): Promise<string> {
  const { stripTypeScriptTypes } = await import("node:module");
  return stripTypeScriptTypes(source);
}
