/** Which Node will do. Others crash before they can say why: the database's native code is for this one and newer. */

/** As package.json says in `engines`. */
export const oldestNode = [22, 12] as const;

/** What to tell people whose Node is too old; undefined when it is not. `version` is as in `process.versions.node`. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `aerial needs Node ${oldestNode.join(".")} or newer, and this is ${version}; npm scripts and ./scripts/run bring their own`;
}
