/** The lab's USB ports: which stick sits where. */
import type { WireStick } from "../protocol.ts";
import { fitsGadget, gadgetPortCount, plugGadget } from "./acm-gadget.ts";
import { loadModule } from "./modules.ts";
import { plugIntoVhci, vhciPortCount } from "./vhci-port.ts";

interface UsbPorts {
  /** Gives the port it went into: the one asked for, or the first free one that suits. Rejects when that is taken. */
  plug(stick: WireStick, port: number | undefined): Promise<number>;
  /** Rejects when nothing is in the port. */
  unplug(port: number): Promise<void>;
}

/** Ports 1 to 120 take any stick (vhci_hcd); those after them are CDC-ACM gadgets on dummy_hcd. */
const firstGadgetPort = vhciPortCount + 1;

export function openUsbPorts({ loadDrivers }: { readonly loadDrivers: boolean }): UsbPorts {
  const taken = new Map<number, { unplug(): void | Promise<void> }>();
  return {
    async plug(stick, wanted) {
      const port = wanted ?? freePort(stick, taken);
      if (!isPort(port)) throw new RangeError(`there is no port ${port}: they are 1 to ${vhciPortCount + gadgetPortCount}`);
      if (taken.has(port)) throw new RangeError(`port ${port} is taken`);
      // Reserved before the first wait, so that two plugs at once cannot get one port.
      taken.set(port, { unplug() {} });
      try {
        if (loadDrivers && stick.driver !== "none") await loadModule(stick.driver);
        taken.set(port, port < firstGadgetPort ? await plugIntoVhci(port, stick) : await plugGadget(gadgetIndex(port, stick), stick));
      } catch (error) {
        taken.delete(port);
        throw error;
      }
      return port;
    },
    async unplug(port) {
      const stick = taken.get(port);
      if (!stick) throw new RangeError(`port ${port} is empty`);
      taken.delete(port);
      await stick.unplug();
    },
  };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= vhciPortCount + gadgetPortCount;
}

function freePort(stick: WireStick, taken: ReadonlyMap<number, unknown>): number {
  const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);
  const candidates = [...(fitsGadget(stick) ? range(firstGadgetPort, gadgetPortCount) : []), ...range(1, vhciPortCount)];
  const free = candidates.find((port) => !taken.has(port));
  if (free === undefined) throw new RangeError("every port is taken");
  return free;
}

function gadgetIndex(port: number, stick: WireStick): number {
  if (fitsGadget(stick)) return port - firstGadgetPort;
  throw new RangeError(`port ${port} is a CDC-ACM gadget and cannot be ${stick.name}; ports 1 to ${vhciPortCount} take any stick`);
}
