/** A certificate and its key from files, which are read again when they change: certificates are renewed while aerial runs. */
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, describeError, errnoOf } from "../../core/errors.ts";
import { toFileStamp } from "../../core/file-stamp.ts";
import type { Log } from "../../core/log.ts";

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface TlsDependencies {
  readonly files: TlsFiles;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
  readonly log: Log;
  /** Milliseconds of a clock that only runs forward. */
  readonly now: () => number;
}

export interface TlsSource {
  /** For the first connections. */
  readonly initial: SecureContextOptions;
  /**
   * What holds from now on, if that is something new. Looks at the files a second after the last time at the earliest. While
   * they do not fit each other what was read before holds, and a condition says so.
   */
  changed(): SecureContextOptions | undefined;
}

const lookAgainMs = 1_000;
/** TLS 1.0 and 1.1 are deprecated (RFC 8996). */
const minVersion = "TLSv1.2";

/** Throws `api.tls` when the files cannot be used. Reads them at once, since a connection waits for it; they are small. */
export function openTlsFiles({ files, conditions, log, now }: TlsDependencies): TlsSource {
  const code = `api.tls.${files.certificate}`;
  const initial = read(files);
  let stamp = stampOf(files);
  let lookedAt = now();
  conditions.clear(code);
  return {
    initial,
    changed() {
      if (now() - lookedAt < lookAgainMs) return undefined;
      lookedAt = now();
      try {
        const current = stampOf(files);
        if (current === stamp) return undefined;
        const context = read(files);
        stamp = current;
        conditions.clear(code);
        log.info({ certificate: files.certificate }, "certificate has changed");
        return context;
      } catch (error) {
        conditions.raise(code, "warning", `The certificate is not renewed: ${describeError(error)}; the one before it is still shown.`);
        return undefined;
      }
    },
  };
}

function read({ certificate, key }: TlsFiles): SecureContextOptions {
  const options = { cert: readPem(certificate), key: readPem(key), minVersion } as const;
  try {
    createSecureContext(options);
  } catch (error) {
    throw new AerialError("api.tls", `${certificate} and ${key} are no certificate with its key`, { cause: error });
  }
  return options;
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new AerialError("api.tls", `cannot read ${file}: ${errnoOf(error) ?? String(error)}`, { cause: error });
  }
}

/** Changes when one of the files does, or another takes its place. */
function stampOf({ certificate, key }: TlsFiles): string {
  return [certificate, key]
    .map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    .map((status) => (status === undefined ? "none" : toFileStamp(status)))
    .join(", ");
}
