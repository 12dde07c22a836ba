/** Which device nodes of a radio a container may get. */
import type { DeviceNode } from "../../core/device.ts";
import type { Radio } from "../../core/radio.ts";

/** Names of the kernel below `/dev`: no empty part, none that begins with a dot. */
const pathPattern = /^\/dev(?:\/[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,62}){1,4}$/;

/**
 * In the device's order; the first is the main one. Empty when nothing can be handed over, as while a radio that is spoken to by a
 * serial port is a bare USB device: its driver is missing or still being loaded, and nobody could use what there is.
 */
export function givenNodes({ device, identity }: Pick<Radio, "device" | "identity">): readonly DeviceNode[] {
  if (device.function === "usb" && identity.state === "identified" && identity.line !== undefined) return [];
  return device.nodes.filter(({ path }) => pathPattern.test(path));
}
