/** Radios without hardware: the kernel's Wi-Fi and IEEE 802.15.4 simulators, made and removed at run time. */
import { genericRequest, u32 } from "./generic-netlink.ts";
import { loadModule } from "./modules.ts";

/** drivers/net/wireless/virtual/mac80211_hwsim.h (in older kernels drivers/net/wireless). */
const wifi = {
  family: "MAC80211_HWSIM",
  commands: { newRadio: 4, deleteRadio: 5 },
  attributes: { radioId: 10, interfaceTypes: 23 },
} as const;

/** Bit of NL80211_IFTYPE_STATION (include/uapi/linux/nl80211.h). */
const stationOnly = 1 << 2;

/** drivers/net/ieee802154/mac802154_hwsim.h. */
const ieee802154 = { family: "MAC802154_HWSIM", commands: { newRadio: 3, deleteRadio: 4 }, attributes: { radioId: 1 } } as const;
/** The simulator starts with these and cannot be told not to. */
const firstIeee802154Radios = [0, 1];

let ieee802154Ready: Promise<void> | undefined;

/** A Wi-Fi phy; one that may only be a station when `accessPoint` is false. Gives what removes it. */
export async function addWifi({ accessPoint }: { readonly accessPoint: boolean }): Promise<() => void> {
  await loadModule("mac80211_hwsim", "radios=0");
  const { family, commands, attributes } = wifi;
  const types = accessPoint ? [] : [u32(attributes.interfaceTypes, stationOnly)];
  const id = genericRequest({ family, command: commands.newRadio, attributes: types });
  return () => void genericRequest({ family, command: commands.deleteRadio, attributes: [u32(attributes.radioId, id)] });
}

/** An IEEE 802.15.4 phy. Gives what removes it. */
export async function addIeee802154(): Promise<() => void> {
  ieee802154Ready ??= loadIeee802154();
  await ieee802154Ready;
  const id = genericRequest({ family: ieee802154.family, command: ieee802154.commands.newRadio });
  return () => removeIeee802154(id);
}

async function loadIeee802154(): Promise<void> {
  await loadModule("mac802154_hwsim");
  for (const id of firstIeee802154Radios) removeIeee802154(id);
}

function removeIeee802154(id: number): void {
  const { family, commands, attributes } = ieee802154;
  genericRequest({ family, command: commands.deleteRadio, attributes: [u32(attributes.radioId, id)] });
}
