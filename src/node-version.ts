/** Which Node will do: every LTS since 20. test/api/node-versions.test.ts runs the built program on them. */

/** As package.json says in `engines`. */
export const oldestNode = [20, 19] as const;

/** What to tell people whose Node is too old; undefined when it is not. `version` is as in `process.versions.node`. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `aerial needs Node ${oldestNode.join(".")} or newer, and this is ${version}; npm scripts and ./scripts/run bring their own`;
}
