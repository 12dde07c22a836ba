import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GuestLab, openGuestLab } from "./guest-lab.ts";
import type { PluggedStick, VirtualStick } from "./lab.ts";
import {
  arduinoMega,
  bareCh340,
  conbee2,
  conbee3,
  csrBluetooth,
  enoceanUsb300,
  hostileStick,
  husbzb1,
  longStringsStick,
  noDriverStick,
  pl2303Cable,
  sonoffDonglePlus,
  zstickGen5,
} from "./sticks.ts";

const settleMs = 20_000;
const serialNode = /^\/dev\/tty(?:USB|ACM)\d+$/;

describe.each([{ udev: false }, { udev: true }])("a guest with udevd: $udev", ({ udev }) => {
  let lab: GuestLab;
  beforeAll(async () => {
    lab = await openGuestLab({ udev });
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const shell = async (script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await lab.run(["sh", "-c", script], { timeoutMs: settleMs * 2 });
    if (exitCode !== 0) throw new Error(`exit code ${exitCode} from ${script}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  };
  /** Waits in the guest, so that no round trip is between a change and its being seen. */
  const until = (condition: string): Promise<string> =>
    shell(
      `i=0; until ${condition}; do i=$((i+1)); [ $i -lt 400 ] || { echo "never: ${condition.replaceAll('"', "'")}"; exit 1; }; sleep 0.05; done`,
    );
  const plugAndWait = async (stick: VirtualStick, port?: number): Promise<{ plugged: PluggedStick; node: string; name: string }> => {
    const sinceMs = Date.now();
    const plugged = await lab.plug(stick, port === undefined ? {} : { port });
    const { path } = await lab.waitForDeviceNode({ path: serialNode, action: "created", sinceMs, timeoutMs: settleMs });
    await until(`[ -e /sys/class/tty/${basename(path)}/device/driver ]`);
    return { plugged, node: path, name: basename(path) };
  };
  /** The USB device above a tty: `/sys/…/1-1`. */
  const usbDevice = (name: string): Promise<string> =>
    shell(`d=$(readlink -f /sys/class/tty/${name}/device); until [ -e $d/idVendor ]; do d=$(dirname $d); done; echo $d`);
  /** The driver of the USB interface a tty hangs on; ports of usb-serial have one of their own besides. */
  const interfaceDriver = (name: string): Promise<string> =>
    shell(
      `d=$(readlink -f /sys/class/tty/${name}/device); [ -e $d/bInterfaceNumber ] || d=$(dirname $d); basename $(readlink -f $d/driver)`,
    );
  /** What comes back from the far end, with the line raw as a program would set it. */
  const echo = (node: string, text: string): Promise<string> =>
    shell(
      `exec 3<>${node} && stty -F ${node} raw -echo && printf %s '${text}' >&3 && timeout 10 dd bs=1 count=${text.length} <&3 2>/dev/null`,
    );
  const unplugAndWait = async (plugged: PluggedStick, name: string): Promise<void> => {
    await plugged.unplug();
    await until(`[ ! -e /dev/${name} -a ! -e /sys/class/tty/${name} ]`);
  };

  test("runs Linux with the clock of this machine", () => {
    expect(lab.kernel).toMatch(/^\d+\.\d+/);
    // Emulated and on a busy machine; a wrong offset would be off by the guest's whole start.
    expect(lab.clock.uncertaintyMs).toBeLessThan(100);
  });

  test.each([sonoffDonglePlus, bareCh340, enoceanUsb300, conbee3, pl2303Cable, conbee2, zstickGen5])(
    "$name is bound by $driver and its tty carries bytes both ways",
    async (stick) => {
      const { plugged, node, name } = await plugAndWait(stick);
      expect(await interfaceDriver(name)).toBe(stick.driver);
      const device = await usbDevice(name);
      const attributes = await shell(
        `cd ${device}; cat idVendor idProduct bcdDevice; for f in manufacturer product serial; do cat $f 2>/dev/null || echo -; done`,
      );
      expect(attributes.split("\n")).toEqual([
        stick.vendorId,
        stick.productId,
        stick.release,
        stick.manufacturer ?? "-",
        stick.product ?? "-",
        stick.serial ?? "-",
      ]);
      expect(await echo(node, "are you there?")).toBe("are you there?");
      await unplugAndWait(plugged, name);
    },
  );

  test("CDC-ACM also comes over USB/IP, in a port where any stick can be", async () => {
    const { plugged, node, name } = await plugAndWait(arduinoMega, 7);
    expect(await shell(`readlink -f /sys/class/tty/${name}/device`)).toMatch(/vhci_hcd/);
    expect(await echo(node, "x".repeat(1000))).toBe("x".repeat(1000));
    await unplugAndWait(plugged, name);
  });

  test("a stick with two ports has two ttys, each with its own line", async () => {
    const sinceMs = Date.now();
    const plugged = await lab.plug(husbzb1);
    const first = await lab.waitForDeviceNode({ path: serialNode, action: "created", sinceMs, timeoutMs: settleMs });
    const isOther = new RegExp(`^(?!${first.path}$)/dev/ttyUSB\\d+$`);
    const second = await lab.waitForDeviceNode({ path: isOther, action: "created", sinceMs, timeoutMs: settleMs });
    const names = [first, second].map(({ path }) => basename(path));
    const interfaces = await shell(names.map((name) => `cat /sys/class/tty/${name}/device/../bInterfaceNumber`).join("; "));
    expect(interfaces.split("\n").toSorted()).toEqual(["00", "01"]);
    for (const { path } of [first, second]) expect(await echo(path, path)).toBe(path);
    await plugged.unplug();
    for (const name of names) await until(`[ ! -e /dev/${name} -a ! -e /sys/class/tty/${name} ]`);
  });

  test("hostile and long strings reach sysfs as they are", async () => {
    for (const stick of [hostileStick, longStringsStick]) {
      const { plugged, name } = await plugAndWait(stick);
      const device = await usbDevice(name);
      const manufacturer = await shell(`base64 -w0 ${device}/manufacturer`);
      // sysfs ends every value with a newline of its own.
      expect(Buffer.from(manufacturer, "base64").toString()).toBe(`${stick.manufacturer}\n`);
      await unplugAndWait(plugged, name);
    }
  });

  test("a replayed stick has its descriptors byte for byte", async () => {
    const { plugged, name } = await plugAndWait(sonoffDonglePlus);
    const blob = Buffer.from(await shell(`base64 -w0 ${await usbDevice(name)}/descriptors`), "base64");
    await unplugAndWait(plugged, name);
    // bcdUSB and bMaxPower as no stick of the lab's own has them.
    blob.writeUInt16LE(0x0110, 2);
    blob.writeUInt8(0x31, 18 + 8);
    const again = await plugAndWait({ ...sonoffDonglePlus, descriptors: blob });
    expect(await shell(`base64 -w0 ${await usbDevice(again.name)}/descriptors`)).toBe(blob.toString("base64"));
    expect(await shell(`cat ${await usbDevice(again.name)}/serial`)).toBe(sonoffDonglePlus.serial);
    await unplugAndWait(again.plugged, again.name);
  });

  test("the same port has the same port path, whatever is in it; another port another", async () => {
    const paths: string[] = [];
    for (const [stick, port] of [
      [sonoffDonglePlus, 3],
      [conbee2, 3],
      [sonoffDonglePlus, 4],
    ] as const) {
      const { plugged, name } = await plugAndWait(stick, port);
      expect(plugged.port).toBe(port);
      paths.push(basename(await usbDevice(name)));
      await unplugAndWait(plugged, name);
    }
    expect(paths[1]).toBe(paths[0]);
    expect(paths[2]).not.toBe(paths[0]);
  });

  test("a taken port is refused", async () => {
    const { plugged, name } = await plugAndWait(sonoffDonglePlus, 5);
    await expect(lab.plug(conbee2, { port: 5 })).rejects.toThrow("port 5 is taken");
    await expect(lab.plug(conbee2, { port: 500 })).rejects.toThrow("there is no port 500");
    await unplugAndWait(plugged, name);
  });

  test.each([sonoffDonglePlus, conbee2])("$name comes back under another name while the old one is open", async (stick) => {
    const first = await plugAndWait(stick);
    const holder = await lab.start(["sh", "-c", `exec 3<>${first.node} && echo open && exec sleep 600`]);
    await holder.waitForLine(/^open$/, settleMs);
    await unplugAndWait(first.plugged, first.name);
    const second = await plugAndWait(stick, first.plugged.port);
    expect(second.node).not.toBe(first.node);
    expect(await usbDevice(second.name)).toMatch(/\/[\d.-]+$/);
    await holder[Symbol.asyncDispose]();
    await unplugAndWait(second.plugged, second.name);
    const third = await plugAndWait(stick, first.plugged.port);
    expect(third.node).toBe(first.node);
    await unplugAndWait(third.plugged, third.name);
  });

  test("device nodes are told with times of this machine", async () => {
    const sinceMs = Date.now();
    const plugged = await lab.plug(sonoffDonglePlus);
    const created = await lab.waitForDeviceNode({ path: serialNode, action: "created", sinceMs, timeoutMs: settleMs });
    const heardMs = Date.now();
    const { uncertaintyMs } = lab.clock;
    expect(created.seenAtMs).toBeLessThanOrEqual(heardMs + 1 + uncertaintyMs);
    expect(created.bornAtMs).toBeGreaterThanOrEqual(sinceMs - 1 - uncertaintyMs);
    expect(created.bornAtMs).toBeLessThanOrEqual(created.seenAtMs);
    await plugged.unplug();
    const deleted = await lab.waitForDeviceNode({ path: serialNode, action: "deleted", sinceMs: created.seenAtMs, timeoutMs: settleMs });
    expect(deleted.path).toBe(created.path);
    await until(`[ ! -e /sys/class/tty/${basename(created.path)} ]`);
  });

  test("a stick without a driver is on the bus and nothing else", async () => {
    const plugged = await lab.plug(noDriverStick, { port: 9 });
    await until(`grep -qs ${noDriverStick.productId} /sys/bus/usb/devices/*/idProduct`);
    const device = await shell(`dirname $(grep -ls ${noDriverStick.productId} /sys/bus/usb/devices/*/idProduct)`);
    await until(`[ -e ${device}/${basename(device)}:1.0 ]`);
    expect(await shell(`ls -d ${device}/*:1.0/driver 2>/dev/null || echo none`)).toBe("none");
    await plugged.unplug();
    await until(`[ ! -e ${device} ]`);
  });

  test.each([
    { what: "bluetooth", folder: "/sys/class/bluetooth" },
    { what: "ieee802154", folder: "/sys/class/ieee802154" },
    { what: "wifi", folder: "/sys/class/ieee80211" },
    { what: "wifi-station-only", folder: "/sys/class/ieee80211" },
    { what: "spidev", folder: "/sys/class/spidev" },
  ] as const)("$what is added and taken away again", async ({ what, folder }) => {
    const list = (): Promise<string> => shell(`ls ${folder} 2>/dev/null || true`);
    expect(await list()).toBe("");
    const added = await lab.add(what);
    expect(await list()).toMatch(/^(?:hci|phy|spidev)[\d.]+$/);
    await added[Symbol.asyncDispose]();
    await until(`[ -z "$(ls ${folder} 2>/dev/null)" ]`);
  });

  test("a Wi-Fi phy can be an access point, or not", async () => {
    for (const [what, canBe] of [
      ["wifi", true],
      ["wifi-station-only", false],
    ] as const) {
      await using _phy = await lab.add(what);
      expect(/\* AP$/m.test(await shell("iw phy"))).toBe(canBe);
    }
  });

  test("a spidev node can be opened", async () => {
    await using _spidev = await lab.add("spidev");
    await until("[ -c /dev/spidev0.0 ]");
    expect(await shell("exec 3<>/dev/spidev0.0 && echo open")).toBe("open");
    await expect(lab.add("spidev")).rejects.toThrow("one spidev");
  });

  test("a Bluetooth stick becomes a controller that can be powered up", async () => {
    const plugged = await lab.plug(csrBluetooth, { port: 10 });
    await until("ls /sys/class/bluetooth/hci* >/dev/null 2>&1");
    expect(await shell("basename $(readlink -f /sys/class/bluetooth/hci*/device/driver)")).toBe("btusb");
    // The kernel says so once it has asked the controller who it is.
    await until("dmesg | grep -q 'CSR: Setting up dongle with HCI ver=6'");
    await plugged.unplug();
    await until("! ls /sys/class/bluetooth/hci* >/dev/null 2>&1");
  });

  test("processes write, end, are killed, and cannot hang a run", async () => {
    expect(await lab.run(["sh", "-c", 'echo "$GREETING"; echo oh >&2; exit 3'], { environment: { GREETING: "hello" } })).toEqual({
      exitCode: 3,
      stdout: "hello\n",
      stderr: "oh\n",
    });
    await expect(lab.run(["sleep", "600"], { timeoutMs: 300 })).rejects.toThrow("did not end within 300 ms");
    await expect(lab.run(["no-such-program"])).rejects.toThrow("ENOENT");
    // A daemon that keeps its parent's output open.
    expect((await lab.run(["sh", "-c", "sleep 600 & echo started"], { timeoutMs: settleMs })).stdout).toBe("started\n");
    const process = await lab.start(["sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"]);
    expect(await process.waitForLine(/rea/, settleMs)).toBe("ready");
    await expect(process.waitForLine(/never/, 100)).rejects.toThrow("ready");
    await process.kill("SIGTERM");
    expect(await process.exited).toBe(0);
    expect(process.output).toContain("bye");
  });

  test("the guest has this machine's Node, sees the project, gets files and reaches this machine's ports, but nothing else", async () => {
    expect(await shell("node --version")).toBe(process.version);
    expect(await shell("ls package.json")).toBe("package.json");
    await lab.writeFile?.("/tmp/aerial-lab-test/deep/file", "contents", { mode: 0o600 });
    expect(await shell("stat -c %a /tmp/aerial-lab-test/deep/file; cat /tmp/aerial-lab-test/deep/file")).toBe("600\ncontents");
    expect(existsSync("/tmp/aerial-lab-test")).toBe(false);

    const server = createServer((_request, response) => response.end("hello from outside"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    expect(await shell(`busybox wget -q -O - http://${await lab.reach(port)}:${port}/`)).toBe("hello from outside");
    server.close();
    expect(await shell("ip route show default")).toBe("");
  });

  test("many quick plugs end in the right state and leave no file of the agent open", async () => {
    const openFiles = async (): Promise<number> => Number(await shell("ls /proc/$PPID/fd | wc -l"));
    const flap = async (): Promise<void> => {
      for (const pauseMs of [0, 30, 150, 400, 0, 80]) {
        const plugged = await lab.plug(sonoffDonglePlus, { port: 2 });
        await sleep(pauseMs);
        await plugged.unplug();
      }
    };
    await flap();
    const { plugged, name } = await plugAndWait(conbee2, 2);
    await unplugAndWait(plugged, name);
    const before = await openFiles();
    await flap();
    await until("! grep -qs 10c4 /sys/bus/usb/devices/*/idVendor");
    expect(await openFiles()).toBe(before);
    const after = await plugAndWait(sonoffDonglePlus, 2);
    expect(await echo(after.node, "still here")).toBe("still here");
    await unplugAndWait(after.plugged, after.name);
  });

  if (udev) {
    test("udevd gives the node to a group and makes links", async () => {
      const { plugged, node, name } = await plugAndWait(sonoffDonglePlus);
      await until("[ -e /dev/serial/by-id ]");
      const link = `usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_${sonoffDonglePlus.serial}-if00-port0`;
      await until(`[ "$(readlink -f /dev/serial/by-id/${link})" = ${node} ]`);
      expect(await shell(`stat -c '%a %G' ${node}`)).toBe("660 dialout");
      await unplugAndWait(plugged, name);
    });
  } else {
    test("without udevd nobody changes the node or makes links", async () => {
      const { plugged, node, name } = await plugAndWait(sonoffDonglePlus);
      expect(await shell(`stat -c '%a %U' ${node}`)).toBe("600 root");
      expect(await shell("ls -d /dev/serial 2>/dev/null || echo none")).toBe("none");
      await unplugAndWait(plugged, name);
    });

    test("without udevd a stick whose driver is not loaded has no tty until somebody loads it", async () => {
      await shell("modprobe -r pl2303");
      const sinceMs = Date.now();
      const plugged = await lab.plug(pl2303Cable, { port: 11 });
      await until(`grep -qs ${pl2303Cable.vendorId} /sys/bus/usb/devices/*/idVendor`);
      await expect(lab.waitForDeviceNode({ path: serialNode, action: "created", sinceMs, timeoutMs: 500 })).rejects.toThrow("no ");
      await shell("modprobe pl2303");
      const { path } = await lab.waitForDeviceNode({ path: serialNode, action: "created", sinceMs, timeoutMs: settleMs });
      await unplugAndWait(plugged, basename(path));
    });
  }
});

describe("the end of a guest", () => {
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  test("closing it powers it off and leaves no process", async () => {
    const lab = await openGuestLab();
    expect(isAlive(lab.pid)).toBe(true);
    await lab[Symbol.asyncDispose]();
    expect(isAlive(lab.pid)).toBe(false);
    await expect(lab.run(["true"])).rejects.toThrow("the guest is gone");
  });

  test("killing who opened it ends it too", async () => {
    const script = `const { openGuestLab } = await import(${JSON.stringify(`${import.meta.dirname}/guest-lab.ts`)});
      const lab = await openGuestLab(); console.log(lab.pid); setInterval(() => {}, 1e6);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = (await once(child.stdout, "data")) as [Buffer];
    const pid = Number(output.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      `for i in $(seq 100); do grep -qs '^State:.[^Z]' /proc/${pid}/status || exit 0; sleep 0.05; done; echo alive`,
    ]);
    expect(stdout).toBe("");
  });

  test("a guest that does not come up in time says so", async () => {
    await expect(openGuestLab({ timeoutMs: 1 })).rejects.toThrow("did not come up within 1 ms");
  });
});
