/** The relay's part of the configuration. */
import { z } from "zod";
import { checked, flag, flagOrAuto, oneOf, oneOrMore, printableText, wholeNumber } from "./fields.ts";
import { canBeTwo, doubledLinks, unknownLinkProblem, type WrittenLink } from "./relay-links.ts";
import { linkWordProblem, prefixProblem, serviceProblem } from "./relay-words.ts";

/** Interface names have 15 bytes at most (IFNAMSIZ, linux/if.h); a pattern may have some more. */
const interfaceName = z
  .string()
  .regex(/^[^\s/]{1,31}$/, { error: "must be an interface's name, in which * stands for any run of characters" });

const link = z
  .preprocess(
    (written) => (typeof written === "string" ? { interface: written } : written),
    z
      .strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "must be letters, digits, `-`, `_` and `.`, at most 63" })
          .superRefine((word, context) => {
            const problem = linkWordProblem(word);
            if (problem !== undefined) context.addIssue({ code: "custom", message: "must be a name, and not a word for every link" });
          })
          .exactOptional()
          .meta({ description: "What rules and messages call it. Else it is called like its interface, or vlan20.", examples: ["iot"] }),
        interface: interfaceName.exactOptional().meta({
          description: "The interface. With a * and no name, each interface that fits is a link of its own; with a name, the first.",
          examples: ["eth0.20"],
        }),
        vlan: wholeNumber(1, 4094)
          .exactOptional()
          .meta({ description: "Instead of the interface: the VLAN id of an 802.1Q interface.", examples: [20] }),
      })
      .refine((entry) => (entry.interface === undefined) !== (entry.vlan === undefined), {
        error: "must give an interface or a vlan, and not both",
      }),
  )
  .meta({ type: ["string", "object"], minProperties: 1 });

const links = z
  .array(link)
  .superRefine((entries, context) => {
    for (const [index, message] of doubledLinks(entries)) context.addIssue({ code: "custom", path: [index], message });
  })
  .default([])
  .meta({
    description:
      "Between which links to relay: interfaces by name or pattern, or VLANs by id. Those that are not there yet are waited for. A pattern takes in whatever it fits, bridges of containers too.",
    examples: [["eth0", "eth0.*", { name: "iot", vlan: 20 }]],
  });

const protocols = ["mdns", "ssdp", "wsd", "sonos"] as const;

const linkNames = oneOrMore(checked(linkWordProblem));

const rule = z.strictObject({
  action: oneOf(["allow", "deny"]).meta({ description: "What happens to what the rule matches: allow or deny.", examples: ["deny"] }),
  from: linkNames.exactOptional().meta({ description: "The links it comes from.", examples: ["iot"] }),
  to: linkNames.exactOptional().meta({ description: "The links it would go to.", examples: [["home", "guest"]] }),
  direction: oneOf(["ask", "offer"])
    .exactOptional()
    .meta({
      description: "ask: queries and searches; offer: answers, announcements and goodbyes. Both when left out.",
      examples: ["offer"],
    }),
  service: oneOrMore(checked(serviceProblem))
    .exactOptional()
    .meta({
      description:
        "DNS-SD types (_hap._tcp), UPnP types (urn:schemas-upnp-org:device:MediaServer:1) and presets such as homekit, cast, airplay, sonos, printers, matter, thread, dlna, spotify.",
      examples: [["homekit", "_http._tcp"]],
    }),
  instance: oneOrMore(printableText(255))
    .exactOptional()
    .meta({ description: "Names of services, as apps show them; * stands for any run of characters.", examples: ["Kitchen*"] }),
  host: oneOrMore(printableText(255).overwrite((name) => name.replace(/\.local\.?$/i, "")))
    .exactOptional()
    .meta({ description: "Names of hosts, without .local; * stands for any run of characters.", examples: ["camera-*"] }),
  source: oneOrMore(checked(prefixProblem))
    .exactOptional()
    .meta({ description: "Addresses and prefixes of who sends.", examples: ["192.168.20.0/24"] }),
  protocol: oneOrMore(oneOf(protocols))
    .exactOptional()
    .meta({ description: "Protocols.", examples: ["mdns"] }),
});

/** The keys of the section that a file of rules has too. */
const ruleKeys = {
  rules: z
    .array(rule)
    .default([])
    .meta({ description: "What may cross. The first rule that matches decides; what a rule leaves out it does not ask about." }),
  defaults: flag()
    .default(true)
    .describe(
      "Whether matter, thread and sleep-proxy stay on their link unless a rule allows them by name: found from another link they cannot be reached.",
    ),
  default: oneOf(["allow", "deny"]).default("allow").describe("What happens where no rule matches."),
};

/** A file that holds rules alone. */
export const relayRulesSchema = z.strictObject(ruleKeys);

export const relaySchema = z
  .strictObject({
    enabled: flag().default(false).describe("Whether to relay. At least two links must be named."),
    links,
    protocols: z
      .array(oneOf(protocols))
      .default(["mdns", "ssdp"])
      .describe(
        "What to relay. mdns: DNS-SD, Bonjour; ssdp: UPnP, DLNA, DIAL; wsd: WS-Discovery of printers and Windows; sonos: broadcasts of older Sonos players.",
      ),
    ...ruleKeys,
    limits: z
      .strictObject({
        perSource: wholeNumber(0, 1_000_000, "packets a second").default(500).describe("Packets a second from one host; 0: no limit."),
        perLink: wholeNumber(0, 1_000_000, "packets a second").default(2000).describe("Packets a second from one link; 0: no limit."),
      })
      .prefault({})
      .describe("How much is relayed. What is above is dropped and said."),
    onSecondReflector: oneOf(["stand-down", "carry-on"])
      .default("stand-down")
      .describe("Where something else relays between the same links already: leave that to it, or relay as well."),
    lease: z
      .strictObject({
        enabled: flagOrAuto()
          .default("auto")
          .describe(
            "Whether aerials on the same links agree by a Lease which of them relays. auto: where there is a cluster. Else they agree by mDNS.",
          ),
        namespace: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: "must be a namespace's name" })
          .exactOptional()
          .meta({ description: "The Lease's namespace.", "x-default": "the pod's own, else aerial", examples: ["aerial"] }),
      })
      .prefault({})
      .describe("Several aerials on the same links."),
  })
  .superRefine(({ enabled, links: entries, rules }, context) => {
    if (enabled && !canBeTwo(entries))
      context.addIssue({ code: "custom", path: ["enabled"], message: "is true, but relay.links names fewer than two links" });
    for (const { path, message } of unknownLinks(rules, entries)) context.addIssue({ code: "custom", path: ["rules", ...path], message });
  });

export type WrittenRule = z.output<typeof rule>;

/** Names in rules that are no link's: where they stand, and what is wrong. */
export function unknownLinks(
  rules: readonly WrittenRule[],
  links: readonly WrittenLink[],
): { path: (string | number)[]; message: string }[] {
  return rules.flatMap((written, index) =>
    (["from", "to"] as const).flatMap((key) =>
      (written[key] ?? []).flatMap((word, at) => {
        const message = linkWordProblem(word) === undefined ? unknownLinkProblem(word, links) : undefined;
        return message === undefined ? [] : [{ path: [index, key, at], message }];
      }),
    ),
  );
}
