/** The API's part of the configuration: where it listens, and who may do what there. */
import { isIP } from "node:net";
import { z } from "zod";
import { absolutePath, checked, flag, oneOf, portOrOff, wholeNumber } from "./fields.ts";

/** sun_path of sockaddr_un is 108 bytes with its terminating zero (unix(7)). */
export const socketPathBytes = 107;

/** Where the API is on the loopback address unless said otherwise. In no list of IANA, and below Linux' ephemeral ports. */
const defaultPort = 18_088;

const addressRule = "must be an IP address, such as 0.0.0.0, :: or 192.168.1.10";
/** A DNS name, or `*.` and one, which stands for each name below it. */
const hostPattern = /^(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;

const allowedHost = z
  .string()
  .max(253)
  .overwrite((name) => name.toLowerCase().replace(/\.$/, ""))
  .regex(hostPattern, { error: "must be a name without a port, such as aerial.example.org or *.example.org" });

const tls = z.strictObject({
  certificate: absolutePath().meta({
    description: "The certificate and those between it and its authority, in PEM. Read again when the file changes.",
    examples: ["/etc/aerial/tls/tls.crt"],
  }),
  key: absolutePath().meta({ description: "Its private key, in PEM.", examples: ["/etc/aerial/tls/tls.key"] }),
});

const listener = z.strictObject({
  address: checked((text) => (isIP(text) === 0 ? addressRule : undefined)).meta({
    description: "One of the node's addresses; 0.0.0.0 or :: for all.",
    examples: ["0.0.0.0"],
  }),
  port: wholeNumber(0, 65_535).meta({ description: "The TCP port; 0 for one that is free, which the log names.", examples: [18_089] }),
  tls: tls.exactOptional().meta({
    description: "Without it tokens can be read on the way: leave it out only behind a proxy, or in a network that you trust.",
  }),
  allowedHosts: z
    .array(allowedHost)
    .default([])
    .meta({
      description: "Names by which browsers and programs may call it, beside its addresses and node.name.",
      examples: [["aerial.example.org"]],
    }),
});

const token = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, { error: "must be at most 63 letters, digits, `-`, `_` and `.`" })
    .meta({ description: "Whose it is; the log names it.", examples: ["home-assistant"] }),
  role: oneOf(["viewer", "operator"]).meta({
    description: "viewer: sees everything; operator: acts as well.",
    examples: ["viewer"],
  }),
  file: absolutePath().meta({
    description: "The file that holds it, 16 characters or more. Read again when it changes.",
    examples: ["/etc/aerial/tokens/home-assistant"],
  }),
});

const origin = checked((text) => (isOrigin(text) ? undefined : "must be an origin, such as https://house.example.org")).overwrite((text) =>
  isOrigin(text) ? new URL(text).origin : text,
);

/** Scheme, name and port, and nothing else. */
function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^/?#@*]+$/i.test(text)) return false;
  return URL.canParse(text);
}

export const apiSchema = z
  .strictObject({
    socket: absolutePath(socketPathBytes)
      .exactOptional()
      .meta({
        description: `The unix socket of the API and the command line, at most ${socketPathBytes} bytes long. Who may open it may do everything.`,
        "x-default": "/run/aerial/aerial.sock for root, else $XDG_RUNTIME_DIR/aerial.sock, else aerial.sock in state.directory",
        examples: ["/run/aerial/aerial.sock"],
      }),
    port: portOrOff()
      .exactOptional()
      .meta({
        description:
          "The TCP port on 127.0.0.1 and ::1 for the same API and the page, without a token. Every program on the node can reach it; web pages of others cannot. false: none; 0: one that is free, which the log names.",
        "x-default": `${defaultPort}; where that is taken, none until it is free`,
        examples: [defaultPort],
      }),
    listen: z.array(listener).default([]).meta({
      description: "Where others reach the API and the page, with a token. Nowhere unless said here.",
    }),
    tokens: z.array(token).default([]).meta({
      description: "Who may come in where a token is asked for: `Authorization: Bearer …`.",
    }),
    kubernetesTokens: z
      .strictObject({
        enabled: flag()
          .default(false)
          .describe(
            "Whether tokens of the cluster are taken too. Who may get the resource radios in the group radio.mi.house is a viewer, who may update it an operator.",
          ),
        audiences: z
          .array(z.string().regex(/^[\x21-\x7e]{1,255}$/, { error: "must be 1 to 255 characters without blanks" }))
          .default([])
          .meta({
            description: "For whom tokens must have been made; empty: for the API server.",
            examples: [["aerial"]],
          }),
      })
      .prefault({})
      .describe("Tokens of Kubernetes, asked of the API server (TokenReview and SubjectAccessReview)."),
    cors: z
      .array(origin)
      .default([])
      .meta({
        description: "Other web sites whose pages may use the API as whoever looks at them may. None unless named.",
        examples: [["https://house.example.org"]],
      }),
    requestsPerSecond: wholeNumber(0, 100_000, "requests")
      .default(50)
      .describe("How many requests one address may make in a second where a token is asked for; twice as many at once. 0: no limit."),
  })
  .superRefine(({ listen, tokens, kubernetesTokens, port = defaultPort }, context) => {
    const tell = (path: (string | number)[], message: string): void => context.addIssue({ code: "custom", path, message });
    if (listen.length > 0 && tokens.length === 0 && !kubernetesTokens.enabled)
      tell(["listen"], "is reachable from the network, and nobody could come in: give api.tokens, or enable api.kubernetesTokens");
    for (const [index, entry] of listen.entries()) {
      const same = listen.slice(0, index).some((other) => other.port === entry.port && entry.port !== 0 && overlap(other, entry));
      if (same) tell(["listen", index, "port"], "is taken at this address by an entry above");
      if (entry.port !== 0 && entry.port === port && isWildcard(entry.address))
        tell(["listen", index, "port"], "is the port of api.port, which stays on the loopback address: take another here");
    }
    for (const [index, { name }] of tokens.entries())
      if (tokens.slice(0, index).some((other) => other.name === name)) tell(["tokens", index, "name"], "is the name of another token");
  });

type Entry = { readonly address: string };

function overlap(a: Entry, b: Entry): boolean {
  return a.address === b.address || isWildcard(a.address) || isWildcard(b.address);
}

function isWildcard(address: string): boolean {
  return /^[0:.]+$/.test(address);
}
