/** The support bundle of a real daemon, unpacked with tar and searched for all that is private on its node. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { type MeasuredDaemon, openMeasuredDaemon, plantedToken } from "./measured-daemon.ts";

const run = promisify(execFile);

let daemon: MeasuredDaemon;
let macs: readonly string[];

beforeAll(async () => {
  daemon = await openMeasuredDaemon();
  const { stdout } = await daemon.lab.run(["ip", "-json", "link"]);
  macs = (JSON.parse(stdout) as readonly { readonly address: string; readonly ifname: string }[])
    .filter(({ ifname }) => ifname !== "lo")
    .map(({ address }) => address);
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

async function unpack(file: string): Promise<ReadonlyMap<string, string>> {
  const directory = `${file}.d`;
  await mkdir(directory);
  await run("tar", ["--extract", "--gzip", `--file=${file}`, `--directory=${directory}`]);
  const place = join(directory, "aerial-support");
  return new Map(await Promise.all((await readdir(place)).map(async (name) => [name, await readFile(join(place, name), "utf8")] as const)));
}

describe("aerial support-bundle", () => {
  it("writes an archive in which nothing private is left", async () => {
    expect(sonoffDonglePlus.serial?.length).toBeGreaterThan(8);
    expect(macs).toHaveLength(4);
    const file = join(daemon.directory, "bundle.tar.gz");
    expect(await daemon.run("support-bundle", "--output", file)).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const files = await unpack(file);
    const parts = [
      "README.txt",
      "node.json",
      "radios.json",
      "history.jsonl",
      "health.json",
      "relay.json",
      "metrics.txt",
      "log.jsonl",
      "kernel.json",
      "config.json",
    ];
    expect(parts.filter((name) => (files.get(name)?.length ?? 0) < 20)).toEqual([]);
    const all = [...files.values()].join("\n").toLowerCase();
    const private_ = [
      sonoffDonglePlus.serial ?? "",
      ...macs,
      ...macs.map((mac) => mac.replaceAll(":", "")),
      "192.0.2.1",
      "192.0.2.129",
      plantedToken,
    ];
    expect(private_.filter((text) => all.includes(text.toLowerCase()))).toEqual([]);
    // Each of them was there to be taken out.
    expect(all).toMatch(/"serial": "serial-[0-9a-f]{10}"/);
    expect(all).toMatch(/ipv4-global-[0-9a-f]{10}\/25/);
    expect(files.get("radios.json")).toContain("attic");
    expect(files.get("log.jsonl")).toContain("aerial is up");
    expect(files.get("metrics.txt")).toMatch(/aerial_radio_present\{radio="10c4-ea60-radio-[0-9a-f]{10}"/);
  });

  it("sends it on to standard output, and leaves names out when asked to", async () => {
    const file = join(daemon.directory, "piped.tar.gz");
    const { stdout, exitCode } = await daemon.run("support-bundle", "--output", "-", "--hide-names");
    expect(exitCode).toBe(0);
    expect(stdout.length).toBeGreaterThan(1_000);
    const { body, type, status } = await daemon.download("/api/v1/support-bundle?names=hide");
    expect([status, type]).toEqual([200, "application/gzip"]);
    await writeFile(file, body);
    const all = [...(await unpack(file)).values()].join("\n");
    expect(all).not.toMatch(/attic|lab-node/);
  });

  it("says where it could not write, and what it is for", async () => {
    const { exitCode, stderr } = await daemon.run("support-bundle", "--output", "/nowhere/bundle.tar.gz");
    expect([exitCode, stderr]).toEqual([74, expect.stringContaining("cannot write /nowhere/bundle.tar.gz: ENOENT") as string]);
    expect((await daemon.ask("/api/v1/support-bundle")).status).toBe(405);
    expect((await daemon.ask("/api/v1/support-bundle?names=all", { method: "POST" })).status).toBe(400);
  });
});
