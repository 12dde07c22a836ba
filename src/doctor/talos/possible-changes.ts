/** What a patch must not ask for: Talos tries to set a parameter that is not there for ever. */
import type { Finding, TalosChange } from "../../core/check.ts";
import type { HostPaths } from "../../host/host-paths.ts";
import { hasParameter } from "../../host/has-parameter.ts";
import { parameterPath } from "./merge-changes.ts";

/** The finding without changes of parameters that this machine does not have; its words stay. */
export function withPossibleChanges(finding: Finding, paths: Pick<HostPaths, "proc" | "sys">): Finding {
  const { remedy } = finding;
  if (remedy?.talos === undefined) return finding;
  const { talos, ...rest } = remedy;
  const possible = talos.filter((change) => isPossible(change, paths));
  if (possible.length === talos.length) return finding;
  return { ...finding, remedy: possible.length === 0 ? rest : { ...rest, talos: possible } };
}

function isPossible(change: TalosChange, paths: Pick<HostPaths, "proc" | "sys">): boolean {
  if (change.change !== "sysctl" && change.change !== "sysfs") return true;
  return hasParameter(paths, change.change, parameterPath(change.name));
}
