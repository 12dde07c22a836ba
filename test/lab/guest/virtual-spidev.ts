/** A spidev node: QEMU's parallel port becomes an SPI bus (Documentation/spi/spi-lm70llp.rst), its one device is given to spidev. */
import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadModule } from "./modules.ts";

const bus = "/sys/bus/spi";
const patienceMs = 5_000;

let added = false;

/** Binds spidev to the bus' device, so that `/dev/spidevB.C` is there. There is one; a second is refused. Gives what takes it away. */
export async function addSpidev(): Promise<() => void> {
  if (added) throw new RangeError("the lab has one spidev, and it is there already");
  added = true;
  try {
    const device = await spiDevice();
    const folder = join(bus, "devices", device);
    writeFileSync(join(folder, "driver_override"), "spidev");
    await loadModule("spidev");
    if (boundDriver(folder) !== "spidev") {
      if (boundDriver(folder) !== undefined) writeFileSync(join(folder, "driver", "unbind"), device);
      writeFileSync(join(bus, "drivers", "spidev", "bind"), device);
    }
    return () => {
      writeFileSync(join(bus, "drivers", "spidev", "unbind"), device);
      added = false;
    };
  } catch (error) {
    added = false;
    throw error;
  }
}

async function spiDevice(): Promise<string> {
  // What the bus says it has is a thermometer, whose driver udevd would load.
  mkdirSync("/run/modprobe.d", { recursive: true });
  writeFileSync("/run/modprobe.d/lab.conf", "blacklist lm70\n");
  await loadModule("parport_pc");
  await loadModule("spi_lm70llp");
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(10)) {
    const [device] = existsSync(join(bus, "devices")) ? readdirSync(join(bus, "devices")) : [];
    if (device !== undefined) return device;
  }
  throw new Error("no SPI device appeared on the parallel port");
}

function boundDriver(folder: string): string | undefined {
  const driver = join(folder, "driver");
  return existsSync(driver) ? basename(readlinkSync(driver)) : undefined;
}
