/**
 * Tokens from files. What is compared are hashes of one length, each with all, so that the time it takes says nothing of a
 * token. Files are looked at again when a token is asked about, a second later at the earliest: a Secret of Kubernetes
 * changes by a swapped symlink, which watches on the file would miss, and an idle daemon does nothing.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { open, stat } from "node:fs/promises";
import type { Caller, Role } from "../../core/access.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { AerialError, describeError, errnoOf } from "../../core/errors.ts";
import { toFileStamp } from "../../core/file-stamp.ts";
import type { Log } from "../../core/log.ts";

export interface TokenFile {
  readonly name: string;
  readonly role: Role;
  readonly file: string;
}

export interface FileTokens {
  /** Whose token it is. */
  find(token: string): Promise<Caller | undefined>;
}

export interface FileTokenDependencies {
  readonly tokens: readonly TokenFile[];
  readonly clock: Clock;
  readonly conditions: Pick<Conditions, "raise" | "clear">;
  readonly log: Log;
}

/** Shorter ones can be guessed over the network. */
const shortestToken = 16;
/** The headers of a request must have room for it. */
const longestToken = 4_096;
const lookAgainMs = 1_000;

interface Held extends TokenFile {
  /** What `stat` said when it was read; undefined when it could not be read. */
  stamp?: string | undefined;
  hash?: Buffer | undefined;
}

/** Reads all files once. A token that cannot be used is a condition; the others are. */
export async function openFileTokens({ tokens, clock, conditions, log }: FileTokenDependencies): Promise<FileTokens> {
  const held: readonly Held[] = tokens.map((token) => ({ ...token }));
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<unknown> | undefined;

  const look = async (token: Held): Promise<void> => {
    const code = `api.token.${token.name}`;
    try {
      const stamp = await stampOf(token.file);
      if (stamp === token.stamp) return;
      const hash = hashOf(await readToken(token.file));
      if (token.stamp !== undefined) log.info({ token: token.name }, "token has changed");
      Object.assign(token, { hash, stamp });
      conditions.clear(code);
    } catch (error) {
      const why = describeError(error);
      if (token.hash !== undefined) log.warn({ token: token.name, err: why }, "token is no longer valid");
      Object.assign(token, { hash: undefined, stamp: undefined });
      conditions.raise(code, "error", `The token of ${token.name} is not accepted: ${why}.`);
    }
  };
  /** Everybody who asks meanwhile waits for the same look. */
  const refresh = async (): Promise<void> => {
    if (Math.abs(clock.now() - lookedAt) < lookAgainMs) return looking?.then(() => undefined);
    lookedAt = clock.now();
    looking = Promise.all(held.map(look)).finally(() => (looking = undefined));
    await looking;
  };

  await refresh();
  return {
    async find(token) {
      await refresh();
      const hash = hashOf(token);
      let found: Caller | undefined;
      for (const { name, role, hash: own } of held) {
        const isSame = own !== undefined && timingSafeEqual(own, hash);
        if (isSame) found ??= { name, role };
      }
      return found;
    },
  };
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Changes when the file does, or another takes its place. */
async function stampOf(file: string): Promise<string> {
  try {
    return toFileStamp(await stat(file, { bigint: true }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    await using handle = await open(file);
    // A few more than are allowed, and never all of a file that is something else.
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestToken + 64), 0, longestToken + 64, 0);
    text = buffer.toString("latin1", 0, bytesRead).trim();
  } catch (error) {
    throw unreadable(file, error);
  }
  if (!/^[\x21-\x7e]*$/.test(text)) throw new AerialError("api.token", `${file} holds blanks or other characters that no token has`);
  if (text.length < shortestToken) throw new AerialError("api.token", `${file} holds fewer than ${shortestToken} characters`);
  if (text.length > longestToken) throw new AerialError("api.token", `${file} holds more than ${longestToken} characters`);
  return text;
}

function unreadable(file: string, error: unknown): AerialError {
  return new AerialError("api.token", `cannot read ${file}: ${errnoOf(error) ?? String(error)}`, { cause: error });
}
