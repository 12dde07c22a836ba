/** A bundle is made from sources full of planted secrets, unpacked with the system's own tar, and searched. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { apiSources } from "../../../test/fixtures/api-sources.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import type { Device } from "../../core/device.ts";
import { AerialError } from "../../core/errors.ts";
import type { HistoryEntry, Radio } from "../../core/radio.ts";
import type { SeenService } from "../../core/relay.ts";
import type { ApiSources } from "../sources.ts";
import { createSupportBundles } from "./support-bundle.ts";

const run = promisify(execFile);
const signal = new AbortController().signal;

const serial = "F0E1D2C3B4A59687";
const oddSerial = 'S/N "7\\7"';
const mac = "5c:e9:31:ab:cd:ef";
const secrets = [
  serial,
  "7\\7",
  "5ce931abcdef",
  mac,
  "192.168.77.13",
  "fd12:3456::77",
  "2001:db8:77::1",
  "Annas-iPhone",
  "hunter2",
  "eyJhbGciOiJSUzI1NiJ9",
];

const { device } = sampleRadio("x");
const usb = device.usb ?? ({} as NonNullable<Device["usb"]>);
const stick: Device = { ...device, byId: `usb-ITead_Sonoff_${serial}-if00-port0`, usb: { ...usb, serial } };
const odd: Device = { ...device, byId: "usb-ITead_Sonoff_S_N__7_7_-if00", usb: { ...usb, serial: oddSerial } };
const box: Device = {
  sysPath: `network/slzb-06-${mac.replaceAll(":", "")}.local:6638`,
  function: "network",
  nodes: [],
  network: {
    service: "_slzb-06._tcp",
    instance: "SLZB-06",
    text: { mac, token: "hunter2" },
    host: `slzb-06-${mac.replaceAll(":", "")}.local`,
    port: 6638,
    addresses: ["192.168.77.13", "2001:db8:77::1"],
    others: [],
    links: ["iot"],
    mac,
  },
};
const radios: readonly Radio[] = [
  sampleRadio(`10c4-ea60-${serial}`, { device: stick, name: "attic" }),
  sampleRadio("10c4-ea60-S-N-7-7-1a2b3c4d", { device: odd }),
  sampleRadio("10c4-ea60-node-1-1-1.2.3", { idBasis: "port" }),
  sampleRadio(`network-${mac.replaceAll(":", "")}`, { device: box, idBasis: "serial" }),
];
const phone: SeenService = {
  protocol: "mdns",
  service: "_rdlink._tcp",
  instance: "Annas-iPhone",
  host: "Annas-iPhone.local",
  addresses: ["192.168.77.14"],
  text: {},
  link: "home",
  lastSeen: "2026-01-01T00:00:00.000Z",
  expires: "2026-01-01T00:00:00.000Z",
  relayedTo: [],
};

function history(sequence: number): HistoryEntry {
  const text = `SONOFF Dongle (${serial}) appeared as /dev/ttyUSB0`;
  return {
    sequence,
    at: "2026-01-01T00:00:00.000Z",
    type: "attached",
    radioId: `10c4-ea60-${serial}`,
    text,
    details: { serial, address: "fd12:3456::77" },
  };
}

function sources(changes: Partial<ApiSources> = {}): ApiSources {
  const base = apiSources();
  base.snapshots.set(sampleSnapshot(radios, { node: "kitchen-nuc" }));
  base.stored.set({ ...base.stored.current, newest: 700 });
  return {
    ...base,
    history: ({ after, limit }) => Array.from({ length: Math.min(limit, 700 - after) }, (_, index) => history(after + index + 1)),
    config: () => ({ node: { name: "kitchen-nuc" }, mqtt: { password: "hunter2" }, relay: { links: [{ interface: "home" }] } }),
    metrics: () =>
      Promise.resolve({
        contentType: "",
        text: `aerial_radio_present{radio="10c4-ea60-${serial}",serial="S/N \\"7\\\\7\\""} 1\naerial_scan_sum 0.123456789012345678\n`,
      }),
    relay: {
      status: () => Promise.reject(new AerialError("relay.away", "the relay at 192.168.77.13 is away")),
      services: () => Promise.resolve([phone]),
      async *trace() {},
    },
    support: {
      log: () => [
        JSON.stringify({ level: "info", message: `heard Annas-iPhone at ${mac}`, authorization: "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
        `not json ${serial}`,
      ],
      kernel: () =>
        Promise.resolve({ log: [`usb 1-1: SerialNumber: ${serial}`, "usb 1-2: SerialNumber: DISK99", "hub 1-1.2.3:1.0: USB hub found"] }),
    },
    ...changes,
  };
}

/** Files of the unpacked bundle, by name. */
async function unpack(archive: Buffer): Promise<ReadonlyMap<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-bundle-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "bundle.tar.gz");
  await writeFile(file, archive);
  await run("tar", ["--extract", "--gzip", `--file=${file}`, `--directory=${directory}`]);
  const place = join(directory, "aerial-support");
  const names = await readdir(place);
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(place, name), "utf8")] as const)));
}

it("has everything in it, and none of what was planted", async () => {
  const { name, archive } = await createSupportBundles(sources(), signal)({ hideNames: false });
  expect(name).toMatch(/^aerial-kitchen-nuc-\d{8}T\d{6}Z\.tar\.gz$/);
  const files = await unpack(await buffer(archive));
  expect([...files.keys()].sort()).toEqual(
    [
      "README.txt",
      "node.json",
      "health.json",
      "radios.json",
      "history.jsonl",
      "config.json",
      "relay.json.missing",
      "metrics.txt",
      "kernel.json",
      "log.jsonl",
    ].sort(),
  );
  const all = [...files].map(([file, text]) => `${file}\n${text}`).join("\n");
  expect(secrets.filter((secret) => all.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
  expect(all).not.toContain("DISK99");
  expect(all).not.toContain("192.168.77.14");

  const { radios: told } = JSON.parse(files.get("radios.json") ?? "") as { readonly radios: readonly Record<string, unknown>[] };
  const [first, , third] = told;
  expect(first).toMatchObject({ name: "attic", state: "present", kinds: ["zigbee"], devicePaths: ["/dev/ttyUSB0"] });
  expect(third?.["id"]).toBe("10c4-ea60-node-1-1-1.2.3");
  const lines = (files.get("history.jsonl") ?? "").trim().split("\n");
  expect(lines).toHaveLength(700);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ sequence: 700, radioId: first?.["id"], details: { serial: first?.["serial"] } });
  expect(files.get("kernel.json")).toContain(`SerialNumber: ${String(first?.["serial"])}`);
  expect(files.get("kernel.json")).toContain("hub 1-1.2.3:1.0: USB hub found");
  expect(files.get("metrics.txt")).toContain("aerial_scan_sum 0.123456789012345678");
  expect(files.get("config.json")).toContain("kitchen-nuc");
  expect(files.get("relay.json.missing")).toMatch(/^the relay at ipv4-private-\w+ is away/);
  const readMe = files.get("README.txt") ?? "";
  for (const file of ["node.json", "radios.json", "relay.json", "log.jsonl"]) expect(readMe).toContain(file);
  expect(readMe).toContain("serial-");
});

it("leaves out the names that people have given, if asked to", async () => {
  const { name, archive } = await createSupportBundles(sources(), signal)({ hideNames: true });
  expect(name).not.toContain("kitchen");
  const all = [...(await unpack(await buffer(archive))).values()].join("\n");
  expect(all).not.toMatch(/kitchen-nuc|attic/);
});

it("is made once at a time, and again when the one before was read or left", async () => {
  const make = createSupportBundles(sources(), signal);
  const first = await make({ hideNames: false });
  await expect(make({ hideNames: false })).rejects.toMatchObject({ code: "api.busy" });
  first.archive.destroy();
  await new Promise((resolve) => first.archive.once("close", resolve));
  const second = await make({ hideNames: false });
  expect((await buffer(second.archive)).length).toBeGreaterThan(1_000);
});

it("a part of any size is cut, and the rest is there", async () => {
  const support: ApiSources["support"] = {
    log: () => Array.from({ length: 500 }, () => "x".repeat(10_000)),
    kernel: () => Promise.reject(new Error("no")),
  };
  const { archive } = await createSupportBundles(sources({ support }), signal)({ hideNames: false });
  const files = await unpack(await buffer(archive));
  expect(files.get("log.jsonl.cut")).toHaveLength(1024 * 1024);
  expect(files.get("kernel.json.missing")).toBe("no\n");
  expect(files.has("radios.json")).toBe(true);
});

it("breaks off when aerial ends", async () => {
  const lifetime = new AbortController();
  const { archive } = await createSupportBundles(sources(), lifetime.signal)({ hideNames: false });
  lifetime.abort();
  await expect(buffer(archive)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
});
