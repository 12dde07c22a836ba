/** A whole daemon on a machine without devices, reached by every way there is. Made-up files; all else is real. */
import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CertificateAuthority, createCertificateAuthority } from "../cluster/certificates.ts";

export type Entrance = "socket" | "loopback" | "plain" | "tls";
export const entrances: readonly Entrance[] = ["socket", "loopback", "plain", "tls"];

export const tokens = { viewer: "viewer-token-0123456789", operator: "operator-token-0123456789" } as const;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask extends Pick<RequestOptions, "method" | "headers" | "localAddress"> {
  readonly path: string;
  readonly body?: string | undefined;
  readonly token?: string | undefined;
  /** For streams: the headers are enough. */
  readonly headOnly?: boolean;
}

export interface GuardedDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly directory: string;
  readonly authority: CertificateAuthority;
  /** Where to connect to. */
  target(entrance: Entrance): RequestOptions;
  ask(entrance: Entrance, ask: Ask): Promise<Answer>;
  /** Lines of the log so far. */
  log(): readonly Record<string, unknown>[];
  /** In KiB, as the kernel has it: VmRSS, VmHWM. */
  memory(field: "VmRSS" | "VmHWM"): number;
}

const startMs = 30_000;
const node = "test-node";

/** `api` is merged into the configuration's section: no limit of requests unless given. `sections` are others. */
export async function openGuardedDaemon(api: object = {}, sections: object = {}): Promise<GuardedDaemon> {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "aerial-guarded-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ["sys/class/tty", "dev", "proc", "run", "state"]) mkdirSync(join(directory, name), { recursive: true });
  for (const [name, token] of Object.entries(tokens)) writeFileSync(join(directory, name), `${token}\n`);
  const authority = await createCertificateAuthority(directory);
  const certificate = await authority.issue("api", {
    commonName: "api",
    alternativeNames: ["IP:127.0.0.1", "DNS:localhost", `DNS:${node}`],
  });
  const tls = { certificate: certificate.certificateFile, key: certificate.keyFile };
  const config = {
    node: { name: node },
    host: Object.fromEntries(["sys", "dev", "proc", "run"].map((name) => [name, join(directory, name)])),
    state: { directory: join(directory, "state") },
    kubernetes: { enabled: false },
    log: { format: "json" },
    ...sections,
    api: {
      socket: join(directory, "aerial.sock"),
      port: 0,
      listen: [
        { address: "127.0.0.1", port: 0, allowedHosts: ["aerial.example.org"] },
        { address: "127.0.0.1", port: 0, tls },
      ],
      tokens: Object.keys(tokens).map((name) => ({ name, role: name, file: join(directory, name) })),
      requestsPerSecond: 0,
      ...api,
    },
  };
  const file = join(directory, "config.yaml");
  writeFileSync(file, JSON.stringify(config));

  const child = spawn(process.execPath, ["--conditions=source", "src/main.ts", "run", "--config", file], {
    env: { PATH: process.env["PATH"], NODE_ENV: "test" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const exited = once(child, "exit");
  stack.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const log = (): Record<string, unknown>[] =>
    output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const up = await until(
    () => log().find(({ msg }) => msg === "aerial is up"),
    () => output,
  );
  const addresses = up["addresses"] as readonly string[];
  const [loopback = "", plain = ""] = addresses.filter((address) => address.startsWith("http:"));
  const secure = addresses.find((address) => address.startsWith("https:")) ?? "";
  const targets: Readonly<Record<Entrance, RequestOptions>> = {
    socket: { socketPath: config.api.socket },
    loopback: toTarget(loopback),
    plain: toTarget(plain),
    tls: { ...toTarget(secure), ca: authority.certificate } as RequestOptions,
  };
  const lifetime = stack.move();
  return {
    pid: child.pid ?? 0,
    directory,
    authority,
    target: (entrance) => targets[entrance],
    ask: (entrance, ask) => send(targets[entrance], ask),
    log,
    memory(field) {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    },
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

/** An address that is not there is nowhere. */
function toTarget(address: string): RequestOptions {
  if (address === "") return {};
  const { protocol, hostname, port } = new URL(address);
  return { protocol, host: hostname, port };
}

/** One request over a connection of its own. */
export async function send(target: RequestOptions, { body, token, headOnly = false, ...ask }: Ask): Promise<Answer> {
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    ...(ask.headers as Record<string, string>),
  };
  const outgoing = (target.protocol === "https:" ? httpsRequest : httpRequest)({
    agent: false,
    timeout: 30_000,
    ...target,
    ...ask,
    headers,
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${ask.method ?? "GET"} ${ask.path}`)));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", resolve);
    // A WebSocket that was let in.
    outgoing.on("upgrade", (upgraded, socket) => {
      socket.destroy();
      resolve(upgraded);
    });
    outgoing.end(body);
  });
  const { statusCode = 0 } = response;
  let text = "";
  const isStream = statusCode === 101 || (headOnly && statusCode === 200);
  if (isStream) response.destroy();
  else for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return { status: statusCode, headers: response.headers, body: text };
}

/** What `find` gives once it gives something. */
export async function until<T>(find: () => T | undefined | Promise<T | undefined>, describe: () => string, limitMs = startMs): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${describe()}`);
    await sleep(50);
  }
}
