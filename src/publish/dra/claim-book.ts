/** Which claims were prepared, remembered on disk before the kubelet is told. */
import { z } from "zod";
import { Cell, type Watch } from "../../core/cell.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { ClaimFile } from "../../kubelet/claim-file.ts";

export interface PreparedClaim {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Uids of the pods that it was reserved for when it was prepared. */
  readonly consumers: readonly string[];
  readonly devices: readonly PreparedDevice[];
}

export interface PreparedDevice {
  readonly radioId: string;
  readonly group: string;
  /** Counts the radios of one group that one pod has, from 1. */
  readonly ordinal: number;
  readonly device: string;
  readonly request: string;
  readonly shareId?: string | undefined;
}

export interface ClaimBook {
  readonly claims: ReadonlyMap<string, PreparedClaim>;
  /** Radios that a claim has, from before the disk knows until after it does. */
  readonly claimed: Watch<ReadonlySet<string>>;
  /** Whether what was prepared before aerial started is unknown: the file could not be read. */
  readonly isLost: boolean;
  /** The claim that has a radio. */
  holderOf(radioId: string): PreparedClaim | undefined;
  /** Its radios are claimed at once; on disk when this resolves. Throws `inventory.unusable`, and then it is as before. */
  put(claim: PreparedClaim): Promise<void>;
  /** Its radios are free when this resolves. Throws `inventory.unusable`, and then it is as before. */
  drop(uid: string): Promise<void>;
}

interface ClaimBookDependencies {
  readonly file: ClaimFile;
  readonly conditions: Pick<Conditions, "raise">;
  readonly log: Log;
}

const version = 1;

const bookShape = z.strictObject({
  version: z.literal(version),
  claims: z.array(
    z.strictObject({
      uid: z.string().min(1),
      namespace: z.string().min(1),
      name: z.string().min(1),
      consumers: z.array(z.string()),
      devices: z.array(
        z.strictObject({
          radioId: z.string().min(1),
          group: z.string().min(1),
          ordinal: z.number().int().min(1),
          device: z.string().min(1),
          request: z.string(),
          shareId: z.string().optional(),
        }),
      ),
    }),
  ),
});

/**
 * Reads the file. One that is damaged or of another version is set aside: claims are then known from what the kubelet says it
 * gave to containers. Throws `inventory.unusable` where it cannot be read at all.
 */
export async function openClaimBook({ file, conditions, log }: ClaimBookDependencies): Promise<ClaimBook> {
  const text = await file.read();
  const read = text === undefined ? [] : parseBook(text);
  if (read === undefined) {
    const aside = await file.setAside().catch((error: unknown) => describeError(error));
    const what = `${file.path}, which remembers the prepared resource claims, could not be read and is now ${aside}`;
    conditions.raise(
      "resource-claims.forgotten",
      "warning",
      `${what}. Pods keep their radios; a claim that is not known is taken from the kubelet.`,
    );
    log.warn({ file: file.path, aside }, "prepared claims forgotten");
  }
  const claims = new Map((read ?? []).map((claim) => [claim.uid, claim]));
  /** Dropped, and still on disk. */
  const leaving = new Map<string, PreparedClaim>();
  const all = (): readonly PreparedClaim[] => [...claims.values(), ...leaving.values()];
  const radiosOf = (): ReadonlySet<string> => new Set(all().flatMap(({ devices }) => devices.map(({ radioId }) => radioId)));
  const claimed = new Cell(radiosOf());
  let last: Promise<void> = Promise.resolve();
  /** One after the other, each with all that is known by then. */
  const save = (): Promise<void> => {
    const saving = last.then(() => file.write(`${JSON.stringify({ version, claims: [...claims.values()] })}\n`));
    last = saving.catch(() => {});
    return saving;
  };
  return {
    claims,
    claimed,
    isLost: read === undefined,
    holderOf: (radioId) => all().find(({ devices }) => devices.some((device) => device.radioId === radioId)),
    async put(claim) {
      const before = claims.get(claim.uid);
      claims.set(claim.uid, claim);
      claimed.set(radiosOf());
      try {
        await save();
      } catch (error) {
        if (before !== undefined) claims.set(claim.uid, before);
        else if (claims.get(claim.uid) === claim) claims.delete(claim.uid);
        claimed.set(radiosOf());
        throw error;
      }
    },
    async drop(uid) {
      const claim = claims.get(uid);
      if (claim === undefined) return;
      claims.delete(uid);
      leaving.set(uid, claim);
      try {
        await save();
      } catch (error) {
        if (!claims.has(uid)) claims.set(uid, claim);
        throw error;
      } finally {
        leaving.delete(uid);
        claimed.set(radiosOf());
      }
    },
  };
}

function parseBook(text: string): readonly PreparedClaim[] | undefined {
  try {
    const parsed = bookShape.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.claims : undefined;
  } catch {
    return undefined;
  }
}
