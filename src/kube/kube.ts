/** Access to the API server: seven verbs, nothing kept but connections. */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../core/clock.ts";
import { AerialError, hasCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type ConnectionSource, inCluster, serviceAccountDirectory } from "./connection.ts";
import { openDeadline, orAborted } from "./deadline.ts";
import { type Exchange, type KubeObject, openSender, parseObject, readText } from "./exchange.ts";
import { type WatchEvent, openWatch } from "./watch.ts";

interface Apply {
  /** Path of the object itself: `/api/v1/nodes/n1`. */
  readonly path: string;
  /** `apiVersion`, `kind`, `metadata.name` and every field that is to be ours. */
  readonly object: KubeObject;
  readonly fieldManager: string;
  /** Takes fields over from other managers instead of failing with `kube.conflict`. */
  readonly force: boolean;
}

/** What must hold of an object that is deleted; `kube.conflict` when it does not. */
interface Removal {
  /** Only the object of this uid, and none that has taken its name since. */
  readonly uid?: string;
  /** Only as it was when it was read. */
  readonly resourceVersion?: string;
  /** Instead of what the object itself says; 0 takes a pod away without asking its kubelet. */
  readonly gracePeriodSeconds?: number;
}

/**
 * Every call throws `kube.*` and ends within its deadline. Paths are encoded already where they need it.
 * Disposing closes the connections.
 */
export interface Kube extends AsyncDisposable {
  get(path: string, signal: AbortSignal): Promise<KubeObject>;
  /** One page of a collection, filtered by `query` (`fieldSelector`, `limit`, `continue`). At most 4 MiB. */
  list(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<KubeObject>;
  /** Server-side apply; gives the object as stored. Creates it when it does not exist, unless `metadata.uid` is sent. */
  apply(request: Apply, signal: AbortSignal): Promise<KubeObject>;
  /**
   * `path` is the collection's, or a subresource's such as `/api/v1/namespaces/n/pods/p/eviction`. Throws `kube.conflict`
   * with `details.reason` `AlreadyExists` when the name is taken, and for an eviction `kube.disruption-budget` with
   * `details.said` when a PodDisruptionBudget forbids it for now.
   */
  create(path: string, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /**
   * Puts the whole object in the place of the stored one, whose `metadata.resourceVersion` it must carry: throws
   * `kube.conflict` when that has changed since it was read.
   */
  replace(path: string, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Deletes an object; resolves when the server has taken note, and finalizers may keep it for longer. Throws `kube.not-found` when it is gone. */
  remove(path: string, removal: Removal, signal: AbortSignal): Promise<void>;
  /**
   * Resolves once the server has accepted to tell changes as they happen; the stream is to be read, and ends when the
   * server ends it, which it does every few minutes: then watch again from the last resourceVersion. Throws
   * `kube.conflict` with `details.status` 410, here or while reading, when that version is too old.
   */
  watch(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>;
}

interface KubeOptions {
  /** Path of a kubeconfig; without it the pod's own account is used. */
  readonly kubeconfig?: string | undefined;
  /** A context of that kubeconfig; its current one unless given. */
  readonly context?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly serviceAccountDirectory?: string;
}

/** For one request with its whole answer. */
const requestDeadlineMs = 10_000;

export interface KubeDependencies extends KubeOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Reads the configuration once to prove it; no request is sent, since the API server may be away for now.
 * Throws `kube.config` when there is none or it is unusable.
 */
export async function openKube(dependencies: KubeDependencies, signal: AbortSignal): Promise<Kube> {
  const { clock, log } = dependencies;
  const source = await sourceOf(dependencies);
  const { server } = await source.read();
  signal.throwIfAborted();
  log.info({ server }, "cluster configured");
  const sender = openSender();

  const send = async (exchange: Exchange, inner: AbortSignal): Promise<IncomingMessage> => {
    try {
      return await sender.send(await orAborted(source.read(), inner), exchange, inner);
    } catch (error) {
      if (hasCode(error, "kube.unauthorized")) source.forget();
      throw error;
    }
  };

  const request = async (exchange: Exchange, outer: AbortSignal): Promise<KubeObject> => {
    using deadline = openDeadline({ clock, milliseconds: requestDeadlineMs, asked: exchange }, outer);
    try {
      return parseObject(await readText(await send(exchange, deadline.signal), exchange), exchange);
    } catch (error) {
      deadline.signal.throwIfAborted();
      throw error;
    }
  };

  return {
    get: (path, outer) => request({ method: "GET", path }, outer),
    list: (path, query, outer) => request({ method: "GET", path, query }, outer),
    apply: ({ path, object, fieldManager, force }, outer) =>
      request(
        {
          method: "PATCH",
          path,
          query: { fieldManager, force: String(force) },
          // JSON is YAML.
          body: { type: "application/apply-patch+yaml", text: JSON.stringify(object) },
        },
        outer,
      ),
    create: (path, object, outer) =>
      request({ method: "POST", path, body: { type: "application/json", text: JSON.stringify(object) } }, outer),
    replace: (path, object, outer) =>
      request({ method: "PUT", path, body: { type: "application/json", text: JSON.stringify(object) } }, outer),
    async remove(path, { uid, resourceVersion, gracePeriodSeconds }, outer) {
      const preconditions = { uid, resourceVersion };
      const text = JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds, preconditions });
      await request({ method: "DELETE", path, body: { type: "application/json", text } }, outer);
    },
    watch: (path, query, outer) => openWatch({ path, query, clock, open: send }, outer),
    [Symbol.asyncDispose]() {
      sender[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function sourceOf(options: KubeOptions): Promise<ConnectionSource> {
  if (options.kubeconfig !== undefined) {
    // In a pod none of it is needed.
    const { fromKubeconfig } = await import("./kubeconfig.ts");
    return fromKubeconfig({ path: options.kubeconfig, context: options.context });
  }
  const { environment = process.env, serviceAccountDirectory: directory = serviceAccountDirectory } = options;
  const host = environment["KUBERNETES_SERVICE_HOST"];
  if (!host) throw new AerialError("kube.config", "no cluster is configured, and this is no pod");
  return inCluster({ host, port: environment["KUBERNETES_SERVICE_PORT"] ?? "443", directory });
}
