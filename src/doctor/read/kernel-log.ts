/** The kernel's log, as far as it speaks of USB ports, and how long ago that was. */
import type { Facts, FindingEvidence, KernelMessage, Reading } from "../../core/check.ts";
import { mapReading, valueOf } from "../../core/reading.ts";
import { portNamed } from "./usb-tree.ts";

const uptimeFile = "/proc/uptime";

/** What `recentMessages` asks for. */
export const kernelLogReads: readonly string[] = [uptimeFile];

/** How far back what comes and goes is looked for: a cable that was bad yesterday is none of today's faults. */
const recentSeconds = 600;

/**
 * What the kernel said in the last ten minutes, oldest first. Its clock stands still while a machine sleeps and that of
 * `/proc/uptime` does not; then less is recent, never more.
 */
export function recentMessages(facts: Facts): Reading<readonly KernelMessage[]> {
  return mapReading(facts.kernelLog, (messages) => {
    const last = messages.at(-1)?.seconds ?? 0;
    // A container's own uptime may be shorter than the log: then the log's end is the newest time there is.
    const now = Math.max(last, Number.parseFloat(valueOf(facts.file(uptimeFile)) ?? "0") || 0);
    return messages.filter(({ seconds }) => seconds >= now - recentSeconds);
  });
}

/** Why nothing is known of the log: for the end of a sentence. */
export function whyNoLog(log: Exclude<Reading<unknown>, { readonly state: "read" }>): string {
  return log.state === "absent" ? "the kernel's log is not there" : log.why;
}

/**
 * The USB port a message is about: `usb 1-1.2: …`, `usb usb1-port3: …`, `cdc_acm 1-1:1.0: …`. Undefined when it names none.
 * The names are those of dev_printk() (drivers/base/core.c): driver or bus, then the device.
 */
export function usbPortOf({ text }: KernelMessage): string | undefined {
  const [, name = ""] = /^[\w-]+ ([\w.:-]+): /.exec(text) ?? [];
  const [, port] = /^(\d+-\d+(?:\.\d+)*)(?::\d+\.\d+)?$/.exec(name) ?? [];
  // `hub 1-0:1.0` is a root hub, which sits in no port.
  return port?.endsWith("-0") === true ? undefined : (port ?? portNamed(name));
}

/** A line of the log as evidence. */
function logEvidence({ seconds, text }: KernelMessage): FindingEvidence {
  return { source: `kernel log, ${Math.floor(seconds)} s after boot`, value: text };
}

/** At most `most` lines: the first and the latest. */
export function logEvidences(messages: readonly KernelMessage[], most = 4): readonly FindingEvidence[] {
  const shown = messages.length <= most ? messages : [...messages.slice(0, 1), ...messages.slice(1 - most)];
  return shown.map(logEvidence);
}
