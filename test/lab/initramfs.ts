/** The guest's first file system: a static busybox, the few modules that mount the real root, and a script. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AgentFile } from "./agent-files.ts";
import type { LabKernel } from "./kernel.ts";
import { LabError } from "./lab-error.ts";

/** What it takes to mount this machine's root over 9p below an overlay, and to reach it over the network. */
const bootModules = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_net"];

const busybox = "/bin/busybox";

interface Entry {
  readonly path: string;
  /** With the file type bits of stat(2). */
  readonly mode: number;
  readonly contents?: Uint8Array;
}

interface InitramfsContents {
  readonly kernel: LabKernel;
  readonly agent: readonly AgentFile[];
  /** Become shell variables of guest/init.sh. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Builds the archive; guest/init.sh says what is done with it. */
export async function buildInitramfs({ kernel, agent, parameters }: InitramfsContents): Promise<Uint8Array> {
  const modules = await modulesInOrder(kernel, bootModules);
  const script = await readFile(join(import.meta.dirname, "guest", "init.sh"));
  const agentFolders = [...new Set(agent.flatMap(({ path }) => parents(`lab/agent/${path}`)))];
  const folders = ["bin", "dev", "lab", "lab/modules", "lower", "upper", "root", "proc", "sys", ...agentFolders.slice(1)];
  const assignments = Object.entries({ ...parameters, moduleOrder: modules.map(({ name }) => name).join(" ") });
  return cpioArchive([
    ...folders.map((path) => ({ path, mode: 0o040755 })),
    { path: "bin/busybox", mode: 0o100755, contents: await readBusybox() },
    { path: "init", mode: 0o100755, contents: script },
    {
      path: "lab/parameters",
      mode: 0o100644,
      contents: Buffer.from(assignments.map(([name, value]) => `${name}=${quoted(value)}\n`).join("")),
    },
    ...agent.map(({ path, contents }) => ({ path: `lab/agent/${path}`, mode: 0o100644, contents })),
    ...modules.map(({ name, contents }) => ({ path: `lab/modules/${name}`, mode: 0o100644, contents })),
  ]);
}

/** Every folder above a path, topmost first. */
function parents(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

async function readBusybox(): Promise<Buffer> {
  const contents = await readFile(busybox).catch(() => undefined);
  if (!contents) throw new LabError(`${busybox} is missing: apt-get install busybox-static`);
  if (needsLoader(contents)) throw new LabError(`${busybox} is not static: apt-get install busybox-static`);
  return contents;
}

/** Whether an ELF-64 executable has a PT_INTERP program header (System V ABI, chapter 5): the archive holds no loader. */
function needsLoader(elf: Buffer): boolean {
  const start = Number(elf.readBigUInt64LE(32));
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size)).includes(3);
}

/** Dependencies first, each once; modules built into the kernel are left out. */
async function modulesInOrder(kernel: LabKernel, wanted: readonly string[]): Promise<{ name: string; contents: Uint8Array }[]> {
  const paths = new Map<string, readonly string[]>();
  for (const line of (await readFile(join(kernel.modules, "modules.dep"), "utf8")).split("\n")) {
    const [path = "", dependencies = ""] = line.split(":");
    // depmod lists dependencies nearest first, so the reverse is an order in which they load.
    if (path !== "")
      paths.set(moduleName(path), [
        ...dependencies
          .split(" ")
          .filter((other) => other !== "")
          .toReversed(),
        path,
      ]);
  }
  const order = new Set(wanted.flatMap((name) => paths.get(name) ?? []));
  return Promise.all([...order].map(async (path) => ({ name: moduleName(path), contents: await readModule(join(kernel.modules, path)) })));
}

function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");
}

/** busybox's insmod takes plain modules only; newer Debian kernels compress theirs. */
async function readModule(path: string): Promise<Uint8Array> {
  const contents = await readFile(path);
  return path.endsWith(".xz") ? execFileSync("xz", ["--decompress", "--stdout"], { input: contents, maxBuffer: 64 << 20 }) : contents;
}

/** The "newc" format the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst). */
function cpioArchive(entries: readonly Entry[]): Uint8Array {
  const parts: Buffer[] = [];
  const append = ({ path, mode, contents = new Uint8Array() }: Entry, inode: number): void => {
    const name = Buffer.from(`${path}\0`);
    const fields = [inode, mode, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
    parts.push(padded(Buffer.concat([header, name])), padded(Buffer.from(contents)));
  };
  for (const [index, entry] of entries.entries()) append(entry, index + 1);
  append({ path: "TRAILER!!!", mode: 0 }, 0);
  return Buffer.concat(parts);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
