/** One QEMU process, tied to this one: it ends when we dispose of it, and when we are killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./lab-error.ts";

export interface QemuOptions {
  readonly image: string;
  readonly initramfs: string;
  readonly memoryMib: number;
  readonly accelerator: Accelerator;
}

export type Accelerator = "kvm" | "tcg";

export interface Qemu extends AsyncDisposable {
  readonly pid: number;
  /** The guest's serial console and QEMU's own complaints so far, at most the last 64 KiB. */
  readonly console: string;
  /** Ends it now; disposing gives it time to power off. */
  kill(): void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ readonly exitCode: number | null }>;
}

const program = "qemu-system-x86_64";
const consoleLimit = 64 * 1024;
/** How long a guest that was asked to power off may take before its process is killed. */
const powerOffMs = 3_000;

/**
 * What to try, best first. `wanted` is auto, kvm or tcg: auto means KVM where the processor has it and this user may use
 * it, and emulation if the guest then does not come up. Throws LabError for anything else, and for a KVM that is not there.
 */
export function acceleratorsToTry(wanted: string): readonly [Accelerator, ...Accelerator[]] {
  if (wanted === "tcg") return ["tcg"];
  if (wanted === "kvm") {
    if (!isAccessible("/dev/kvm")) throw new LabError("KVM was asked for but /dev/kvm cannot be opened by this user");
    return ["kvm"];
  }
  if (wanted !== "auto") throw new LabError(`AERIAL_LAB_ACCEL is ${JSON.stringify(wanted)}; it may be auto, kvm or tcg`);
  // Some hosts offer a /dev/kvm without hardware behind it, on which no ordinary kernel boots.
  const hardware = /\b(vmx|svm)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  return hardware && isAccessible("/dev/kvm") ? ["kvm", "tcg"] : ["tcg"];
}

/** Starts the guest. Disposing waits for it to power off, then kills it. Throws LabError when QEMU cannot be started. */
export async function openQemu(options: QemuOptions): Promise<Qemu> {
  // setpriv asks the kernel to kill QEMU when the thread that started it is gone, however that came about.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...qemuArguments(options)], { stdio: ["ignore", "pipe", "pipe"] });
  let console = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (console = (console + text).slice(-consoleLimit)));
  }
  const ended = new Promise<{ exitCode: number | null }>((resolve) => {
    child.once("close", (exitCode) => resolve({ exitCode }));
  });
  await spawned(child);
  return {
    pid: child.pid ?? 0,
    get console() {
      return console;
    },
    kill: () => void child.kill("SIGKILL"),
    ended,
    async [Symbol.asyncDispose]() {
      const timer = new AbortController();
      const late = sleep(powerOffMs, "late", { signal: timer.signal, ref: false }).catch(() => "stopped");
      if ((await Promise.race([ended, late])) === "late") child.kill("SIGKILL");
      timer.abort();
      await ended;
    },
  };
}

async function spawned(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(new LabError("setpriv is missing: apt-get install util-linux", { cause })));
  });
}

function qemuArguments({ image, initramfs, memoryMib, accelerator }: QemuOptions): string[] {
  const acceleration = accelerator === "tcg" ? "tcg,thread=multi,tb-size=256" : accelerator;
  return [
    ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ["-machine", "pc,usb=off,vmport=off,graphics=off", "-accel", acceleration, "-cpu", "max", "-smp", "2", "-m", String(memoryMib)],
    ["-kernel", image, "-initrd", initramfs, "-append", kernelCommandLine],
    ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    [
      "-fsdev",
      "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
      "-device",
      "virtio-9p-pci,fsdev=root,mount_tag=root",
    ],
    ["-netdev", "user,id=net,ipv6=off", "-device", "virtio-net-pci,netdev=net,romfile="],
    // A parallel port with nothing behind it, for the SPI bus spi-lm70llp makes of it.
    ["-chardev", "null,id=parallel", "-device", "isa-parallel,chardev=parallel"],
  ].flat();
}

const kernelCommandLine = [
  "console=ttyS0 quiet loglevel=3 panic=-1",
  // Nobody attacks this guest, and its clock is the host's: leave out what costs most under emulation.
  "mitigations=off tsc=reliable no_timer_check lpj=4000000 random.trust_cpu=on cryptomgr.notests",
].join(" ");

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
