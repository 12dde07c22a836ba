/** Where the host's trees are mounted. Everything that touches the kernel goes through these roots. */
import { join } from "node:path";

export interface HostPaths {
  /** The host's sysfs: `/sys`. */
  readonly sys: string;
  /** The host's devtmpfs: `/dev`, in a pod `/host/dev`. */
  readonly dev: string;
  /** The host's procfs: `/proc`. */
  readonly proc: string;
  /** The host's `/run`, for the D-Bus socket. */
  readonly run: string;
  /** Where the kernel's modules lie, below their release; `/usr/lib/modules` unless told otherwise. */
  readonly modules?: string;
  /** The kubelet's own directory; `/var/lib/kubelet` unless told otherwise. */
  readonly kubelet?: string;
  /** The host's os-release, where it is mounted; in a pod `/etc/os-release` is the image's. */
  readonly osRelease?: string;
}

/** The host's own places, below `root`: a test's made-up tree, or `/`. */
export function hostPathsBelow(root: string): HostPaths & Required<Pick<HostPaths, "modules" | "kubelet" | "osRelease">> {
  return {
    sys: join(root, "sys"),
    dev: join(root, "dev"),
    proc: join(root, "proc"),
    run: join(root, "run"),
    modules: join(root, "usr/lib/modules"),
    kubelet: join(root, "var/lib/kubelet"),
    osRelease: join(root, "etc/os-release"),
  };
}
