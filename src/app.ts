/** The composition root: every part, in order, and how they hang together. */
import type { Config } from "./config/schema.ts";
import { AerialError } from "./core/errors.ts";
import type { Log } from "./core/log.ts";

export interface AppDependencies {
  readonly config: Config;
  readonly log: Log;
}

/** Runs aerial until the signal aborts; resolves when everything is closed. */
export async function runAerial({ log }: AppDependencies, signal: AbortSignal): Promise<void> {
  log.info({}, "started");
  const keepAlive = setInterval(() => {}, 60_000);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearInterval(keepAlive);
  log.info({}, "stopped");
}

/** Takes back from the cluster what aerial has written for this node. */
export async function withdrawAerial(_dependencies: AppDependencies, _signal: AbortSignal): Promise<readonly string[]> {
  throw new AerialError("kube.config", "not wired yet");
}
