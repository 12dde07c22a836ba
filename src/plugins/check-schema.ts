/** What a plugin may ask the machine, and what it may answer. */
import { z } from "zod";

const line = (length: number) =>
  z
    .string()
    .min(1)
    .max(length)
    .regex(/^[^\p{Cc}]*$/u, "must be one line");
const sentence = line(600);

/** Trees that checks may read; which files in them are never read is told in src/host/read-tree.ts. */
const read = z
  .string()
  .max(300)
  .regex(/^\/(?:proc|sys|run|var\/lib\/kubelet)\/[^\p{Cc}]+$/u, "must be a path or glob below /proc, /sys, /run or /var/lib/kubelet")
  .refine(
    (path) =>
      path
        .split("/")
        .slice(1)
        .every((segment) => segment !== "" && segment !== "." && segment !== ".."),
    "must not have empty segments, `.` or `..`",
  );

/** A check without its function. */
export const checkFace = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/, "must be lower-case letters, digits and `-`, at most 60"),
  level: z.enum(["fail", "warning", "info"]),
  title: line(200),
  source: line(500),
  reads: z.array(read).max(100).readonly(),
});

const parameter = z.string().regex(/^[\w.:@+-]+(?:\/[\w.:@+-]+)*$/, "must be a parameter's name");
const name = z.string().regex(/^[\w][\w.:-]{0,62}$/, "must be a name");

const talosChange = z.discriminatedUnion("change", [
  z.strictObject({ change: z.literal("sysctl"), name: parameter.max(255), value: line(255) }),
  z.strictObject({ change: z.literal("sysfs"), name: parameter.max(255), value: line(255) }),
  z.strictObject({ change: z.literal("module"), name, parameters: z.array(line(255)).max(20).exactOptional() }),
  z.strictObject({ change: z.literal("udev-rule"), rule: line(1_000) }),
  z.strictObject({
    change: z.literal("vlan"),
    name,
    id: z.int().min(1).max(4094),
    parent: name,
    mtu: z.int().min(68).max(65_535).exactOptional(),
  }),
  z.strictObject({
    change: z.literal("firewall-rule"),
    name,
    port: z.int().min(1).max(65_535),
    protocol: z.enum(["udp", "tcp"]),
    subnets: z
      .array(z.string().regex(/^[0-9a-f.:]+\/\d{1,3}$/))
      .min(1)
      .max(50),
  }),
]);

const outcome = z.strictObject({
  subject: line(200).exactOptional(),
  verdict: z.enum(["pass", "fail", "unknown"]),
  text: sentence,
  evidence: z.array(z.strictObject({ source: line(300), value: z.string().max(4_096) })).max(20),
  remedy: z
    .strictObject({
      text: sentence,
      talos: z.array(talosChange).max(50).exactOptional(),
      linux: z.array(line(1_000)).max(20).exactOptional(),
    })
    .exactOptional(),
  radioId: z.string().max(63).exactOptional(),
});

/** What one check says: a sentence where there is nothing to judge. */
export const checkAnswer = z.union([sentence, z.array(outcome).max(200)]);
