/** What people mean when they name a radio. */
import type { Device } from "../core/device.ts";
import { AerialError } from "../core/errors.ts";
import type { IdentifiedDevice } from "../core/identity.ts";
import type { Radio, Snapshot } from "../core/radio.ts";

/** The radio with this id or, if there is none, this name. */
function findRadio(snapshot: Snapshot, key: string): Radio | undefined {
  return snapshot.radios.get(key) ?? [...snapshot.radios.values()].find(({ name }) => name === key);
}

/** As `findRadio`. @throws AerialError `inventory.unknown-radio` */
export function requireRadio(snapshot: Snapshot, key: string): Radio {
  const radio = findRadio(snapshot, key);
  if (radio === undefined) throw new AerialError("inventory.unknown-radio", `no radio has the id or name "${key}"`);
  return radio;
}

/**
 * Everything, radio or not, that `key` stands for: an id, else a name, else a device node (`/dev/ttyUSB0`, `ttyUSB0`), by-id
 * name, USB port, serial number, sysfs path, controller or phy; on the network a host name, with or without port, or an address. More than one thing may hang on a port.
 * @throws AerialError `inventory.unknown-radio`
 */
export function findAll(
  snapshot: Snapshot,
  key: string,
): { readonly radios: readonly Radio[]; readonly others: readonly IdentifiedDevice[] } {
  const named = findRadio(snapshot, key);
  if (named !== undefined) return { radios: [named], others: [] };
  const isMeant = (device: Device): boolean => placesOf(device).includes(withoutPrefix(key));
  const radios = [...snapshot.radios.values()].filter(({ device }) => isMeant(device));
  const others = snapshot.others.filter(({ device }) => isMeant(device));
  if (radios.length + others.length === 0) throw new AerialError("inventory.unknown-radio", `nothing here goes by "${key}"`);
  // A device node is given again once its radio is gone: who is there now is meant.
  const present = radios.filter(({ presence }) => presence === "present");
  return { radios: present.length + others.length > 0 ? present : radios, others };
}

function withoutPrefix(key: string): string {
  return key.replace(/^\/dev\/serial\/by-id\/|^\/dev\/|^\/sys\//, "");
}

function placesOf(device: Device): readonly (string | undefined)[] {
  const { nodes, byId, usb, bluetooth, wifi, ieee802154, network, sysPath } = device;
  return [
    ...nodes.map(({ path }) => withoutPrefix(path)),
    byId,
    usb?.port,
    usb?.serial,
    bluetooth?.controller,
    wifi?.phy,
    ieee802154?.phy,
    ...((wifi ?? ieee802154)?.interfaces ?? []),
    ...(network === undefined ? [] : [network.host, `${network.host}:${network.port}`, ...network.addresses, network.serial, network.mac]),
    sysPath,
  ];
}
