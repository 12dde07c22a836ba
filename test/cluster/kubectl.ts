/** kubectl, cut off from the person's own configuration. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

interface KubectlOptions {
  /** Text for its standard input. */
  readonly stdin?: string;
  /** Speaks by this kubeconfig instead of the admin's. */
  readonly kubeconfig?: string;
}

/** Runs kubectl with `args` and gives its standard output; throws with its standard error when it fails. */
export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<string>;

/** `home` takes kubectl's caches. */
export function createKubectl(binary: string, adminKubeconfig: string, home: string): Kubectl {
  return async (args, { stdin = "", kubeconfig = adminKubeconfig } = {}) => {
    const child = spawn(binary, args, { env: { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig } });
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    // It may end without reading what it was given.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")} (${exitCode}): ${stderr.trim()}`);
    return stdout;
  };
}
