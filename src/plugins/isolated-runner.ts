/** A plugin file behind a thread, a deadline and a check of everything it answers. */
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { Device } from "../core/device.ts";
import { AerialError, describeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Radio } from "../core/radio.ts";
import type { Claim } from "../identify/match-fingerprint.ts";
import type { RadioDescription } from "../sdk/plugin.ts";
import type { PluginRunner } from "./plugin-runner.ts";
import { type SentFacts, toSentFacts } from "./sent-facts.ts";
import {
  checkAnswers,
  claimLists,
  description,
  greeting,
  loadReplyId,
  type Greeting,
  workerReply,
  type WorkerData,
} from "./worker-protocol.ts";

export interface IsolatedRunnerDependencies {
  readonly path: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly deadlines: { readonly loadMs: number; readonly callMs: number };
}

/** A plugin is rows and small functions; what needs more memory than this is broken. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 } as const;

/** The source runs as it is, the build as JavaScript; either way both files lie beside each other. */
const fromSource = import.meta.url.endsWith(".ts");
const workerUrl = fromSource ? new URL("./plugin-worker.ts", import.meta.url) : new URL("./plugin-worker.js", import.meta.url);
const sdkUrl = new URL(fromSource ? "../sdk/index.ts" : "../sdk/index.js", import.meta.url).href;

type Call =
  | { readonly call: "claims"; readonly devices: readonly Device[] }
  | { readonly call: "describe"; readonly radio: Radio }
  | { readonly call: "judge"; readonly facts: SentFacts };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: AerialError) => void;
}

/** Loads the file in a thread of its own. Rejects with `plugin.invalid`, `plugin.failed` or `plugin.timeout`, leaving no thread behind. */
export async function openIsolatedRunner(dependencies: IsolatedRunnerDependencies, signal: AbortSignal): Promise<PluginRunner> {
  const { path, clock, deadlines, log } = dependencies;
  const waiting = new Map<number, Waiting>();
  let ended: AerialError | undefined;
  let lastId = loadReplyId;

  const data: WorkerData = { path, sdkUrl };
  const loading = expectReply(loadReplyId);
  const worker = new Worker(workerUrl, {
    workerData: data,
    resourceLimits,
    env: {},
    stdin: false,
    stdout: true,
    stderr: true,
    execArgv: ["--conditions=source"],
  });
  worker.stdout.on("data", (chunk: Buffer) => log.debug({ plugin: path, output: chunk.toString().slice(0, 1_000) }, "plugin wrote"));
  worker.stderr.on("data", (chunk: Buffer) => log.debug({ plugin: path, output: chunk.toString().slice(0, 1_000) }, "plugin wrote"));
  worker.on("message", (message: unknown) => settle(message));
  worker.on("messageerror", (error) => end(failed(describeError(error))));
  worker.on("error", (error) => end(failed(describeError(error))));
  worker.on("exit", () => end(failed("it ended its own thread")));

  function failed(why: string): AerialError {
    return new AerialError("plugin.failed", `the plugin ${path} failed: ${why}`, { details: { path } });
  }

  function end(error: AerialError): void {
    ended ??= error;
    for (const reply of waiting.values()) reply.reject(ended);
    waiting.clear();
  }

  function settle(message: unknown): void {
    const reply = workerReply.safeParse(message);
    if (!reply.success) return end(failed("it sent something that is no answer"));
    const { data: answer } = reply;
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.ok) return asked?.resolve(answer.value);
    const code = answer.reason === "invalid" ? "plugin.invalid" : "plugin.failed";
    const what = answer.reason === "invalid" ? "is invalid" : "failed";
    asked?.reject(new AerialError(code, `the plugin ${path} ${what}: ${answer.problems.join("; ")}`, { details: { path } }));
  }

  function expectReply(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  }

  /** The reply, or `plugin.timeout` once the deadline has passed. */
  async function withDeadline(reply: Promise<unknown>, limitMs: number, callSignal: AbortSignal): Promise<unknown> {
    const timer = new AbortController();
    const late = clock.sleep(limitMs, AbortSignal.any([timer.signal, callSignal])).then(() => {
      throw new AerialError("plugin.timeout", `the plugin ${path} did not answer within ${limitMs} ms`, { details: { path } });
    });
    try {
      return await Promise.race([reply, late]);
    } finally {
      timer.abort(new AerialError("internal.abort", "answered"));
      late.catch(() => {});
      reply.catch(() => {});
    }
  }

  async function ask<T>(request: Call, schema: z.ZodType<T>, callSignal: AbortSignal): Promise<T> {
    callSignal.throwIfAborted();
    if (ended !== undefined) throw ended;
    lastId += 1;
    const reply = expectReply(lastId);
    worker.postMessage({ ...request, id: lastId }, []);
    const value = schema.safeParse(await withDeadline(reply, deadlines.callMs, callSignal));
    if (!value.success) throw failed(`its answer to ${request.call} is not usable: ${z.prettifyError(value.error).slice(0, 300)}`);
    return value.data;
  }

  let greeted: Greeting;
  try {
    greeted = greeting.parse(await withDeadline(loading, deadlines.loadMs, signal));
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  const { name, fingerprints, networkServices, checks } = greeted;
  return {
    name,
    path,
    fingerprints,
    networkServices,
    checks,
    async judge(facts, callSignal) {
      if (checks.length === 0) return [];
      const sent = toSentFacts(
        facts,
        checks.flatMap(({ reads }) => reads),
      );
      const answers = await ask({ call: "judge", facts: sent }, checkAnswers, callSignal);
      if (answers.length !== checks.length) throw failed("it did not answer for every check");
      return answers;
    },
    async claims(devices, callSignal) {
      const lists = await ask({ call: "claims", devices }, claimLists, callSignal);
      if (lists.length !== devices.length) throw failed("it did not answer for every device");
      return lists.map((list) => list.map((claim) => ({ ...claim, plugin: name }) as Claim));
    },
    describe: async (radio, callSignal) => (await ask({ call: "describe", radio }, description, callSignal)) as RadioDescription,
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
