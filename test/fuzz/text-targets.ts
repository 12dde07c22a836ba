/** SSDP and WS-Discovery: what is taken must read the same again from the bytes that would be sent. */
import { describeSsdp } from "../../src/relay/ssdp/describe-ssdp.ts";
import { describeWsd } from "../../src/relay/ssdp/describe-wsd.ts";
import { readSsdp } from "../../src/relay/ssdp/read-ssdp.ts";
import { readWsd } from "../../src/relay/ssdp/read-wsd.ts";
import type { FuzzTarget, WorkClock } from "./fuzz-target.ts";
import type { Random } from "./random.ts";
import { ssdpJunk, ssdpSamples, wsdJunk, wsdSamples } from "./ssdp-corpus.ts";

const toPackets = (samples: readonly { readonly text: string }[]): readonly Uint8Array[] =>
  samples.map(({ text }) => Buffer.from(text, "latin1"));

export const ssdpTarget: FuzzTarget = {
  name: "ssdp",
  corpus: toPackets([...ssdpSamples, ...ssdpJunk]),
  mutate: mutateLines,
  check: (packet, _random, clock) => checkReader({ read: readSsdp, describe: describeSsdp }, packet, clock),
};

export const wsdTarget: FuzzTarget = {
  name: "wsd",
  corpus: toPackets([...wsdSamples, ...wsdJunk]),
  mutate: mutateTags,
  check: (packet, _random, clock) => checkReader({ read: readWsd, describe: describeWsd }, packet, clock),
};

interface Format<M extends { readonly bytes: Uint8Array }> {
  readonly read: (packet: Uint8Array) => M | { readonly fault: string };
  readonly describe: (message: M) => string;
}

function checkReader<M extends { readonly bytes: Uint8Array }>(
  { read, describe }: Format<M>,
  packet: Uint8Array,
  clock: WorkClock,
): boolean {
  const message = clock.measure(() => read(packet));
  if ("fault" in message) return false;
  const description = clock.measure(() => describe(message));
  if (description.length > 200) throw new TypeError(`a description of ${description.length}`);
  const again = read(message.bytes);
  if ("fault" in again) throw new TypeError(`what goes on would be refused: ${again.fault}`);
  if (Buffer.compare(again.bytes, message.bytes) !== 0) throw new TypeError("what goes on is not yet mended");
  if (describe(again) !== description) throw new TypeError("what goes on says something else");
  return true;
}

/** Lines doubled, moved, joined, ended otherwise or filled with what numbers and names must not be. */
function mutateLines(packet: Buffer, random: Random): Buffer {
  const lines = packet.toString("latin1").split("\r\n");
  const at = random.below(lines.length);
  const line = lines[at] ?? "";
  const values: readonly [string, ...string[]] = [
    "",
    "0",
    "-1",
    "3",
    "99999999999999999999",
    "1e3",
    "ssdp:all",
    "uuid:",
    "\t",
    "x".repeat(600),
    "\u0000",
    "ü",
  ];
  switch (random.below(7)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(random.below(lines.length + 1), 0, line);
      break;
    case 2:
      lines[at] = `${line.slice(0, line.indexOf(":") + 1)} ${random.pick(values)}`;
      break;
    case 3:
      lines[at] = random.pick([line.toLowerCase(), line.toUpperCase(), ` ${line}`, line.replace(":", " :")]);
      break;
    case 4:
      return Buffer.from(lines.join(random.pick(["\n", "\r", "\r\n\r\n", "\n\r"])), "latin1");
    case 5:
      lines.splice(
        at,
        0,
        random.pick(["MX: 5", 'MAN: "ssdp:discover"', "CONTENT-LENGTH: 5", "LOCATION: http://[fe80::1]/", "ST: x", "NTS: ssdp:byebye"]),
      );
      break;
    default:
      for (let count = random.below(200); count > 0; count -= 1) lines.splice(at, 0, `X-${count}: ${line}`);
  }
  return Buffer.from(lines.join("\r\n"), "latin1");
}

/** Tags doubled, dropped, nested, and what XML has beside them. */
function mutateTags(packet: Buffer, random: Random): Buffer {
  const parts = packet.toString("latin1").split("<");
  const at = random.below(parts.length);
  const part = parts[at] ?? "";
  switch (random.below(5)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1:
      parts.splice(random.below(parts.length + 1), 0, part);
      break;
    case 2:
      parts.splice(at, 0, random.pick(["!-- x -->", "![CDATA[x]]>", "?x y?>", "!DOCTYPE x>", 'a:b xmlns:a="c">', "/x>", "x/>"]));
      break;
    case 3:
      for (let count = random.below(300); count > 0; count -= 1) parts.splice(at, 0, part);
      break;
    default:
      parts[at] = part + random.pick(["&amp;", "&#0;", "&#x41;", "&x;", "]]>", "\u0000"]);
  }
  return Buffer.from(parts.join("<"), "latin1");
}
