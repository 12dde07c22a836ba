import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Clock, systemClock } from "../core/clock.ts";
import type { HandedContainer } from "../core/handed-container.ts";
import { createHandedContainers } from "./handed-containers.ts";

const never = new AbortController().signal;
const podUid = "0f9c1f0e-6b0e-4a55-9d6c-2f2a7f1d6a01";
const idOf = (digit: string): string => digit.repeat(64);
const cgroupOf = (containerId: string, pod = podUid): string =>
  `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${pod.replaceAll("-", "_")}.slice/cri-containerd-${containerId}.scope\n`;
const handed = { RADIO_NODE: "n1", RADIO_ZIGBEE_ID: "a", RADIO_ZIGBEE_DEVICE: "188:0", RADIO_ZIGBEE_CDI: "x/radio=a" };
/** Ten seconds are a fifth of one. */
const hastyClock: Clock = { now: () => systemClock.now(), sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 50, signal) };

/** A procfs in which real processes are in made-up cgroups. */
function makeProc() {
  const proc = mkdtempSync(join(tmpdir(), "aerial-proc-"));
  onTestFinished(() => rmSync(proc, { recursive: true, force: true }));
  const add = (pid: number | "self", cgroup: string): void => {
    mkdirSync(join(proc, String(pid)));
    writeFileSync(join(proc, String(pid), "cgroup"), cgroup);
    for (const name of ["environ", "stat"])
      symlinkSync(`/proc/${pid === "self" ? process.pid : pid}/${name}`, join(proc, String(pid), name));
  };
  add("self", "0::/system.slice/aerial.service\n");
  const run = async (
    cgroup: string,
    { env = handed, script = "echo; exec sleep 1000" }: { readonly env?: NodeJS.ProcessEnv; readonly script?: string } = {},
  ): Promise<ChildProcess> => {
    const child = spawn("/bin/sh", ["-c", script], { env: { ...env, PATH: "/bin:/usr/bin" }, stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    add(child.pid!, cgroup);
    return child;
  };
  return { proc, add, run };
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

test("containers of pods that were given radios are found, each once, and nothing else", async () => {
  const { proc, add, run } = makeProc();
  await run(cgroupOf(idOf("a")));
  await run(cgroupOf(idOf("a")), { env: {} });
  await run(cgroupOf(idOf("b")), { env: {} });
  await run("0::/user.slice\n");
  await run(`0::/docker/${idOf("c")}\n`);
  for (const pid of [1, process.pid]) {
    add(pid, cgroupOf(idOf(pid === 1 ? "d" : "e")));
    rmSync(join(proc, `${pid}/environ`));
    writeFileSync(
      join(proc, `${pid}/environ`),
      Object.entries(handed)
        .map(([name, value]) => `${name}=${value}\0`)
        .join(""),
    );
  }
  const containers = createHandedContainers({ proc, clock: systemClock });
  expect(await containers.find(never)).toEqual([
    { podUid, containerId: idOf("a"), node: "n1", radios: [{ id: "a", device: "188:0", byCdi: true }] },
  ]);
});

test("of the container that aerial is in, nothing is found", async () => {
  const { proc, run } = makeProc();
  writeFileSync(join(proc, "self/cgroup"), cgroupOf(idOf("a")));
  await run(cgroupOf(idOf("a")));
  await run(cgroupOf(idOf("b")));
  expect((await createHandedContainers({ proc, clock: systemClock }).find(never)).map(({ containerId }) => containerId)).toEqual([
    idOf("b"),
  ]);
});

const container = (containerId: string, changes: Partial<HandedContainer> = {}): HandedContainer => {
  return { podUid, containerId, node: "n1", radios: [], ...changes };
};

test("all processes of the container end, and no other", async () => {
  const { proc, run } = makeProc();
  const ours = [await run(cgroupOf(idOf("a"))), await run(`${cgroupOf(idOf("a")).trim()}/nested\n`)];
  const others = [
    await run(cgroupOf(idOf("b"))),
    await run("0::/user.slice\n"),
    await run(cgroupOf(idOf("a"), "11111111-6b0e-4a55-9d6c-2f2a7f1d6a01")),
  ];
  await createHandedContainers({ proc, clock: systemClock }).end(container(idOf("a")), never);
  await vi.waitFor(() => expect(ours.map(({ signalCode }) => signalCode)).toEqual(["SIGTERM", "SIGTERM"]));
  expect(others.map(isRunning)).toEqual([true, true, true]);
});

test("what does not end when asked is killed", async () => {
  const { proc, run } = makeProc();
  const deaf = await run(cgroupOf(idOf("a")), { script: "trap '' TERM; echo; while :; do sleep 0.05; done" });
  await createHandedContainers({ proc, clock: hastyClock }).end(container(idOf("a")), never);
  await vi.waitFor(() => expect(deaf.signalCode).toBe("SIGKILL"));
});

test("a process that is another by now is not touched", async () => {
  const { proc, run } = makeProc();
  const pids = [await run(cgroupOf(idOf("a"))), await run(cgroupOf(idOf("a")))].map(({ pid }) => pid ?? 0);
  const touched: number[] = [];
  const kill = (pid: number): void => {
    touched.push(pid);
    for (const other of pids.filter((each) => each !== pid)) {
      const stat = join(proc, String(other), "stat");
      rmSync(stat);
      writeFileSync(stat, `${other} (a) S ${"0 ".repeat(18)}1 0 0\n`);
    }
    rmSync(join(proc, String(pid)), { recursive: true });
  };
  const ending = createHandedContainers({ proc, clock: hastyClock, kill }).end(container(idOf("a")), never);
  await vi.waitFor(() => expect(touched).toHaveLength(1));
  const other = pids.find((pid) => pid !== touched[0]);
  rmSync(join(proc, String(other)), { recursive: true });
  await ending;
  expect(touched).toHaveLength(1);
});

test("what may not be ended is an error that says so", async () => {
  const { proc, run } = makeProc();
  await run(cgroupOf(idOf("a")));
  const kill = (): never => {
    throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
  };
  const ending = createHandedContainers({ proc, clock: systemClock, kill }).end(container(idOf("a")), never);
  await expect(ending).rejects.toMatchObject({ code: "handover.processes", message: expect.stringContaining("EPERM") });
});

test("in a PID namespace of its own it says that it cannot see", async () => {
  const { proc, add } = makeProc();
  add(1, cgroupOf(idOf("a")));
  writeFileSync(join(proc, "self/cgroup"), cgroupOf(idOf("b")));
  await expect(createHandedContainers({ proc, clock: systemClock }).find(never)).rejects.toMatchObject({
    code: "handover.processes",
    message: expect.stringContaining("hostPID"),
  });
});

test("a pod whose memory never comes hides nobody but itself; two of them are an error", async () => {
  const { proc, run } = makeProc();
  const pipes: string[] = [];
  const addDeaf = async (digit: string, pod: string): Promise<void> => {
    const path = join(proc, String((await run(cgroupOf(idOf(digit), pod))).pid), "environ");
    rmSync(path);
    await once(spawn("mkfifo", [path]), "exit");
    pipes.push(path);
  };
  // The threads of libuv that wait for these would keep the test from ending.
  onTestFinished(async () => {
    for (const path of pipes) await once(spawn("timeout", ["1", "sh", "-c", `: > ${path}`]), "exit");
  });
  const other = (digit: string): string => `${digit.repeat(8)}-6b0e-4a55-9d6c-2f2a7f1d6a01`;
  await addDeaf("a", other("1"));
  await addDeaf("b", other("1"));
  await run(cgroupOf(idOf("c")));
  const containers = createHandedContainers({ proc, clock: hastyClock });
  for (let look = 0; look < 3; look += 1) {
    expect((await containers.find(never)).map(({ containerId }) => containerId)).toEqual([idOf("c")]);
  }
  await addDeaf("d", other("2"));
  await run(cgroupOf(idOf("e")));
  for (let look = 0; look < 3; look += 1) {
    const failing = await containers.find(never).catch((error: unknown) => error);
    if (look > 0) expect(failing).toMatchObject({ code: "handover.processes", message: expect.stringContaining("2 pods") });
  }
});
