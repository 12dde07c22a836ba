/** Echo guard and reflector watch together, beside a foreign relay that comes and goes. The foreign one is made up and repeats all. */
import { describe, expect, it } from "vitest";
import { createEchoGuard } from "./echo-guard.ts";
import { createReflectorWatch, type RelayLane } from "./reflector-watch.ts";

const links = ["home", "things"] as const;
const foreign = { home: "198.51.100.9", things: "203.0.113.9" } as const;

type LinkName = (typeof links)[number];

function makeRelays() {
  const guard = createEchoGuard();
  const watch = createReflectorWatch({ policy: "stand-down", ours: () => false });
  const state = { foreignAlive: true };
  let copies: LinkName[] = [];

  /** Our engine in small: what it puts on the other link. */
  const handle = (link: LinkName, packet: { readonly content: number; readonly source: string }, now: number): boolean => {
    const to = link === "home" ? "things" : "home";
    const sighting = { ...packet, link };
    const judged = guard.judge(sighting, now);
    const lane = (from: string, to: string): RelayLane => ({ from, to, protocol: "mdns", family: 4 });
    if (judged.verdict === "echo") {
      const { kind, ownerLink, ownerSource, delayMs } = judged;
      if (kind === "repeat") return false;
      const echo = { kind, content: packet.content, owner: ownerSource, offer: true, source: packet.source, delayMs };
      watch.observe(lane(ownerLink, link), echo, now);
      return false;
    }
    watch.original(lane(link, to), packet.content, now);
    guard.sent(sighting, { content: packet.content, link: to }, now);
    return !watch.standsDown(lane(link, to), now);
  };

  /** One original and all that comes of it; the copies on each link. */
  const say = (link: LinkName, packet: { readonly content: number; readonly source: string }, now: number): readonly LinkName[] => {
    copies = [];
    const to = link === "home" ? "things" : "home";
    const ours = handle(link, packet, now);
    if (ours) copies.push(to);
    if (!state.foreignAlive) return copies;
    copies.push(to);
    handle(to, { ...packet, source: foreign[to] }, now + 3);
    if (!ours) return copies;
    copies.push(link);
    handle(link, { ...packet, source: foreign[link] }, now + 4);
    return copies;
  };
  return { say, watch, state };
}

describe("beside a foreign relay", () => {
  it("each packet arrives throughout, once while we stand down, and again from us 1.5 s after the third that the other left out", () => {
    const { say, watch, state } = makeRelays();
    const counts = (from: number, until: number) => {
      const seen = { lost: 0, most: 0, back: 0 };
      for (let now = from; now < until; now += 400) {
        const link = links[(now / 400) % 2]!;
        const copies = say(link, { content: now, source: `host ${now % 3} on ${link}` }, now);
        const there = copies.filter((name) => name !== link).length;
        if (there === 0) seen.lost += 1;
        seen.most = Math.max(seen.most, there);
        seen.back = Math.max(seen.back, copies.length - there);
      }
      return seen;
    };

    expect(counts(4000, 20_000)).toEqual({ lost: 0, most: 2, back: 1 });
    expect(watch.reflectors(20_000).filter(({ standingDown }) => standingDown)).toMatchObject([
      { source: foreign.things, links: ["home", "things"] },
      { source: foreign.home, links: ["things", "home"] },
    ]);
    expect(counts(20_000, 60_000)).toEqual({ lost: 0, most: 1, back: 0 });

    state.foreignAlive = false;
    // Each direction has an original every 800 ms: the third is 1.6 s after the first; four are lost until 1.5 s later.
    expect(counts(60_000, 64_000)).toEqual({ lost: 8, most: 1, back: 0 });
    expect(counts(64_000, 80_000)).toEqual({ lost: 0, most: 1, back: 0 });
    expect(watch.reflectors(80_000)).toEqual([]);
  });
});
