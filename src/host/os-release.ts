/** Which operating system the host runs: os-release(5), read with care, since in a pod most places hold the image's own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "../core/check.ts";
import { toPrintable } from "./decode-text.ts";
import type { HostPaths } from "./host-paths.ts";

export interface OsSources {
  readonly paths: Pick<HostPaths, "proc" | "osRelease">;
  /** `uname -r`: no container can have another than the host's. */
  readonly kernel: string;
  /** The Node's `status.nodeInfo.osImage`, which the kubelet reads on the host: `Talos (v1.13.0)`. */
  readonly osImage?: string | undefined;
  /** Whether this process is in a container, so that its own `/etc/os-release` says nothing of the host. */
  readonly inContainer: boolean;
}

/**
 * Whom to trust, in this order: the kubelet, which reads the host's own file; the kernel's release, which on Talos ends in
 * `-talos`; the file that the configuration names as the host's; the root of process 1; and `/etc/os-release`, but only
 * outside of containers.
 */
export function readOs({ paths, kernel, osImage, inContainer }: OsSources): Facts["os"] {
  if (osImage !== undefined) return parseOsImage(osImage);
  const files = [
    ...(paths.osRelease === undefined ? [] : [paths.osRelease]),
    join(paths.proc, "1/root/etc/os-release"),
    ...(inContainer ? [] : ["/etc/os-release"]),
  ];
  const isTalos = kernel.endsWith("-talos");
  // What says otherwise than the kernel is a container's.
  const fromFile = files.map(readOsRelease).find((os) => os !== undefined && (os.id === "talos") === isTalos);
  return fromFile ?? (isTalos ? { id: "talos", name: "Talos" } : { id: "linux", name: "Linux" });
}

function readOsRelease(path: string): Facts["os"] | undefined {
  try {
    return parseOsRelease(readFileSync(path, "utf8").slice(0, 16_384));
  } catch {
    return undefined;
  }
}

/** Undefined for a text that names no system. Total. */
export function parseOsRelease(text: string): Facts["os"] | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, toPrintable(unquote(value)));
  }
  const id = fields.get("ID");
  if (id === undefined || id === "") return undefined;
  const version = fields.get("VERSION_ID");
  return {
    id,
    name: fields.get("PRETTY_NAME") ?? fields.get("NAME") ?? id,
    ...(version !== undefined && version !== "" && { version: version.replace(/^v/, "") }),
  };
}

/** `Talos (v1.13.0)`, `Debian GNU/Linux 13 (trixie)`. */
function parseOsImage(image: string): Facts["os"] {
  const talos = /^Talos \(v?([^)]+)\)/.exec(image)?.[1];
  if (talos !== undefined) return { id: "talos", version: toPrintable(talos), name: toPrintable(image) };
  return { id: toPrintable(image.split(/[ /]/)[0]?.toLowerCase() ?? "linux"), name: toPrintable(image) };
}

/** Shell quoting as os-release(5) allows it. */
function unquote(value: string): string {
  const [, quote, inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  if (inner === undefined) return value;
  return quote === '"' ? inner.replaceAll(/\\(["$`\\])/g, "$1") : inner;
}
