/** What of the kernel matters to radios, in a few kilobytes, for a bug report. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBreather } from "./breather.ts";
import { toPrintable } from "./decode-text.ts";
import type { HostPaths } from "./host-paths.ts";
import { readKernelLog } from "./kernel-log.ts";

export interface KernelSummary {
  readonly version?: string;
  /** Names of the boot parameters; values only of those about USB, since others may hold secrets. */
  readonly parameters: readonly string[];
  readonly modules: readonly string[];
  /** `/proc/tty/drivers`, a line each. */
  readonly ttyDrivers: readonly string[];
  readonly memory: readonly string[];
  /** The newest lines of the kernel's log, or why there are none. */
  readonly log: readonly string[] | string;
}

const longestFile = 64 * 1024;
const logLines = 400;

export async function readKernelSummary({ proc, dev }: Pick<HostPaths, "proc" | "dev">, signal: AbortSignal): Promise<KernelSummary> {
  const lines = (path: string): readonly string[] => readLines(join(proc, path));
  const [version] = lines("version");
  const parameters = lines("cmdline").flatMap((line) => line.split(" "));
  const log = await readKernelLog(join(dev, "kmsg"), createBreather(), signal);
  return {
    ...(version !== undefined && { version: toPrintable(version) }),
    parameters: parameters.map((parameter) => toPrintable(parameterName(parameter))),
    modules: lines("modules")
      .map((line) => toPrintable(line.split(" ")[0] ?? ""))
      .sort(),
    ttyDrivers: lines("tty/drivers").map((line) => toPrintable(line.replaceAll(/\s+/g, " "))),
    memory: lines("meminfo").slice(0, 3).map(toPrintable),
    log:
      log.state === "read"
        ? log.value.slice(-logLines).map(({ seconds, text }) => `[${seconds.toFixed(6)}] ${text}`)
        : log.state === "absent"
          ? "there is none here"
          : log.why,
  };
}

function parameterName(parameter: string): string {
  return /^(usb\w*|cdc_acm|btusb|nousb)[.=]/.test(parameter) ? parameter : (parameter.split("=", 1)[0] ?? "");
}

function readLines(path: string): readonly string[] {
  try {
    const text = readFileSync(path, "utf8").slice(0, longestFile);
    return text.split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
