/** What a virtual stick answers on the bus beyond the standard requests: the chip's own requests and the radio's line. */
import type { WireStick } from "../protocol.ts";
import { hciController } from "./hci-controller.ts";
import type { EndpointPair } from "./usb-descriptors.ts";
import type { ControlSetup } from "./usbip-wire.ts";

export interface StickModel {
  /** A class or vendor request: the bytes it gives (none for a request that only sets something), or undefined to stall. */
  control(setup: ControlSetup, data: Uint8Array): Uint8Array | undefined;
  /** Bytes the host sent to a bulk endpoint. */
  receive(endpoint: number, data: Uint8Array): void;
}

interface StickModelDeps {
  readonly stick: WireStick;
  readonly pairs: readonly EndpointPair[];
  /** Gives bytes to the host as one transfer of an IN endpoint. */
  readonly send: (endpoint: number, data: Uint8Array) => void;
}

/** The model for the stick's driver. The far end of every serial line is a plug that sends back what it gets. */
export function stickModel(deps: StickModelDeps): StickModel {
  return deps.stick.driver === "btusb" ? bluetoothModel(deps) : serialModel(deps);
}

const nothing = new Uint8Array();
const isRead = ({ requestType }: ControlSetup): boolean => (requestType & 0x80) !== 0;

function serialModel({ stick, pairs, send }: StickModelDeps): StickModel {
  const frame = stick.driver === "ftdi_sio" ? ftdiPackets : (data: Uint8Array) => data;
  const answers = chipAnswers[stick.driver] ?? (() => undefined);
  return {
    control(setup) {
      if (!isRead(setup)) return nothing;
      // Registers nobody has a use for read as zeros, as long as was asked for.
      return answers(setup, pairs.length) ?? new Uint8Array(setup.length);
    },
    receive(endpoint, data) {
      const pair = pairs.find(({ bulkOut }) => bulkOut === endpoint);
      if (pair && data.length > 0) send(pair.bulkIn, frame(data));
    },
  };
}

type ChipAnswers = (setup: ControlSetup, ports: number) => Uint8Array | undefined;

/** The reads a driver makes something of at probe or open; the request numbers are those of drivers/usb/serial and cdc-acm. */
const chipAnswers: Readonly<Partial<Record<WireStick["driver"], ChipAnswers>>> = {
  // Part number: CP2102, or CP2105 for a stick with two ports.
  cp210x: ({ request, value }, ports) => (request === 0xff && value === 0x370b ? Uint8Array.of(ports > 1 ? 0x05 : 0x02) : undefined),
  // Chip version, and the modem lines (inverted).
  ch341: ({ request }) => (request === 0x5f ? Uint8Array.of(0x31, 0x00) : request === 0x95 ? Uint8Array.of(0xff, 0xee) : undefined),
  // Modem status and latency timer.
  ftdi_sio: ({ request }) => (request === 0x05 ? Uint8Array.of(0x01, 0x60) : request === 0x0a ? Uint8Array.of(16) : undefined),
  // Line coding: 9600 baud, 8N1.
  pl2303: ({ request }) => (request === 0x21 ? Uint8Array.of(0x80, 0x25, 0, 0, 0, 0, 8) : undefined),
  cdc_acm: ({ request }) => (request === 0x21 ? Uint8Array.of(0x80, 0x25, 0, 0, 0, 0, 8) : undefined),
};

/** Each 64-byte packet of an FTDI chip starts with two bytes of modem and line status. */
function ftdiPackets(data: Uint8Array): Uint8Array {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += 62) packets.push(Uint8Array.of(0x01, 0x60), data.subarray(at, at + 62));
  return Buffer.concat(packets);
}

/** HCI over USB (Bluetooth Core Specification, volume 4, part B §2): commands by control transfer, events by interrupt. */
function bluetoothModel({ stick, send }: StickModelDeps): StickModel {
  const eventEndpoint = 0x81;
  const controller = hciController({ cambridgeSiliconRadio: stick.vendorId === "0a12" });
  return {
    control(setup, data) {
      if (isRead(setup)) return undefined;
      const event = controller(data);
      if (event) send(eventEndpoint, event);
      return nothing;
    },
    receive() {},
  };
}
