/** etcd for one test cluster. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { openChild, whenReady } from "./child.ts";
import { withFreePort } from "./free-port.ts";

const run = promisify(execFile);
const startDeadlineMs = 30_000;

export interface Etcd extends AsyncDisposable {
  /** Client URL. */
  readonly url: string;
}

/** Starts etcd on loopback with its data and log in `directory`. */
export async function openEtcd(binary: string, directory: string): Promise<Etcd> {
  // From 3.5 on etcd can leave out fsync; 3.4, Debian 12's, can't and works all the same.
  const { stdout, stderr } = await run(binary, ["--help"]);
  const noSync = `${stdout}${stderr}`.includes("--unsafe-no-fsync") ? ["--unsafe-no-fsync"] : [];

  return withFreePort(async (port) => {
    const url = `http://127.0.0.1:${port}`;
    const args = [
      `--data-dir=${join(directory, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      // A single member talks to no peer, but etcd insists on a port; 0 is any.
      "--listen-peer-urls=http://127.0.0.1:0",
      "--logger=zap",
      "--log-level=warn",
      ...noSync,
    ];
    const child = await openChild({ command: binary, args, logFile: join(directory, "etcd.log") });
    try {
      await whenReady(child, async () => (await fetch(`${url}/health`)).ok, startDeadlineMs);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return { url, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  });
}
