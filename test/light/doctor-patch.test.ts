/** What the doctor finds in a network namespace as the kernel makes it, and that its patch mends it: parameters set as Talos sets them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { DoctorReport } from "../../src/core/check.ts";
import { LabError } from "../lab/lab-error.ts";
import { parameterPath } from "../../src/doctor/talos/merge-changes.ts";

const projectRoot = resolve(import.meta.dirname, "../..");
const namespaces = ["--net", "--mount", "--pid"] as const;
const user = process.getuid?.() === 0 ? [] : ["--user"];
/** A start of aerial takes seconds on a busy machine. */
const patienceMs = 180_000;

/** An interface with a dot in its name and a default route, a border router and a Matter server in name; else a new namespace as it is. */
const settle = `set -e
mount -t sysfs sysfs /sys
ip link set lo up
ip link add lan.30 type veth peer name far
ip link set far up
ip link set lan.30 up
ip -6 route add default via fe80::1 dev lan.30
ip tuntap add wpan0 mode tun
ip link set wpan0 up
`;

let directory: string;
let holder: ChildProcess;
/** Process 1 of the namespaces, as this machine numbers it. */
let inside: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "aerial-doctor-"));
  for (const name of ["otbr-agent", "matter-server"]) copyFileSync("/bin/sleep", join(directory, name));
  const mapped = user.length === 0 ? [] : [...user, "--map-root-user"];
  holder = spawn("unshare", [...mapped, ...namespaces, "--fork", "--kill-child", "--mount-proc", "sleep", "1000"], { stdio: "ignore" });
  inside = await childOf(holder.pid ?? 0);
  run("sh", "-c", `${settle}${directory}/otbr-agent 1000 >/dev/null 2>&1 & ${directory}/matter-server 1000 >/dev/null 2>&1 &`);
}, patienceMs);

afterAll(() => {
  holder?.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

async function childOf(pid: number): Promise<number> {
  for (let tries = 0; tries < 500; tries += 1) {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
    if (child > 0 && readFileSync(`/proc/${child}/comm`, "utf8").trim() === "sleep") return child;
    await sleep(20);
  }
  throw new LabError("unshare has started nothing");
}

function run(...command: readonly string[]): string {
  const entering = ["--target", String(inside), ...user, ...namespaces, "--preserve-credentials", "--", ...command];
  return execFileSync("nsenter", entering, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 16 * 1024 * 1024 });
}

/** `aerial doctor` in there; exit code 1 says that something is wrong. */
function doctor(...options: readonly string[]): string {
  return run(
    "sh",
    "-c",
    `"$@" || [ $? -eq 1 ]`,
    "sh",
    process.execPath,
    "--conditions=source",
    join(projectRoot, "src/main.ts"),
    "doctor",
    "--local",
    ...options,
  );
}

function parametersOf(patch: string): Readonly<Record<string, string>> {
  const documents = parseAllDocuments(patch).map(
    (document) =>
      document.toJS() as { kind?: string; params?: Record<string, string>; machine?: { sysctls: Record<string, string> } } | null,
  );
  return (
    documents.find((document) => document?.machine !== undefined)?.machine?.sysctls ??
    documents.find((document) => document?.kind === "SysctlConfig")?.params ??
    {}
  );
}

const failing = (): readonly string[] => {
  const { findings } = JSON.parse(doctor("--json")) as DoctorReport;
  return findings
    .filter(({ verdict, remedy }) => verdict === "fail" && (remedy?.talos ?? []).some(({ change }) => change === "sysctl"))
    .map(({ id }) => id);
};

it(
  "what is found is gone once the patch's parameters are set, and nothing is left to patch",
  () => {
    const before = failing();
    // THR-19 is well on kernels since 6.9, whose default is higher.
    expect(before).toEqual(expect.arrayContaining(["THR-02", "THR-05", "THR-17", "THR-18", "THR-26"]));

    const old = parametersOf(doctor("--patch", "--talos-version", "1.13"));
    const patched = parametersOf(doctor("--patch", "--talos-version", "1.14"));
    expect(patched).toEqual(old);
    expect(patched).toMatchObject({
      "net.ipv6.conf.all.forwarding": "1",
      "net/ipv6/conf/lan.30/accept_ra": "2",
      "net/ipv6/conf/lan.30/accept_ra_rt_info_max_plen": "64",
    });

    set(patched);
    expect(failing()).toEqual([]);
    expect(doctor("--patch")).toMatch(/^# Nothing was found/);
  },
  patienceMs,
);

/** As Talos does: the name's path below /proc/sys, written once. */
function set(parameters: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(parameters))
    run("sh", "-c", 'printf %s "$2" > "/proc/sys/$1"', "sh", parameterPath(name), value);
}
