/**
 * Real character devices with two ends: this machine's virtual terminals. What a container writes to one is read from its
 * screen, and what is typed into it the container reads. A pty could not do: its node only works below its own devpts.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { call } from "../../light/libc.ts";

/** Of TTY_MAJOR, Documentation/admin-guide/devices.txt; nobody but tests uses these. */
const terminals = { major: 4, first: 20, last: 60 } as const;

// asm-generic/ioctls.h
const TIOCSTI = 0x5412;
const TIOCVHANGUP = 0x5437;

const pollEveryMs = 10;
const textTimeoutMs = 10_000;

export interface VirtualTerminal {
  readonly major: number;
  readonly minor: number;
  /** What was written to the device, trimmed line by line; at most the last screenful. Text only. */
  written(): string;
  /** Resolves with `written()` once it matches; rejects at the deadline with what was there. */
  waitForWritten(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Lets whoever reads the device read this. */
  send(text: string): void;
  /** As when a stick is pulled: who has it open reads the end and cannot write any more. The terminal is free again. */
  hangUp(): Promise<void>;
}

let last = terminals.first - 1;

/** Takes a terminal that nobody has, another one each time as far as they go: raw, without echo, with an empty screen. */
export async function openVirtualTerminal(): Promise<VirtualTerminal> {
  for (let tried = terminals.first; tried <= terminals.last; tried++) {
    last = last >= terminals.last ? terminals.first : last + 1;
    const claim = await claimName(`aerial-terminal-${last}`);
    if (claim !== undefined) return take(last, claim);
  }
  throw new Error("all virtual terminals for tests are taken");
}

async function take(number: number, claim: Server): Promise<VirtualTerminal> {
  const path = `/dev/tty${number}`;
  const line = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  // Of a reader before us nothing stays: neither screen nor settings.
  writeSync(line, "\u001bc");
  await promisify(execFile)("stty", ["-F", path, "raw", "-echo", "opost", "onlcr"]);
  const written = (): string => {
    const screen = readFileSync(`/dev/vcs${number}`, "latin1");
    const rows = screen.match(new RegExp(`.{1,${columns(line)}}`, "gsu")) ?? [];
    return rows
      .map((row) => row.trimEnd())
      .join("\n")
      .trimEnd();
  };
  return {
    major: terminals.major,
    minor: number,
    written,
    async waitForWritten(pattern, timeoutMs = textTimeoutMs) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const text = written();
        if (pattern.test(text)) return text;
        if (Date.now() > deadline) throw new Error(`nothing like ${String(pattern)} was written in ${timeoutMs} ms, but: ${text}`);
        await sleep(pollEveryMs);
      }
    },
    send(text) {
      for (const byte of Buffer.from(text)) call("ioctl", line, TIOCSTI, [byte]);
    },
    async hangUp() {
      call("ioctl", line, TIOCVHANGUP, [0]);
      closeSync(line);
      await new Promise((resolve) => void claim.close(resolve));
    },
  };
}

/** Of the screen: `struct winsize`, rows and columns in 16 bits each. */
function columns(line: number): number {
  const TIOCGWINSZ = 0x5413;
  const size = [0];
  call("ioctl", line, TIOCGWINSZ, size);
  return (size[0] ?? 0) >>> 16;
}

/** A name that one process of this machine can have, and that is free again when it has gone: an abstract unix socket. */
function claimName(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(`\0${name}`, () => resolve(server));
  });
}
