/** What is put between the links: aerial, or another program in its place, to see that the tests can fail. */
import { join } from "node:path";
import type { LabHost, LabProcess } from "./lab-host.ts";
import type { NetworkLab } from "./network-lab.ts";
import { openAvahi } from "./peers.ts";

type RelayKind = "aerial" | "avahi" | "foreign";

/** `AERIAL_SYSTEM_RELAY`: `avahi` for its reflector, `foreign` for a dumb repeater. Anything else is aerial. */
function relayUnderTest(): RelayKind {
  const wanted = process.env["AERIAL_SYSTEM_RELAY"];
  return wanted === "avahi" || wanted === "foreign" ? wanted : "aerial";
}

export interface RelayOptions {
  /** Interfaces, as the router names them. Default: all of the lab's links. */
  readonly links?: readonly string[];
  /** Default: the router. */
  readonly on?: LabHost;
  readonly kind?: RelayKind;
  /** More arguments for aerial. */
  readonly arguments?: readonly string[];
  /** Before the command, such as `setpriv …`. */
  readonly prefix?: readonly string[];
  /** What aerial says when it is ready. Default: that it relays between all links. */
  readonly ready?: RegExp;
}

/** It runs, and does not say who relays. */
export const started = /"msg":"relay is starting"/;
const aerialReadyMs = 15_000;

/** Starts the relay. It relays when this resolves. */
export async function openRelay(lab: NetworkLab, options: RelayOptions = {}): Promise<LabProcess> {
  const { links = lab.links.map((link) => `lan-${link}`), on = lab.router, kind = relayUnderTest(), prefix = [] } = options;
  if (kind === "avahi") return openAvahi(on, { reflect: links });
  if (kind === "foreign") {
    const repeater = ["/usr/bin/python3", join(import.meta.dirname, "foreign_repeater.py"), ...links];
    return ready(await on.start([...prefix, ...repeater]), /repeating/);
  }
  // It listens a while for another one; then it says of each pair of links that it relays, or who does.
  const pairs = (links.length * (links.length - 1)) / 2;
  const relaying = new RegExp(`("msg":"relaying"[^]*){${pairs}}`);
  return ready(await on.start([...prefix, ...aerialRelay(links), ...(options.arguments ?? [])]), options.ready ?? relaying);
}

/** The command, from source, in the foreground. */
export function aerialRelay(links: readonly string[]): readonly string[] {
  return [process.execPath, "--conditions=source", "src/main.ts", "relay", "run", ...links.flatMap((link) => ["--link", link])];
}

async function ready(relay: LabProcess, sign: RegExp): Promise<LabProcess> {
  try {
    await relay.waitFor(sign, aerialReadyMs);
    return relay;
  } catch (error) {
    await relay[Symbol.asyncDispose]();
    throw error;
  }
}
