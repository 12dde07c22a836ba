/** What is in the host's `/dev`. Nodes are never opened here, and never asked for by access(2): a device cgroup may refuse that. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AerialError } from "../core/errors.ts";
import { judgeReadError } from "./sysfs.ts";

export interface DeviceNodes {
  /** Whether `/dev/<name>` is there. Goes by name: in a made-up tree nodes are plain files. */
  has(name: string): boolean;
  /** Why nothing can be said about nodes; `has` then answers true, since their absence is not known either. */
  readonly unreadable?: string;
}

/** Lists the devtmpfs mounted at `root`, once. Throws `host.read` when descriptors or memory run out. */
export function listDeviceNodes(root: string): DeviceNodes {
  try {
    const names = new Set(
      readdirSync(root, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => entry.name),
    );
    return { has: (name) => (name.includes("/") ? hasNested(join(root, name)) : names.has(name)) };
  } catch (error) {
    const verdict = judgeReadError(error);
    if (verdict === "failed") throw new AerialError("host.read", `cannot list ${root}`, { cause: error });
    const why = verdict === "denied" ? `no permission to list ${root}` : `${root} cannot be listed`;
    return { has: () => true, unreadable: why };
  }
}

function hasNested(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
