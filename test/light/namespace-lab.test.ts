/** The lab itself: what a process in it sees of a plug is what it would see on a node. */
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conbee2, csrBluetooth, hostileStick, husbzb1, noDriverStick, sonoffDonglePlus } from "../lab/sticks.ts";
import { openNamespaceLab, type NamespaceLab } from "./namespace-lab.ts";

const deadlineMs = 10_000;

/** A script in the namespace, its `print` a line each. */
const script = (code: string): readonly string[] => [
  "node",
  "--input-type=module",
  "-e",
  `const print = (line) => process.stdout.write(line + "\\n");${code}`,
];

describe.each([
  ["as this user", {}],
  ["unprivileged", { unprivileged: true }],
])("a namespace lab, %s", (_, options) => {
  let lab: NamespaceLab;

  beforeAll(async () => {
    lab = await openNamespaceLab(options);
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("lets the kernel say each plug and unplug, in its order, numbered, as if it were its own", async () => {
    await using listener = await lab.start(["node", "test/light/uevent-listener.ts"]);
    await listener.waitForLine(/^listening$/, deadlineMs);
    const plugged = await lab.plug(sonoffDonglePlus, { port: 3 });
    await plugged.unplug();
    await listener.waitForLine(new RegExp(`"remove","DEVPATH":"/${plugged.path}"`), deadlineMs);
    // The kernel's own devices may speak in between.
    const heard = listener.output
      .split("\n")
      .filter((line) => line.includes(plugged.path))
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(heard.map((each) => [each["ACTION"], each["SUBSYSTEM"], each["DEVPATH"]?.split("/").at(-1)].join(" "))).toEqual([
      "add usb 1-3",
      "add usb 1-3:1.0",
      "add usb-serial ttyUSB0",
      "add tty ttyUSB0",
      "bind usb-serial ttyUSB0",
      "bind usb 1-3:1.0",
      "bind usb 1-3",
      "remove tty ttyUSB0",
      "unbind usb-serial ttyUSB0",
      "remove usb-serial ttyUSB0",
      "unbind usb 1-3:1.0",
      "remove usb 1-3:1.0",
      "unbind usb 1-3",
      "remove usb 1-3",
    ]);
    expect(heard.find((each) => each["SUBSYSTEM"] === "tty")).toMatchObject({ MAJOR: "136", DEVNAME: "ttyUSB0" });
    const numbers = heard.map((each) => Number(each["SEQNUM"]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(heard.length);
  });

  it("shows nodes coming and going to inotify", async () => {
    await using watcher = await lab.start(
      script('import { watch } from "node:fs"; watch("/dev", (kind, name) => print(`${kind} ${name}`)); print("watching");'),
    );
    await watcher.waitForLine(/^watching$/, deadlineMs);
    const plugged = await lab.plug(conbee2);
    await watcher.waitForLine(/^rename ttyACM0$/, deadlineMs);
    const before = watcher.output.match(/rename ttyACM0/gu)?.length ?? 0;
    await plugged.unplug();
    await expect.poll(() => watcher.output.match(/rename ttyACM0/gu)?.length, { timeout: deadlineMs }).toBeGreaterThan(before);
  });

  it("has the sysfs and nodes of what is plugged in, and of nothing else", async () => {
    const plugged = [await lab.plug(husbzb1), await lab.plug(noDriverStick), await lab.plug(csrBluetooth), await lab.plug(hostileStick)];
    const { stdout } = await lab.run([
      "sh",
      "-c",
      `ls /sys/class/tty /sys/class/bluetooth; for t in /dev/ttyUSB*; do test -c $t && stat -c '%n %F %a' $t; done; cat /sys/${plugged[3]?.path}/manufacturer`,
    ]);
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual([
      "/sys/class/bluetooth:",
      "hci0",
      "/sys/class/tty:",
      "ttyUSB0",
      "ttyUSB1",
      "ttyUSB2",
      "/dev/ttyUSB0 character special file 600",
      "/dev/ttyUSB1 character special file 600",
      "/dev/ttyUSB2 character special file 600",
      ...`${hostileStick.manufacturer}`.split("\n"),
    ]);
    for (const each of plugged) await each.unplug();
    expect((await lab.run(["sh", "-c", "ls /sys/class/tty /sys/class/bluetooth /dev/bus/usb/001"])).stdout).toBe(
      "/dev/bus/usb/001:\n001\n\n/sys/class/bluetooth:\n\n/sys/class/tty:\n",
    );
  });

  it("hangs up who has the tty open, and gives the name to nobody else until it is closed", async () => {
    const first = await lab.plug(sonoffDonglePlus);
    expect(first.nodes).toEqual(["/dev/ttyUSB0"]);
    await using holder = await lab.start(
      script(`
        import { openSync, readSync, writeSync, closeSync, constants } from "node:fs";
        import { setTimeout as sleep } from "node:timers/promises";
        const fd = openSync("/dev/ttyUSB0", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
        print("open");
        const read = () => { try { return readSync(fd, Buffer.alloc(1)); } catch (error) { return error.code; } };
        while (read() === "EAGAIN") await sleep(5);
        print(\`read \${read()}\`);
        try { writeSync(fd, "x"); } catch (error) { print(\`write \${error.code}\`); }
        process.on("SIGUSR2", () => { closeSync(fd); print("closed"); });
        setInterval(() => {}, 1000);
        print("holding");`),
    );
    await holder.waitForLine(/^open$/, deadlineMs);
    await first.unplug();
    await holder.waitForLine(/^holding$/, deadlineMs);
    expect(holder.output).toContain("read 0\nwrite EIO\n");
    const second = await lab.plug(sonoffDonglePlus);
    expect(second.nodes).toEqual(["/dev/ttyUSB1"]);
    expect(second.deviceNumber).toBeGreaterThan(first.deviceNumber);
    await second.unplug();
    await holder.kill("SIGUSR2");
    await holder.waitForLine(/^closed$/, deadlineMs);
    const third = await lab.plug(sonoffDonglePlus);
    expect(third.nodes).toEqual(["/dev/ttyUSB0"]);
    await third.unplug();
  });

  it("adds and takes away what is not on USB", async () => {
    const kinds = ["bluetooth", "wifi", "ieee802154", "spidev"] as const;
    const added = await Promise.all(kinds.map((kind) => lab.add(kind)));
    added.push(await lab.addSerialPort({ name: "ttyAMA0", compatible: ["arm,pl011"] }));
    const look = ["sh", "-c", "cd /sys/class && ls bluetooth ieee80211 ieee802154 spidev tty; ls /dev/spidev* /dev/ttyAMA*"];
    expect((await lab.run(look)).stdout.split(/\s+/u)).toEqual([
      "bluetooth:",
      "hci0",
      "ieee80211:",
      "phy0",
      "ieee802154:",
      "phy0",
      "spidev:",
      "spidev0.0",
      "tty:",
      "ttyAMA0",
      "/dev/spidev0.0",
      "/dev/ttyAMA0",
      "",
    ]);
    for (const each of added) await each[Symbol.asyncDispose]();
    expect((await lab.run(look)).stdout.split(/\s+/u)).toEqual(["bluetooth:", "ieee80211:", "ieee802154:", "spidev:", "tty:", ""]);
  });

  it("runs commands to their end and starts ones that stay, with their environment", async () => {
    const { exitCode, stdout, stderr } = await lab.run(["sh", "-c", "echo $WORD; echo oops >&2; exit 3"], {
      environment: { WORD: "hello" },
    });
    expect([exitCode, stdout, stderr]).toEqual([3, "hello\n", "oops\n"]);
    await using sleeper = await lab.start(["sleep", "60"]);
    expect((await lab.run(["cat", `/proc/${sleeper.pid}/comm`])).stdout).toBe("sleep\n");
    await sleeper.kill("SIGTERM");
    expect(await sleeper.exited).toBeNull();
    await expect(lab.run(["sleep", "60"], { timeoutMs: 20 })).rejects.toThrow(/sleep 60 did not end within 20 ms/u);
    await expect(lab.start(["/no/such/program"])).rejects.toThrow(/ENOENT/u);
  });

  it("reaches a server on this machine, and none that was not asked for", async () => {
    const server = createServer((request, response) => void response.end(`you asked for ${request.url}`));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const fetching = script(`print(await fetch(process.env.URL).then((r) => r.text(), (e) => e.cause.code))`);
    const ask = async (url: string): Promise<string> => (await lab.run(fetching, { environment: { URL: url } })).stdout.trim();
    expect(await ask(`http://127.0.0.1:${port}/`)).toBe("ECONNREFUSED");
    expect(await ask(`http://${await lab.reach(port)}:${port}/nodes`)).toBe("you asked for /nodes");
    await new Promise((resolve) => void server.close(resolve));
  });

  it("says what went wrong, and goes on", async () => {
    const plugged = await lab.plug(sonoffDonglePlus, { port: 9 });
    await expect(lab.plug(conbee2, { port: 9 })).rejects.toThrow(/port 9 holds SONOFF/u);
    await plugged.unplug();
    await plugged.unplug();
  });
});

describe("closing a namespace lab", () => {
  it("ends all that runs in it, also what has left its parent", async () => {
    const lab = await openNamespaceLab();
    const mark = `aerial-orphan-${process.pid}`;
    await lab.run(["bash", "-c", `(exec -a ${mark} sleep 600) >/dev/null 2>&1 &`]);
    const processes = (): string => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    await expect.poll(processes, { timeout: deadlineMs }).toContain(`${mark} 600`);
    await lab[Symbol.asyncDispose]();
    expect(processes()).not.toContain(`${mark} 600`);
    await expect(lab.plug(sonoffDonglePlus)).rejects.toThrow(/the namespace is gone/u);
  });
});
