/** Pods for tests: a shell script in the image that every test node has. */
import type { Cluster } from "../cluster.ts";
import { busyboxImage } from "./images.ts";

export interface ScriptPod {
  readonly name: string;
  readonly script: string;
  /** `default` holds pods to the baseline Pod Security Standard, `kube-system` to none. */
  readonly namespace?: string;
  readonly node?: string;
  /** Fields of its container besides name, image and command. */
  readonly container?: Readonly<Record<string, unknown>>;
  /** Fields of its spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** For a container: nobody's, no root, no capabilities, no way to get any. */
export const unprivileged = {
  runAsNonRoot: true,
  runAsUser: 1_000,
  runAsGroup: 1_000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** The Pod, to be created as it is or put into a template. It is gone at once when deleted. */
export function scriptPod({ name, script, namespace = "default", node, container = {}, spec = {}, annotations = {} }: ScriptPod) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, annotations, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
      containers: [{ name: "main", image: busyboxImage, imagePullPolicy: "Never", command: ["sh", "-c", script], ...container }],
      ...spec,
    },
  };
}

/** Creates the pod and waits until it is Ready; throws with what `kubectl describe` says when it is not. */
export async function startPod({ kubectl }: Cluster, pod: ScriptPod, timeoutSeconds = 60): Promise<void> {
  await kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(scriptPod(pod)) });
  const where = ["--namespace", pod.namespace ?? "default"];
  try {
    await kubectl(["wait", ...where, "--for=condition=Ready", `pod/${pod.name}`, `--timeout=${timeoutSeconds}s`]);
  } catch (error) {
    throw new Error(`${String(error)}\n${await kubectl(["describe", ...where, "pod", pod.name])}`, { cause: error });
  }
}
