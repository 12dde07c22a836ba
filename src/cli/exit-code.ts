/** What the process says to its caller; numbers as in sysexits.h where it has one. */
import { type ErrorCode, isAerialError } from "../core/errors.ts";

export const exitCodes = {
  ok: 0,
  /** The answer is no: not ready, or no such radio or pod. */
  no: 1,
  usage: 64,
  unavailable: 69,
  internal: 70,
  inputOutput: 74,
  permission: 77,
  config: 78,
  interrupted: 130,
} as const;

/** For `--help`. */
export const exitCodeHelp = `Exit codes: 0 done; 1 the answer is no (not ready, no such radio or pod); 64 wrong usage; 69 no daemon, cluster or relay;
70 internal error; 74 store or host unusable; 77 not allowed; 78 wrong configuration; 130 interrupted.`;

const codes: Partial<Record<ErrorCode, number>> = {
  "cli.usage": exitCodes.usage,
  "cli.output": exitCodes.inputOutput,
  "config.invalid": exitCodes.config,
  "config.unreadable": exitCodes.config,
  "inventory.unknown-radio": exitCodes.no,
  "inventory.unusable": exitCodes.inputOutput,
  "inventory.no-sqlite": exitCodes.inputOutput,
  "host.read": exitCodes.inputOutput,
  "api.unreachable": exitCodes.unavailable,
  "api.listen": exitCodes.unavailable,
  "relay.off": exitCodes.unavailable,
  "relay.away": exitCodes.unavailable,
  "relay.socket": exitCodes.inputOutput,
  "cluster.off": exitCodes.unavailable,
  "pods.unknown": exitCodes.no,
  "pods.forbidden": exitCodes.permission,
  "kube.config": exitCodes.unavailable,
  "kube.unreachable": exitCodes.unavailable,
  "kube.forbidden": exitCodes.permission,
  "kube.unauthorized": exitCodes.permission,
};

/** The exit code for an error that ends a command. */
export function exitCodeOf(error: unknown): number {
  return (isAerialError(error) ? codes[error.code] : undefined) ?? exitCodes.internal;
}
