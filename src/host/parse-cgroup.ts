/** Which pod and container a process belongs to, out of `/proc/PID/cgroup`. */

export interface CgroupOwner {
  /** As the API server writes it. Of a static pod it is the hash the kubelet gave it. */
  readonly podUid?: string;
  readonly containerId?: string;
}

/** The kubelet's name of a pod's cgroup; with the systemd driver `_` stands for `-` (pkg/kubelet/cm/cgroup_manager_linux.go). */
const pod = /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
/** `cri-containerd-<id>.scope`, `crio-<id>.scope`, `docker-<id>.scope`, or with the cgroupfs driver the id alone. */
const container = /^(?:cri-containerd-|crio-|docker-|libpod-)?([0-9a-f]{64})(?:\.scope)?$/;

/** Both cgroup versions, and all drivers and runtimes of Kubernetes. Total: what says nothing gives nothing. */
export function parseCgroup(text: string): CgroupOwner {
  for (const line of text.split("\n")) {
    const path = line.split(":").slice(2).join(":");
    let podUid: string | undefined;
    let containerId: string | undefined;
    for (const segment of path.split("/")) {
      podUid = pod.exec(segment)?.[1]?.replaceAll("_", "-") ?? podUid;
      containerId = container.exec(segment)?.[1] ?? containerId;
    }
    if (podUid !== undefined) return { podUid, ...(containerId !== undefined && { containerId }) };
  }
  return {};
}
