/** What is wrong with the device plugin, said where it is looked for. */
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError, hasCode, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

interface PluginReportDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
  /** Where the kubelet's socket is looked for. */
  readonly directory: string;
}

/** Of all resources, each named by its group. */
export interface PluginReport {
  registered(group: string): void;
  /** There is no socket of the kubelet. */
  away(group: string): void;
  failed(group: string, error: unknown): void;
  /** A group that the kubelet would refuse. */
  invalidName(group: string, resource: string): void;
  /** Ids that the kubelet would refuse. */
  longIds(ids: readonly string[]): void;
  /** Nothing more will be said: what is still wrong is nobody's concern any longer. */
  end(): void;
}

/** A restart of the kubelet takes about as long. */
const patienceMs = 10_000;
const awayCode = "device-plugin.kubelet-away";

export function createPluginReport({ clock, log, conditions, directory }: PluginReportDependencies): PluginReport {
  const awaySince = new Map<string, number>();
  const raised = new Map<string, string>();
  const raise = (code: string, text: string): void => {
    if (raised.get(code) === text) return;
    raised.set(code, text);
    conditions.raise(code, "warning", text);
    log.warn({ condition: code, text }, "device plugin failing");
  };
  const clear = (code: string): void => {
    if (raised.delete(code)) conditions.clear(code);
  };
  const away = (group: string): void => {
    const since = awaySince.get(group) ?? clock.now();
    awaySince.set(group, since);
    if (clock.now() - since < patienceMs) return;
    raise(
      awayCode,
      `No kubelet answers at ${directory}: pods get no radios from here until it does. Check that it runs, and that host.kubelet is its directory, mounted.`,
    );
  };
  const present = (group: string): void => {
    awaySince.delete(group);
    if (awaySince.size === 0) clear(awayCode);
  };
  return {
    registered(group) {
      present(group);
      clear(`device-plugin.refused.${group}`);
      clear(`device-plugin.socket.${group}`);
    },
    away,
    failed(group, error) {
      if (hasCode(error, "kubelet.unreachable")) return away(group);
      present(group);
      const kind = hasCode(error, "kubelet.refused") ? "refused" : "socket";
      const hint = isAerialError(error) ? `; ${error.hint}` : "";
      raise(`device-plugin.${kind}.${group}`, `Radios of the group ${group} are not offered to pods: ${describeError(error)}${hint}`);
    },
    invalidName(group, resource) {
      raise(
        `device-plugin.invalid-name.${group}`,
        `Radios of the group ${group} are not offered to pods: ${resource} cannot be the name of a resource. Its domain may have 244 characters, and nothing of kubernetes.io.`,
      );
    },
    longIds(ids) {
      if (ids.length === 0) return clear("device-plugin.long-id");
      raise("device-plugin.long-id", `Not offered to pods, since the kubelet takes ids of 63 characters: ${ids.slice(0, 8).join(", ")}`);
    },
    end() {
      for (const code of raised.keys()) conditions.clear(code);
      raised.clear();
    },
  };
}
