/** Names of our sockets in the kubelet's directory. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";

/** A unix socket's path has at most that many bytes (unix(7)). */
const longestPath = 107;
const ours = /^(?:aerial-[a-z0-9-]{1,63}-[0-9a-f]{8}\.sock|\.aerial-[0-9a-f]{8})$/;

/**
 * The path of a socket for `group`, each time another, so that the kubelet never takes a new socket for one it knew. A long
 * group is cut off where the directory leaves no room for it.
 */
export function socketPathFor(directory: string, group: string): string {
  const suffix = `-${randomBytes(4).toString("hex")}.sock`;
  const room = longestPath - Buffer.byteLength(join(directory, `aerial-${suffix}`));
  return join(directory, `aerial-${group.slice(0, Math.max(1, room))}${suffix}`);
}

/** Whether aerial made that name. */
export function isOurSocket(name: string): boolean {
  return ours.test(name);
}
