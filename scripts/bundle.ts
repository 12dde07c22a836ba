/**
 * `scripts/bundle.ts DIRECTORY`: all that runs in the daemon, in few files and without what nobody uses of the libraries. That
 * starts in half the time that a thousand modules take, and in some MiB less; BENCH.md has the figures.
 */
import { relative, resolve } from "node:path";
import { build, type Plugin } from "rolldown";
import { oldestNode } from "../src/node-version.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new TypeError("bundle.ts takes the directory to write to");
const projectRoot = resolve(import.meta.dirname, "..");
const sources = resolve(projectRoot, "src");

/** A module finds its neighbours (workers, the page's files) from where it was, whichever file it ends up in. */
const keepPlaces: Plugin = {
  name: "keep-places",
  transform: {
    filter: { id: /\/src\//, code: /import\.meta\.url/ },
    handler(code, id) {
      if (!id.startsWith(`${sources}/`)) return undefined;
      const place = `./${relative(sources, id).replace(/\.ts$/, ".js")}`;
      return code.replaceAll("import.meta.url", `new URL(${JSON.stringify(place)}, import.meta.url).href`);
    },
  },
};

await build({
  cwd: projectRoot,
  input: {
    main: "src/main.ts",
    "relay/relay-worker": "src/relay/relay-worker.ts",
    "plugins/plugin-worker": "src/plugins/plugin-worker.ts",
    "sdk/index": "src/sdk/index.ts",
    "client/index": "src/client/index.ts",
  },
  platform: "node",
  // What the oldest Node that package.json allows does not know yet is written out.
  transform: { target: `node${oldestNode.join(".")}` },
  // It looks for its native code in its own package, as better-sqlite3 does, which src/inventory/sqlite.ts loads by name.
  external: ["koffi"],
  resolve: { conditionNames: ["source", "import", "node"] },
  plugins: [keepPlaces],
  output: {
    dir: resolve(directory),
    format: "esm",
    entryFileNames: "[name].js",
    // Beside `main.js`: `keepPlaces` counts on it.
    chunkFileNames: "[name]-[hash].js",
    // Names and lines stay whole, for stack traces that people can read.
    minify: false,
    comments: false,
  },
});
