/** That nothing of a node outlives the process that started it, even when that is killed. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { findBinaries } from "../binaries.ts";
import { createKubectl } from "../kubectl.ts";
import { sweepNodes } from "./node-directory.ts";
import { scriptPod } from "./pods.ts";

const project = join(import.meta.dirname, "../../..");

/** Processes whose command line names the node's directory, or that run in its cgroups. */
function processesOf(pid: number): string[] {
  const isOurs = (path: string): boolean => {
    try {
      return readFileSync(path, "latin1").includes(`aerial-kube-${pid}-`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter(
    (entry) => /^\d+$/u.test(entry) && (isOurs(`/proc/${entry}/cmdline`) || isOurs(`/proc/${entry}/cgroup`)),
  );
}

const cgroupsOf = (pid: number): string[] => readdirSync("/sys/fs/cgroup/memory").filter((name) => name.startsWith(`aerial-kube-${pid}-`));
const directoriesOf = (pid: number): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`aerial-kube-${pid}-`));
/** The node's ends of its pods' networks, which have its subnet's first address. */
const addressesOf = (pid: number): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address).filter((address) => address.startsWith("10.") && address.endsWith(`.${pid % 256}.1`)),
  );

it("is gone when its process is killed, and its cgroups with the next sweep", async () => {
  const command = ["--conditions=source", join(project, "test/cluster/main.ts"), "--nodes", "1"];
  let kubeconfig = "";
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  const pid = child.pid ?? 0;
  try {
    kubeconfig = String((await once(child.stdout.setEncoding("utf8"), "data"))[0]).trim();
    const kubectl = createKubectl((await findBinaries()).kubectl, kubeconfig, dirname(kubeconfig));
    await kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(scriptPod({ name: "left", script: "sleep 1000" })) });
    await kubectl(["wait", "--for=condition=Ready", "pod/left", "--timeout=20s"]);
    expect(processesOf(pid).length).toBeGreaterThan(5);
    expect(addressesOf(pid)).not.toEqual([]);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
    if (kubeconfig !== "") await rm(dirname(kubeconfig), { recursive: true, force: true });
  }
  const deadline = Date.now() + 20_000;
  while ((processesOf(pid).length > 0 || addressesOf(pid).length > 0) && Date.now() < deadline) await sleep(20);
  expect(processesOf(pid)).toEqual([]);
  expect(addressesOf(pid)).toEqual([]);
  expect(readFileSync("/proc/mounts", "utf8")).not.toContain(`aerial-kube-${pid}-`);

  expect(cgroupsOf(pid)).not.toEqual([]);
  expect(directoriesOf(pid)).not.toEqual([]);
  await sweepNodes();
  expect(cgroupsOf(pid)).toEqual([]);
  expect(directoriesOf(pid)).toEqual([]);
});
