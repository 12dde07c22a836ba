/** Whether this node's kubelet and container runtime hand over devices by CDI name. */
import type { KubeObject } from "../../kube/exchange.ts";

interface NodeVersions {
  /** Of the Node's `status.nodeInfo`: `v1.36.1`. */
  readonly kubeletVersion: string;
  /** `containerd://2.2.9`, `cri-o://1.34.0`. */
  readonly containerRuntimeVersion: string;
}

/**
 * The first versions in which it is on unless somebody turned it off. Kubelet: feature gate DevicePluginCDIDevices, beta in 1.29.
 * containerd: `enable_cdi` is true since 2.0 (containerd RELEASES.md). CRI-O: CDI names of the CRI since 1.28, but our files'
 * `additionalGids` came to CDI in January 2024 (container-device-interface#179); 1.31 is the first that is surely newer.
 */
const since = { kubelet: [1, 29], containerd: [2, 0], "cri-o": [1, 31] } as const;

/** Of a Node as the API server gives it; what it does not say is empty. */
export function toNodeVersions(node: KubeObject): NodeVersions {
  const { status } = node as { readonly status?: { readonly nodeInfo?: Readonly<Record<string, unknown>> } };
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    kubeletVersion: text(status?.nodeInfo?.["kubeletVersion"]),
    containerRuntimeVersion: text(status?.nodeInfo?.["containerRuntimeVersion"]),
  };
}

/** Total: what cannot be read as a version counts as too old, so that a pod gets the device either way. */
export function hasCdi({ kubeletVersion, containerRuntimeVersion }: NodeVersions): boolean {
  const [, runtime = "", version = ""] = /^([a-z-]{1,32}):\/\/(.{0,128})$/.exec(containerRuntimeVersion) ?? [];
  if (runtime !== "containerd" && runtime !== "cri-o") return false;
  return isAtLeast(kubeletVersion, since.kubelet) && isAtLeast(version, since[runtime]);
}

function isAtLeast(version: string, [leastMajor, leastMinor]: readonly [number, number]): boolean {
  const [, major, minor] = /^v?(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor);
}
