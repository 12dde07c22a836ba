/** The gate every plugin passes, built-in or not: what it must look like, in words its author can act on. */
import { z } from "zod";
import { checkFace } from "./check-schema.ts";
import { pluginApiVersion, type RadioPlugin } from "../sdk/plugin.ts";

/** A list, so that an older plugin can stay usable when the API moves on. */
const supportedApiVersions: readonly number[] = [pluginApiVersion];

/** More rows or longer texts than any honest plugin needs. */
const limits = { rows: 5_000, usbIds: 20_000, text: 500, kinds: 8, expression: 1_000 } as const;

const hex4 = z.string().regex(/^[0-9a-f]{4}$/, "must be four lower-case hex digits");
const text = z.string().min(1).max(limits.text);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and `-`, at most 40");
const rowId = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, "must be lower-case letters, digits, `-` and `.`, at most 80");
const kind = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and `-`, at most 32");
const kinds = z.array(kind).min(1).max(limits.kinds);
const deviceFunction = z.enum(["serial", "spi", "bluetooth", "wifi", "ieee802154", "usb"]);
const expression = z.instanceof(RegExp).refine((value) => value.source.length <= limits.expression, "is too long");
const textOrTexts = z.union([text, z.array(text).min(1).max(100)]);

const match = z
  .strictObject({
    function: z.union([deviceFunction, z.array(deviceFunction).min(1)]).optional(),
    vendorId: hex4.optional(),
    productId: hex4.optional(),
    usbIds: z
      .array(z.string().regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/, "must be `vvvv:pppp` in lower-case hex"))
      .min(1)
      .max(limits.usbIds)
      .optional(),
    name: expression.optional(),
    manufacturer: expression.optional(),
    product: expression.optional(),
    serial: expression.optional(),
    interfaceNumber: z.int().min(0).max(255).optional(),
    interfaceClass: z
      .string()
      .regex(/^[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]{2}$/, "must be `class/subclass/protocol`, each two lower-case hex digits")
      .optional(),
    driver: textOrTexts.optional(),
    node: expression.optional(),
    compatible: textOrTexts.optional(),
    board: expression.optional(),
    accessPoint: z.boolean().optional(),
  })
  .refine((value) => Object.keys(value).some((key) => key !== "accessPoint"), "asks for nothing: it would match every device");

const base = { id: rowId, match, vendor: text.optional(), model: text.optional(), source: text, note: text.optional() };
const probe = z.enum(["allowed", "denied", "none"]);

const fingerprint = z.discriminatedUnion("says", [
  z
    .strictObject({
      ...base,
      says: z.literal("is"),
      kinds,
      certainty: z.enum(["certain", "likely"]),
      alternatives: z.array(kind).max(limits.kinds).optional(),
      mode: z.enum(["application", "bootloader"]).optional(),
      adapter: text.optional(),
      line: z.strictObject({ baudRate: z.int().min(50).max(8_000_000), rtscts: z.boolean() }).optional(),
      probe,
    })
    .refine((row) => row.certainty === "likely" || (row.alternatives ?? []).length === 0, "is `certain` and yet has alternatives"),
  z.strictObject({ ...base, says: z.literal("may-be"), kinds, probe }),
  z.strictObject({ ...base, says: z.literal("is-not") }),
  z.strictObject({ ...base, says: z.literal("bootloader") }),
]);

/** What anything may offer: it tells nothing of a radio. */
const weakServices: ReadonlySet<string> = new Set([
  "_http._tcp",
  "_https._tcp",
  "_ssh._tcp",
  "_sftp-ssh._tcp",
  "_workstation._tcp",
  "_device-info._tcp",
  "_hap._tcp",
  "_hap._udp",
]);

const glob = text.max(255);
const networkBase = {
  id: rowId,
  service: z.string().regex(/^_[a-z0-9_-]{1,62}\._(?:tcp|udp)$/, "must be a DNS-SD type in lower case, such as `_slzb-06._tcp`"),
  instance: glob.optional(),
  text: z
    .record(z.string().regex(/^[!-<>-~]{1,64}$/, "must be a TXT key"), glob)
    .refine((value) => Object.keys(value).every((key) => key === key.toLowerCase()), "keys must be in lower case")
    .refine((value) => Object.keys(value).length <= 10, "has too many keys")
    .optional(),
  vendor: text.optional(),
  model: text.optional(),
  source: text,
  note: text.optional(),
};

const networkFingerprint = z
  .discriminatedUnion("says", [
    z
      .strictObject({
        ...networkBase,
        says: z.literal("is"),
        kinds,
        certainty: z.enum(["certain", "likely"]),
        alternatives: z.array(kind).max(limits.kinds).optional(),
        adapter: text.optional(),
      })
      .refine((row) => row.certainty === "likely" || (row.alternatives ?? []).length === 0, "is `certain` and yet has alternatives"),
    z.strictObject({ ...networkBase, says: z.literal("may-be"), kinds }),
    z.strictObject({ ...networkBase, says: z.literal("is-not") }),
  ])
  .refine((row) => row.says === "is-not" || !weakServices.has(row.service), "anything may offer this service: it makes no radio");

const callable = z.custom<(...input: never[]) => unknown>((value) => typeof value === "function", "must be a function");

const shape = z.strictObject({
  apiVersion: z.literal(supportedApiVersions),
  name,
  fingerprints: z.array(fingerprint).max(limits.rows),
  network: z.array(networkFingerprint).max(limits.rows).optional(),
  checks: z
    .array(z.strictObject({ ...checkFace.shape, judge: callable }))
    .max(200)
    .optional(),
  probe: callable.optional(),
  describe: callable.optional(),
});

/** What is wrong with `value` as a plugin; empty when it is one. Never throws. */
export function pluginProblems(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return ["the plugin is not an object; make it with definePlugin({…})"];
  const { apiVersion } = value as { readonly apiVersion?: unknown };
  if (!supportedApiVersions.includes(apiVersion as number)) {
    return [
      `apiVersion is ${describe(apiVersion)}, and this aerial speaks ${supportedApiVersions.join(", ")}; use the plugin's release for it`,
    ];
  }
  const checked = shape.safeParse(value);
  if (!checked.success) return checked.error.issues.slice(0, 10).map((issue) => `${pathOf(value, issue.path)}: ${issue.message}`);
  const { fingerprints, network = [], checks = [] } = checked.data;
  return [...doubledIds("fingerprints", [...fingerprints, ...network]), ...doubledIds("checks", checks), ...strangeIds(checked.data)];
}

/** Narrows after `pluginProblems` found nothing. */
export function isPlugin(value: unknown): value is RadioPlugin {
  return pluginProblems(value).length === 0;
}

function doubledIds(list: "fingerprints" | "checks", rows: readonly { readonly id: string }[]): readonly string[] {
  const seen = new Set<string>();
  const doubled = rows.filter(({ id }) => seen.size === seen.add(id).size);
  return doubled.map(({ id }) => `${list}: two ${list === "checks" ? "checks" : "rows"} have the id "${id}"`);
}

/** Ids of checks are shown beside those of all others. */
function strangeIds({
  name,
  checks = [],
}: {
  readonly name: string;
  readonly checks?: readonly { readonly id: string }[] | undefined;
}): readonly string[] {
  return checks.filter(({ id }) => !id.startsWith(`${name}-`)).map(({ id }) => `checks: the id "${id}" must begin with "${name}-"`);
}

/** `fingerprints[3] (my-stick).match.vendorId`: by number and by id. */
function pathOf(value: object, path: readonly PropertyKey[]): string {
  if (path.length === 0) return "plugin";
  const [list, index] = path;
  const rows: unknown =
    list === "fingerprints" || list === "network" || list === "checks" ? (value as Readonly<Record<string, unknown>>)[list] : undefined;
  const row: unknown = typeof index === "number" && Array.isArray(rows) ? rows[index] : undefined;
  const id = typeof row === "object" && row !== null && "id" in row && typeof row.id === "string" ? ` (${row.id.slice(0, 80)})` : "";
  return path
    .map((part, position) => {
      if (typeof part === "number") return `[${part}]${position === 1 ? id : ""}`;
      return position === 0 ? String(part) : `.${String(part)}`;
    })
    .join("");
}

function describe(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value)?.slice(0, 40) ?? typeof value);
}
