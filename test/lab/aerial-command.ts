/** aerial as a program on a lab's node. */
import { execFile } from "node:child_process";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { Lab } from "./lab.ts";
import { LabError } from "./lab-error.ts";

const projectRoot = resolve(import.meta.dirname, "../..");
let built: Promise<unknown> | undefined;

/** The command to which `run`, `scan` and the rest are added. Under emulation type stripping alone would take most of a start, so a guest runs a fresh build. */
export async function aerialCommand(lab: Lab): Promise<readonly string[]> {
  return lab.kind === "namespace" ? [process.execPath, "--conditions=source", join(projectRoot, "src/main.ts")] : builtCommand();
}

/** The command of a build made now, once in this process. */
export async function builtCommand(): Promise<readonly string[]> {
  await (built ??= promisify(execFile)(join(projectRoot, "scripts/build")));
  return [process.execPath, join(projectRoot, "dist/src/main.js")];
}

/** Prints the answer to `GET argv[2]` from the unix socket `argv[1]`. */
const getScript = `
  import { get } from "node:http";
  get({ socketPath: process.argv[1], path: process.argv[2] }, (response) => response.pipe(process.stdout));`;

/** What a unix socket of the node answers to a GET. Across network namespaces it is reached by its path, across kernels it is not. */
export async function getFromNode(lab: Lab, socketPath: string, path: string): Promise<unknown> {
  if (lab.kind === "namespace" && !socketPath.startsWith("/run/")) return JSON.parse(await getOverSocket(socketPath, path));
  const { stdout, stderr, exitCode } = await lab.run([process.execPath, "--input-type=module", "-e", getScript, socketPath, path]);
  if (exitCode !== 0) throw new LabError(`GET ${path} on the node failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** What a unix socket of this machine answers to a GET. */
export function getOverSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolvePromise, reject) => {
    request({ socketPath, path }, (answer) => {
      text(answer).then(resolvePromise, reject);
    })
      .on("error", reject)
      .end();
  });
}
