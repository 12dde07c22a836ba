/** The one schema of aerial's configuration: types, defaults, checks and the words that explain each key. */
import { z } from "zod";
import { apiSchema } from "./api-schema.ts";
import { absolutePath, checked, flag, flagOrAuto, oneOf, printableText, usbId, wholeNumber } from "./fields.ts";
import { devicePluginSchema, followSchema, handoverSchema, resourceClaimsSchema } from "./handover-schema.ts";
import { labelKeyProblem, labelPrefixProblem } from "./label-key.ts";
import type { LinkSelector } from "./relay-links.ts";
import { relaySchema } from "./relay-schema.ts";

const kindPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const node = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/, {
      error: "must be a node name: at most 253 letters, digits, `-`, `_` and `.`",
    })
    .exactOptional()
    .meta({
      description: "This node's name, as the cluster calls it.",
      "x-default": "the environment variable NODE_NAME, else the host's name in lower case",
      examples: ["node-1"],
    }),
});

const host = z.strictObject({
  sys: absolutePath().default("/sys").describe("Where the host's sysfs is mounted."),
  dev: absolutePath().default("/dev").describe("Where the host's /dev is mounted; in a pod usually /host/dev, so that it stays live."),
  proc: absolutePath().default("/proc").describe("Where the host's procfs is mounted."),
  run: absolutePath().default("/run").describe("Where the host's /run is mounted, for the D-Bus socket of BlueZ."),
  modules: absolutePath()
    .default("/usr/lib/modules")
    .describe("Where the host's kernel modules are mounted, for the doctor to tell which driver a device wants."),
  kubelet: absolutePath()
    .default("/var/lib/kubelet")
    .describe("The kubelet's directory. Paths in it must be the same in aerial's pod as on the host."),
  cdi: absolutePath().default("/var/run/cdi").describe("Where the container runtime looks for CDI files."),
  osRelease: absolutePath()
    .exactOptional()
    .meta({
      description: "The host's os-release, where a pod has it mounted.",
      "x-default": "what the kubelet and the kernel say, else /etc/os-release of process 1",
      examples: ["/host/etc/os-release"],
    }),
});

const state = z.strictObject({
  directory: absolutePath()
    .exactOptional()
    .meta({
      description: "Where aerial remembers ids, names and history. Losing it costs names and history; nothing else.",
      "x-default": "/var/lib/aerial for root, else $XDG_STATE_HOME/aerial or ~/.local/state/aerial",
      examples: ["/var/lib/aerial"],
    }),
});

const scan = z.strictObject({
  interval: wholeNumber(10, 86_400, "seconds")
    .default(10)
    .describe(
      "Seconds between whole scans where the kernel's events cannot be heard; where they can, plugging in is noticed at once, and once all is calm the timer takes six times as long.",
    ),
});

const labels = z.strictObject({
  enabled: flag().default(true).describe("Whether to label this node with the radios it has."),
  prefix: checked(labelPrefixProblem).default("radio.mi.house").describe("The prefix of aerial's labels: radio.mi.house/zigbee=true."),
  aliases: z
    .record(
      checked(labelKeyProblem),
      z.string().regex(/^\*$|^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'must be a kind of radio, such as zigbee, or "*" for any' }),
    )
    .default({})
    .meta({
      description:
        'Further labels, set to "true" while the node has a radio of that kind ("*": any radio): label key → kind. In a cluster the policy in daemonset/base/own-node-policy.yaml has to list them too.',
      examples: [{ radio: "*", zigbee: "zigbee" }],
    }),
  graceSeconds: wholeNumber(0, 3600, "seconds")
    .default(5)
    .describe("How long labels outlive an unplugged radio, so that flashing firmware or a loose plug reshuffles nothing."),
});

const events = z.strictObject({
  enabled: flag().default(true).describe("Whether to record a Kubernetes Event when a radio comes or goes."),
});

const kubernetes = z.strictObject({
  enabled: flagOrAuto().default("auto").describe("Whether to talk to a cluster. auto: in a pod, or when kubeconfig is set below."),
  kubeconfig: absolutePath()
    .exactOptional()
    .meta({
      description: "A kubeconfig file, for aerial outside a pod.",
      "x-default": "the pod's service account",
      examples: ["/etc/aerial/kubeconfig"],
    }),
  context: printableText(253)
    .exactOptional()
    .meta({
      description: "The context in the kubeconfig file.",
      "x-default": "the file's current context",
      examples: ["home"],
    }),
});

const plugins = z.strictObject({
  paths: z
    .array(absolutePath())
    .default([])
    .meta({
      description: "Plugin files to load beside the built-in radios. Each runs in a thread of its own, with aerial's rights.",
      examples: [["/etc/aerial/plugins/my-radio.js"]],
    }),
});

/** Names on USB are given anew with each plug, and would be another stick's tomorrow. */
const builtInNode = /^\/dev\/(?!tty(USB|ACM)|hidraw|bus$|serial$)[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const radio = z.strictObject({
  match: z
    .strictObject({
      serial: z
        .string()
        .min(1, { error: "must not be empty" })
        .max(255)
        .exactOptional()
        .meta({ description: "The USB serial number.", examples: ["0001"] }),
      port: z
        .string()
        .regex(/^[0-9]+-[0-9]+(\.[0-9]+)*$/, { error: "must be a USB port path, such as 1-1.2" })
        .exactOptional()
        .meta({ description: "The USB port path, as `aerial devices` shows it.", examples: ["1-1.2"] }),
      vendorId: usbId()
        .exactOptional()
        .meta({ description: "The USB vendor id.", examples: ["10c4"] }),
      productId: usbId()
        .exactOptional()
        .meta({ description: "The USB product id.", examples: ["ea60"] }),
      byId: z
        .string()
        .regex(/^(\/dev\/serial\/by-id\/)?[^/\0]+$/, { error: "must be a name in /dev/serial/by-id" })
        .transform((text) => text.replace(/^.*\//, ""))
        .pipe(z.string())
        .exactOptional()
        .meta({ description: "The name in /dev/serial/by-id.", examples: ["usb-Acme_Stick_0001-if00-port0"] }),
      node: z
        .string()
        .regex(builtInNode, {
          error: "must be the device node of what is built in, such as /dev/spidev0.0; what is on USB is matched by serial, port or byId",
        })
        .exactOptional()
        .meta({
          description: "The device node of a radio that is not on USB: a HAT, or a soldered module.",
          examples: ["/dev/spidev0.0"],
        }),
    })
    .refine((match) => Object.keys(match).length > 0, { error: "must name at least one of serial, port, vendorId, productId, byId, node" })
    .meta({ description: "Which radio is meant; all that is given must hold.", minProperties: 1 }),
  name: printableText(63)
    .exactOptional()
    .meta({ description: "What you call it.", examples: ["attic"] }),
  kind: z
    .string()
    .regex(kindPattern, { error: "must be a kind of radio, such as zigbee" })
    .exactOptional()
    .meta({ description: "What it is, when you know better than aerial.", examples: ["zigbee"] }),
});

const radios = z
  .array(radio.refine((entry) => entry.name !== undefined || entry.kind !== undefined, { error: "must give a name, a kind or both" }))
  .superRefine((entries, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of entries.entries()) {
      if (name !== undefined && seen.has(name))
        context.addIssue({ code: "custom", path: [index, "name"], message: "is already the name of another radio" });
      if (name !== undefined) seen.add(name);
    }
  })
  .default([])
  .meta({
    description: "Names for radios, and what they are where aerial can't tell or is wrong.",
  });

const log = z.strictObject({
  level: oneOf(["debug", "info", "warn", "error"])
    .default("info")
    .describe("debug: every scan; info: every change; warn: what is degraded; error: what needs a person."),
  format: oneOf(["auto", "json", "text"]).default("auto").describe("auto: text on a terminal, JSON lines elsewhere."),
});

/** What a file or the environment may say. Strict throughout: a mistyped key is an error, never silently ignored. */
export const configSchema = z.strictObject({
  version: z
    .string()
    .regex(/^1$/, { error: "must be 1, the only version there is", abort: true })
    .transform(() => 1 as const)
    .pipe(z.literal(1))
    .default(1)
    .describe("The version of this file's format."),
  node: node.prefault({}).describe("The machine aerial runs on."),
  host: host.prefault({}).describe("Where the host's file trees are found."),
  state: state.prefault({}).describe("aerial's memory."),
  scan: scan.prefault({}).describe("Looking for devices."),
  labels: labels.prefault({}).describe("Node labels, by which pods find radios."),
  events: events.prefault({}).describe("Kubernetes Events."),
  kubernetes: kubernetes.prefault({}).describe("The cluster. Without one aerial still finds, names and shows radios."),
  handover: handoverSchema.prefault({}).describe("Giving radios to pods."),
  devicePlugin: devicePluginSchema.prefault({}).describe("Radios as extended resources: `resources.limits` of a container."),
  resourceClaims: resourceClaimsSchema.prefault({}).describe("Radios by ResourceClaim (dynamic resource allocation)."),
  follow: followSchema.prefault({}).describe("Pods that move with their radio. Needs daemonset/components/follow."),
  api: apiSchema.prefault({}).describe("The API and the page."),
  plugins: plugins.prefault({}).describe("Radio plugins."),
  radios,
  relay: relaySchema
    .prefault({})
    .describe(
      "Carrying mDNS and SSDP between links, so that what one network offers is found from another. Changes hold at once, without a restart, but for relay.lease, and for enabled where it was false at the start.",
    ),
  log: log.prefault({}).describe("aerial's own log, on standard output. Serial numbers are never in it."),
});

/** The configuration as files and environment give it: what depends on the machine may still be open. */
export type ConfigFile = z.output<typeof configSchema>;

type Resolved = {
  readonly node: { readonly name: string };
  readonly state: { readonly directory: string };
  readonly kubernetes: Omit<ConfigFile["kubernetes"], "enabled"> & { readonly enabled: boolean };
  readonly api: Omit<ConfigFile["api"], "socket"> & { readonly socket: string };
  readonly relay: Omit<ConfigFile["relay"], "links"> & { readonly links: readonly LinkSelector[] };
};

type Immutable<T> = T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T;

/** The configuration aerial runs with: every key has its value. Paths are absolute. */
export type Config = Immutable<Omit<ConfigFile, keyof Resolved> & Resolved>;
