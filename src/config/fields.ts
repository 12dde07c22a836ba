/** Field types of the configuration. Each takes the text that was written, so that a file and an environment variable mean the same. */
import { z } from "zod";

/** A whole number within bounds; `unit`, where it has one, is for the message. */
export function wholeNumber(minimum: number, maximum: number, unit?: string) {
  const rule = `must be a whole number${unit === undefined ? "" : ` of ${unit}`} from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, { error: rule, abort: true })
    .transform(Number)
    .pipe(z.int({ error: rule }).min(minimum, { error: rule }).max(maximum, { error: rule }));
}

/** `true` or `false`. YAML 1.1's `yes`, `on` and the like are refused rather than guessed at. */
export function flag() {
  return z
    .string()
    .regex(/^(true|false)$/i, { error: "must be true or false", abort: true })
    .transform((text) => text.toLowerCase() === "true")
    .pipe(z.boolean());
}

/** `true`, `false` or `auto`. */
export function flagOrAuto() {
  return z
    .string()
    .regex(/^(true|false|auto)$/i, { error: "must be auto, true or false", abort: true })
    .transform((text) => (text.toLowerCase() === "auto" ? ("auto" as const) : text.toLowerCase() === "true"))
    .pipe(z.union([z.literal("auto"), z.boolean()]));
}

/** A TCP port, 0 for any that is free, or `false` for none. */
export function portOrOff() {
  const rule = "must be a whole number from 0 to 65535, or false";
  return z
    .string()
    .regex(/^(false|[0-9]{1,9})$/i, { error: rule, abort: true })
    .transform((text) => (text.toLowerCase() === "false" ? (false as const) : Number(text)))
    .pipe(z.union([z.literal(false), z.int({ error: rule }).min(0, { error: rule }).max(65_535, { error: rule })], { error: rule }));
}

/** One of `words`. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}` });
}

/** An absolute path, without a trailing slash. */
export function absolutePath(maximumBytes = 4095) {
  return z
    .string()
    .regex(/^\/[^\0]*$/, { error: "must be an absolute path", abort: true })
    .refine((path) => Buffer.byteLength(path) <= maximumBytes, { error: `must be at most ${maximumBytes} bytes long` })
    .overwrite((path) => path.replace(/(?<=.)\/+$/, ""));
}

/** A USB vendor or product id: `10c4`, `10C4`, `0x10c4`, `"10c4"`; comes out as four lower-case hex digits. */
export function usbId() {
  return z
    .string()
    .regex(/^(0x)?[0-9a-f]{1,4}$/i, { error: "must be a USB id: up to four hex digits, such as 10c4", abort: true })
    .transform((text) => text.toLowerCase().replace(/^0x/, "").padStart(4, "0"))
    .pipe(z.string())
    .meta({ type: ["string", "integer"] });
}

/** A field that must satisfy `problemOf`, which says why a text can't be used. */
export function checked(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}

/** Text that people gave: 1 to `maximum` characters, all of them printable. */
export function printableText(maximum: number) {
  const rule = `must be 1 to ${maximum} printable characters`;
  return z.string().regex(new RegExp(`^(?!\\s)[^\\p{C}\\p{Zl}\\p{Zp}]{1,${maximum}}(?<!\\s)$`, "u"), { error: rule });
}

/** A list, or a single value that stands for a list of one. */
export function oneOrMore<Item extends z.ZodType>(item: Item) {
  const list = z.array(item).min(1, { error: "must not be an empty list" });
  return z.preprocess((written) => (typeof written === "string" ? [written] : written), list).meta({ type: ["string", "array"] });
}
