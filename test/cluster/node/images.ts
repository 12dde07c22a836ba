/** Container images made here, from Debian's static busybox: nothing is pulled. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { packTar, type TarEntry } from "modern-tar";

/** A shell and what goes with it; pods name it with `imagePullPolicy: Never`. */
export const busyboxImage = "aerial.test/busybox:1";
/** Holds the namespaces of a pod. */
export const pauseImage = "aerial.test/pause:1";

interface ImageOptions {
  /** Whole name: `aerial.test/busybox:1`. */
  readonly name: string;
  readonly entrypoint: readonly string[];
}

/** All that a shell script in a test wants. */
const applets =
  "sh cat chmod cut date dd echo env false find grep head id kill ls mkdir mknod printf readlink sed sleep sort stat stty tail test timeout touch tr true wc".split(
    " ",
  );

/** Writes an archive with both images, as `ctr images import` takes it, to `path`. */
export async function writeImages(busybox: string, path: string): Promise<void> {
  const images = [
    { name: busyboxImage, entrypoint: ["/bin/sh"] },
    { name: pauseImage, entrypoint: ["/bin/sleep", "infinity"] },
  ];
  await writeFile(path, await makeImages(busybox, images));
}

/** An archive in OCI's image layout with images that have one layer in common. */
async function makeImages(busybox: string, images: readonly ImageOptions[]): Promise<Uint8Array> {
  const blobs = new Map<string, Uint8Array>();
  const put = (mediaType: string, content: Uint8Array) => {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  };
  const putJson = (mediaType: string, content: object) => put(mediaType, Buffer.from(JSON.stringify(content)));

  const layer = put("application/vnd.oci.image.layer.v1.tar", await packTar(await busyboxFiles(busybox)));
  const manifests = images.map(({ name, entrypoint }) => {
    const config = putJson("application/vnd.oci.image.config.v1+json", {
      architecture: goArchitecture(),
      os: "linux",
      config: { Entrypoint: entrypoint, Env: ["PATH=/bin"] },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = putJson(mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
    return { ...manifest, annotations: { "io.containerd.image.name": name } };
  });
  const files: [string, Uint8Array][] = [
    ["oci-layout", Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" }))],
    ["index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }))],
    ...[...blobs].map(([digest, content]): [string, Uint8Array] => [`blobs/${digest.replace(":", "/")}`, content]),
  ];
  return packTar(files.map(([name, body]): TarEntry => ({ header: { name, size: body.length, mode: 0o644, type: "file" }, body })));
}

async function busyboxFiles(busybox: string): Promise<TarEntry[]> {
  const body = await readFile(busybox);
  const directory = (name: string, mode = 0o755): TarEntry => ({ header: { name: `${name}/`, size: 0, mode, type: "directory" } });
  const file = (name: string, text: string): TarEntry => ({
    header: { name, size: text.length, mode: 0o644, type: "file" },
    body: text,
  });
  return [
    ...["bin", "dev", "etc", "proc", "root", "sys", "var"].map((name) => directory(name)),
    directory("tmp", 0o1777),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    file("etc/group", "root:x:0:\ndialout:x:20:\nnogroup:x:65534:\n"),
    { header: { name: "bin/busybox", size: body.length, mode: 0o755, type: "file" }, body },
    ...applets.map((name): TarEntry => ({ header: { name: `bin/${name}`, size: 0, type: "symlink", linkname: "busybox" } })),
  ];
}

/** Go's word for this processor. */
function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
