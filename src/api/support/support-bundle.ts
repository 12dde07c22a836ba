/** One archive with all that a bug report needs, and nothing that would tell whose house it comes from. */
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { createTarPacker } from "modern-tar";
import { AerialError } from "../../core/errors.ts";
import { timestamp } from "../../core/clock.ts";
import type { ApiSources } from "../sources.ts";
import { bundleFiles, makeFile } from "./bundle-files.ts";
import { findSecrets } from "./known-secrets.ts";
import { writeReadMe } from "./read-me.ts";
import { createRedactor } from "./redactor.ts";

export interface SupportBundle {
  /** `aerial-node-1-20260102T030405Z.tar.gz` */
  readonly name: string;
  /** Made while it is read. */
  readonly archive: Readable;
}

export interface BundleOptions {
  /** Whether names that people have given go too. */
  readonly hideNames: boolean;
}

/**
 * Makes bundles, one at a time: each file is in memory once, and the packed ones are held back by whoever reads slowly.
 * Throws `api.busy` while another is being read.
 */
export function createSupportBundles(sources: ApiSources, signal: AbortSignal): (options: BundleOptions) => Promise<SupportBundle> {
  let making = false;
  return async ({ hideNames }) => {
    if (making) throw new AerialError("api.busy", "another support bundle is being made");
    making = true;
    try {
      const at = timestamp(sources.clock);
      // Loaded with the first that is asked for.
      const tar = await import("modern-tar");
      const { readable, controller } = tar.createTarPacker();
      const archive = createGzip();
      archive.once("close", () => {
        making = false;
      });
      signal.addEventListener("abort", () => archive.destroy(), { once: true });
      pipeline(Readable.fromWeb(readable), archive, () => {});
      fill({ sources, at, hideNames, controller }).catch((error: unknown) => {
        // The reader has left, or the archive cannot be gone on with: either way the reader is told by its breaking off.
        archive.destroy(error instanceof Error ? error : undefined);
      });
      const stamp = at.replace(/\.\d+Z$/, "Z").replaceAll(/[:-]/g, "");
      const node = hideNames ? "" : `${sources.snapshots.current.node.replaceAll(/[^A-Za-z0-9.-]/g, "-")}-`;
      return { name: `aerial-${node}${stamp}.tar.gz`, archive };
    } catch (error) {
      making = false;
      throw error;
    }
  };
}

interface Filling extends BundleOptions {
  readonly sources: ApiSources;
  readonly at: string;
  readonly controller: ReturnType<typeof createTarPacker>["controller"];
}

const directory = "aerial-support";

async function fill({ sources, at, hideNames, controller }: Filling): Promise<void> {
  const services = await Promise.resolve(sources.relay?.services()).catch(() => undefined);
  const redactor = createRedactor(findSecrets({ snapshot: sources.snapshots.current, services: services ?? [], hideNames }));
  const files = bundleFiles(sources);
  const add = async (name: string, bytes: Uint8Array): Promise<void> => {
    const header = { name: `${directory}/${name}`, size: bytes.length, mode: 0o644, mtime: new Date(at) };
    const writer = controller.add(header).getWriter();
    await writer.write(bytes);
    await writer.close();
  };
  await add("README.txt", Buffer.from(writeReadMe(files, { at, hideNames })));
  for (const file of files) {
    const { name, bytes } = await makeFile(file, redactor);
    await add(name, bytes);
  }
  controller.finalize();
}
