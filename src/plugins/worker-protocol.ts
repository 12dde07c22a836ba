/** What crosses between the host and a plugin's thread. The host believes nothing that comes back before it is checked. */
import { z } from "zod";
import type { Device } from "../core/device.ts";
import type { Radio } from "../core/radio.ts";
import { checkAnswer, checkFace } from "./check-schema.ts";
import type { SentFacts } from "./sent-facts.ts";

export interface WorkerData {
  readonly path: string;
  /** Where `aerial/sdk` is found, for plugin files that lie outside this package. */
  readonly sdkUrl: string;
}

export type WorkerRequest =
  | { readonly id: number; readonly call: "claims"; readonly devices: readonly Device[] }
  | { readonly id: number; readonly call: "describe"; readonly radio: Radio }
  | { readonly id: number; readonly call: "judge"; readonly facts: SentFacts };

/** Reply 0 tells how loading went: its value is a greeting. */
export const loadReplyId = 0;

export const greeting = z.strictObject({
  name: z.string(),
  fingerprints: z.int().min(0),
  networkServices: z.array(z.string().max(70)).max(5_000),
  checks: z.array(checkFace).max(200).readonly(),
});

/** What a plugin is called, which DNS-SD types it asks for, and what it asks the machine. */
export type Greeting = z.infer<typeof greeting>;

const problems = z.array(z.string().max(1_000)).max(20);

export const workerReply = z.union([
  z.strictObject({ id: z.int(), ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id: z.int(), ok: z.literal(false), reason: z.enum(["invalid", "failed"]), problems }),
]);

export type WorkerReply = z.infer<typeof workerReply>;

const text = z.string().max(500);
const kinds = z.array(z.string().max(32)).max(8);
const base = { id: text, vendor: text.optional(), model: text.optional(), source: text, note: text.optional() };
const probe = z.enum(["allowed", "denied", "none"]);

const answer = z.discriminatedUnion("says", [
  z.strictObject({
    ...base,
    says: z.literal("is"),
    kinds: kinds.min(1),
    certainty: z.enum(["certain", "likely"]),
    alternatives: kinds.optional(),
    mode: z.enum(["application", "bootloader"]).optional(),
    adapter: text.optional(),
    line: z.strictObject({ baudRate: z.int(), rtscts: z.boolean() }).optional(),
    probe,
  }),
  z.strictObject({ ...base, says: z.literal("may-be"), kinds: kinds.min(1), probe }),
  z.strictObject({ ...base, says: z.literal("is-not") }),
  z.strictObject({ ...base, says: z.literal("bootloader") }),
]);

const claim = z.strictObject({
  answer,
  score: z.number().min(0).max(100),
  basis: z.enum(["kernel", "identity", "ids", "words", "place"]),
  matched: z.array(z.string().max(5_000)).max(20),
});

/** One for each of its checks, in their order. */
export const checkAnswers = z.array(checkAnswer).max(200);

/** A hundred rows that fit one device are no description of it. */
export const claimLists = z.array(z.array(claim).max(100));

const dictionary = z
  .record(z.string().max(100), z.string().max(1_000))
  .refine((value) => Object.keys(value).length <= 50, "has too many keys");

export const description = z.strictObject({
  labels: dictionary.optional(),
  environment: dictionary.optional(),
  txt: dictionary.optional(),
});
