/** Ports of the kernel's virtual host controllers, into which USB/IP devices are attached. */
import { closeSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { WireStick } from "../protocol.ts";
import { socketpair } from "./libc.ts";
import { loadModule } from "./modules.ts";
import { type UsbipDevice, runUsbipDevice } from "./usbip-device.ts";

const controller = "/sys/devices/platform/vhci_hcd.0";
/** CONFIG_USBIP_VHCI_HC_PORTS of Debian's kernels; each controller has as many again for USB 3, which come after them. */
const portsPerController = 15;
/** CONFIG_USBIP_VHCI_NR_HCS. */
const controllers = 8;
export const vhciPortCount = portsPerController * controllers;

/** enum usb_device_speed: what all these sticks are. */
const fullSpeed = 2;
/** A port is free a few milliseconds after a detach, but only once the hub has finished with what was in it. */
const freePatienceMs = 15_000;
const freePollMs = 5;

export interface VhciStick {
  unplug(): Promise<void>;
}

/** Attaches a stick to lab port `port` (1 to `vhciPortCount`), as soon as the kernel has let go of the stick before it. */
export async function plugIntoVhci(port: number, stick: WireStick): Promise<VhciStick> {
  await loadModule("vhci_hcd");
  const [kernelEnd, ourEnd] = socketpair();
  const socket = new Socket({ fd: ourEnd, readable: true, writable: true });
  try {
    const device = runUsbipDevice(socket, stick);
    const kernelPort = toKernelPort(port);
    // The device id only has to be anything: it names a device of a remote machine.
    await attach(`${kernelPort} ${kernelEnd} ${0x10000 + port} ${fullSpeed}`);
    return { unplug: () => detach({ socket, device, kernelPort }) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    // The kernel holds the socket itself now.
    closeSync(kernelEnd);
  }
}

async function attach(line: string): Promise<void> {
  const deadline = performance.now() + freePatienceMs;
  for (;;) {
    try {
      writeFileSync(`${controller}/attach`, line);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(freePollMs);
  }
}

interface Attached {
  readonly socket: Socket;
  readonly device: UsbipDevice;
  readonly kernelPort: number;
}

async function detach({ socket, device, kernelPort }: Attached): Promise<void> {
  await device.leave();
  writeFileSync(`${controller}/detach`, String(kernelPort));
  // The kernel shuts the connection down; the end of the stream closes our side.
  socket.end();
}

/** The kernel counts each controller's USB 2 ports, then its USB 3 ports. */
function toKernelPort(port: number): number {
  const index = port - 1;
  return Math.floor(index / portsPerController) * 2 * portsPerController + (index % portsPerController);
}
