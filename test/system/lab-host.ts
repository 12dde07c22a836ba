/** One host of a network lab: its programs and its sockets. */
import { constants } from "node:os";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NetworkLabError, type LineEvent, type NetworkLine } from "./network-line.ts";

type Family = 4 | 6;

/** A datagram as it was heard. */
export interface Heard {
  readonly source: string;
  readonly port: number;
  /** Its destination: the group, or the address it was sent to. */
  readonly to: string;
  /** IPv4's TTL or IPv6's hop limit, on arrival. */
  readonly hops: number;
  /** The kernel's time of arrival, in ms since 1970. */
  readonly at: number;
  readonly data: Uint8Array;
}

interface ListenOptions {
  readonly family: Family;
  /** 0 or none: a free one. */
  readonly port?: number;
  readonly groups?: readonly string[];
  /** Default: `eth0`. */
  readonly interface?: string;
  /** The address to bind to, else any. */
  readonly source?: string;
  /** SO_REUSEADDR and SO_REUSEPORT (`both`, default), only the first, or none. */
  readonly reuse?: "both" | "address" | "none";
  /** Only datagrams with these bytes are kept. */
  readonly contains?: Uint8Array;
}

interface Destination {
  readonly to: string;
  readonly port: number;
  /** 255 by default, as mDNS has it. */
  readonly hops?: number;
}

export interface LabSocket extends AsyncDisposable {
  readonly port: number;
  /** All that was heard until now. */
  readonly heard: readonly Heard[];
  /** The first datagram that fits, also one already heard. Rejects after `timeoutMs`, saying what was heard instead. */
  next(fits?: (packet: Heard) => boolean, timeoutMs?: number): Promise<Heard>;
  /** Calls `hear` for each further datagram. */
  follow(hear: (packet: Heard) => void): void;
  forget(): void;
  /** Several payloads go out in one go. Resolves with the time just before the first, in ms since 1970. */
  send(payload: Uint8Array | readonly Uint8Array[], destination: Destination): Promise<number>;
}

/** How many UDP frames (and IP fragments) passed an interface. `dropped` were too fast to look at: a storm. */
interface FrameCount {
  readonly frames: number;
  readonly fragments: number;
  readonly matching: number;
  readonly dropped: number;
}

interface FrameWatch extends AsyncDisposable {
  count(): Promise<FrameCount>;
}

interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabProcess extends AsyncDisposable {
  readonly pid: number;
  /** Both streams until now. */
  readonly output: string;
  readonly exited: Promise<number | null>;
  /** Also text that has already been written. Rejects after `timeoutMs`, and when the program ends before. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

interface RawDatagram extends Destination {
  readonly source: string;
  readonly sourcePort: number;
  /** IPv4's identification field. */
  readonly identification: number;
}

export interface LabHost {
  readonly name: string;
  address(family: Family, interfaceName?: string): string;
  linkLocal(interfaceName?: string): Promise<string>;
  run(command: readonly string[], options?: { readonly timeoutMs?: number }): Promise<RunResult>;
  start(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<LabProcess>;
  listen(options: ListenOptions): Promise<LabSocket>;
  /** IPv4 only: with a header of our own. */
  sendRaw(payload: Uint8Array, datagram: RawDatagram): Promise<void>;
  watchFrames(options?: {
    readonly interface?: string;
    readonly direction?: "in" | "out";
    readonly contains?: Uint8Array;
  }): Promise<FrameWatch>;
  /** Lines for `ip -batch`. */
  ip(lines: readonly string[]): Promise<void>;
  /** Below /proc/sys/net. */
  sysctl(values: Readonly<Record<string, string | number>>): Promise<void>;
  /** For the lab: the addresses an interface was given. */
  note(interfaceName: string, addresses: readonly string[]): void;
}

const projectRoot = resolve(import.meta.dirname, "..", "..");
const defaultTimeoutMs = 3_000;
const runTimeoutMs = 20_000;
let lastId = 0;

export function createHost({ line, name }: { readonly line: NetworkLine; readonly name: string }): LabHost {
  const addresses = new Map<string, readonly string[]>();
  const nameOf = (interfaceName: string | undefined): string => interfaceName ?? "eth0";

  async function start(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<LabProcess> {
    const id = (lastId += 1);
    let output = "";
    let ended: number | null | undefined;
    const listeners = new Set<() => void>();
    const exited = new Promise<number | null>((resolve) => {
      line.follow(id, (event) => {
        if (event.event === "exit") {
          ended = event.code ?? null;
          resolve(ended);
        } else output += event.text ?? "";
        for (const listener of listeners) listener();
      });
    });
    const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    const { pid } = await line.call("start", {
      id,
      host: name,
      argv: command,
      directory: projectRoot,
      environment: { PATH: path, HOME: "/root", LC_ALL: "C.UTF-8", ...environment },
    });
    const kill = async (signal: NodeJS.Signals): Promise<void> =>
      void (await line.call("kill", { pid, signal: constants.signals[signal] }));
    return {
      pid: pid as number,
      get output() {
        return output;
      },
      exited,
      waitFor: (pattern, timeoutMs = defaultTimeoutMs) =>
        new Promise((resolve, reject) => {
          const settle = (how: () => void): void => {
            listeners.delete(look);
            clearTimeout(timer);
            how();
          };
          const look = (): void => {
            const found = pattern.exec(output);
            if (found !== null) settle(() => resolve(found));
            else if (ended !== undefined) settle(() => reject(new NetworkLabError(`${command.join(" ")} ended (${ended}): ${output}`)));
          };
          const timer = setTimeout(
            () =>
              settle(() =>
                reject(new NetworkLabError(`${command.join(" ")} did not say ${pattern} in ${timeoutMs} ms: ${output.slice(-2000)}`)),
              ),
            timeoutMs,
          );
          listeners.add(look);
          look();
        }),
      kill,
      async [Symbol.asyncDispose]() {
        if (ended === undefined) await kill("SIGKILL");
        await exited;
        line.unfollow(id);
      },
    };
  }

  return {
    name,
    address(family, interfaceName) {
      const fitting = addresses.get(nameOf(interfaceName))?.find((each) => each.includes(":") === (family === 6));
      if (fitting === undefined) throw new RangeError(`${name} has no IPv${family} address on ${nameOf(interfaceName)}`);
      return fitting.replace(/\/\d+$/, "");
    },
    async linkLocal(interfaceName) {
      const { stdout } = await this.run(["ip", "-6", "-o", "address", "show", "dev", nameOf(interfaceName), "scope", "link"]);
      return /inet6 (fe80[^/]+)/.exec(stdout)?.[1] ?? "";
    },
    async run(command, { timeoutMs = runTimeoutMs } = {}) {
      const id = (lastId += 1);
      const streams = { stdout: "", stderr: "" };
      const ended = new Promise<number | null>((resolve) => {
        line.follow(id, (event) => {
          if (event.event === "exit") resolve(event.code ?? null);
          else if (event.event === "stdout" || event.event === "stderr") streams[event.event] += event.text ?? "";
        });
      });
      const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
      const environment = { PATH: path, HOME: "/root", LC_ALL: "C.UTF-8" };
      const { pid } = await line.call("start", { id, host: name, argv: command, directory: projectRoot, environment });
      const timer = setTimeout(() => void line.call("kill", { pid, signal: constants.signals.SIGKILL }), timeoutMs);
      const exitCode = await ended;
      clearTimeout(timer);
      line.unfollow(id);
      return { exitCode, ...streams };
    },
    start,
    async listen(options) {
      const id = (lastId += 1);
      const { contains, port = 0, ...rest } = options;
      const wire = { interface: nameOf(options.interface), ...rest, port, ...(contains && { contains: toHex(contains) }) };
      const heard: Heard[] = [];
      const followers = new Set<(packet: Heard) => void>();
      line.follow(id, (event) => {
        if (event.event !== "packet") return;
        const packet = toHeard(event);
        heard.push(packet);
        for (const follower of followers) follower(packet);
      });
      const opened = await line.call("listen", { id, host: name, ...wire });
      return {
        port: opened["port"] as number,
        heard,
        forget: () => void heard.splice(0),
        follow: (hear) => void followers.add(hear),
        next: (fits = () => true, timeoutMs = defaultTimeoutMs) =>
          new Promise((resolve, reject) => {
            const found = heard.find(fits);
            if (found !== undefined) return resolve(found);
            const look = (packet: Heard): void => {
              if (!fits(packet)) return;
              clearTimeout(timer);
              followers.delete(look);
              resolve(packet);
            };
            const timer = setTimeout(() => {
              followers.delete(look);
              reject(new NetworkLabError(`${name} did not hear it in ${timeoutMs} ms, but ${describe(heard)}`));
            }, timeoutMs);
            followers.add(look);
          }),
        async send(payload, { to, port, hops = 255 }) {
          const data = payload instanceof Uint8Array ? toHex(payload) : payload.map(toHex);
          return (await line.call("send", { id, to, port, data, hops }))["at"] as number;
        },
        async [Symbol.asyncDispose]() {
          await line.call("close", { id }).catch(() => {});
          line.unfollow(id);
        },
      };
    },
    async sendRaw(payload, { source, sourcePort, to, port, hops = 255, identification }) {
      const fields = { interface: "eth0", source, source_port: sourcePort, to, port, hops, identification };
      await line.call("sendRaw", { host: name, data: toHex(payload), ...fields });
    },
    async watchFrames({ interface: interfaceName, direction = "in", contains } = {}) {
      const id = (lastId += 1);
      const wire = { id, host: name, interface: nameOf(interfaceName), direction, ...(contains && { contains: toHex(contains) }) };
      await line.call("watchFrames", wire);
      return {
        count: async () => (await line.call("frames", { id })) as unknown as FrameCount,
        [Symbol.asyncDispose]: async () => void (await line.call("close", { id }).catch(() => {})),
      };
    },
    ip: async (lines) => void (await line.call("ip", { host: name, lines })),
    sysctl: async (values) => void (await line.call("sysctl", { host: name, values })),
    note: (interfaceName, given) => void addresses.set(interfaceName, given),
  };
}

/** Waits, to see that nothing comes: no test can do with less. */
export async function quietFor(ms: number): Promise<void> {
  await sleep(ms);
}

function toHeard(event: LineEvent): Heard {
  const { source, port, to, hops, at, data } = event as unknown as Omit<Heard, "data"> & { readonly data: string };
  return { source, port, to, hops, at, data: Uint8Array.from(Buffer.from(data, "hex")) };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function describe(heard: readonly Heard[]): string {
  if (heard.length === 0) return "nothing";
  return heard
    .slice(-5)
    .map(
      ({ source, port, data }) =>
        `${data.length} B from ${source}:${port} ${Buffer.from(data)
          .toString("latin1")
          .replaceAll(/[^ -~]/g, ".")
          .slice(0, 60)}`,
    )
    .join("; ");
}
