/** Bluetooth controllers on /dev/vhci (drivers/bluetooth/hci_vhci.c): the kernel's side is real, the radio is ours. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { hciController } from "./hci-controller.ts";
import { loadModule } from "./modules.ts";

/** Packet types (HCI_COMMAND_PKT and so on of include/net/bluetooth/hci.h); the vendor packet asks for a controller. */
const packetTypes = { command: 0x01, acl: 0x02, event: 0x04, vendor: 0xff } as const;
const primaryController = 0x00;

/** Adds a controller. Gives what removes it. */
export async function addBluetooth(): Promise<() => Promise<void>> {
  await loadModule("hci_vhci");
  const device = openSync("/dev/vhci", constants.O_RDWR);
  const answer = hciController();
  // Node can't wait for a character device; a child that copies it into a pipe can. It ends when it is killed.
  const pump = spawn("/bin/busybox", ["cat"], { stdio: [device, "pipe", "ignore"] });
  pump.stdout?.on(
    "data",
    hciPackets((type, packet) => {
      const event = type === packetTypes.command ? answer(packet) : undefined;
      if (event) writeSync(device, Uint8Array.of(packetTypes.event, ...event));
    }),
  );
  writeSync(device, Uint8Array.of(packetTypes.vendor, primaryController));
  return async () => {
    pump.kill("SIGKILL");
    await once(pump, "close");
    closeSync(device);
  };
}

/** Header length and the length field's place in it, after the type byte (Bluetooth Core Specification, volume 4, part E §5.4). */
const shapes: Readonly<Record<number, { readonly header: number; readonly length: (header: Buffer) => number }>> = {
  [packetTypes.command]: { header: 3, length: (header) => header.readUInt8(2) },
  [packetTypes.acl]: { header: 4, length: (header) => header.readUInt16LE(2) },
  // The kernel's word on which controller it made: type and index.
  [packetTypes.vendor]: { header: 3, length: () => 0 },
};

/** Cuts the stream the kernel writes into packets, header and parameters without the type byte. Throws on a type it never sends here. */
function hciPackets(receive: (type: number, packet: Uint8Array) => void): (chunk: Uint8Array) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      const type = rest.readUInt8(0);
      const shape = shapes[type];
      if (!shape) throw new RangeError(`HCI packet type ${type} is unknown`);
      if (rest.length < 1 + shape.header) return;
      const end = 1 + shape.header + shape.length(rest.subarray(1));
      if (rest.length < end) return;
      receive(type, rest.subarray(1, end));
      rest = rest.subarray(end);
    }
  };
}
