/** Schemathesis: requests made up from the OpenAPI document, good ones and bad ones, and every answer held against it. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "schemathesis");

export interface SchemathesisRun {
  readonly exitCode: number | null;
  /** Requests it made up. */
  readonly cases: number;
  readonly output: string;
}

export interface SchemathesisOptions {
  /** Where the daemon is. */
  readonly url: string;
  /** How many requests it makes up for an operation in a phase, at most. */
  readonly examples: number;
  readonly seed: number;
}

/** Streams have no end. */
const endless = ["watchRadios", "streamEvents", "traceRelay", "followEvents"];

/** Runs it with all checks and in all phases. */
export async function runSchemathesis({ url, examples, seed }: SchemathesisOptions): Promise<SchemathesisRun> {
  const program = await installSchemathesis();
  const parameters = [
    `--config-file=${join(folder, "schemathesis.toml")}`,
    "run",
    `${url}/openapi.json`,
    "--checks=all",
    "--mode=all",
    "--phases=examples,coverage,fuzzing,stateful",
    `--max-examples=${examples}`,
    `--seed=${seed}`,
    "--continue-on-failure",
    "--workers=2",
    "--request-timeout=30",
    "--no-color",
    ...endless.map((id) => `--exclude-operation-id=${id}`),
  ];
  // It keeps notes of failures where it runs.
  const directory = await mkdtemp(join(tmpdir(), "aerial-schemathesis-"));
  const child = spawn(program, parameters, { cwd: directory, stdio: ["ignore", "pipe", "inherit"] });
  const [output, exitCode] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => {
      child.once("close", resolve);
      child.once("error", reject);
    }),
  ]);
  await rm(directory, { recursive: true, force: true });
  const cases = Number(/^\s*(\d+) generated/m.exec(output)?.[1] ?? 0);
  return { exitCode, cases, output };
}

/** Into the user's cache, once for each list of pinned packages. */
async function installSchemathesis(): Promise<string> {
  const requirements = join(folder, "requirements.txt");
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const home = join(homedir(), ".cache/aerial", `schemathesis-${version}`);
  const program = join(home, "bin/schemathesis");
  if (existsSync(join(home, "whole"))) return program;
  await rm(home, { recursive: true, force: true });
  await mkdir(join(homedir(), ".cache/aerial"), { recursive: true });
  await run("python3", ["-m", "venv", home]);
  await run(join(home, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "--requirement", requirements], {
    timeout: 600_000,
  });
  // Said last, so that what was broken off is begun anew.
  await mkdir(join(home, "whole.new"));
  await rename(join(home, "whole.new"), join(home, "whole"));
  return program;
}
