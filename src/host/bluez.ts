/** Bluetooth controllers as BlueZ knows them (org.bluez.Adapter1): their addresses, and a hint when they change. */
import { statSync } from "node:fs";
import { createBackoff } from "../core/backoff.ts";
import { Cell } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { AerialError, describeError, isAerialError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import { busDriver, type DbusConnection, openDbus } from "./dbus-connection.ts";
import type { DbusMessage, DbusValue } from "./dbus-message.ts";
import type { HintSource } from "./hint-source.ts";

export interface Bluez {
  /** Addresses by controller (`hci0`), upper case with colons; empty until they were heard. To ask is to want them. */
  addresses(): ReadonlyMap<string, string>;
  /** Talks to BlueZ once addresses are wanted. A system without D-Bus or BlueZ is no fault: it waits for them. */
  readonly source: HintSource;
}

export interface BluezDeps {
  /** The system bus' socket: `/run/dbus/system_bus_socket`. */
  readonly socketPath: string;
  readonly clock: Clock;
}

const adapter = "org.bluez.Adapter1";
/** How often to look for the bus where there is none. */
const lookMs = 30_000;
const callTimeoutMs = 10_000;

const matchRules = [
  "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.ObjectManager'",
  `type='signal',sender='org.bluez',interface='org.freedesktop.DBus.Properties',arg0='${adapter}'`,
  "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.bluez'",
];

export function createBluez({ socketPath, clock }: BluezDeps): Bluez {
  let addresses: ReadonlyMap<string, string> = new Map();
  const wanted = new Cell(false);
  return {
    addresses() {
      if (!wanted.current) wanted.set(true);
      return addresses;
    },
    source: {
      name: "bluez",
      hearsAll: false,
      async run(listener, signal) {
        await untilTrue(wanted, signal);
        const backoff = createBackoff();
        let deaf: string | undefined;
        const session: Session = {
          socketPath,
          clock,
          connected() {
            deaf = undefined;
            backoff.reset();
            listener.listening();
          },
          heard(news) {
            addresses = news;
            listener.hint();
          },
        };
        while (!signal.aborted) {
          const there = isSocket(socketPath);
          if (there) {
            try {
              await listen(session, signal);
            } catch (error) {
              // Said once, not at every attempt.
              if (!signal.aborted && deaf === undefined) listener.listening((deaf = describeError(error)));
            }
            addresses = new Map();
          }
          await clock.sleep(there ? backoff.next() : lookMs, signal).catch(() => {});
        }
      },
    },
  };
}

interface Session {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly connected: () => void;
  readonly heard: (addresses: ReadonlyMap<string, string>) => void;
}

/** Tells of controllers until the bus goes or the signal aborts. */
async function listen({ socketPath, clock, connected, heard }: Session, signal: AbortSignal): Promise<void> {
  const news = new Cell(0);
  const onSignal = (message: DbusMessage): void => {
    if (concernsAdapter(message)) news.set(news.current + 1);
  };
  const inTime = <T>(ask: (deadline: AbortSignal) => Promise<T>): Promise<T> => withDeadline(ask, clock, signal);
  using connection = await inTime((deadline) => openDbus({ socketPath, onSignal }, deadline));
  using lifetime = linkSignal(signal);
  void connection.closed.then(() => lifetime.abort(new AerialError("host.bluez", "the D-Bus connection is closed")));
  for (const rule of matchRules) {
    await inTime((deadline) => connection.call({ ...busDriver, member: "AddMatch", arguments: [rule] }, deadline));
  }
  for await (const seen of news.changes(lifetime.signal)) {
    const addresses = await inTime((deadline) => readAddresses(connection, deadline));
    if (seen === 0) connected();
    heard(addresses);
  }
}

async function withDeadline<T>(ask: (deadline: AbortSignal) => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  using deadline = linkSignal(signal);
  void clock.sleep(callTimeoutMs, deadline.signal).then(
    () => deadline.abort(new AerialError("host.bluez", "D-Bus does not answer")),
    () => {},
  );
  try {
    return await ask(deadline.signal);
  } finally {
    deadline.abort(new AerialError("internal.abort", "answered in time"));
  }
}

/** Empty when BlueZ is not running. */
async function readAddresses(connection: DbusConnection, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  try {
    const [objects] = await connection.call(
      { destination: "org.bluez", path: "/", interface: "org.freedesktop.DBus.ObjectManager", member: "GetManagedObjects" },
      signal,
    );
    return toAddresses(objects);
  } catch (error) {
    const name = isAerialError(error) ? error.details["name"] : undefined;
    if (name === "org.freedesktop.DBus.Error.ServiceUnknown" || name === "org.freedesktop.DBus.Error.NameHasNoOwner") return new Map();
    throw error;
  }
}

/** From GetManagedObjects' answer, `a{oa{sa{sv}}}`. */
export function toAddresses(objects: DbusValue | undefined): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>();
  for (const [path, interfaces] of objects instanceof Map ? objects : []) {
    const controller = /^\/org\/bluez\/(hci\d+)$/.exec(String(path))?.[1];
    const properties = interfaces instanceof Map ? interfaces.get(adapter) : undefined;
    const address = properties instanceof Map ? properties.get("Address") : undefined;
    if (controller === undefined || typeof address !== "string" || !/^([0-9A-F]{2}:){5}[0-9A-F]{2}$/i.test(address)) continue;
    addresses.set(controller, address.toUpperCase());
  }
  return addresses;
}

/** While BlueZ discovers, it announces every device around: only controllers count. */
function concernsAdapter({ member, body }: DbusMessage): boolean {
  const [first, second] = body;
  if (member === "NameOwnerChanged") return first === "org.bluez";
  if (member === "InterfacesRemoved") return Array.isArray(second) && second.includes(adapter);
  if (member === "InterfacesAdded") return second instanceof Map && second.has(adapter);
  return member === "PropertiesChanged" && second instanceof Map && second.has("Address");
}

function isSocket(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  } catch {
    return false;
  }
}

async function untilTrue(cell: Cell<boolean>, signal: AbortSignal): Promise<void> {
  for await (const value of cell.changes(signal)) if (value) return;
}
