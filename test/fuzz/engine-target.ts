/**
 * The whole engine between three made-up links, one after the other all that comes: whatever it sends must be good for strict readers,
 * and must not go back to where it came from. Its tables fill as they would in a flood, so growth of the heap is seen.
 */
import { decode } from "dns-packet";
import type { RelayProtocol } from "../../src/core/relay.ts";
import { readMessage } from "../../src/relay/dns/read-message.ts";
import { readSsdp } from "../../src/relay/ssdp/read-ssdp.ts";
import { readWsd } from "../../src/relay/ssdp/read-wsd.ts";
import { makeRelayWorld, type MadeUpReply, type RelayWorld, type Sent } from "../fixtures/engine-world.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import type { Random } from "./random.ts";

const links: readonly [string, ...string[]] = ["a", "b", "c"];
const protocols: readonly [RelayProtocol, ...RelayProtocol[]] = ["mdns", "ssdp", "wsd", "sonos"];

/** `others` lend their packets and their changes. */
export function createEngineTarget(others: readonly FuzzTarget[]): FuzzTarget {
  const world = makeRelayWorld(links);
  let asking: MadeUpReply | undefined;
  return {
    name: "engine",
    corpus: others.flatMap(({ corpus }) => corpus),
    mutate: (packet, random) => others[random.below(others.length)]?.mutate(packet, random) ?? packet,
    check(packet, random, clock) {
      const link = random.pick(links);
      const protocol = random.once(10) ? random.pick(protocols) : guessProtocol(packet);
      if (asking !== undefined && random.once(3)) answer(asking, packet, random);
      // What an answer set going is taken out before the packet, so that the two are not mixed up.
      for (const sent of world.pass(1 + random.below(random.once(100) ? 5000 : 20))) checkSent(sent);
      const all = clock.measure(() => world.hear(link, { payload: packet, protocol, ...chooseSource(link, random) }));
      for (const sent of all) {
        checkSent(sent);
        if (sent.to === "group" && sent.link === link) throw new TypeError("sent back to where it came from");
        if (sent.reply !== undefined) asking = sent.reply;
      }
      forget(world);
      return all.length > 0;
    },
  };
}

function forget({ traces }: RelayWorld): void {
  for (const { what } of traces) if (what.length > 200) throw new TypeError(`a description of ${what.length}`);
  traces.length = 0;
}

function answer(asking: MadeUpReply, packet: Uint8Array, random: Random): void {
  if (!asking.closed)
    asking.answer(packet, `10.${1 + random.below(3)}.0.${2 + random.below(200)}:${random.pick([5353, 1900, 3702, 40_000])}`);
}

function guessProtocol(packet: Uint8Array): RelayProtocol {
  const [first = 0] = packet;
  if (first === 0x3c) return "wsd";
  return first >= 0x41 && first <= 0x5a ? "ssdp" : "mdns";
}

function chooseSource(link: string, random: Random): { source: string; family: 4 | 6; port?: number } {
  const number = random.once(30) ? 7 : link.charCodeAt(0) - 96;
  const host = 1 + random.below(random.once(2) ? 4 : 250);
  const port = random.once(4) ? { port: random.pick([1, 1900, 5353, 40_000, 40_001, 65_535]) } : {};
  if (random.once(3)) return { source: `fe80::${number}${host.toString(16).padStart(2, "0")}`, family: 6, ...port };
  return { source: `10.${number}.0.${host}`, family: 4, ...port };
}

function checkSent({ protocol, payload }: Sent): void {
  if (protocol === "mdns") {
    decode(Buffer.from(payload));
    const message = readMessage(payload);
    if ("fault" in message) throw new TypeError(`sent what we refuse: ${message.fault}`);
  }
  const message = protocol === "ssdp" ? readSsdp(payload) : protocol === "wsd" ? readWsd(payload) : undefined;
  if (message !== undefined && "fault" in message) throw new TypeError(`sent what we refuse: ${message.fault}`);
}
