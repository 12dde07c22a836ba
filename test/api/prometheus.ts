/**
 * Prometheus and promtool as Debian builds them: from PATH, else out of Debian's package, which is unpacked into
 * `${XDG_CACHE_HOME:-~/.cache}/aerial/prometheus` and not installed, since installing it starts a service.
 */
import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { openChild } from "../cluster/child.ts";
import { withFreePort } from "../cluster/free-port.ts";

const run = promisify(execFile);

interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/** Fetches the package the first time. Throws where there is neither the program nor a Debian to fetch it from. */
export async function findPrometheus(): Promise<PrometheusPrograms> {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "aerial", "prometheus");
  const places = [...(process.env["PATH"] ?? "").split(delimiter), join(cache, "usr/bin")];
  const installed = await findIn(places);
  if (installed !== undefined) return installed;
  await unpack(cache);
  const unpacked = await findIn(places);
  if (unpacked === undefined) throw new Error(`Debian's package has no prometheus and promtool; see ${cache}`);
  return unpacked;
}

async function findIn(directories: readonly string[]): Promise<PrometheusPrograms | undefined> {
  for (const directory of directories) {
    const found = { prometheus: join(directory, "prometheus"), promtool: join(directory, "promtool") };
    const usable = await Promise.all(
      Object.values(found).map((file) =>
        access(file, constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (usable.every(Boolean)) return found;
  }
  return undefined;
}

async function unpack(cache: string): Promise<void> {
  await mkdir(join(cache, ".."), { recursive: true });
  // Beside the finished one, so that renaming is atomic and half a package is never found.
  const scratch = await mkdtemp(`${cache}-`);
  try {
    // As root apt fetches as a user of its own, who may not write here; it says so and goes on.
    const download = (): Promise<unknown> => run("apt-get", ["download", "prometheus"], { cwd: scratch });
    // A bare machine has no lists of packages yet.
    await download().catch(async () => {
      await run("apt-get", ["update", "-qq"]);
      await download();
    });
    const file = (await readdir(scratch)).find((name) => name.endsWith(".deb"));
    if (file === undefined) throw new Error("apt-get downloaded nothing");
    await run("dpkg-deb", ["--extract", join(scratch, file), join(scratch, "unpacked")]);
    await rename(join(scratch, "unpacked"), cache);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** One sample of an instant query. */
interface QueriedSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface PrometheusServer extends AsyncDisposable {
  /** The answer's `data` at a path below `/api/v1`. */
  get(path: string): Promise<unknown>;
  /** An instant query, now. Rejects with what Prometheus says is wrong. */
  query(expression: string): Promise<readonly QueriedSample[]>;
}

interface PrometheusOptions {
  readonly directory: string;
  /** `127.0.0.1:1234`, scraped each second as job `aerial`. */
  readonly target: string;
  readonly ruleFile: string;
}

const readyDeadlineMs = 30_000;

export async function openPrometheus({ directory, target, ruleFile }: PrometheusOptions): Promise<PrometheusServer> {
  const { prometheus } = await findPrometheus();
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [ruleFile],
    scrape_configs: [{ job_name: "aerial", static_configs: [{ targets: [target] }] }],
  };
  const configFile = join(directory, "prometheus.json");
  await writeFile(configFile, JSON.stringify(config));
  const { child, port } = await withFreePort(async (free) => {
    const args = [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=127.0.0.1:${free}`,
    ];
    return { port: free, child: await openChild({ command: prometheus, args, logFile: join(directory, "prometheus.log") }) };
  });
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await answer.json()) as { readonly status: string; readonly data: unknown; readonly error?: string };
    if (status !== "success") throw new Error(`Prometheus: ${error ?? answer.status}`);
    return data;
  };
  const deadline = performance.now() + readyDeadlineMs;
  for (;;) {
    try {
      await get("status/buildinfo");
      break;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`Prometheus did not start; it wrote:\n${await child.log()}`, { cause: error });
      await sleep(100);
    }
  }
  return {
    get,
    async query(expression) {
      const { result } = (await get(`query?query=${encodeURIComponent(expression)}`)) as { readonly result: readonly QueriedSample[] };
      return result;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
