/**
 * Finds another relay between our links by the copies it makes, and leaves to it what it carries: per direction between
 * two links, protocol and address family, since it may carry only some of that.
 *
 * What makes a reflector out of a source whose packets were heard elsewhere before: that it says what several others
 * said. A host on both links asks the same on both, but then all those contents have one owner, itself. One owner is
 * enough where its offers also come back to its own link from somebody else: only a reflector brings our copies back. Two hosts that
 * happen to ask the same within the window are told apart by what they do not repeat: offers (answers, announcements,
 * NOTIFY) carry names and are never said by two by chance, and where only questions pass, it must have repeated nearly all.
 *
 * To stand down takes more than to be named: it must carry nearly all that we would, else what it filters out would be
 * lost. While it does the work, each original must show up on the other link; three that do not, and we carry again.
 *
 * Spoofing: to make us stand down somebody must repeat nearly all that several hosts say, and to keep us down must go on
 * doing so when we send nothing, which is the work of a relay. One who only parrots our copies is found out after three
 * originals, and is then believed for ever shorter parts of the time: a minute's pause, doubled each time up to an hour.
 * To carry beside another is harmless, so that errors go that way.
 */
import type { AddressFamily, RelayProtocol } from "../../core/relay.ts";

export interface RelayLane {
  readonly from: string;
  readonly to: string;
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
}

/** An echo, as the echo guard judged it. */
export interface SightedEcho {
  /** `copy`: the content's owner is on `from`, and it was heard on `to`. `back`: it was heard on `from` itself, from another. */
  readonly kind: "copy" | "back";
  readonly content: string | number;
  /** Who owns the content, in any form that is the same for the same owner. */
  readonly owner: string | number;
  /** It offers; else it asks. */
  readonly offer: boolean;
  /** Who repeats it: its address as text. */
  readonly source: string;
  readonly delayMs: number;
}

export interface SeenReflector {
  readonly source: string;
  /** From which link it carries to which; one alone where only our own copies came back on it. */
  readonly links: readonly string[];
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
  /** Monotonic milliseconds. */
  readonly since: number;
  /** The median time its copies took, in milliseconds. */
  readonly delayMs: number;
  /** We leave this direction to it. */
  readonly standingDown: boolean;
}

export interface ReflectorWatchOptions {
  readonly policy: "stand-down" | "carry-on";
  /** Whether an address is another aerial's: who of us carries is settled elsewhere. */
  ours(address: string): boolean;
}

export interface ReflectorWatch {
  /** To be told of each echo. For `back` only the lane's `from`, protocol and family count. */
  observe(lane: RelayLane, echo: SightedEcho, now: number): void;
  /** To be told of each packet that rules let pass on this lane, before `standsDown` is asked whether to send it. */
  original(lane: RelayLane, content: string | number, now: number): void;
  /**
   * Whether to leave the lane to another. Then tell the echo guard of the packet as if it had been sent. Neither this nor
   * `original` is for searches: most relays do not bring the answers home, so these we carry in any case.
   */
  standsDown(lane: RelayLane, now: number): boolean;
  /** Those named now: until a minute after their last copy, or until they failed to carry. */
  reflectors(now: number): readonly SeenReflector[];
}

const evidenceMs = 10_000;
const enoughContents = 3;
const enoughOwners = 2;
/** Where it repeated questions only. */
const askEvidenceMs = 60_000;
const enoughQuestions = 5;
/** To stand down it must have carried so much of at least so many. */
const nearlyAll = 0.9;
const enoughOriginals = 5;
/** Until when a copy must have come: the window of the echo guard. */
const answerMs = 1500;
/** What it did not carry weighs as much as four that it did: more than a fifth, or three in a row, is too much. */
const missWeight = 4;
const missesAtMost = 12;
const missSpanMs = 1000;
const quietMs = 60_000;
const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;
/** After as long a time of standing down without failure, earlier failures are forgotten. */
const provenMs = 600_000;
/** How often what time brings is looked at. */
const settleMs = 20;
/** Up to so many contents, each is weighed at once. */
const alwaysWeighed = 8;
const candidatesAtMost = 16;
const contentsAtMost = 128;

interface Evidence {
  readonly at: number;
  readonly owner: string | number;
  readonly offer: boolean;
  readonly delayMs: number;
}

interface Candidate {
  readonly contents: Map<string | number, Evidence>;
  last: number;
  weighedAt: number;
  /** When it was named. */
  since: number | undefined;
}

interface LaneState {
  readonly lane: RelayLane;
  readonly back: boolean;
  readonly candidates: Map<string, Candidate>;
  /** What was to be carried, and whether another did: a sample, kept only while there are candidates. */
  readonly originals: Map<string | number, { readonly at: number; answered: boolean }>;
  settledAt: number;
  down: { readonly source: string; readonly since: number } | undefined;
  misses: number;
  missedSince: number;
  failures: number;
  pausedUntil: number;
}

/**
 * All times are monotonic milliseconds. When the other relay is gone we carry again from 1.5 s after the third original
 * that it did not carry, these having come over at least one second; or a minute after its last copy.
 */
export function createReflectorWatch(options: ReflectorWatchOptions): ReflectorWatch {
  /** One for each pair of configured links, protocol and family at most. */
  const lanes = new Map<string, LaneState>();

  const stateOf = (lane: RelayLane, back: boolean): LaneState => {
    const key = keyOf(lane, back);
    const known = lanes.get(key);
    if (known !== undefined) return known;
    const state: LaneState = {
      lane,
      back,
      candidates: new Map(),
      originals: new Map(),
      settledAt: 0,
      down: undefined,
      misses: 0,
      missedSince: 0,
      failures: 0,
      pausedUntil: 0,
    };
    lanes.set(key, state);
    return state;
  };

  return {
    observe(lane, echo, now) {
      if (options.ours(echo.source)) return;
      const state = stateOf(lane, echo.kind === "back");
      settle(state, now);
      const candidate = note(state, echo, now);
      const original = state.originals.get(echo.content);
      if (original !== undefined) {
        if (!original.answered) state.misses = Math.max(0, state.misses - 1);
        original.answered = true;
      }
      if (candidate.contents.size > alwaysWeighed && now - candidate.weighedAt < settleMs) return;
      candidate.weighedAt = now;
      const share = shareOf(state, candidate, now);
      const owners = echo.kind === "back" || bringsBack(lanes.get(keyOf(lane, true)), now) ? 1 : enoughOwners;
      if (isReflector(candidate, { share, owners, now })) candidate.since ??= now;
      if (candidate.since === undefined || options.policy === "carry-on" || state.down !== undefined) return;
      if (share >= nearlyAll && now >= state.pausedUntil) {
        state.down = { source: echo.source, since: now };
        state.misses = 0;
        state.originals.clear();
      }
    },
    original(lane, content, now) {
      // Where nobody repeats anything, which is nearly everywhere, this costs nothing.
      if (lanes.size === 0) return;
      const state = lanes.get(keyOf(lane, false));
      if (state === undefined) return;
      settle(state, now);
      const { candidates, originals } = state;
      if (candidates.size === 0 || originals.size >= contentsAtMost || originals.has(content)) return;
      originals.set(content, { at: now, answered: false });
    },
    standsDown(lane, now) {
      if (lanes.size === 0) return false;
      const state = lanes.get(keyOf(lane, false));
      if (state === undefined || state.down === undefined) return false;
      settle(state, now);
      return state.down !== undefined;
    },
    reflectors(now) {
      const seen: SeenReflector[] = [];
      for (const state of lanes.values()) {
        settle(state, now);
        const { from, to, protocol, family } = state.lane;
        for (const [source, { since, contents }] of state.candidates) {
          if (since === undefined) continue;
          const links = state.back ? [from] : [from, to];
          seen.push({
            source,
            links,
            protocol,
            family,
            since,
            delayMs: medianDelay(contents),
            standingDown: state.down?.source === source,
          });
        }
      }
      return seen;
    },
  };
}

function keyOf({ from, to, protocol, family }: RelayLane, back: boolean): string {
  return `${protocol}${family}\n${from}\n${back ? "" : to}`;
}

function note({ candidates }: LaneState, echo: SightedEcho, now: number): Candidate {
  const { source, content, owner, offer, delayMs } = echo;
  const candidate = candidates.get(source) ?? {
    contents: new Map<string | number, Evidence>(),
    last: now,
    weighedAt: now,
    since: undefined,
  };
  candidates.delete(source);
  if (candidates.size >= candidatesAtMost) dropLeast(candidates);
  candidates.set(source, candidate);
  candidate.last = now;
  candidate.contents.delete(content);
  if (candidate.contents.size >= contentsAtMost) dropFirst(candidate.contents);
  candidate.contents.set(content, { at: now, owner, offer, delayMs });
  return candidate;
}

/** Which part of what we would have carried it did carry, of what it had the time for. */
function shareOf({ originals }: LaneState, { contents }: Candidate, now: number): number {
  let carried = 0;
  let all = 0;
  for (const [content, { at }] of originals) {
    if (now - at <= answerMs) continue;
    all += 1;
    if (contents.has(content)) carried += 1;
  }
  return all < enoughOriginals ? 0 : carried / all;
}

/** Whether somebody is named for what came back to the lane's first link. */
function bringsBack(back: LaneState | undefined, now: number): boolean {
  return [...(back?.candidates.values() ?? [])].some(({ since, last }) => since !== undefined && now - last <= evidenceMs);
}

interface Measure {
  readonly share: number;
  /** How many others it must have repeated. */
  readonly owners: number;
  readonly now: number;
}

function isReflector({ contents }: Candidate, { share, owners, now }: Measure): boolean {
  const lately = new Set<string | number>();
  const ever = new Set<string | number>();
  let offers = 0;
  let recent = 0;
  let all = 0;
  for (const { at, owner, offer } of contents.values()) {
    if (now - at > askEvidenceMs) continue;
    all += 1;
    ever.add(owner);
    if (now - at > evidenceMs) continue;
    recent += 1;
    lately.add(owner);
    if (offer) offers += 1;
  }
  // By chance two may ask the same; what one offers nobody else does.
  const telling = owners === 1 ? offers : recent;
  if (telling >= enoughContents && lately.size >= owners && offers > 0) return true;
  return all >= enoughQuestions && ever.size >= enoughOwners && share >= nearlyAll;
}

/** Brings a lane up to `now`: originals that nobody carried, and what was not heard for long. */
function settle(state: LaneState, now: number): void {
  if (now - state.settledAt < settleMs) return;
  state.settledAt = now;
  const { originals, candidates, down } = state;
  for (const [content, { at, answered }] of originals) {
    const age = now - at;
    if (down === undefined ? age > askEvidenceMs : age > answerMs) originals.delete(content);
    if (down === undefined || answered || age <= answerMs) continue;
    if (state.misses === 0) state.missedSince = at;
    state.misses = Math.min(missesAtMost, state.misses + missWeight);
    if (state.misses >= missesAtMost && at - state.missedSince >= missSpanMs) return fail(state, now);
  }
  for (const [source, { last }] of candidates) if (now - last >= quietMs) candidates.delete(source);
  if (down !== undefined && !candidates.has(down.source)) state.down = undefined;
  if (candidates.size === 0) originals.clear();
}

/** The other does not carry: we do, and do not trust it for a while. */
function fail(state: LaneState, now: number): void {
  if (state.down !== undefined && now - state.down.since >= provenMs) state.failures = 0;
  state.pausedUntil = now + Math.min(longestPauseMs, firstPauseMs * 2 ** state.failures);
  state.failures += 1;
  state.down = undefined;
  state.misses = 0;
  state.candidates.clear();
  state.originals.clear();
}

function medianDelay(contents: ReadonlyMap<unknown, Evidence>): number {
  const delays = [...contents.values()].map(({ delayMs }) => delayMs).sort((left, right) => left - right);
  return delays[delays.length >> 1] ?? 0;
}

/** Those not named give way first, the longest silent of them. */
function dropLeast(candidates: Map<string, Candidate>): void {
  for (const [source, { since }] of candidates) {
    if (since !== undefined) continue;
    candidates.delete(source);
    return;
  }
  dropFirst(candidates);
}

function dropFirst(map: Map<string | number, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
