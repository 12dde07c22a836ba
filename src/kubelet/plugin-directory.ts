/** The directory in which the kubelet and its device plugins leave their sockets for each other. */
import { once } from "node:events";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { errnoOf } from "../core/errors.ts";
import { inodeOf } from "./inode-of.ts";
import { checkSocketPath } from "./socket-path.ts";
import { type DirectoryWatch, watchDirectory } from "./watch-directory.ts";

/** Disposing ends watching. */
export interface PluginDirectory extends DirectoryWatch {
  /** Names the kubelet's socket as it is now, so that another life of the kubelet has another; undefined while there is none. */
  kubelet(): string | undefined;
}

/** The kubelet's own socket (kubernetes/kubelet pkg/apis/deviceplugin/v1beta1/constants.go). */
export const kubeletSocket = "kubelet.sock";

/** The directory need not be there yet. */
export function watchPluginDirectory(directory: string, clock: Clock, signal: AbortSignal): PluginDirectory {
  return { ...watchDirectory(directory, clock, signal), kubelet: () => inodeOf(join(directory, kubeletSocket)) };
}

/** Removes the sockets in `directory` with a name that `isOurs` knows and nobody listening. Says how many; never throws. */
export async function removeStaleSockets(directory: string, isOurs: (name: string) => boolean): Promise<number> {
  let removed = 0;
  for (const name of namesIn(directory).filter(isOurs)) {
    const path = join(directory, name);
    try {
      if (!lstatSync(path).isSocket() || (await isHeard(path))) continue;
      rmSync(path, { force: true });
      removed += 1;
    } catch {
      // Gone meanwhile, or not ours to remove: it does no harm.
    }
  }
  return removed;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Whether somebody listens; also where that cannot be said. */
async function isHeard(path: string): Promise<boolean> {
  const socket = connect(checkSocketPath(path));
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return errnoOf(error) !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
