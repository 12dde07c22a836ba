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
}

/** The host's own places, below `root`: a test's made-up tree, or `/`. */
export function hostPathsBelow(root: string): HostPaths {
  return { sys: join(root, "sys"), dev: join(root, "dev"), proc: join(root, "proc"), run: join(root, "run") };
}
