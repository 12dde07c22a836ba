import fc from "fast-check";
import { expect, test } from "vitest";
import { adapterAdded, addMatchReturn, helloReturn, managedObjects, nobodyError } from "../../test/fixtures/dbus-messages.ts";
import { isAerialError } from "../core/errors.ts";
import { toAddresses } from "./bluez.ts";
import { decodeMessage, encodeCall, messageLength } from "./dbus-message.ts";

function errorOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("a bus' answers are read", () => {
  expect(decodeMessage(helloReturn)).toEqual({ type: "return", serial: 1, replySerial: 1, body: [":1.2"] });
  expect(decodeMessage(addMatchReturn)).toMatchObject({ type: "return", replySerial: 2, body: [] });
  expect(decodeMessage(nobodyError)).toMatchObject({
    type: "error",
    errorName: "org.freedesktop.DBus.Error.NameHasNoOwner",
    body: ['Name "org.nobody" does not exist'],
  });
});

test("all that BlueZ says of its objects is read", () => {
  const [objects] = decodeMessage(managedObjects).body;
  expect(toAddresses(objects)).toEqual(new Map([["hci0", "00:1A:7D:DA:71:13"]]));
  const of = (path: string, name: string): unknown => (objects as Map<string, Map<string, unknown>>).get(path)?.get(name);
  expect(of("/org/bluez/hci0", "org.bluez.Adapter1")).toEqual(
    new Map<string, unknown>([
      ["Address", "00:1A:7D:DA:71:13"],
      ["AddressType", "public"],
      ["Name", "node-1"],
      ["Alias", "node-1"],
      ["Class", 0x6c0000],
      ["Powered", true],
      ["DiscoverableTimeout", 180],
      ["UUIDs", ["00001801-0000-1000-8000-00805f9b34fb"]],
      ["ExperimentalFeatures", []],
      ["Roles", ["central", "peripheral"]],
    ]),
  );
  expect(of("/org/bluez/hci0/dev_A4_C1_38_00_00_01", "org.bluez.Device1")).toEqual(
    new Map<string, unknown>([
      ["Address", "A4:C1:38:00:00:01"],
      ["RSSI", -71],
      ["ManufacturerData", [1, 2, 3]],
    ]),
  );
});

test("signals carry path, interface and member", () => {
  expect(decodeMessage(adapterAdded)).toMatchObject({
    type: "signal",
    path: "/",
    interface: "org.freedesktop.DBus.ObjectManager",
    member: "InterfacesAdded",
    body: ["/org/bluez/hci1", new Map([["org.bluez.Adapter1", new Map([["Address", "00:1A:7D:DA:71:14"]])]])],
  });
});

test("calls are read as they were written, and start nobody", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), fc.integer({ min: 1, max: 0xffffffff }), (strings, serial) => {
      const call = {
        destination: "org.bluez",
        path: "/",
        interface: "org.freedesktop.DBus.ObjectManager",
        member: "X",
        arguments: strings,
      };
      const bytes = encodeCall(call, serial);
      expect(messageLength(bytes)).toBe(bytes.length);
      expect((bytes[2] ?? 0) & 2).toBe(2);
      expect(decodeMessage(bytes)).toEqual({
        type: "call",
        serial,
        path: "/",
        interface: "org.freedesktop.DBus.ObjectManager",
        member: "X",
        body: strings,
      });
    }),
  );
});

test("a message's length is known from its first sixteen bytes", () => {
  expect(messageLength(managedObjects.subarray(0, 15))).toBeUndefined();
  expect(messageLength(managedObjects.subarray(0, 16))).toBe(managedObjects.length);
});

test("a message that claims to be huge is refused, not waited for", () => {
  const huge = Uint8Array.from(helloReturn);
  huge.set([0xff, 0xff, 0xff, 0x7f], 4);
  expect(() => messageLength(huge)).toThrow("too long");
});

test("an array of nothing does not take for ever", () => {
  // The body's signature `a()`: its elements would take no bytes.
  const hello = Buffer.from(helloReturn).toString("latin1");
  const endless = Buffer.from(hello.replace("\u0008\u0001g\u0000\u0001s\u0000", "\u0008\u0001g\u0000\u0003a()\u0000"), "latin1");
  expect(() => decodeMessage(endless)).toThrow("malformed");
});

test("no bytes make it fail other than with its own error", () => {
  const damaged = fc
    .tuple(
      fc.constantFrom(managedObjects, helloReturn, nobodyError, adapterAdded),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    )
    .map(([message, changes]) => {
      const bytes = Uint8Array.from(message);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      const errors = [errorOf(() => messageLength(bytes)), errorOf(() => decodeMessage(bytes))];
      expect(errors.every((error) => error === undefined || isAerialError(error))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
