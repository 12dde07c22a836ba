/** What a kernel class has to offer, before it is known what hardware it hangs on. */
import type { Device, DeviceNode } from "../core/device.ts";
import type { ClassDevice } from "./tree.ts";

/** A function found under a kernel class. */
export interface FoundFunction {
  readonly function: Exclude<Device["function"], "usb" | "network">;
  readonly at: ClassDevice;
  /** `missing`: it should have a node, but `/dev` has none, so it is being set up or on its way out. */
  readonly nodes: readonly DeviceNode[] | "missing";
  /** usb-serial's number of the port within its interface. */
  readonly port?: number;
  readonly facts?: Pick<Device, "wifi" | "bluetooth" | "ieee802154">;
}
