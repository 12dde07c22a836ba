/** The layers of ARCHITECTURE.md, the linter's rules and the folders on disk are one thing. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const layers = new Map<string, ReadonlySet<string>>();
for (const line of readFileSync("ARCHITECTURE.md", "utf8").split("\n")) {
  const [, folder, , imports] = /^\| `(\w+)` \|(.*)\|([^|]*)\|$/.exec(line) ?? [];
  if (folder !== undefined && imports !== undefined)
    layers.set(
      folder,
      new Set(
        imports
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean),
      ),
    );
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-layers-"));
  copyFileSync(".oxlintrc.json", join(directory, ".oxlintrc.json"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lints files that hold one import each; gives the names of those that were refused. */
function refused(files: Readonly<Record<string, string>>): ReadonlySet<string> {
  for (const [name, specifier] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), `import "${specifier}";\n`);
  }
  const result = spawnSync(join(process.cwd(), "node_modules/.bin/oxlint"), ["--format=json", ...Object.keys(files)], {
    cwd: directory,
    encoding: "utf8",
  });
  const report = JSON.parse(result.stdout.slice(result.stdout.indexOf("{"))) as { diagnostics: { code: string; filename: string }[] };
  return new Set(report.diagnostics.filter((found) => found.code.includes("no-restricted-imports")).map((found) => found.filename));
}

describe("layers", () => {
  it("are read from the table in ARCHITECTURE.md", () => {
    expect(layers.size).toBeGreaterThan(10);
    for (const folder of readdirSync("src", { withFileTypes: true }))
      if (folder.isDirectory()) expect([...layers.keys()]).toContain(folder.name);
    for (const imports of layers.values()) for (const name of imports) expect([...layers.keys()]).toContain(name);
  });

  it("are held by the linter: every import the table does not allow is refused, and no other", () => {
    const files: Record<string, string> = {};
    const expected: string[] = [];
    for (const [from, allowed] of layers) {
      for (const to of layers.keys()) {
        if (from === to) continue;
        const name = `src/${from}/deep/imports-${to}.ts`;
        files[name] = `../../${to}/anything.ts`;
        if (!allowed.has(to)) expected.push(name);
      }
      files[`src/${from}/imports-app.ts`] = "../app.ts";
      expected.push(`src/${from}/imports-app.ts`);
    }
    expect([...refused(files)].toSorted()).toEqual(expected.toSorted());
  });

  it("keep SQL in the inventory, the kernel in host and plugins behind the SDK", () => {
    const found = refused({
      "src/publish/sql.ts": "better-sqlite3",
      "src/inventory/sql.ts": "better-sqlite3",
      "src/scan/kernel.ts": "node:fs",
      "src/scan/netlink.ts": "koffi",
      "src/host/netlink.ts": "koffi",
      "plugins/zigbee/core.ts": "../../src/core/device.ts",
      "plugins/zigbee/host.ts": "node:fs",
      "plugins/zigbee/plugin.ts": "aerial/sdk",
      "src/identify/zigbee.ts": "../../plugins/zigbee/plugin.ts",
    });
    expect([...found].toSorted()).toEqual(
      [
        "plugins/zigbee/core.ts",
        "plugins/zigbee/host.ts",
        "src/identify/zigbee.ts",
        "src/publish/sql.ts",
        "src/scan/kernel.ts",
        "src/scan/netlink.ts",
      ].toSorted(),
    );
  });

  it("name folders that exist, or say that they are to come", () => {
    const text = readFileSync("ARCHITECTURE.md", "utf8");
    const isAnnounced = (folder: string): boolean => new RegExp(`\`${folder}\`.*\\(to come\\)`).test(text);
    expect([...layers.keys()].filter((folder) => !existsSync(join("src", folder)) && !isAnnounced(folder))).toEqual([]);
  });
});
