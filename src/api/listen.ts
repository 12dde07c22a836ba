/** Where the API is reached: a unix socket, the loopback address, and those addresses that the configuration exposes. */
import { once } from "node:events";
import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import type { RequestListener, Server } from "node:http";
import { type AddressInfo, connect, isIPv6, type ListenOptions, type Server as GateServer } from "node:net";
import { dirname } from "node:path";
import { createBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { AerialError, describeError, errnoOf } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import type { Access, Entrance } from "./access/access.ts";
import { createGuardedServer, type GuardedServer, type Tls } from "./access/guarded-server.ts";
import { createRateLimiter } from "./access/rate-limiter.ts";
import type { TlsFiles } from "./access/tls-files.ts";

/** An address that others reach. */
interface ExposedAddress {
  readonly address: string;
  readonly port: number;
  readonly tls?: TlsFiles;
  /** Names by which it may be called, beside addresses and the node's name. */
  readonly allowedHosts: readonly string[];
}

/** Without a port or exposed addresses there is the unix socket only. */
export interface ListenerOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  /** On the loopback address; 0: any; `default`: the usual one, or none where that is taken. */
  readonly port?: number | "default" | false | undefined;
  readonly listen?: readonly ExposedAddress[];
  /** Connections and requests from one address, where a token is needed; 0: no limit. */
  readonly requestsPerSecond?: number;
}

interface ListenDependencies extends ListenerOptions {
  readonly handler: RequestListener;
  /** Adds what else a server is to listen to, such as upgrades. */
  readonly attach: (server: Server) => void;
  readonly access: Pick<Access, "enter">;
  /** The node's name. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
}

/** Disposing ends listening and all connections. */
export interface Listeners extends AsyncDisposable {
  /** Where it listens now. */
  readonly addresses: readonly string[];
}

const defaultPort = 18_088;
const mostClients = 4_096;

/** A place to listen at, and what to say where that fails. */
interface Place {
  readonly entrance: Entrance;
  readonly where: ListenOptions & { readonly host: string; readonly port: number };
  readonly tls?: TlsFiles | undefined;
  /** `info`: nobody has asked for this place. */
  readonly severity: "info" | "error";
}

/**
 * Listens on the unix socket, or throws `api.listen`: without it no command would find this daemon. Any other place that
 * cannot be had is a condition, and tried again until it can.
 */
export async function openListeners(deps: ListenDependencies, signal: AbortSignal): Promise<Listeners> {
  const lifetime = linkSignal(signal);
  const open = new Map<string, GuardedServer>();
  const loops: Promise<void>[] = [];
  const listeners: Listeners = {
    get addresses() {
      return [...open.keys()];
    },
    async [Symbol.asyncDispose]() {
      lifetime.abort(new AerialError("internal.abort", "the API is closing"));
      lifetime[Symbol.dispose]();
      await Promise.all([...[...open.values()].map(closeGate), ...loops]);
    },
  };
  try {
    open.set(deps.socket, await listenOnSocket(deps));
    for (const place of placesOf(deps)) {
      const attempt = async (): Promise<void> => {
        const { name, server } = await listenAt(place, deps);
        open.set(name, server);
      };
      const failure = await attempt().catch((error: unknown) => error ?? "");
      if (failure !== undefined) loops.push(keepTrying({ place, attempt, failure }, deps, lifetime.signal));
    }
    return listeners;
  } catch (error) {
    await listeners[Symbol.asyncDispose]();
    throw error;
  }
}

function placesOf({ port = false, listen = [], node }: ListenDependencies): readonly Place[] {
  const loopback = (host: string): Place => ({
    entrance: { kind: "loopback", address: host, hosts: { addresses: false, names: [] } },
    where: { host, port: typeof port === "number" ? port : defaultPort },
    severity: port === "default" ? "info" : "error",
  });
  // With any port the two would differ: then it is only the first.
  const hosts = port === false ? [] : port === 0 ? ["127.0.0.1"] : ["127.0.0.1", "::1"];
  const exposed = listen.map(({ address, port: exposedPort, tls, allowedHosts }): Place => {
    const names = [node.toLowerCase(), ...allowedHosts];
    return {
      entrance: { kind: "exposed", address, hosts: { addresses: true, names } },
      where: { host: address, port: exposedPort },
      tls,
      severity: "error",
    };
  });
  return [...hosts.map(loopback), ...exposed];
}

interface Retry {
  readonly place: Place;
  readonly attempt: () => Promise<void>;
  readonly failure: unknown;
}

async function keepTrying({ place, attempt, failure }: Retry, { clock, conditions, log }: ListenDependencies, signal: AbortSignal) {
  const { where, severity } = place;
  // A machine without IPv6 lacks nothing.
  if (where.host === "::1" && isAbsentAddress(failure)) return;
  const name = nameOf(place, where.port);
  const code = `api.listen.${hostPort(where.host, where.port)}`;
  const backoff = createBackoff();
  let error = failure;
  for (;;) {
    conditions.raise(code, severity, `The API is not at ${name}: ${describeError(error)}. It is tried again.`);
    try {
      await clock.sleep(backoff.next(), signal);
      await attempt();
    } catch (caught) {
      if (signal.aborted) return;
      error = caught;
      continue;
    }
    conditions.clear(code);
    log.info({ address: name }, "the API listens");
    return;
  }
}

async function listenAt(place: Place, deps: ListenDependencies) {
  const { where, entrance, tls } = place;
  const { handler, access, attach, log, requestsPerSecond = 0 } = deps;
  const limit = { perSecond: requestsPerSecond, burst: requestsPerSecond * 2, mostClients };
  const isLimited = entrance.kind === "exposed" && requestsPerSecond > 0;
  const server = createGuardedServer({
    handler,
    access,
    entrance,
    ...(tls && { tls: await openTls(tls, deps) }),
    ...(isLimited && { connectLimiter: createRateLimiter(limit) }),
  });
  try {
    // On `::` IPv4 too, as people expect of "all addresses".
    await listening(server.gate, where);
  } catch (error) {
    throw toListenError(hostPort(where.host, where.port), error);
  }
  attach(server.server);
  const { port } = server.gate.address() as AddressInfo;
  if (tls === undefined && entrance.kind === "exposed") {
    log.warn({ address: hostPort(where.host, port) }, "tokens come here unencrypted: give api.listen a certificate, or a proxy in front");
  }
  return { name: nameOf(place, port), server };
}

/** Throws `api.tls` when the files cannot be used. */
async function openTls(files: TlsFiles, { conditions, log }: ListenDependencies): Promise<Tls> {
  const [{ createServer }, { openTlsFiles }] = await Promise.all([import("node:https"), import("./access/tls-files.ts")]);
  return { createServer, source: openTlsFiles({ files, conditions, log, now: () => performance.now() }) };
}

/**
 * Listens on a unix socket that its owner and group may use. A socket file that nobody answers on is a leftover and replaced.
 * @throws AerialError `api.listen` when another program answers there, or the place can't be used.
 */
async function listenOnSocket({ socket: path, handler, access, attach }: ListenDependencies): Promise<GuardedServer> {
  try {
    mkdirSync(dirname(path), { recursive: true });
    await removeLeftover(path);
    const server = createGuardedServer({ handler, access, entrance: { kind: "socket", address: path } });
    await listening(server.gate, { path });
    chmodSync(path, 0o660);
    attach(server.server);
    return server;
  } catch (error) {
    throw toListenError(`the unix socket ${path}`, error);
  }
}

async function listening(gate: GateServer, where: ListenOptions): Promise<void> {
  gate.listen(where);
  await once(gate, "listening");
}

/** Stops taking connections and ends those there are. */
async function closeGate({ gate, connections }: GuardedServer): Promise<void> {
  if (!gate.listening) return;
  const closed = once(gate, "close");
  gate.close();
  connections[Symbol.dispose]();
  await closed;
}

async function removeLeftover(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) throw new AerialError("api.listen", `${path} is there and no socket`);
  if (await answers(path)) throw new AerialError("api.listen", `another program answers at ${path}`);
  unlinkSync(path);
}

/** Whether somebody accepts connections; only a refusal proves that nobody does. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ECONNREFUSED" || errno === "ENOENT") return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

function nameOf({ tls, entrance }: Pick<Place, "tls" | "entrance">, port: number): string {
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${hostPort(entrance.address, port)}`;
}

function hostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isAbsentAddress(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(errnoOf(cause) ?? "");
}

function toListenError(where: string, error: unknown): AerialError {
  const reason = error instanceof AerialError ? error.message : (errnoOf(error) ?? String(error));
  return new AerialError("api.listen", `the API cannot listen on ${where}: ${reason}`, { cause: error });
}
