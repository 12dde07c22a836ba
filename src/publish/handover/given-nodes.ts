/** Which device nodes of a radio a container may get. */
import type { Device, DeviceNode } from "../../core/device.ts";

/** Names of the kernel below `/dev`: no empty part, none that begins with a dot. */
const pathPattern = /^\/dev(?:\/[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,62}){1,4}$/;

/** In the device's order; the first is the main one. Empty when nothing can be handed over. */
export function givenNodes({ nodes }: Device): readonly DeviceNode[] {
  return nodes.filter(({ path }) => pathPattern.test(path));
}
