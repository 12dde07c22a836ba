/**
 * Tells what is new on a link from what only comes round again, by content: a second relay between the same links, of
 * our own kind or a foreign one that knows no bounds, sends our copies back with another source address.
 *
 * Whoever is first heard with a content owns it: one source on one link. Within the window only the owner may say it
 * again. The same from elsewhere is an echo, and so is a copy that we made ourselves, cut or whole. Five more rules:
 *
 * - The owner says it again at most ten times at once and then once a second (RFC 6762 §6 allows a record no more often),
 *   and 20 ms apart. Where the original was lost to us, the first heard is the other relay, and each of our copies makes
 *   it "say it again"; so such a loop starves.
 * - Who is heard later but came earlier (by the kernel's clock) is the owner after all.
 * - What went nowhere, because rules refused it, owns nothing: else a link that may say nothing could silence others by
 *   saying their words first.
 * - For the same reason a question that is an echo may still go to a link that nothing of it has been on since its owner
 *   last said it: the owner's link may not ask there, and this one may. So a link gets it once for each time that the
 *   owner says it, and nobody makes more of it by saying it again.
 * - A search (SSDP M-SEARCH, WSD Probe, a legacy mDNS query) is answered to its asker alone, so the owner's link may bring
 *   the same from several sources. That lets the other relay's copy of our copy through once, as if it were one more
 *   asker, and not again within the search window. From another link it is an echo for the search window only: two
 *   askers with the same words on two links do not silence each other for as long as both ask.
 *
 * With one foreign relay that repeats everything this comes to 2 copies on the far link and 1 back for each original, and
 * for a search to 3 and 2; with two of ours to 2 and 0.
 */
import { type ContentTable, createContentTable, pairKey, toNumberKey } from "./content-table.ts";

/** A packet as it was heard. */
export interface Sighting {
  /** A hash of what it says, with protocol, family and a secret seed in it. Numbers are integers from 0 to 2^53 - 1. */
  readonly content: string | number;
  /** The link's name. Names come from the configuration, so they are few; each is kept. */
  readonly link: string;
  /** Its source address; for a search with the port, since answers go there. */
  readonly source: string | number;
  /** Answers go to the asker alone. */
  readonly search?: boolean;
}

/** What we made of a sighting and where it went. */
interface SentCopy {
  /** As in `Sighting`; another when something was cut or rewritten. */
  readonly content: string | number;
  readonly link: string;
}

type Judgement =
  | { readonly verdict: "pass" }
  | {
      readonly verdict: "echo";
      /** `copy`: on another link than the owner's, so somebody else carries there. `back`: on the owner's link from another source. `repeat`: too often. */
      readonly kind: "copy" | "back" | "repeat";
      readonly ownerLink: string;
      /** The owner's source as a number: the same source has the same. */
      readonly ownerSource: number;
      /** Since the owner's last packet that passed, which is when we sent it on. */
      readonly delayMs: number;
    };

export interface EchoGuardOptions {
  /** How long a content is remembered after its owner said it or we sent it. */
  readonly windowMs?: number;
  /** How long a search that went to a link is an echo there. */
  readonly searchWindowMs?: number;
  /** Contents remembered; 59 bytes each. Rounded up to a power of two. */
  readonly limit?: number;
}

export interface EchoGuard {
  /** `now` is when it came, on a monotonic clock in milliseconds, so that order is as in the kernel. */
  judge(sighting: Sighting, now: number): Judgement;
  /**
   * To be told at once for each link that a judged packet went to, whether we sent it or, while we stand by or down,
   * left it to the one who does: what comes from there is then known for an echo.
   */
  sent(sighting: Sighting, copy: SentCopy, now: number): void;
  /** Whether a question that was judged an echo may go to a link all the same. Never its owner's own, which come too often. */
  isOpen(sighting: Sighting, link: string, now: number): boolean;
}

const defaultWindowMs = 1500;
const defaultSearchWindowMs = 500;
/** 3.7 MiB. At 20,000 new contents a second the window holds 30,000, twice that where each is cut. */
const defaultLimit = 65_536;
/** The least time between two equal packets of one owner. */
const repeatGapMs = 20;
const searchGapMs = 100;
const repeatsAtOnce = 10;
const repeatEveryMs = 1000;
const askersAtOnce = 16;

const pass: Judgement = { verdict: "pass" };

export function createEchoGuard(options: EchoGuardOptions = {}): EchoGuard {
  const windowMs = options.windowMs ?? defaultWindowMs;
  const searchWindowMs = options.searchWindowMs ?? defaultSearchWindowMs;
  const table = createContentTable(options.limit ?? defaultLimit);
  const names: string[] = [];
  const numbers = new Map<string, number>();

  const numberOf = (name: string): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, names.length);
    return names.push(name) - 1;
  };

  /** Of the last sighting, which is judged first and then sent. */
  let last: { readonly sighting: Sighting; readonly heard: Heard } | undefined;
  const toHeard = (sighting: Sighting): Heard => {
    if (last?.sighting === sighting) return last.heard;
    const { content, link, source } = sighting;
    const heard = { content: toNumberKey(content), link: numberOf(link), source: toNumberKey(source) };
    last = { sighting, heard };
    return heard;
  };

  const echo = (slot: number, kind: "copy" | "back" | "repeat", now: number): Judgement => ({
    verdict: "echo",
    kind,
    ownerLink: names[smallAt(table.link, slot)] ?? "",
    ownerSource: at(table.source, slot),
    delayMs: Math.max(0, now - at(table.last, slot)),
  });

  const own = (key: number, owner: { readonly link: number; readonly source: number }, now: number): number => {
    const slot = table.claim(key);
    table.link[slot] = owner.link;
    table.source[slot] = owner.source;
    table.first[slot] = now;
    table.last[slot] = now;
    table.until[slot] = now + windowMs;
    table.budget[slot] = repeatsAtOnce - 1;
    table.reached[slot] = bitOf(owner.link);
    return slot;
  };

  /** Whether who has the slot may say it again, and notes that it did. */
  const mayRepeat = (slot: number, gapMs: number, now: number): boolean => {
    const gap = now - at(table.last, slot);
    table.until[slot] = Math.max(at(table.until, slot), now + windowMs);
    const budget = Math.min(repeatsAtOnce, smallAt(table.budget, slot) + Math.max(0, gap) / repeatEveryMs);
    if (gap < gapMs || budget < 1) return false;
    table.budget[slot] = budget - 1;
    table.last[slot] = now;
    return true;
  };

  /** Its owner says it anew: which links it reaches this time is told by `sent`. */
  const beginRound = (slot: number): void => {
    table.reached[slot] = bitOf(smallAt(table.link, slot));
  };

  const isOwner = (slot: number, { link, source }: Heard): boolean =>
    smallAt(table.link, slot) === link && at(table.source, slot) === source;

  const judgeSaying = (slot: number, heard: Heard, now: number): Judgement => {
    const { link, source } = heard;
    if (isOwner(slot, heard)) {
      if (!mayRepeat(slot, repeatGapMs, now)) return echo(slot, "repeat", now);
      beginRound(slot);
      return pass;
    }
    if (smallAt(table.carried, slot) === 0) {
      own(at(table.key, slot), { link, source }, now);
      return pass;
    }
    const judged = echo(slot, smallAt(table.link, slot) === link ? "back" : "copy", now);
    table.reached[slot] = smallAt(table.reached, slot) | bitOf(link);
    handOver(table, slot, { link, source, now });
    return judged;
  };

  const judgeSearch = (slot: number, { content, link, source }: Heard, now: number): Judgement => {
    const asker = pairKey(content, source);
    const askedBefore = table.find(asker, now);
    const sameLink = smallAt(table.link, slot) === link;
    const pending = smallAt(table.carried, slot) !== 0 && now - at(table.last, slot) < searchWindowMs;
    if (pending && (!sameLink || smallAt(table.made, slot) === 1)) {
      const judged = echo(slot, sameLink ? "back" : "copy", now);
      handOver(table, slot, { link, source, now });
      return judged;
    }
    if (askedBefore >= 0) {
      const gap = sameLink && at(table.source, slot) !== source ? searchWindowMs : searchGapMs;
      if (!mayRepeat(askedBefore, gap, now)) return echo(slot, "repeat", now);
    }
    if (!sameLink || smallAt(table.made, slot) === 1) own(content, { link, source }, now);
    else if (askedBefore < 0) {
      if (now - at(table.first, slot) >= windowMs) {
        table.first[slot] = now;
        table.askers[slot] = 0;
      }
      const others = smallAt(table.askers, slot) + 1;
      if (others >= askersAtOnce) return echo(slot, "repeat", now);
      table.askers[slot] = others;
    }
    table.last[slot] = now;
    table.until[slot] = now + windowMs;
    if (askedBefore < 0) own(asker, { link, source }, now);
    return pass;
  };

  /** Notes that a content went to a link; `made`: it is ours, if nobody is known to have said it. */
  const carry = (
    key: number,
    heard: Heard,
    { bit, made, now }: { readonly bit: number; readonly made: 0 | 1; readonly now: number },
  ): void => {
    const known = table.find(key, now);
    const slot = known < 0 ? own(key, heard, now) : known;
    if (known < 0) table.made[slot] = made;
    if (smallAt(table.made, slot) === 1) {
      // Of one packet all copies are made at once.
      if (now > at(table.last, slot) && isOwner(slot, heard)) beginRound(slot);
      table.last[slot] = now;
    }
    table.carried[slot] = smallAt(table.carried, slot) | bit;
    table.reached[slot] = smallAt(table.reached, slot) | bit;
    table.until[slot] = Math.max(at(table.until, slot), now + windowMs);
  };

  return {
    judge(sighting, now) {
      const heard = toHeard(sighting);
      const slot = table.find(heard.content, now);
      if (slot >= 0) return sighting.search ? judgeSearch(slot, heard, now) : judgeSaying(slot, heard, now);
      own(heard.content, heard, now);
      if (sighting.search) own(pairKey(heard.content, heard.source), heard, now);
      return pass;
    },
    sent(sighting, copy, now) {
      const heard = toHeard(sighting);
      const bit = bitOf(numberOf(copy.link));
      const copied = toNumberKey(copy.content);
      if (copied !== heard.content) carry(heard.content, heard, { bit, made: 0, now });
      carry(copied, heard, { bit, made: 1, now });
    },
    isOpen(sighting, link, now) {
      const heard = toHeard(sighting);
      const slot = table.find(heard.content, now);
      if (slot < 0) return true;
      return !isOwner(slot, heard) && (smallAt(table.reached, slot) & bitOf(numberOf(link))) === 0;
    },
  };
}

interface Heard {
  readonly content: number;
  readonly link: number;
  readonly source: number;
}

/** Who came before the owner did is the owner: the packets were handled out of order. */
function handOver(
  table: ContentTable,
  slot: number,
  earlier: { readonly link: number; readonly source: number; readonly now: number },
): void {
  if (earlier.now >= at(table.first, slot)) return;
  table.link[slot] = earlier.link;
  table.source[slot] = earlier.source;
  table.first[slot] = earlier.now;
}

/** Links that differ by a multiple of 32 share a bit: such a one may count as reached when it was not. */
function bitOf(link: number): number {
  return (1 << (link & 31)) >>> 0;
}

function at(values: Float64Array, slot: number): number {
  return values[slot] ?? 0;
}

/** Apart from `at`: a function that reads every kind of array is slow at each. */
function smallAt(values: Uint32Array | Uint8Array | Float32Array, slot: number): number {
  return values[slot] ?? 0;
}
