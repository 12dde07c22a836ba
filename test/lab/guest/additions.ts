/** What can be added to the guest that is not a USB stick. */
import type { AddedKind } from "../protocol.ts";
import { addIeee802154, addWifi } from "./hwsim.ts";
import { addBluetooth } from "./virtual-bluetooth.ts";
import { addSpidev } from "./virtual-spidev.ts";

interface Additions {
  /** Gives a number to remove it by. */
  add(what: AddedKind): Promise<number>;
  remove(id: number): Promise<void>;
}

const adders: Readonly<Record<AddedKind, () => Promise<() => void | Promise<void>>>> = {
  bluetooth: addBluetooth,
  wifi: () => addWifi({ accessPoint: true }),
  "wifi-station-only": () => addWifi({ accessPoint: false }),
  ieee802154: addIeee802154,
  spidev: addSpidev,
};

export function openAdditions(): Additions {
  const present = new Map<number, () => void | Promise<void>>();
  let lastId = 0;
  return {
    async add(what) {
      const remove = await adders[what]();
      const id = ++lastId;
      present.set(id, remove);
      return id;
    },
    async remove(id) {
      const remove = present.get(id);
      if (!remove) throw new RangeError(`nothing was added as ${id}`);
      present.delete(id);
      await remove();
    },
  };
}
