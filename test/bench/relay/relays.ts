/** The relays that are measured: aerial, the floor, and what this machine or the command line has. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Relay {
  readonly name: string;
  /** A shell command that relays between these interfaces in the foreground; undefined where it cannot take so many. */
  command(links: readonly string[], options?: RelayCommandOptions): string | undefined;
}

interface RelayCommandOptions {
  /** As in everyday use, with the relay's own guards on. Default: off, where it has a switch. */
  readonly limits?: boolean;
}

const projectRoot = resolve(import.meta.dirname, "..", "..", "..");

/** aerial as it is built in `dist`. */
export function aerialRelay(): Relay {
  const main = join(projectRoot, "dist", "src", "main.js");
  return {
    name: "aerial",
    command: (links, { limits = false } = {}) =>
      [process.execPath, main, "relay run", ...links.map((link) => `--link ${link}`), ...(limits ? [] : ["--no-limits"])].join(" "),
  };
}

export function floorRelay(program: string): Relay {
  return { name: "floor", command: (links) => [program, ...links].join(" ") };
}

/** `NAME=COMMAND`, in which {a}, {b} and {c} stand for interfaces; undefined when it is not of that form. */
export function parsePeer(text: string): Relay | undefined {
  const [, name, command] = /^([^=\s]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || command === undefined) return undefined;
  return {
    name,
    command(links) {
      if (links.length > 2 && !command.includes("{c}")) return undefined;
      const [a = "", b = "", c = ""] = links;
      return command.replaceAll("{a}", a).replaceAll("{b}", b).replaceAll("{c}", c);
    },
  };
}

/** Those that are installed. */
export function installedRelays(directory: string): readonly Relay[] {
  const relays: Relay[] = [];
  if (isInstalled("avahi-daemon")) relays.push(avahi(directory));
  if (isInstalled("mdns-reflector"))
    relays.push({ name: "mdns-reflector", command: (links) => ["mdns-reflector -fn", ...links].join(" ") });
  return relays;
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Its reflector, without its limit on packets, and without anything that it would publish itself. */
function avahi(directory: string): Relay {
  return {
    name: "avahi",
    command(links, { limits = false } = {}) {
      const file = join(directory, `avahi-${links.length}-${limits}.conf`);
      writeFileSync(
        file,
        `[server]
host-name=router
use-ipv4=yes
use-ipv6=yes
allow-interfaces=${links.join(",")}
enable-dbus=no
${limits ? "ratelimit-interval-usec=1000000\nratelimit-burst=1000" : "ratelimit-interval-usec=0"}
[publish]
disable-publishing=yes
[reflector]
enable-reflector=yes
`,
      );
      // It keeps one pid file on each machine; here there may be two.
      return `unshare --mount sh -c 'mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${file}'`;
    },
  };
}
