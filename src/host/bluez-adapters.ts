/** One question to BlueZ: which adapters there are, and whether they are on. */
import { statSync } from "node:fs";
import type { BluezFacts, Reading } from "../core/check.ts";
import { describeError, isAerialError } from "../core/errors.ts";
import { isAbsent, isUnreadable, wasRead } from "../core/reading.ts";
import { openDbus } from "./dbus-connection.ts";
import type { DbusValue } from "./dbus-message.ts";
import { toPrintable } from "./decode-text.ts";
import { toReading } from "./read-error.ts";

const deadlineMs = 2_000;
/** D-Bus' names for "there is no such program on the bus" (D-Bus Specification, "Message Bus Messages"). */
const nobody: ReadonlySet<string> = new Set(["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"]);

/** Absent where there is no bus, or no BlueZ on it. */
export async function readBluez(socketPath: string, signal: AbortSignal): Promise<Reading<BluezFacts>> {
  try {
    if (!statSync(socketPath).isSocket()) return isAbsent;
  } catch (error) {
    return toReading(error);
  }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    using connection = await openDbus({ socketPath, onSignal() {} }, deadline);
    const [objects] = await connection.call(
      { destination: "org.bluez", path: "/", interface: "org.freedesktop.DBus.ObjectManager", member: "GetManagedObjects" },
      deadline,
    );
    return wasRead({ adapters: toAdapters(objects) });
  } catch (error) {
    if (isAerialError(error) && nobody.has(String(error.details["name"]))) return isAbsent;
    return isUnreadable(deadline.aborted ? "D-Bus does not answer" : toPrintable(describeError(error)));
  }
}

/** From GetManagedObjects' answer, `a{oa{sa{sv}}}`. */
export function toAdapters(objects: DbusValue | undefined): BluezFacts["adapters"] {
  const adapters: { name: string; address?: string; powered?: boolean }[] = [];
  for (const [path, interfaces] of objects instanceof Map ? objects : []) {
    const name = /^\/org\/bluez\/(hci\d+)$/.exec(String(path))?.[1];
    const properties = interfaces instanceof Map ? interfaces.get("org.bluez.Adapter1") : undefined;
    if (name === undefined || !(properties instanceof Map)) continue;
    const address = properties.get("Address");
    const powered = properties.get("Powered");
    adapters.push({
      name,
      ...(typeof address === "string" && { address: toPrintable(address).toUpperCase() }),
      ...(typeof powered === "boolean" && { powered }),
    });
  }
  return adapters.sort((left, right) => (left.name < right.name ? -1 : 1));
}
