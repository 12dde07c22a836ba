/** USB descriptors (USB 2.0 §9.6) of virtual sticks: made up to suit a driver, or replayed from a real one. */
import type { WireStick } from "../protocol.ts";

const types = { device: 1, configuration: 2, interface: 4, endpoint: 5, interfaceAssociation: 11, classInterface: 0x24 } as const;
/** bmAttributes of an endpoint. */
const transfers = { bulk: 2, interrupt: 3 } as const;

export interface StickDescriptors {
  /** 18 bytes. */
  readonly device: Buffer;
  /** Whole configurations, each with all that belongs to it. */
  readonly configurations: readonly Buffer[];
}

/** The endpoints of one serial port (or of the HCI): addresses with the direction bit. */
export interface EndpointPair {
  readonly interfaceNumber: number;
  readonly bulkIn: number;
  readonly bulkOut: number;
}

/** The stick's own blob where it has one, else descriptors its driver accepts. */
export function stickDescriptors(stick: WireStick): StickDescriptors {
  if (stick.descriptorsBase64 !== undefined) return splitDescriptors(Buffer.from(stick.descriptorsBase64, "base64"));
  const layout = layouts[stick.driver](stick.ports ?? 1);
  return { device: deviceDescriptor(stick, layout), configurations: [configuration(layout)] };
}

/** Cuts a sysfs `descriptors` file: the device descriptor, then each configuration with its wTotalLength. */
function splitDescriptors(blob: Buffer): StickDescriptors {
  const configurations: Buffer[] = [];
  for (let at = 18; at + 4 <= blob.length; at += blob.readUInt16LE(at + 2)) {
    const length = blob.readUInt16LE(at + 2);
    if (length < 9 || at + length > blob.length)
      throw new RangeError(`the stick's descriptors end inside configuration ${configurations.length}`);
    configurations.push(blob.subarray(at, at + length));
  }
  if (configurations.length === 0) throw new RangeError("the stick's descriptors hold no configuration");
  return { device: blob.subarray(0, 18), configurations };
}

/** The interfaces of a configuration that have a bulk endpoint each way, in order. */
export function endpointPairs(configuration: Buffer): EndpointPair[] {
  const pairs: EndpointPair[] = [];
  let interfaceNumber = 0;
  let open: { bulkIn?: number; bulkOut?: number } = {};
  for (let at = 0; at + 2 <= configuration.length && configuration.readUInt8(at) > 0; at += configuration.readUInt8(at)) {
    const type = configuration.readUInt8(at + 1);
    if (type === types.interface) {
      interfaceNumber = configuration.readUInt8(at + 2);
      open = {};
    } else if (type === types.endpoint && (configuration.readUInt8(at + 3) & 3) === transfers.bulk) {
      const address = configuration.readUInt8(at + 2);
      open = address & 0x80 ? { ...open, bulkIn: address } : { ...open, bulkOut: address };
      if (open.bulkIn !== undefined && open.bulkOut !== undefined) {
        pairs.push({ interfaceNumber, bulkIn: open.bulkIn, bulkOut: open.bulkOut });
        open = {};
      }
    }
  }
  return pairs;
}

interface Layout {
  /** bDeviceClass, bDeviceSubClass, bDeviceProtocol. */
  readonly deviceClass: readonly [number, number, number];
  readonly usbVersion: number;
  readonly interfaceCount: number;
  readonly body: readonly Buffer[];
}

const perInterface = [0, 0, 0] as const;

const layouts: Readonly<Record<WireStick["driver"], (ports: number) => Layout>> = {
  cp210x: (ports) => vendorLayout(ports, (port) => [interfaceDescriptor(port, [0xff, 0, 0], 2), bulk(0x81 + port), bulk(0x01 + port)]),
  // Interrupt endpoints tell of modem lines; sizes as the real chips have them.
  ch341: (ports) =>
    vendorLayout(ports, (port) => [interfaceDescriptor(port, [0xff, 1, 2], 3), bulk(0x82, 32), bulk(0x02, 32), interrupt(0x81, 8)]),
  ftdi_sio: (ports) =>
    vendorLayout(ports, (port) => [interfaceDescriptor(port, [0xff, 0xff, 0xff], 2), bulk(0x81 + 2 * port), bulk(0x02 + 2 * port)]),
  // pl2303 takes a device of USB 1.1 for the PL2303HX.
  pl2303: (ports) => ({
    ...vendorLayout(ports, (port) => [interfaceDescriptor(port, [0xff, 0, 0], 3), interrupt(0x81, 10), bulk(0x02), bulk(0x83)]),
    usbVersion: 0x0110,
  }),
  none: (ports) => vendorLayout(ports, (port) => [interfaceDescriptor(port, [0xff, 0, 0], 2), bulk(0x81 + port), bulk(0x01 + port)]),
  cdc_acm: (ports) => ({
    // With several functions the associations group the interfaces (USB ECN "Interface Association Descriptor").
    deviceClass: ports > 1 ? [0xef, 2, 1] : [2, 0, 0],
    usbVersion: 0x0200,
    interfaceCount: 2 * ports,
    body: Array.from({ length: ports }, (_, port) => acmFunction(port, ports > 1)).flat(),
  }),
  // The primary controller of the Bluetooth Core Specification, volume 4, part B §2.2.
  btusb: () => ({
    deviceClass: [0xe0, 1, 1],
    usbVersion: 0x0200,
    interfaceCount: 1,
    body: [interfaceDescriptor(0, [0xe0, 1, 1], 3), interrupt(0x81, 16), bulk(0x82), bulk(0x02)],
  }),
};

function vendorLayout(ports: number, port: (index: number) => readonly Buffer[]): Layout {
  const body = Array.from({ length: ports }, (_, index) => port(index)).flat();
  return { deviceClass: perInterface, usbVersion: 0x0200, interfaceCount: ports, body };
}

/** Communication and data interface of one port (CDC 1.2 §5.2.3 and PSTN 1.2 §5.3), each port with endpoints of its own. */
function acmFunction(port: number, associated: boolean): Buffer[] {
  const [control, data] = [2 * port, 2 * port + 1];
  return [
    ...(associated ? [descriptor(types.interfaceAssociation, [control, 2, 2, 2, 1, 0])] : []),
    interfaceDescriptor(control, [2, 2, 1], 1),
    descriptor(types.classInterface, [0x00, 0x10, 0x01]),
    descriptor(types.classInterface, [0x01, 0x00, data]),
    // Line coding and control lines; no break, as most sticks.
    descriptor(types.classInterface, [0x02, 0x02]),
    descriptor(types.classInterface, [0x06, control, data]),
    interrupt(0x82 + 2 * port, 8),
    interfaceDescriptor(data, [0x0a, 0, 0], 2),
    bulk(0x81 + 2 * port),
    bulk(0x01 + 2 * port),
  ];
}

function deviceDescriptor(stick: WireStick, { deviceClass, usbVersion }: Layout): Buffer {
  const word = (hex: string): number[] => u16(Number.parseInt(hex, 16));
  const strings = [stick.manufacturer, stick.product, stick.serial].map((text, index) => (text === undefined ? 0 : index + 1));
  return descriptor(types.device, [
    ...u16(usbVersion),
    ...deviceClass,
    64,
    ...word(stick.vendorId),
    ...word(stick.productId),
    ...word(stick.release ?? "0100"),
    ...strings,
    1,
  ]);
}

function configuration({ interfaceCount, body }: Layout): Buffer {
  const length = 9 + body.reduce((sum, part) => sum + part.length, 0);
  // Bus powered, 100 mA.
  return Buffer.concat([descriptor(types.configuration, [...u16(length), interfaceCount, 1, 0, 0x80, 50]), ...body]);
}

function interfaceDescriptor(number: number, classCode: readonly [number, number, number], endpoints: number): Buffer {
  return descriptor(types.interface, [number, 0, endpoints, ...classCode, 0]);
}

function bulk(address: number, size = 64): Buffer {
  return descriptor(types.endpoint, [address, transfers.bulk, ...u16(size), 0]);
}

function interrupt(address: number, size: number): Buffer {
  return descriptor(types.endpoint, [address, transfers.interrupt, ...u16(size), 10]);
}

function descriptor(type: number, fields: readonly number[]): Buffer {
  return Buffer.from([fields.length + 2, type, ...fields]);
}

function u16(value: number): number[] {
  return [value & 0xff, value >> 8];
}
