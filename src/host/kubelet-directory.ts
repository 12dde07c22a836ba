/** Whether a kubelet has its directory on this machine. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** True where device plugins have a place to register; the kubelet makes it at its first start. */
export function hasDevicePlugins(kubelet: string): boolean {
  return existsSync(join(kubelet, "device-plugins"));
}
