/** Every built-in keeps to what is asked of any plugin, and together they are right about what people have seen. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreIdentification, type IdentificationScore } from "../scripts/identification-score.ts";
import { parseSightings, toDevice, type Sighting } from "../scripts/sightings.ts";
import type { Device } from "../src/core/device.ts";
import type { Identity } from "../src/core/identity.ts";
import { toDeviceView } from "../src/identify/device-view.ts";
import { identify } from "../src/identify/identify.ts";
import { claimsOf } from "../src/identify/match-fingerprint.ts";
import { runPluginConformance } from "../src/plugins/conformance.ts";
import { builtInPlugins } from "./index.ts";

function identityOf(device: Device): Identity {
  const view = toDeviceView(device);
  return identify(
    device,
    builtInPlugins.flatMap((plugin) => claimsOf(plugin, view)),
  );
}

function sightingsOf(name: string): readonly Sighting[] {
  const parsed = parseSightings(readFileSync(`test/fixtures/sightings/${name}.yaml`, "utf8"));
  return "sightings" in parsed ? parsed.sightings : [];
}

function scoreOf(name: string): IdentificationScore {
  const sightings = sightingsOf(name);
  return scoreIdentification(
    sightings,
    sightings.map((sighting) => identityOf(toDevice(sighting))),
  );
}

describe("every built-in plugin", () => {
  it.each(builtInPlugins.map((plugin) => [plugin.name, plugin] as const))("%s conforms", (_name, plugin) => {
    expect(runPluginConformance(plugin)).toEqual([]);
  });

  it("has a name of its own", () => {
    expect(new Set(builtInPlugins.map(({ name }) => name)).size).toBe(builtInPlugins.length);
  });
});

describe.each([
  ["dev", 99],
  ["made", 68],
])("on the sightings in %s.yaml", (name, total) => {
  const score = scoreOf(name);

  it("reads them all", () => {
    expect(score.total).toBe(total);
  });

  it("calls no trap a radio, and nothing ambiguous certain", () => {
    expect(score.mistakes.filter(({ truth, said }) => truth === "none" || said.startsWith("certain"))).toEqual([]);
    expect(score).toMatchObject({ traps: { calledRadio: 0 }, ambiguous: { calledCertain: 0 } });
  });

  it("is right about at least 97 % of what can be told, and wrong about nothing", () => {
    expect(score.decidable.right / score.decidable.total).toBeGreaterThanOrEqual(0.97);
    expect(score.decidable.wrong + score.generic.wrong).toBe(0);
  });

  it("does not even suspect a trap that names itself", () => {
    const suspected = sightingsOf(name).filter(
      (sighting) => sighting.trap && !sighting.generic && identityOf(toDevice(sighting)).state !== "unknown",
    );
    expect(suspected.map(({ id }) => id)).toEqual([]);
  });
});

it("identifies any strings without throwing, the same in any order of plugins", () => {
  const words = fc.constantFrom(
    "Zigbee",
    "Z-Wave",
    "OpenThread",
    "LoRa",
    "Bluetooth",
    "802.11ac",
    "CP2102N",
    "J-Link",
    "Arduino",
    "Bootloader",
    "RFXCOM",
    "\n",
    "\u001B[31m",
  );
  const text = fc.array(fc.oneof(words, fc.string({ maxLength: 40 })), { maxLength: 6 }).map((parts) => parts.join(" "));
  const sight = fc.record({
    id: fc.constantFrom("10c4:ea60", "0403:6001", "303a:4001", "239a:0029", "2341:0001", "0bda:8179", "fffe:0001"),
    manufacturer: text,
    product: text,
    kind: fc.constantFrom("serial", "usb", "bluetooth", "wifi"),
    plugins: fc.shuffledSubarray([...builtInPlugins], { minLength: builtInPlugins.length }),
  });
  fc.assert(
    fc.property(sight, ({ id, manufacturer, product, kind, plugins }) => {
      const usb = {
        vendorId: id.slice(0, 4),
        productId: id.slice(5),
        manufacturer,
        product,
        port: "1-1",
        busNumber: 1,
        deviceNumber: 2,
        interfaces: [],
      };
      const device: Device = { sysPath: "a", function: kind, nodes: [], usb };
      const shuffled = identify(
        device,
        plugins.flatMap((plugin) => claimsOf(plugin, toDeviceView(device))),
      );
      expect(shuffled).toEqual(identityOf(device));
    }),
  );
});

describe("what the kernel made of a device", () => {
  const usb = {
    vendorId: "0e8d",
    productId: "7961",
    manufacturer: "MediaTek Inc.",
    product: "Wireless_Device",
    port: "1-1",
    busNumber: 1,
    deviceNumber: 2,
  };
  it.each([
    [{ function: "bluetooth", driver: "btusb" }, "bluetooth"],
    [{ function: "wifi", driver: "mt7921u" }, "wifi"],
    [{ function: "ieee802154", driver: "atusb" }, "ieee802154"],
  ] as const)("%o is certain", (facts, kind) => {
    expect(identityOf({ sysPath: "a", nodes: [], usb: { ...usb, interfaces: [] }, ...facts })).toMatchObject({
      kinds: [kind],
      certainty: "certain",
    });
  });

  it("knows Bluetooth by its interface class when no driver took it", () => {
    const device: Device = {
      sysPath: "a",
      function: "usb",
      nodes: [],
      usb: { ...usb, vendorId: "fffe", product: "Thing", interfaces: [{ number: 0, classCode: "e0/01/01" }] },
    };
    expect(identityOf(device)).toMatchObject({ kinds: ["bluetooth"], certainty: "certain" });
  });

  it("tells the radios of a double stick apart by their ports", () => {
    const hubz = (interfaceNumber: number): Device => ({
      sysPath: "a",
      function: "serial",
      nodes: [],
      usb: {
        ...usb,
        vendorId: "10c4",
        productId: "8a2a",
        manufacturer: "Silicon Labs",
        product: "HubZ Smart Home Controller",
        interfaceNumber,
        interfaces: [],
      },
    });
    expect(identityOf(hubz(0))).toMatchObject({ kinds: ["zwave"] });
    expect(identityOf(hubz(1))).toMatchObject({ kinds: ["zigbee"] });
  });

  it("calls a spidev ambiguous and a built-in serial port unknown", () => {
    expect(
      identityOf({ sysPath: "a", function: "spi", driver: "spidev", nodes: [{ path: "/dev/spidev0.0", major: 153, minor: 0 }] }),
    ).toMatchObject({ state: "ambiguous", candidates: ["lora"] });
    expect(identityOf({ sysPath: "a", function: "serial", nodes: [{ path: "/dev/ttyAMA0", major: 204, minor: 64 }] }).state).toBe(
      "unknown",
    );
  });

  it("knows the serial port of boards with a radio on it", () => {
    const board: Device = {
      sysPath: "a",
      function: "serial",
      nodes: [{ path: "/dev/ttyAMA1", major: 204, minor: 65 }],
      platform: { compatible: [], board: "Home Assistant Yellow" },
    };
    expect(identityOf(board)).toMatchObject({ kinds: ["zigbee"], alternatives: ["thread"], line: { baudRate: 115_200, rtscts: true } });
  });
});

describe("identify:report", () => {
  const run = promisify(execFile);
  const report = (...options: readonly string[]) =>
    run(process.execPath, ["--conditions=source", "scripts/identify-report.ts", ...options]);

  it("prints the score as JSON", async () => {
    const { stdout } = await report("--json", "test/fixtures/sightings/made.yaml");
    expect(JSON.parse(stdout)).toEqual(scoreOf("made"));
  }, 60_000);

  it("says what is wrong with a file, where, and with which exit code", async () => {
    await expect(report("no-such-file.yaml")).rejects.toMatchObject({
      code: 66,
      stderr: expect.stringContaining("no-such-file.yaml") as string,
    });
    await expect(report("package.json")).rejects.toMatchObject({
      code: 65,
      stderr: expect.stringContaining("is not a list of sightings") as string,
    });
    await expect(report()).rejects.toMatchObject({ code: 64 });
  }, 60_000);
});

describe("the plugin guide", () => {
  it("shows a plugin that passes plugin:test", async () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync("plugins/README.md", "utf8"))?.[1] ?? "";
    const folder = await mkdtemp(join(tmpdir(), "aerial-guide-"));
    try {
      const file = join(folder, "acme.ts");
      await writeFile(file, example);
      await chmod(file, 0o644);
      const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=source", "scripts/plugin-test.ts", file]);
      expect(stdout).toBe(`${file} is a good plugin\n`);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});
