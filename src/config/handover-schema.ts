/** The configuration of handing radios to pods: the device plugin, resource claims, and pods that follow their radio. */
import { z } from "zod";
import { flag, flagOrAuto, oneOf, wholeNumber } from "./fields.ts";

const groupName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const groups = z
  .array(
    z.strictObject({
      name: z
        .string()
        .regex(groupName, { error: "must be at most 63 lower-case letters, digits and `-`, such as coordinator" })
        .refine((name) => !/-[2-8]$/.test(name), {
          error: "must not end in -2 to -8: so a container's further radios of one group are numbered",
        })
        .meta({ description: "The last part of the resource's name, and of the path in the container.", examples: ["coordinator"] }),
      kinds: z
        .array(z.string().regex(groupName, { error: "must be a kind of radio, such as zigbee" }))
        .default([])
        .meta({ description: "Kinds of radio that belong to it.", examples: [["zigbee", "thread"]] }),
      radios: z
        .array(z.string().min(1).max(63))
        .default([])
        .meta({ description: "Ids or names of radios that belong to it, whatever their kind.", examples: [["attic"]] }),
    }),
  )
  .max(32)
  .superRefine((entries, context) => {
    const seen = new Set<string>();
    for (const [index, { name, kinds, radios }] of entries.entries()) {
      if (seen.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: "is already the name of another group" });
      seen.add(name);
      if (kinds.length + radios.length === 0)
        context.addIssue({ code: "custom", path: [index], message: "must name kinds, radios or both" });
    }
  })
  .default([])
  .meta({
    description: "Groups of radios that are one resource each; a radio is in the first that fits, else in one named like its kind.",
  });

/** `handover`: what every way of giving a radio to a container has in common. */
export const handoverSchema = z.strictObject({
  groups,
  allocation: oneOf(["auto", "cdi", "devices"])
    .default("auto")
    .describe(
      "How a container gets the device. cdi: by a name, so that a container restart is enough after a replug. devices: by path, for container runtimes without CDI. auto: as the node's runtime can.",
    ),
  groupId: wholeNumber(0, 65_535)
    .default(20)
    .describe("The group that owns the device nodes in containers, which may read and write them; 20 is dialout."),
  graceSeconds: wholeNumber(0, 3600, "seconds")
    .default(30)
    .describe("How long an unplugged radio stays listed as unhealthy before it is gone, so that a replug reshuffles nothing."),
  onReplug: oneOf(["restart", "ignore"])
    .default("restart")
    .describe("What happens to a container whose radio came back as another device node: restart ends it, and the kubelet starts it anew."),
});

/** `devicePlugin`: radios as extended resources. */
export const devicePluginSchema = z.strictObject({
  enabled: flagOrAuto()
    .default("auto")
    .describe("Whether to offer radios as extended resources (radio.mi.house/zigbee). auto: where there is a kubelet."),
});

/** `resourceClaims`: radios by dynamic resource allocation. */
export const resourceClaimsSchema = z.strictObject({
  enabled: flagOrAuto()
    .default("auto")
    .describe("Whether to offer radios to ResourceClaims. auto: where there is a kubelet, and the cluster has resource.k8s.io/v1."),
});

/** `follow`: pods that move with their radio. */
export const followSchema = z.strictObject({
  evict: oneOf(["annotated", "all", "none"])
    .default("annotated")
    .describe(
      'Which pods are evicted when their radio is plugged into another node: those with the annotation radio.mi.house/follow: "true", all that hold one, or none.',
    ),
  absentSeconds: wholeNumber(0, 86_400, "seconds")
    .default(0)
    .describe("Evict them also when their radio has been away for this long and is nowhere else. 0: never."),
  ghostPods: flag()
    .default(true)
    .describe(
      "Whether to delete pods that a reboot left in UnexpectedAdmissionError, if they asked for one of our resources and were replaced.",
    ),
});
