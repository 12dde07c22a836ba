/**
 * Kubeconfig files: which API server, and as whom.
 *
 * Of @kubernetes/client-node only the two modules that read kubeconfig entries and run credential plugins are used:
 * they cost 1 MiB and 5 ms, whereas its KubeConfig class pulls in every generated API, 65 MiB and 400 ms over what
 * aerial loads anyway, for four requests.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Cluster, type User, newClusters, newContexts, newUsers } from "@kubernetes/client-node/dist/config_types.js";
import { ExecAuth } from "@kubernetes/client-node/dist/exec_auth.js";
import { parse } from "yaml";
import { AerialError, describeError } from "../core/errors.ts";
import type { Connection, ConnectionSource } from "./connection.ts";

export interface KubeconfigOptions {
  /** Path of the file. */
  readonly path: string;
  /** Name of a context in it; its current context unless given. */
  readonly context?: string | undefined;
}

interface Parsed {
  readonly cluster: Cluster;
  readonly user: User;
  /** `user.tokenFile`, which the library does not read. */
  readonly tokenFile?: string;
  readonly execCredentials: () => Promise<Credentials>;
}

interface Credentials {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What ExecAuth fills in. */
interface ExecResult {
  cert?: string;
  key?: string;
  headers?: Record<string, string>;
}

/**
 * Reads the file and everything it points to anew for each connection; it is parsed again only when its text changed.
 * Reading throws `kube.config` when something cannot be read or understood, or wants a way to log in that aerial lacks.
 */
export function fromKubeconfig({ path, context }: KubeconfigOptions): ConnectionSource {
  let seen: { readonly text: string; readonly parsed: Parsed } | undefined;
  return {
    async read() {
      const text = await readPointedTo(path, "kubeconfig");
      if (seen?.text !== text) seen = { text, parsed: parseKubeconfig(text, { path, context }) };
      return toConnection(seen.parsed, dirname(path));
    },
    forget() {
      seen = undefined;
    },
  };
}

function parseKubeconfig(text: string, { path, context }: KubeconfigOptions): Parsed {
  const fail = (problem: string, cause?: unknown): AerialError =>
    new AerialError("kube.config", `kubeconfig ${path}: ${problem}`, { cause });
  const read = <T>(entries: () => readonly T[]): readonly T[] => {
    try {
      return entries();
    } catch (error) {
      throw fail(describeError(error), error);
    }
  };
  const [document] = read(() => [parse(text) as unknown]);
  if (!isRecord(document)) throw fail("is not a YAML mapping");

  const contextName = context ?? document["current-context"];
  const chosen = read(() => newContexts(document["contexts"])).find(({ name }) => name === contextName);
  if (!chosen) throw fail(`has no context ${JSON.stringify(contextName)}`);
  const cluster = read(() => newClusters(document["clusters"])).find(({ name }) => name === chosen.cluster);
  if (!cluster) throw fail(`has no cluster ${JSON.stringify(chosen.cluster)}`);
  if (!URL.canParse(cluster.server)) throw fail(`cluster ${cluster.name} has no usable server address`);
  const user = read(() => newUsers(document["users"])).find(({ name }) => name === chosen.user) ?? { name: chosen.user };

  if (cluster.proxyUrl) throw fail("proxy-url is not supported");
  if (user.authProvider) throw fail(`user ${user.name}: auth-provider is not supported; use exec`);
  if (user.username) throw fail(`user ${user.name}: username and password are not supported; use a token or a certificate`);
  const tokenFile = tokenFileOf(document["users"], user.name);
  return { cluster, user, ...(tokenFile === undefined ? {} : { tokenFile }), execCredentials: execCredentialsOf(cluster, user) };
}

function tokenFileOf(users: unknown, name: string): string | undefined {
  if (!Array.isArray(users)) return undefined;
  const entry: unknown = users.find((candidate: unknown) => isRecord(candidate) && candidate["name"] === name);
  const user = isRecord(entry) ? entry["user"] : undefined;
  const tokenFile = isRecord(user) ? user["tokenFile"] : undefined;
  return typeof tokenFile === "string" ? tokenFile : undefined;
}

/** Credentials from the user's `exec` plugin (client.authentication.k8s.io), kept until they expire; never two runs at once. */
function execCredentialsOf(cluster: Cluster, user: User): () => Promise<Credentials> {
  if (!isRecord(user.exec)) return () => Promise.resolve({});
  const { exec } = user;
  const information = {
    kind: "ExecCredential",
    apiVersion: exec["apiVersion"],
    spec: { interactive: false, cluster: { server: cluster.server } },
  };
  const env: readonly unknown[] = Array.isArray(exec["env"]) ? exec["env"] : [];
  const told = {
    ...user,
    exec: { ...exec, env: [...env, { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(information) }] },
  };
  const plugin = new ExecAuth();
  let running: Promise<Credentials> | undefined;
  const run = async (): Promise<Credentials> => {
    const result: ExecResult = {};
    try {
      await plugin.applyAuthentication(told, result);
    } catch (error) {
      throw new AerialError("kube.config", `the credential plugin ${String(exec["command"])} failed`, { cause: error });
    } finally {
      running = undefined;
    }
    const token = result.headers?.["Authorization"]?.replace(/^Bearer /, "");
    return { ...(token ? { token } : {}), ...(result.cert ? { cert: result.cert } : {}), ...(result.key ? { key: result.key } : {}) };
  };
  return () => (running ??= run());
}

async function toConnection(parsed: Parsed, directory: string): Promise<Connection> {
  const { cluster, user, tokenFile } = parsed;
  const pick = async (data: string | undefined, file: string | undefined, what: string): Promise<string | undefined> => {
    if (data) return Buffer.from(data, "base64").toString();
    return file ? readPointedTo(resolve(directory, file), what) : undefined;
  };
  const [ca, cert, key, fileToken, exec] = await Promise.all([
    pick(cluster.caData, cluster.caFile, "certificate authority"),
    pick(user.certData, user.certFile, "client certificate"),
    pick(user.keyData, user.keyFile, "client key"),
    tokenFile === undefined ? undefined : readPointedTo(resolve(directory, tokenFile), "token"),
    parsed.execCredentials(),
  ]);
  const token = (fileToken ?? user.token ?? exec.token)?.trim();
  return {
    server: cluster.server,
    tls: {
      ...definedOnly({ ca, cert: cert ?? exec.cert, key: key ?? exec.key, servername: cluster.tlsServerName }),
      ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
    },
    headers: definedOnly({
      authorization: token ? `Bearer ${token}` : undefined,
      "impersonate-user": user.impersonateUser ?? undefined,
    }),
  };
}

function definedOnly<K extends string>(values: Readonly<Record<K, string | undefined>>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Record<K, string>>;
}

async function readPointedTo(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new AerialError("kube.config", `cannot read the ${what} ${path}`, { cause: error, details: { path } });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
