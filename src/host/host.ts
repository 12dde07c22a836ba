/** The host as the rest of aerial may use it: small capabilities under one set of roots. */
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { createBluez } from "./bluez.ts";
import { type DeviceNodes, listDeviceNodes } from "./device-nodes.ts";
import { createDevWatch } from "./dev-watch.ts";
import type { HintSource } from "./hint-source.ts";
import type { HostPaths } from "./host-paths.ts";
import { createSysfs, isSysfs, type Sysfs } from "./sysfs.ts";
import { createUeventSource } from "./uevent-socket.ts";
import { createUsbStringReader, type UsbStringReader } from "./usb-strings.ts";
import { createWifiModes, type WifiModes } from "./wifi-modes.ts";

export interface Host {
  readonly paths: HostPaths;
  /** sysfs, with each path that permissions keep from us told to `denied`. */
  sysfs(denied: (path: string) => void): Sysfs;
  readonly usbStrings: UsbStringReader;
  readonly wifiModes: WifiModes;
  /** Addresses of Bluetooth controllers by name (`hci0`), as far as BlueZ has told them. Ask only where there are controllers. */
  bluetoothAddresses(): ReadonlyMap<string, string>;
  /** What wakes the scanner; none of it is needed for a scan to be right. */
  readonly hintSources: readonly HintSource[];
  /** What is in `/dev` now. */
  deviceNodes(): DeviceNodes;
}

export interface HostDeps {
  readonly paths: HostPaths;
  readonly clock: Clock;
}

/** Opens the host below `paths`. Nothing is read, and no thread or descriptor held, until something is asked. */
export function openHost(deps: HostDeps): Host {
  const { paths, clock } = deps;
  const bluez = createBluez({ socketPath: join(paths.run, "dbus/system_bus_socket"), clock });
  return {
    paths,
    sysfs: (denied) => createSysfs(paths.sys, denied),
    wifiModes: isSysfs(paths.sys) ? createWifiModes() : { accessPoint: async () => undefined },
    bluetoothAddresses: () => bluez.addresses(),
    usbStrings: createUsbStringReader({ root: paths.sys, clock }),
    hintSources: [createUeventSource(), createDevWatch(paths.dev), bluez.source],
    deviceNodes: () => listDeviceNodes(paths.dev),
  };
}
