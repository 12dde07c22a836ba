/** Radios that the kernel itself drives: Bluetooth controllers, Wi-Fi and IEEE 802.15.4 phys. They have no device nodes. */
import type { Sysfs } from "../host/sysfs.ts";
import type { WifiModes } from "../host/wifi-modes.ts";
import type { FoundFunction } from "./functions.ts";
import { type ClassDevice, listClass } from "./tree.ts";

/** All controllers, with their addresses as far as BlueZ has told them: it is asked only when there are any. */
export function findBluetooth(sysfs: Sysfs, readAddresses: () => ReadonlyMap<string, string>): readonly FoundFunction[] {
  // Connections, such as `hci0:64`, are members of the same class.
  const controllers = listClass(sysfs, "bluetooth", /^hci\d+$/);
  const addresses = controllers.length === 0 ? undefined : readAddresses();
  return controllers.map((at) => {
    const address = addresses?.get(at.name);
    const bluetooth = { controller: at.name, ...(address === undefined ? {} : { address }) };
    return { function: "bluetooth", at, nodes: [], facts: { bluetooth } };
  });
}

/** All Wi-Fi phys. */
export async function findWifi(sysfs: Sysfs, modes: WifiModes): Promise<readonly FoundFunction[]> {
  const phys = listClass(sysfs, "ieee80211", /^/).map((at) => ({ at, index: sysfs.number(`${at.path}/index`, 10) ?? -1 }));
  const accessPoint = await modes.accessPoint(phys.map(({ index }) => index));
  return phys.map(({ at, index }) => {
    const capable = accessPoint?.get(index);
    const interfaces = interfacesOf(sysfs, at, "phy80211");
    const wifi = { phy: at.name, interfaces, ...(capable === undefined ? {} : { accessPoint: capable }) };
    return { function: "wifi", at, nodes: [], facts: { wifi } };
  });
}

/** All IEEE 802.15.4 phys. */
export function findIeee802154(sysfs: Sysfs): readonly FoundFunction[] {
  return listClass(sysfs, "ieee802154", /^/).map((at) => {
    const ieee802154 = { phy: at.name, interfaces: interfacesOf(sysfs, at, "phy802154") };
    return { function: "ieee802154", at, nodes: [], facts: { ieee802154 } };
  });
}

/**
 * Network interfaces hang beside the phy (cfg80211) or below it (mac802154). `back` is their link to the phy:
 * one piece of hardware may have several.
 */
function interfacesOf(sysfs: Sysfs, phy: ClassDevice, back: string): readonly string[] {
  const folders = [phy.path, ...(phy.device === undefined ? [] : [phy.device])].map((path) => `${path}/net`);
  const names = folders.flatMap((folder) =>
    sysfs.list(folder).filter((name) => (sysfs.linkName(`${folder}/${name}/${back}`) ?? phy.name) === phy.name),
  );
  return [...new Set(names)].toSorted();
}
