/** The guest's kernel: Debian's own package, unpacked into a cache outside the repository and never installed. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { LabError } from "./lab-error.ts";

const execute = promisify(execFile);

export interface LabKernel {
  /** As `uname -r` says. */
  readonly release: string;
  /** The kernel as an ELF file, which QEMU starts by the PVH entry without any firmware. */
  readonly image: string;
  /** The folder with this release's modules and their `modules.dep`; it is called `<release>`. */
  readonly modules: string;
}

/**
 * Gives the kernel to boot, from the cache or by downloading and unpacking it (once, about 70 MB).
 * `AERIAL_LAB_KERNEL` names another Debian package or a `.deb` file. Throws LabError when it cannot be had.
 */
export async function prepareKernel(say: (line: string) => void): Promise<LabKernel> {
  const wanted = process.env["AERIAL_LAB_KERNEL"] ?? "linux-image-amd64";
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "aerial", "lab");
  const home = join(cache, basename(wanted, ".deb"));
  const cached = await readKernel(home);
  if (cached) return cached;

  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, ".unpack-"));
  try {
    const archive = wanted.endsWith(".deb") ? wanted : await download(wanted, { work, say });
    say(`lab: unpacking ${basename(archive)}`);
    await unpack(archive, work);
    // Another process may have been faster; its result is as good.
    await rename(join(work, "kernel"), home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const prepared = await readKernel(home);
  if (!prepared) throw new LabError(`${home} holds no kernel after unpacking ${wanted}`);
  return prepared;
}

async function readKernel(home: string): Promise<LabKernel | undefined> {
  const [release] = await readdir(join(home, "modules")).catch(() => []);
  return release === undefined ? undefined : { release, image: join(home, "vmlinux"), modules: join(home, "modules", release) };
}

async function download(name: string, { work, say }: { work: string; say: (line: string) => void }): Promise<string> {
  const image = await concretePackage(name);
  say(`lab: downloading ${image} (about 70 MB, once)`);
  await tool(["apt-get", "download", "-qq", image], { cwd: work });
  const archive = (await readdir(work)).find((file) => file.endsWith(".deb"));
  if (archive === undefined) throw new LabError(`apt-get downloaded nothing for ${image}`);
  return join(work, archive);
}

/** `linux-image-amd64` is an empty package that depends on the current image. */
async function concretePackage(name: string): Promise<string> {
  const listing = await tool(["apt-cache", "depends", "--important", name]);
  return /Depends: (linux-image-\d\S+)/.exec(listing)?.[1] ?? name;
}

async function unpack(archive: string, work: string): Promise<void> {
  const root = join(work, "root");
  await tool(["dpkg-deb", "--extract", archive, root]);
  // Merged-/usr packages ship their modules below usr/.
  const library = (await readdir(root)).includes("lib") ? root : join(root, "usr");
  const [release] = await readdir(join(library, "lib", "modules"));
  if (release === undefined) throw new LabError(`${archive} holds no kernel modules`);
  await tool(["depmod", "--basedir", library, release]);

  const kernel = join(work, "kernel");
  await mkdir(kernel);
  await writeFile(join(kernel, "payload.xz"), compressedPayload(await readFile(join(root, "boot", `vmlinuz-${release}`))));
  await tool(["sh", "-c", "xz --decompress --stdout --single-stream payload.xz > vmlinux; rm payload.xz"], { cwd: kernel });
  await rename(join(library, "lib", "modules"), join(kernel, "modules"));
}

/**
 * Cuts the compressed ELF kernel out of a bzImage: setup_sects, payload_offset and payload_length of its header
 * (Documentation/arch/x86/boot.rst, boot protocol 2.08). Starting it directly saves the guest unpacking it under emulation.
 */
function compressedPayload(bzImage: Buffer): Buffer {
  if (bzImage.toString("latin1", 0x202, 0x206) !== "HdrS") throw new LabError("the kernel package's vmlinuz is not a bzImage");
  const start = (bzImage.readUInt8(0x1f1) + 1) * 512 + bzImage.readUInt32LE(0x248);
  const payload = bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c));
  if (payload.readUInt32BE(0) !== 0xfd377a58)
    throw new LabError("the kernel is not compressed with xz; set AERIAL_LAB_KERNEL to one that is");
  return payload;
}

async function tool([command = "", ...rest]: readonly string[], options: { cwd?: string } = {}): Promise<string> {
  try {
    const { stdout } = await execute(command, rest, { ...options, maxBuffer: 64 << 20 });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT")
      throw new LabError(`${command} is missing: apt-get install the packages in test/lab/packages.txt`, { cause: error });
    const hint = command.startsWith("apt") ? " (try apt-get update first)" : "";
    throw new LabError(`${command} ${rest.join(" ")} failed${hint}: ${stderr?.trim() ?? String(error)}`, { cause: error });
  }
}
