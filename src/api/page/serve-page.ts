/** The page at `/` and what it is made of. Its files hold no data: everything it shows it asks of the API, with the reader's own rights. */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type PageFile, readPageFiles } from "./page-files.ts";

/**
 * Nothing from elsewhere, nothing written into the document, no frame around it. `require-trusted-types-for` has the browser
 * refuse text that would be parsed as HTML (W3C Trusted Types).
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const documentHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), usb=(), serial=()",
} as const;

type Encoding = "br" | "gzip" | "identity";

const year = 31_536_000;

/** Adds the page. Its files are read when somebody first asks, and each is compressed once for each way to do so. */
export function addPage(app: FastifyInstance): void {
  let files: ReturnType<typeof readPageFiles> | undefined;
  const read = (): ReturnType<typeof readPageFiles> => {
    files ??= readPageFiles().catch((error: unknown) => {
      files = undefined;
      throw error;
    });
    return files;
  };
  const packed = new WeakMap<PageFile, Map<Encoding, Buffer>>();
  const pack = (file: PageFile, encoding: Encoding): Buffer => {
    const known = packed.get(file) ?? new Map<Encoding, Buffer>();
    packed.set(file, known);
    const bytes = known.get(encoding) ?? compress(file.bytes, encoding);
    known.set(encoding, bytes);
    return bytes;
  };
  const send = (request: FastifyRequest, reply: FastifyReply, file: PageFile): FastifyReply => {
    const encoding = chooseEncoding(request.headers["accept-encoding"]);
    void reply.header("vary", "accept-encoding").type(file.type);
    if (encoding !== "identity") void reply.header("content-encoding", encoding);
    return reply.send(pack(file, encoding));
  };

  // Whoever may not see anything still gets the page, which then asks for a token.
  const config = { role: "none" } as const;
  app.get("/", { config }, async (request, reply) => {
    const { index } = await read();
    const etag = `"${createHash("sha256").update(index.bytes).digest("base64url").slice(0, 16)}"`;
    void reply.headers(documentHeaders).header("etag", etag).header("cache-control", "no-cache");
    if (request.headers["if-none-match"]?.includes(etag) === true) return reply.code(304).send();
    return send(request, reply, index);
  });

  app.get<{ Params: { build: string; "*": string } }>("/assets/:build/*", { config }, async (request, reply) => {
    const { build, assets } = await read();
    const file = request.params.build === build ? assets.get(request.params["*"]) : undefined;
    if (file === undefined) return reply.callNotFound();
    void reply.header("cache-control", `public, max-age=${year}, immutable`);
    return send(request, reply, file);
  });
}

/** Half a millisecond a file: brotli's two best qualities would take twenty times as long, and megabytes, for a tenth less. */
function compress(bytes: Buffer, encoding: Encoding): Buffer {
  if (encoding === "identity") return bytes;
  if (encoding === "gzip") return gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  // A window no larger than the file.
  const window = Math.min(
    constants.BROTLI_MAX_WINDOW_BITS,
    Math.max(constants.BROTLI_MIN_WINDOW_BITS, Math.ceil(Math.log2(bytes.length + 16))),
  );
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    [constants.BROTLI_PARAM_LGWIN]: window,
  };
  return brotliCompressSync(bytes, { params });
}

/** The best that the browser takes (RFC 9110 §12.5.3); one it refuses by `q=0` is not taken. */
export function chooseEncoding(accepted: string | undefined): Encoding {
  const taken = new Set(
    (accepted ?? "")
      .toLowerCase()
      .split(",")
      .map((item) => item.trim())
      .filter((item) => !/;\s*q=0(\.0*)?$/.test(item))
      .map((item) => item.split(";")[0]?.trim()),
  );
  if (taken.has("br")) return "br";
  return taken.has("gzip") ? "gzip" : "identity";
}
