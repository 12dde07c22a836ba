/**
 * Relays and hosts on links, played as events in time. What it leaves out: losses on the wire, addresses, and that ours know
 * each other; a relay of ours is the guard, and rules that say which link may not ask which.
 */
import { describe, expect, it } from "vitest";
import { createEchoGuard } from "./echo-guard.ts";

type Kind = "answer" | "question" | "search";

interface Packet {
  readonly content: string;
  readonly source: string;
  readonly kind: Kind;
  /** Who put it on the wire; hosts begin with `host`. */
  readonly from: string;
}

/** Hears a packet on a link, at the time the kernel took it in. */
interface Node {
  readonly name: string;
  readonly links: readonly string[];
  hear(link: string, packet: Packet, at: number): void;
}

class Network {
  readonly #segmentOf: ReadonlyMap<string, string>;
  readonly #random: () => number;
  readonly #nodes: Node[] = [];
  readonly #agenda: { readonly at: number; readonly run: () => void }[] = [];
  /** What relays put on each segment. */
  readonly copies = new Map<string, number>();
  now = 1000;
  jitterMs = 0.01;

  constructor(segmentOf: ReadonlyMap<string, string>, random: () => number) {
    this.#segmentOf = segmentOf;
    this.#random = random;
  }

  add(node: Node): void {
    this.#nodes.push(node);
  }

  between(from: number, to: number): number {
    return from + this.#random() * (to - from);
  }

  at(time: number, run: () => void): void {
    this.#agenda.push({ at: time, run });
  }

  send(link: string, packet: Packet): void {
    const segment = this.#segmentOf.get(link)!;
    if (!packet.from.startsWith("host")) this.copies.set(segment, (this.copies.get(segment) ?? 0) + 1);
    for (const node of this.#nodes) {
      for (const other of node.links) {
        if (this.#segmentOf.get(other) !== segment || (node.name === packet.from && other === link)) continue;
        const arrival = this.now + this.between(0.001, 0.001 + this.jitterMs);
        this.at(arrival, () => node.hear(other, packet, arrival));
      }
    }
  }

  /** Runs until nothing is under way; false if that does not come. */
  settles(): boolean {
    for (let steps = 0; steps < 20_000; steps += 1) {
      if (this.#agenda.length === 0) return true;
      let next = 0;
      for (let index = 1; index < this.#agenda.length; index += 1) if (this.#agenda[index]!.at < this.#agenda[next]!.at) next = index;
      const [event] = this.#agenda.splice(next, 1);
      this.now = Math.max(this.now, event!.at);
      event!.run();
    }
    return false;
  }
}

interface RelayShape {
  readonly name: string;
  readonly links: readonly string[];
  /** Milliseconds from arrival to handling, least and most. */
  readonly lag: readonly [number, number];
  /** What ours sends is altered. */
  readonly cut?: boolean;
  /** From where ours carries no questions to where: `a c`. */
  readonly denied?: readonly string[];
}

/** Ours: reads in batches, in order of arrival; drops what comes from its own addresses. */
function addOurs(network: Network, { name, links, lag, cut = false, denied = [] }: RelayShape): void {
  const guard = createEchoGuard({ limit: 256 });
  const waiting: { readonly link: string; readonly packet: Packet; readonly at: number }[] = [];
  const handle = (): void => {
    waiting.sort((left, right) => left.at - right.at);
    for (const { link, packet, at } of waiting.splice(0)) {
      const { content, source, kind } = packet;
      if (source.startsWith(`${name}@`)) continue;
      const sighting = { content, link, source, search: kind === "search" };
      const echo = guard.judge(sighting, at).verdict === "echo";
      if (echo && kind !== "question") continue;
      for (const to of links) {
        if (to === link || (echo && !guard.isOpen(sighting, to, at))) continue;
        if (kind === "question" && denied.includes(`${link} ${to}`)) continue;
        const made = cut && kind !== "search" && !content.endsWith(" cut") ? `${content} cut` : content;
        guard.sent(sighting, { content: made, link: to }, at);
        network.send(to, { content: made, kind, source: `${name}@${to}`, from: name });
      }
    }
  };
  network.add({
    name,
    links,
    hear(link, packet, at) {
      waiting.push({ link, packet, at });
      network.at(at + network.between(...lag), handle);
    },
  });
}

/** Foreign and dumb: repeats all but its own, each packet after a time of its own. */
function addForeign(network: Network, { name, links, lag }: RelayShape): void {
  network.add({
    name,
    links,
    hear(link, packet, at) {
      if (packet.source.startsWith(`${name}@`)) return;
      for (const to of links) {
        if (to === link) continue;
        network.at(at + network.between(...lag), () => network.send(to, { ...packet, source: `${name}@${to}`, from: name }));
      }
    },
  });
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const apart = new Map([
  ["a", "A"],
  ["b", "B"],
  ["c", "C"],
]);
const oneSegment = new Map([
  ["a", "A"],
  ["b", "A"],
  ["c", "C"],
]);
const two = ["a", "b"];
const three = ["a", "b", "c"];
const quick = [0.02, 0.5] as const;
const kinds = ["answer", "question", "search"] as const;

interface Outcome {
  readonly settled: boolean;
  readonly A: number;
  readonly B: number;
  readonly C: number;
}

type Build = (network: Network) => void;

/** One original on link a, in a network that `build` fills. */
function play(seed: number, kind: Kind, { build, wiring }: { build: Build; wiring: ReadonlyMap<string, string> }): Outcome {
  const network = new Network(wiring, seeded(seed));
  build(network);
  network.at(1000, () => network.send("a", { content: "original", kind, source: "host@a", from: "host" }));
  const settled = network.settles();
  const count = (segment: string): number => network.copies.get(segment) ?? 0;
  return { settled, A: count("A"), B: count("B"), C: count("C") };
}

const seeds = Array.from({ length: 1000 }, (_, index) => index + 1);

/** The most copies on each segment over a thousand schedules, and whether each came to rest. */
function worst(kind: Kind, build: Build, wiring = apart): Outcome {
  return seeds
    .map((seed) => play(seed, kind, { build, wiring }))
    .reduce((one, other) => ({
      settled: one.settled && other.settled,
      A: Math.max(one.A, other.A),
      B: Math.max(one.B, other.B),
      C: Math.max(one.C, other.C),
    }));
}

describe("copies of one packet over a thousand schedules", () => {
  for (const [kind, cut] of [
    ["answer", false],
    ["answer", true],
    ["question", false],
    ["question", true],
  ] as const) {
    const what = `for ${kind === "answer" ? "an answer" : "a question"}${cut ? " that is cut" : ""}`;

    it(`are ${what} 2 there and none back with two of ours`, () => {
      const outcome = worst(kind, (network) => {
        addOurs(network, { name: "one", links: two, lag: [0.02, 20], cut });
        addOurs(network, { name: "two", links: two, lag: [0.02, 20], cut });
      });
      expect(outcome).toEqual({ settled: true, A: 0, B: 2, C: 0 });
    });

    it(`are ${what} 2 there and 1 back with a dumb foreign relay, quicker or slower than we are`, () => {
      for (const lag of [[0.012, 0.03], quick, [5, 400]] as const) {
        const outcome = worst(kind, (network) => {
          addOurs(network, { name: "one", links: two, lag: [0.02, 20], cut });
          addForeign(network, { name: "foreign", links: two, lag });
        });
        expect(outcome).toEqual({ settled: true, A: 1, B: 2, C: 0 });
      }
    });
  }

  it("are for a search 2 there and none back with two of ours", () => {
    const outcome = worst("search", (network) => {
      addOurs(network, { name: "one", links: two, lag: [0.02, 20] });
      addOurs(network, { name: "two", links: two, lag: [0.02, 20] });
    });
    expect(outcome).toEqual({ settled: true, A: 0, B: 2, C: 0 });
  });

  it("are for a search 3 there and 2 back with a dumb foreign relay", () => {
    for (const lag of [[0.012, 0.03], quick, [5, 200]] as const) {
      const outcome = worst("search", (network) => {
        addOurs(network, { name: "one", links: two, lag: [0.02, 20] });
        addForeign(network, { name: "foreign", links: two, lag });
      });
      expect(outcome).toEqual({ settled: true, A: 2, B: 3, C: 0 });
    }
  });

  it("are one on each other link when we are alone on three", () => {
    for (const kind of kinds) {
      const outcome = worst(kind, (network) => addOurs(network, { name: "one", links: three, lag: quick }));
      expect(outcome).toEqual({ settled: true, A: 0, B: 1, C: 1 });
    }
  });
});

describe("no storm", () => {
  const few = ({ settled, A, B, C }: Outcome, limit: number): void => {
    expect(settled).toBe(true);
    expect(Math.max(A, B, C)).toBeLessThanOrEqual(limit);
  };

  for (const kind of kinds) {
    const what = { answer: "answers", question: "questions", search: "searches" }[kind];

    it(`of ${what} with two of ours and two foreign relays on three links`, () => {
      const outcome = worst(kind, (network) => {
        addOurs(network, { name: "one", links: three, lag: quick, cut: true });
        addOurs(network, { name: "two", links: three, lag: [0.02, 20], cut: true });
        addForeign(network, { name: "foreign", links: ["a", "b"], lag: quick });
        addForeign(network, { name: "other", links: ["b", "c"], lag: [0.02, 30] });
      });
      few(outcome, kind === "search" ? 10 : 6);
    });

    it(`of ${what} when the kernel's times do not tell the order`, () => {
      const outcome = worst(kind, (network) => {
        network.jitterMs = 30;
        addOurs(network, { name: "one", links: three, lag: [0.02, 20] });
        addOurs(network, { name: "two", links: two, lag: [0.02, 20] });
        addForeign(network, { name: "foreign", links: two, lag: [0.02, 60] });
      });
      few(outcome, 24);
    });

    it(`of ${what} when two links are one segment`, () => {
      const build: Build = (network) => {
        addOurs(network, { name: "one", links: three, lag: quick, cut: true });
        addOurs(network, { name: "two", links: three, lag: quick, cut: true });
      };
      const outcome = worst(kind, build, oneSegment);
      few(outcome, 4);
    });
  }
});

describe("where one link may not ask another, and a third may", () => {
  const denied = ["a c"];

  for (const cut of [false, true]) {
    const alike = { links: three, cut, denied } as const;
    const what = cut ? ", cut" : "";

    it(`a question is on each link as often as without rules at most, with two of ours${what}`, () => {
      const outcome = worst("question", (network) => {
        addOurs(network, { name: "one", lag: [0.02, 20], ...alike });
        addOurs(network, { name: "two", lag: [0.02, 20], ...alike });
      });
      expect(outcome).toEqual({ settled: true, A: 0, B: 2, C: 2 });
    });

    it(`and with a foreign relay between any two links, or all of them${what}`, () => {
      for (const links of [["a", "b"], ["b", "c"], ["a", "c"], three]) {
        for (const lag of [[0.012, 0.03], quick, [5, 400]] as const) {
          const outcome = worst("question", (network) => {
            addOurs(network, { name: "one", lag: [0.02, 20], ...alike });
            addForeign(network, { name: "foreign", links, lag });
          });
          expect(outcome.settled).toBe(true);
          expect([outcome.A, outcome.B, outcome.C].map((count, index) => Math.min(count, index === 0 ? 2 : 3))).toEqual([
            outcome.A,
            outcome.B,
            outcome.C,
          ]);
        }
      }
    });

    it(`and where two links are one segment${what}`, () => {
      const outcome = worst(
        "question",
        (network) => {
          addOurs(network, { name: "one", lag: quick, ...alike });
          addOurs(network, { name: "two", lag: quick, ...alike });
        },
        oneSegment,
      );
      expect(outcome.settled).toBe(true);
      expect(Math.max(outcome.A, outcome.C)).toBeLessThanOrEqual(4);
    });
  }
});
