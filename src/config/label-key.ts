/** Kubernetes' rules for label keys (kubernetes.io/docs/concepts/overview/working-with-objects/labels, "Syntax and character set"). */

const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const nameSegment = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const reserved = ["kubernetes.io", "k8s.io"];

/** Why `prefix` can't be the part of a label key before the slash, or undefined when it can. Reserved domains can't. */
export function labelPrefixProblem(prefix: string): string | undefined {
  if (prefix.length > 253) return "must be at most 253 characters";
  if (!prefix.split(".").every((label) => dnsLabel.test(label))) {
    return "must be a DNS name in lower case: letters, digits, `-` and `.`";
  }
  const domain = reserved.find((reservedDomain) => prefix === reservedDomain || prefix.endsWith(`.${reservedDomain}`));
  return domain === undefined ? undefined : `must not be under ${domain}, which is reserved for Kubernetes itself`;
}

/** Why `key` can't be a label key of ours (`name` or `prefix/name`), or undefined when it can. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  if (slash >= 0) {
    const problem = labelPrefixProblem(key.slice(0, slash));
    if (problem !== undefined) return `${problem} (the part before the slash)`;
  }
  if (nameSegment.test(key.slice(slash + 1))) return undefined;
  return "must be a label key: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends, after an optional `prefix/`";
}
