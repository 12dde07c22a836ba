/** Kernel modules, loaded by kmod as on a node. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

const loading = new Map<string, Promise<unknown>>();

/** Loads a module with all it depends on, the first time it is asked for. Rejects when it cannot be loaded. */
export async function loadModule(name: string, ...parameters: readonly string[]): Promise<void> {
  let done = loading.get(name);
  if (!done) {
    done = execute("/sbin/modprobe", [name, ...parameters]);
    loading.set(name, done);
  }
  await done;
}
