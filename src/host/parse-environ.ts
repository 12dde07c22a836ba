/** What a process' environment says of radios. */
import { handoverVariables, type HandedRadio } from "../core/handed-container.ts";

export interface HandedEnvironment {
  readonly node: string;
  readonly radios: readonly HandedRadio[];
}

/** More than a container can be given; a process may make up as many as it likes. */
const mostRadios = 64;

/**
 * Reads `/proc/PID/environ` (proc_pid_environ(5)): `NAME=value`, each ended by a zero byte. Total: undefined when it tells of no
 * radio; of a name that comes twice the first holds, as for getenv(3).
 */
export function parseEnviron(text: string): HandedEnvironment | undefined {
  const values = new Map<string, string>();
  for (const entry of text.split("\0")) {
    if (!entry.startsWith("RADIO_") || entry.length > 512) continue;
    const at = entry.indexOf("=");
    const name = entry.slice(0, at);
    if (at > 0 && !values.has(name)) values.set(name, entry.slice(at + 1));
  }
  const node = values.get(handoverVariables.node);
  if (node === undefined) return undefined;
  const radios = [...values].flatMap(([name, id]): readonly HandedRadio[] => {
    if (!handoverVariables.id.test(name) || !/^[A-Za-z0-9._-]{1,63}$/.test(id)) return [];
    const device = values.get(handoverVariables.deviceOf(name));
    if (device === undefined || !/^\d{1,4}:\d{1,7}(?:,\d{1,4}:\d{1,7}){0,31}$/.test(device)) return [];
    return [{ id, device, byCdi: values.has(handoverVariables.cdiOf(name)) }];
  });
  return radios.length === 0 ? undefined : { node, radios: radios.slice(0, mostRadios) };
}
