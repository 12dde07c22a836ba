/** Every error aerial raises, with what to do about it. */

interface ErrorKind {
  /** Whether the same attempt may succeed later without anybody doing anything. */
  readonly retryable: boolean;
  /** What a person can do. */
  readonly hint: string;
}

/** Codes are stable: scripts and alerts may match on them. */
const errorKinds = {
  "config.invalid": { retryable: false, hint: "correct the configuration file; every key is explained in config/default.yaml" },
  "config.unreadable": { retryable: false, hint: "check the path and its permissions" },
  "host.read": { retryable: true, hint: "check that the host's /sys and /dev are mounted where the configuration says" },
  "host.netlink": { retryable: true, hint: "run in the host's network namespace; until then changes are found by inotify and the timer" },
  "host.bluez": { retryable: true, hint: "start bluetoothd or leave it: Bluetooth controllers are still found in sysfs" },
  "scan.late": { retryable: true, hint: "`aerial health` says what is in the way" },
  "plugin.invalid": { retryable: false, hint: "see plugins/README.md; `npm run -s plugin:test -- FILE` checks a plugin" },
  "plugin.failed": { retryable: false, hint: "report it to the plugin's author; the rest of aerial is not affected" },
  "plugin.timeout": { retryable: false, hint: "report it to the plugin's author; the rest of aerial is not affected" },
  "inventory.unusable": { retryable: false, hint: "free space or permissions in the state directory" },
  "inventory.no-sqlite": {
    retryable: false,
    hint: "in aerial's directory: `npm install`, then `npm_config_target=$(node -p process.versions.node) npm rebuild better-sqlite3-node20`; Node 22.14 and newer need only the former",
  },
  "inventory.unknown-radio": { retryable: false, hint: "`aerial devices` lists the radios" },
  "inventory.leased": { retryable: true, hint: "wait for the holder to finish; `aerial explain` names it" },
  "inventory.invalid-kind": { retryable: false, hint: "use lower-case letters, digits and hyphens, such as zigbee; at most 63" },
  "inventory.invalid-name": { retryable: false, hint: "use at most 63 printable characters" },
  "inventory.name-taken": { retryable: false, hint: "take another name; `aerial devices` lists those there are" },
  "kube.config": { retryable: false, hint: "run in a pod with a service account, or set kubernetes.kubeconfig" },
  "kube.unreachable": { retryable: true, hint: "check the API server and the network; aerial keeps retrying" },
  "kube.forbidden": { retryable: true, hint: "apply the ClusterRole in daemonset/base" },
  "kube.unauthorized": { retryable: true, hint: "check the service account token" },
  "kube.not-found": { retryable: true, hint: "check that node.name is this node's name in the cluster" },
  "kube.conflict": { retryable: true, hint: "nothing to do: aerial retries" },
  "kube.disruption-budget": {
    retryable: true,
    hint: "nothing to do if other pods of it become ready; `kubectl get poddisruptionbudgets -A` shows what each allows",
  },
  "kube.invalid": { retryable: false, hint: "report it: aerial sent an object the API server does not accept" },
  "kube.protocol": { retryable: true, hint: "check what answers at the API server's address" },
  "kubelet.socket": { retryable: true, hint: "mount the kubelet's directories where host.kubelet says, writable; aerial keeps trying" },
  "kubelet.socket-path": { retryable: false, hint: "give host.kubelet a shorter path: a unix socket's name has 107 bytes at most" },
  "kubelet.unreachable": {
    retryable: true,
    hint: "check that the kubelet runs and that its directories are mounted; aerial keeps retrying",
  },
  "kubelet.refused": { retryable: true, hint: "what the kubelet says of it is in the message; its own log says more" },
  "handover.unavailable": { retryable: true, hint: "`aerial devices` says where the radio is, and who holds it" },
  "handover.no-node": { retryable: true, hint: "plug the radio in; `aerial devices` shows its device nodes" },
  "handover.cdi": { retryable: true, hint: "mount host.cdi where the container runtime looks for CDI files, writable, with space left" },
  "handover.processes": { retryable: true, hint: "run with hostPID: true and the capabilities SYS_PTRACE and KILL" },
  "relay.socket": {
    retryable: true,
    hint: "EPERM: grant the capability it names; EADDRINUSE: another program holds the port without SO_REUSEADDR (`ss -ulpn`)",
  },
  "api.listen": { retryable: false, hint: "another aerial may be running; change api.socket or api.port" },
  "api.tls": { retryable: true, hint: "check the files under api.listen: a certificate and its own key, both in PEM" },
  "api.token": { retryable: true, hint: "write 16 characters or more to the file, such as from `openssl rand -hex 32`" },
  "api.token-missing": {
    retryable: false,
    hint: "send `Authorization: Bearer <token>`; api.tokens in the configuration says whose there are",
  },
  "api.token-unknown": { retryable: false, hint: "check the token; one of Kubernetes may have expired or be for another audience" },
  "api.not-allowed": {
    retryable: false,
    hint: "use the token of an operator; in Kubernetes bind daemonset/components/kubernetes-tokens' roles",
  },
  "api.foreign-page": { retryable: false, hint: "name the site under api.cors if its pages are meant to use this API" },
  "api.foreign-host": { retryable: false, hint: "use an address or node.name, or add the name to allowedHosts under api.listen" },
  "api.malformed": { retryable: false, hint: "send a body as application/json, and the path alone in the first line" },
  "api.too-often": { retryable: true, hint: "wait for as long as Retry-After says; api.requestsPerSecond is the limit" },
  "api.busy": { retryable: true, hint: "try again in a moment" },
  "api.unreachable": { retryable: true, hint: "start the daemon with `aerial run`, or use `aerial scan`, which needs none" },
  "api.protocol": { retryable: false, hint: "the daemon and this command may be of different versions" },
  "api.off": { retryable: false, hint: "the daemon and what asks it may be of different versions" },
  "events.gone": { retryable: false, hint: "begin anew without a cursor" },
  "doctor.off": { retryable: false, hint: "the daemon and what asks it may be of different versions" },
  "pods.unknown": { retryable: false, hint: "`aerial pods` lists the pods that ask for a radio" },
  "pods.forbidden": { retryable: true, hint: "apply daemonset/components/see-pods: it lets aerial list pods" },
  "cluster.off": { retryable: false, hint: "run in a cluster, or set kubernetes.kubeconfig" },
  "relay.off": { retryable: false, hint: "name two links or more under `relay` in the configuration; config/default.yaml explains how" },
  "relay.away": { retryable: true, hint: "aerial starts it again by itself; `aerial health` says what is wrong" },
  "cli.output": { retryable: false, hint: "name a file in a directory that you may write to with --output" },
  "cli.usage": { retryable: false, hint: "`aerial --help` lists the commands" },
  "internal.abort": { retryable: false, hint: "nothing to do: aerial is stopping" },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

const brand = Symbol.for("aerial.error");

/** An error with a stable code, machine-readable details and, in `hint`, what to do. */
export class AerialError extends Error {
  readonly [brand] = true;
  override readonly name = "AerialError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /** `message` says what was tried and on what; the hint comes from the code. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return errorKinds[this.code].retryable;
  }

  get hint(): string {
    return errorKinds[this.code].hint;
  }
}

/** By brand, not by class, so that a doubled copy of the package still matches. */
export function isAerialError(error: unknown): error is AerialError {
  return typeof error === "object" && error !== null && brand in error;
}

export function hasCode(error: unknown, code: ErrorCode): error is AerialError {
  return isAerialError(error) && error.code === code;
}

/** The errno of a Node system error, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** One line for people: the message and its causes, outermost first. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current instanceof Error && parts.length < 5) {
    if (current.message !== "" && !parts.includes(current.message)) parts.push(current.message);
    current = current.cause;
  }
  return parts.length > 0 ? parts.join(": ") : String(error);
}
