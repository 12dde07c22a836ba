import fc from "fast-check";
import { expect, test } from "vitest";
import { byIdName } from "./by-id-name.ts";

interface Row {
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  readonly port?: number;
  readonly name: string;
}

const nameOf = ({ manufacturer, product, serial, port }: Omit<Row, "name">): string | undefined => {
  const bytes = (text: string | undefined): Uint8Array | undefined => (text === undefined ? undefined : Buffer.from(text));
  const strings = { manufacturer: bytes(manufacturer), product: bytes(product), serial: bytes(serial), port };
  const given = Object.fromEntries(Object.entries(strings).filter(([, value]) => value !== undefined));
  return byIdName({ vendorId: "1a86", productId: "7523", interfaceNumber: "00", ...given });
};

// As udev names them: from owners' reports of real sticks, the rest from `udevadm test-builtin usb_id` of systemd 252.
const rows: readonly Row[] = [
  { product: "USB Serial", port: 0, name: "usb-1a86_USB_Serial-if00-port0" },
  { name: "usb-1a86_7523-if00" },
  { manufacturer: "FTDI", product: "FT232R USB UART", serial: "AD02FMB2", port: 0, name: "usb-FTDI_FT232R_USB_UART_AD02FMB2-if00-port0" },
  {
    manufacturer: "Silicon Labs",
    product: "http://slae.sh cc2652 - slaesh's iot stuff",
    serial: "00:12:4B:00:00:00:00:00",
    port: 0,
    name: "usb-Silicon_Labs_http:__slae.sh_cc2652_-_slaesh_s_iot_stuff_00:12:4B:00:00:00:00:00-if00-port0",
  },
  {
    manufacturer: "Arduino (www.arduino.cc)",
    product: "Arduino Due Prog. Port",
    serial: "55736323938351C0A120",
    name: "usb-Arduino__www.arduino.cc__Arduino_Due_Prog._Port_55736323938351C0A120-if00",
  },
  {
    manufacturer: "Prolific Technology Inc.",
    product: "USB-Serial Controller D ",
    port: 0,
    name: "usb-Prolific_Technology_Inc._USB-Serial_Controller_D-if00-port0",
  },
  { manufacturer: " \t a  b \n", product: "日本 é", serial: " 1 2 ", name: "usb-a_b_日本_é_1_2-if00" },
  { manufacturer: "\u000b.~", product: "\n\u000b~", name: "usb-_.____-if00" },
  { manufacturer: "a\\x20\\z", product: "p", name: "usb-a\\x20_z_p-if00" },
  { manufacturer: "m", product: "p", serial: "1,2", name: "usb-m_p-if00" },
  { manufacturer: "m", product: "p", serial: "é", name: "usb-m_p-if00" },
  { manufacturer: "x".repeat(80), product: "p", name: `usb-${"x".repeat(63)}_p-if00` },
  // Cut within a character: its first byte is left and replaced.
  { manufacturer: `${"x".repeat(62)}é`, product: "p", name: `usb-${"x".repeat(62)}__p-if00` },
];

test.each(rows)("$name", ({ name, ...strings }) => {
  expect(nameOf(strings)).toBe(name);
});

test("a name that is not safe to print is no name", () => {
  expect(nameOf({ manufacturer: "m", product: "a\u202eb" })).toBeUndefined();
  expect(nameOf({ manufacturer: "m", product: "a\u0085b" })).toBeUndefined();
});

test("whatever the strings, a name is one path segment", () => {
  const bytes = fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.record({ manufacturer: bytes, product: bytes, serial: bytes }), (strings) => {
      const given = Object.fromEntries(Object.entries(strings).filter(([, value]) => value !== undefined));
      const name = byIdName({ vendorId: "10c4", productId: "ea60", interfaceNumber: "01", port: 2, ...given });
      if (name === undefined) return;
      expect(name).toMatch(/^usb-[^\s/\0]*-if01-port2$/u);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    }),
  );
});
