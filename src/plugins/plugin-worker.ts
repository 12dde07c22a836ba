/**
 * A plugin file's own thread. Whatever the plugin does here, short of a crash of the whole process, ends with this thread:
 * it may throw, hang in an expression or fill its heap. It is no sandbox: the plugin has the daemon's rights.
 */
import nodeModule from "node:module";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { describeError } from "../core/errors.ts";
import { judgeCheck } from "../core/judge-check.ts";
import { toDeviceView } from "../identify/device-view.ts";
import { claimsOf } from "../identify/match-fingerprint.ts";
import type { RadioPlugin } from "../sdk/plugin.ts";
import { checkFacesOf, countFingerprints, networkServicesOf } from "./plugin-runner.ts";
import { isPlugin, pluginProblems } from "./plugin-shape.ts";
import { toFacts } from "./sent-facts.ts";
import { loadReplyId, type Greeting, type WorkerData, type WorkerReply, type WorkerRequest } from "./worker-protocol.ts";

const { path, sdkUrl } = workerData as WorkerData;

function reply(message: WorkerReply): void {
  parentPort?.postMessage(message, []);
}

/** Wherever the plugin lies, its `aerial/sdk` is ours. */
function offerSdk(): void {
  if (typeof nodeModule.registerHooks === "function") {
    nodeModule.registerHooks({
      resolve: (specifier, context, next) => (specifier === "aerial/sdk" ? { url: sdkUrl, shortCircuit: true } : next(specifier, context)),
    });
    return;
  }
  // Before 22.15 Node takes hooks only as a module, for a thread of their own.
  const hooks = `export const resolve = (specifier, context, next) =>
    specifier === "aerial/sdk" ? { url: ${JSON.stringify(sdkUrl)}, shortCircuit: true } : next(specifier, context);`;
  nodeModule.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

offerSdk();

async function load(): Promise<RadioPlugin | undefined> {
  const module = (await import(pathToFileURL(path).href)) as { readonly plugin?: unknown };
  const { plugin } = module;
  if (isPlugin(plugin)) return plugin;
  const problems = plugin === undefined ? ["it has no export named `plugin`"] : pluginProblems(plugin);
  reply({ id: loadReplyId, ok: false, reason: "invalid", problems: [...problems] });
  return undefined;
}

function answer(plugin: RadioPlugin, request: WorkerRequest): void {
  const { id } = request;
  try {
    reply({ id, ok: true, value: valueFor(plugin, request) });
  } catch (error) {
    reply({ id, ok: false, reason: "failed", problems: [describeError(error).slice(0, 1_000)] });
  }
}

function valueFor(plugin: RadioPlugin, request: WorkerRequest): unknown {
  if (request.call === "claims")
    return request.devices.map((device) => claimsOf(plugin, toDeviceView(device)).map(({ plugin: _name, ...claim }) => claim));
  if (request.call === "describe") return plugin.describe?.(request.radio) ?? {};
  const facts = toFacts(request.facts);
  return (plugin.checks ?? []).map((check) => judgeCheck(check, facts));
}

try {
  const plugin = await load();
  if (plugin !== undefined) {
    parentPort?.on("message", (request: WorkerRequest) => answer(plugin, request));
    const greeting: Greeting = {
      name: plugin.name,
      fingerprints: countFingerprints(plugin),
      networkServices: networkServicesOf(plugin),
      checks: checkFacesOf(plugin),
    };
    reply({ id: loadReplyId, ok: true, value: greeting });
  }
} catch (error) {
  reply({ id: loadReplyId, ok: false, reason: "failed", problems: [describeError(error).slice(0, 1_000)] });
}
