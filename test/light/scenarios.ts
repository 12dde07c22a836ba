/** What must hold on any node, told as stories of sticks; they run in the namespace lab and in the guest. */
import { expect } from "vitest";
import type { Lab, PluggedStick, VirtualStick } from "../lab/lab.ts";
import {
  arduinoMega,
  bareCh340,
  conbee2,
  cp2102OtherTwin,
  cp2102Twin,
  hostileStick,
  longStringsStick,
  noDriverStick,
  nrf52840Bootloader,
  nrf52840Thread,
  pl2303Cable,
  sonoffDonglePlus,
  zstickGen5,
} from "../lab/sticks.ts";
import type { AerialOnLab, Radios } from "./aerial-on-lab.ts";

export interface Scenario {
  readonly name: string;
  /** Where it can run; both unless said otherwise. */
  readonly only?: Lab["kind"];
  /** Leaves the lab as it found it. `aerial` has an empty memory. */
  run(lab: Lab, aerial: AerialOnLab): Promise<void>;
}

type Radio = Radios[number];

const present = (radios: Radios): Radios => radios.filter(({ state }) => state === "present");
/** A scan may catch a stick whose driver has not made its tty yet, or has already taken it back: it then is a bare USB device. */
const areReady =
  (count: number) =>
  (radios: Radios): boolean =>
    present(radios).length === count && present(radios).every((radio) => radio.function !== "usb");
const areGone = areReady(0);
const only = (radios: Radios): Radio => {
  const [radio] = radios;
  if (radio === undefined || radios.length !== 1) throw new RangeError(`${radios.length} radios instead of one: ${JSON.stringify(radios)}`);
  return radio;
};
/** Control characters that a terminal would act on; lines may end. */
// eslint-disable-next-line no-control-regex
const terminalControls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;
const labelValue = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/u;

/** Sticks that are taken out again whatever happens. */
function createHand(lab: Lab): AsyncDisposable & { plug(stick: VirtualStick, port?: number): Promise<PluggedStick> } {
  const held = new Set<PluggedStick>();
  return {
    async plug(stick, port) {
      const plugged = await lab.plug(stick, port === undefined ? {} : { port });
      const tracked: PluggedStick = {
        ...plugged,
        async unplug() {
          held.delete(tracked);
          await plugged.unplug();
        },
      };
      held.add(tracked);
      return tracked;
    },
    async [Symbol.asyncDispose]() {
      for (const stick of held) await stick.unplug();
    },
  };
}

async function comesAndGoes(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  expect(daemon.radios).toEqual([]);
  const stick = await hand.plug(sonoffDonglePlus);
  const radio = only(await daemon.until("stick", areReady(1)));
  expect(radio).toMatchObject({
    kinds: ["zigbee"],
    driver: "cp210x",
    function: "serial",
    serial: sonoffDonglePlus.serial,
    idBasis: "serial",
  });
  expect(radio.devicePaths).toEqual(["/dev/ttyUSB0"]);
  expect(radio.byId).toBe(`usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_${sonoffDonglePlus.serial}-if00-port0`);

  const seen = (await aerial.scan()).devices.filter(({ usb }) => usb?.vendorId === sonoffDonglePlus.vendorId);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ kinds: radio.kinds, devicePaths: radio.devicePaths, sysPath: radio.sysPath, port: radio.port });

  await stick.unplug();
  const gone = only(await daemon.until("absence", areGone));
  expect(gone).toMatchObject({ id: radio.id, state: "absent", kinds: ["zigbee"] });
  expect((await aerial.scan()).devices.filter(({ usb }) => usb?.vendorId === sonoffDonglePlus.vendorId)).toEqual([]);
  expect((await aerial.history()).filter((entry) => /^(?:at|de)tached/u.test(entry))).toEqual([
    `attached ${radio.id}`,
    `detached ${radio.id}`,
  ]);
}

async function twinsKeepApart(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const first = await hand.plug(cp2102Twin, 1);
  const one = only(await daemon.until("first twin", areReady(1)));
  const second = await hand.plug(cp2102OtherTwin, 2);
  const both = present(await daemon.until("second twin", areReady(2)));
  const other = only(both.filter(({ port }) => port !== one.port));
  expect(other.id).not.toBe(one.id);
  expect(both.find(({ id }) => id === one.id)?.port).toBe(one.port);
  // Nothing tells them from any other CP2102.
  expect(both.map(({ kinds, certainty }) => [kinds, certainty])).toEqual([
    [[], "ambiguous"],
    [[], "ambiguous"],
  ]);

  await first.unplug();
  await second.unplug();
  await daemon.until("absence of both", areGone);
  // Back in reverse order: the ttys change hands, the ids do not.
  await hand.plug(cp2102OtherTwin, 2);
  await daemon.until("second twin again", areReady(1));
  await hand.plug(cp2102Twin, 1);
  const again = present(await daemon.until("both again", areReady(2)));
  expect(again.map(({ id, port }) => [id, port])).toEqual(both.map(({ id, port }) => [id, port]));
  expect(again.find(({ id }) => id === other.id)?.devicePaths).toEqual(["/dev/ttyUSB0"]);
  expect(again.find(({ id }) => id === one.id)?.devicePaths).toEqual(["/dev/ttyUSB1"]);
  expect(daemon.radios).toHaveLength(2);
}

async function movesWithItsSerial(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const before = await hand.plug(sonoffDonglePlus, 1);
  const radio = only(await daemon.until("stick", areReady(1)));
  await before.unplug();
  await daemon.until("absence", areGone);
  await hand.plug(sonoffDonglePlus, 3);
  const moved = only(await daemon.until("stick elsewhere", areReady(1)));
  expect(moved.id).toBe(radio.id);
  expect(moved.port).not.toBe(radio.port);
  expect(await aerial.history()).toContain(`moved ${radio.id}`);
}

async function isItsPortWithoutSerial(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const before = await hand.plug(zstickGen5, 1);
  const radio = only(await daemon.until("stick", areReady(1)));
  expect(radio).toMatchObject({ kinds: ["zwave"], idBasis: "port" });
  await before.unplug();
  await daemon.until("absence", areGone);
  const moved = await hand.plug(zstickGen5, 3);
  const elsewhere = only(present(await daemon.until("stick elsewhere", areReady(1))));
  expect(elsewhere.id).not.toBe(radio.id);
  await moved.unplug();
  await daemon.until("absence again", areGone);
  await hand.plug(zstickGen5, 1);
  expect(only(present(await daemon.until("stick back", areReady(1)))).id).toBe(radio.id);
}

async function keepsItsIdWhenRenumbered(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const before = await hand.plug(sonoffDonglePlus, 1);
  const radio = only(await daemon.until("stick", areReady(1)));
  // Somebody does not close the port: its number is not free when the stick comes back.
  await using holder = await lab.start(["sh", "-c", "exec 3<>/dev/ttyUSB0 && echo held && exec sleep 600"]);
  await holder.waitForLine(/^held$/u, 20_000);
  await before.unplug();
  await daemon.until("absence", areGone);
  await hand.plug(sonoffDonglePlus, 1);
  const renumbered = only(await daemon.until("stick under its new number", areReady(1)));
  expect([renumbered.id, renumbered.devicePaths]).toEqual([radio.id, ["/dev/ttyUSB1"]]);
}

async function returnsFromItsBootloader(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const application = await hand.plug(nrf52840Thread, 1);
  const radio = only(await daemon.until("stick", areReady(1)));
  expect(radio.kinds).toEqual(["thread"]);
  await application.unplug();
  const bootloader = await hand.plug(nrf52840Bootloader, 1);
  const flashing = only(await daemon.until("bootloader", (radios) => radios.some(({ state }) => state === "bootloader")));
  expect(flashing).toMatchObject({ id: radio.id, kinds: ["thread"], usb: { productId: nrf52840Bootloader.productId } });
  await bootloader.unplug();
  await hand.plug(nrf52840Thread, 1);
  const back = only(await daemon.until("return", areReady(1)));
  expect(back).toMatchObject({ id: radio.id, kinds: ["thread"], usb: { productId: nrf52840Thread.productId } });
}

async function survivesItsOwnDeath(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  const stick = await hand.plug(conbee2, 1);
  let id: string;
  {
    await using daemon = await aerial.start();
    ({ id } = only(await daemon.until("stick", areReady(1))));
    await daemon.process.kill("SIGKILL");
    await daemon.process.exited;
  }
  await stick.unplug();
  await hand.plug(sonoffDonglePlus, 1);
  await using daemon = await aerial.start();
  const radios = await daemon.until("the other stick", areReady(1));
  expect(radios).toHaveLength(2);
  expect(radios.find((radio) => radio.id === id)).toMatchObject({ state: "absent", kinds: ["zigbee"] });
  const history = await aerial.history();
  expect(history.filter((entry) => entry === `attached ${id}`)).toHaveLength(1);
  expect(history.filter((entry) => entry === `detached ${id}`)).toHaveLength(1);
}

async function isNotFooled(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const sticks = [pl2303Cable, arduinoMega, bareCh340, noDriverStick, conbee2];
  for (const stick of sticks) await hand.plug(stick);
  await daemon.until("the one radio", (radios) => radios.some(({ kinds }) => kinds.includes("zigbee")));
  const { devices } = await aerial.scan();
  const found = sticks.map((stick) => devices.find(({ usb }) => usb?.vendorId === stick.vendorId && usb.productId === stick.productId));
  expect(found.map((device) => [device?.kinds, device?.function])).toEqual([
    [[], "serial"],
    [[], "serial"],
    [[], "serial"],
    [[], "usb"],
    [["zigbee"], "serial"],
  ]);
  expect(found[3]?.driver).toBeUndefined();
  expect(found[3]?.devicePaths.filter((path) => path.includes("tty"))).toEqual([]);
}

async function isNotHurtByStrings(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  await hand.plug(hostileStick);
  await hand.plug(longStringsStick);
  // The same strings where they reach ids and names: on what is taken for radios.
  const { product = "" } = sonoffDonglePlus;
  await hand.plug({ ...sonoffDonglePlus, product: `${product}${hostileStick.manufacturer ?? ""}`, serial: hostileStick.serial ?? "" });
  await hand.plug({ ...sonoffDonglePlus, serial: longStringsStick.serial ?? "" });
  const radios = await daemon.until("both radios", areReady(2));
  expect(radios.map(({ kinds }) => kinds)).toEqual([["zigbee"], ["zigbee"]]);
  for (const { id } of radios) expect(id).toMatch(labelValue);
  const outputs = [await aerial.run("scan"), await aerial.run("scan", "-o", "json"), await aerial.run("devices", "-o", "wide")];
  for (const { exitCode, stdout, stderr } of outputs) {
    expect(exitCode).toBe(0);
    expect(stdout).not.toMatch(terminalControls);
    expect(stderr).not.toMatch(terminalControls);
  }
  expect(daemon.process.output).not.toMatch(terminalControls);
  const { devices } = JSON.parse(outputs[1]?.stdout ?? "") as Awaited<ReturnType<AerialOnLab["scan"]>>;
  const long = devices.find(({ usb }) => usb?.vendorId === longStringsStick.vendorId);
  expect(long?.serial).toBe(longStringsStick.serial);
  expect(long?.usb?.product).toBe(longStringsStick.product);
}

async function takesManyAtOnce(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  const count = 200;
  const sticks = await Promise.all(
    Array.from({ length: count }, (_, index) => hand.plug({ ...sonoffDonglePlus, serial: `${index + 1}`.padStart(32, "5") }, index + 1)),
  );
  const radios = present(await daemon.until(`${count} sticks`, areReady(count)));
  expect(new Set(radios.map(({ id }) => id)).size).toBe(count);
  expect(new Set(radios.flatMap(({ devicePaths }) => devicePaths)).size).toBe(count);
  expect(radios.every(({ kinds }) => kinds.join() === "zigbee")).toBe(true);
  await Promise.all(sticks.map((stick) => stick.unplug()));
  const gone = await daemon.until("nothing", areGone);
  expect(gone.map(({ id }) => id)).toEqual(radios.map(({ id }) => id));
}

/** Plugs and unplugs as fast as the lab can until it is stopped; `stop` gives how often. */
function flap(plug: () => Promise<PluggedStick>): AsyncDisposable & { stop(): Promise<number> } {
  const stopped = new AbortController();
  const flapping = (async () => {
    let times = 0;
    for (; !stopped.signal.aborted; times += 1) await (await plug()).unplug();
    return times;
  })();
  const stop = (): Promise<number> => {
    stopped.abort();
    return flapping;
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

async function readsWhatVanishes(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using hand = createHand(lab);
  await using daemon = await aerial.start();
  await hand.plug(conbee2, 1);
  const steady = only(await daemon.until("the stick that stays", areReady(1)));
  await using flapping = flap(() => hand.plug(sonoffDonglePlus, 2));
  for (let scans = 0; scans < 3; scans += 1) {
    const { devices } = await aerial.scan();
    const sticks = devices.filter(({ usb }) => usb !== undefined);
    for (const { usb, serial, function: role, devicePaths } of sticks) {
      // Whole or not at all: nothing is shown with half its identity.
      const stays = usb?.vendorId === conbee2.vendorId;
      const expected = stays ? conbee2 : sonoffDonglePlus;
      expect([usb?.productId, usb?.manufacturer, serial]).toEqual([expected.productId, expected.manufacturer, expected.serial]);
      if (role === "serial") expect(devicePaths).toHaveLength(1);
    }
    expect(sticks.filter(({ usb }) => usb?.vendorId === conbee2.vendorId)).toHaveLength(1);
  }
  expect(await flapping.stop()).toBeGreaterThan(3);
  const settled = await daemon.until("rest", areReady(1));
  expect(only(present(settled)).id).toBe(steady.id);
  expect(settled.length).toBeLessThanOrEqual(2);
  await hand.plug(sonoffDonglePlus, 2);
  await daemon.until("both", areReady(2));
  expect((await aerial.history()).filter((entry) => entry.endsWith(steady.id))).toEqual([
    `attached ${steady.id}`,
    `identified ${steady.id}`,
  ]);
}

async function seesWhatIsNotOnUsb(lab: Lab, aerial: AerialOnLab): Promise<void> {
  await using daemon = await aerial.start();
  const added = [await lab.add("bluetooth"), await lab.add("wifi"), await lab.add("ieee802154"), await lab.add("spidev")];
  const radios = await daemon.until("Bluetooth and Wi-Fi", (found) =>
    ["bluetooth", "wifi"].every((role) => found.some(({ function: it }) => it === role)),
  );
  expect(radios.filter(({ kinds }) => kinds.includes("bluetooth"))).toHaveLength(1);
  const functions = (await aerial.scan()).devices.map((device) => device.function);
  for (const role of ["bluetooth", "wifi", "ieee802154", "spi"]) expect(functions).toContain(role);
  for (const each of added) await each[Symbol.asyncDispose]();
  await daemon.until("nothing", areGone);
}

export const scenarios: readonly Scenario[] = [
  { name: "a stick comes and goes", run: comesAndGoes },
  { name: "two sticks with one serial number keep their ids, whichever comes first", run: twinsKeepApart },
  { name: "a stick keeps its id in another port", run: movesWithItsSerial },
  { name: "a stick without serial number is whatever is in its port", run: isItsPortWithoutSerial },
  { name: "a stick keeps its id when its tty is renumbered", run: keepsItsIdWhenRenumbered },
  { name: "a stick in its bootloader is still the same radio", run: returnsFromItsBootloader },
  { name: "a daemon that was killed remembers, and finds out what happened meanwhile", run: survivesItsOwnDeath },
  { name: "bridges, boards and unknown sticks are not called radios", run: isNotFooled },
  { name: "hostile and overlong strings do no harm", run: isNotHurtByStrings },
  { name: "two hundred sticks at once", only: "namespace", run: takesManyAtOnce },
  { name: "a sysfs that vanishes while it is read", run: readsWhatVanishes },
  { name: "radios that are not on USB", run: seesWhatIsNotOnUsb },
];
