import { describe, expect, it } from "vitest";
import { createEchoGuard, type EchoGuard, type Sighting } from "./echo-guard.ts";

const linkA = "home";
const linkB = "things";
const linkC = "guests";
const host = "192.0.2.7";
const other = "192.0.2.8";

/** Judges, and carries on to `to` what passes, as the engine does. */
function carry(
  guard: EchoGuard,
  sighting: Sighting,
  { to = linkB, as = sighting.content, now }: { to?: string; as?: string | number; now: number },
): string {
  const judged = guard.judge(sighting, now);
  if (judged.verdict === "echo") return judged.kind;
  guard.sent(sighting, { content: as, link: to }, now);
  return "pass";
}

describe("what is said again", () => {
  it("passes five times in five when the owner does so", () => {
    const guard = createEchoGuard();
    const verdicts = [0, 1, 2, 3, 4].map((turn) => carry(guard, { content: 77, link: linkA, source: host }, { now: 10 + turn * 100 }));
    expect(verdicts).toEqual(["pass", "pass", "pass", "pass", "pass"]);
  });

  it("is an echo from another source or on another link, until the window ends", () => {
    const guard = createEchoGuard();
    expect(carry(guard, { content: "c", link: linkA, source: host }, { now: 10 })).toBe("pass");
    expect(carry(guard, { content: "c", link: linkA, source: other }, { now: 12 })).toBe("back");
    expect(carry(guard, { content: "c", link: linkB, source: other }, { now: 12 })).toBe("copy");
    expect(carry(guard, { content: "c", link: linkB, source: host }, { now: 12 })).toBe("copy");
    expect(carry(guard, { content: "c", link: linkB, source: other }, { now: 1509 })).toBe("copy");
    expect(carry(guard, { content: "c", link: linkB, source: other }, { now: 1511 })).toBe("pass");
  });

  it("keeps the window open by the owner's word only", () => {
    const guard = createEchoGuard();
    carry(guard, { content: 1, link: linkA, source: host }, { now: 10 });
    carry(guard, { content: 1, link: linkB, source: other }, { now: 1000 });
    expect(carry(guard, { content: 1, link: linkB, source: other }, { now: 1600 })).toBe("pass");
    const kept = createEchoGuard();
    carry(kept, { content: 1, link: linkA, source: host }, { now: 10 });
    carry(kept, { content: 1, link: linkA, source: host }, { now: 1000 });
    expect(carry(kept, { content: 1, link: linkB, source: other }, { now: 1600 })).toBe("copy");
  });

  it("says how long after the owner's packet the echo came, and whose it was", () => {
    const guard = createEchoGuard();
    carry(guard, { content: 1, link: linkA, source: 5 }, { now: 10 });
    expect(guard.judge({ content: 1, link: linkB, source: 6 }, 13.5)).toEqual({
      verdict: "echo",
      kind: "copy",
      ownerLink: linkA,
      ownerSource: 5,
      delayMs: 3.5,
    });
  });

  it("starves a loop through an owner that answers each of our copies", () => {
    for (const periodMs of [0.2, 1, 5, 19, 21, 60, 250, 900]) {
      const guard = createEchoGuard();
      let now = 10;
      let rounds = 0;
      while (rounds < 1000 && carry(guard, { content: 1, link: linkB, source: other }, { to: linkA, now }) === "pass") {
        rounds += 1;
        now += periodMs;
      }
      expect(rounds, `${periodMs} ms`).toBeLessThanOrEqual(periodMs < 20 ? 1 : 100);
    }
  });
});

describe("ownership", () => {
  it("covers what we made of the content", () => {
    const guard = createEchoGuard();
    carry(guard, { content: "whole", link: linkA, source: host }, { as: "cut", now: 10 });
    expect(carry(guard, { content: "cut", link: linkA, source: other }, { now: 12 })).toBe("back");
    expect(carry(guard, { content: "cut", link: linkB, source: other }, { now: 12 })).toBe("copy");
    expect(carry(guard, { content: "cut", link: linkA, source: host }, { now: 40 })).toBe("pass");
  });

  it("goes to who came first by the kernel's clock, whoever was handled first", () => {
    const guard = createEchoGuard();
    expect(carry(guard, { content: 1, link: linkB, source: other }, { to: linkA, now: 10.4 })).toBe("pass");
    expect(carry(guard, { content: 1, link: linkA, source: host }, { now: 10 })).toBe("copy");
    expect(carry(guard, { content: 1, link: linkB, source: other }, { to: linkA, now: 40 })).toBe("copy");
    expect(carry(guard, { content: 1, link: linkA, source: host }, { now: 110 })).toBe("pass");
  });

  it("is not had by what rules let go nowhere", () => {
    const guard = createEchoGuard();
    expect(guard.judge({ content: 1, link: linkC, source: "guest" }, 10).verdict).toBe("pass");
    expect(carry(guard, { content: 1, link: linkA, source: host }, { now: 11 })).toBe("pass");
    expect(carry(guard, { content: 1, link: linkC, source: "guest" }, { now: 12 })).toBe("copy");
    const search = createEchoGuard();
    expect(search.judge({ content: 1, link: linkC, source: "guest", search: true }, 10).verdict).toBe("pass");
    expect(carry(search, { content: 1, link: linkA, source: host, search: true }, { now: 11 })).toBe("pass");
  });
});

describe("an echo", () => {
  const linkD = "cellar";
  const links = [linkA, linkB, linkC, linkD];
  const ofOwner: Sighting = { content: 1, link: linkA, source: host };
  const ofOther: Sighting = { content: 1, link: linkB, source: other };
  const openFor = (guard: EchoGuard, sighting: Sighting, now: number): readonly string[] =>
    links.filter((link) => guard.isOpen(sighting, link, now));

  it("may go where nothing of it has been, once for each time that the owner says it", () => {
    const guard = createEchoGuard();
    carry(guard, ofOwner, { to: linkB, now: 10 });
    expect(guard.judge(ofOther, 20).verdict).toBe("echo");
    expect(openFor(guard, ofOther, 20)).toEqual([linkC, linkD]);
    guard.sent(ofOther, { content: 1, link: linkC }, 20);
    guard.judge({ content: 1, link: linkD, source: other }, 30);
    expect(openFor(guard, ofOther, 40)).toEqual([]);
    expect(carry(guard, ofOwner, { to: linkB, now: 1_010 })).toBe("pass");
    expect(openFor(guard, ofOther, 1_020)).toEqual([linkC, linkD]);
    expect(openFor(guard, { content: 1, link: linkA, source: other }, 1_020)).toEqual([linkC, linkD]);
  });

  it("is its owner's own where that comes too often, and goes nowhere", () => {
    const guard = createEchoGuard();
    carry(guard, ofOwner, { to: linkB, now: 10 });
    expect(carry(guard, ofOwner, { now: 15 })).toBe("repeat");
    expect(openFor(guard, ofOwner, 15)).toEqual([]);
  });

  it("of what we cut goes once for each time that the owner says the whole", () => {
    const guard = createEchoGuard();
    for (const now of [10, 1_010, 2_010]) {
      guard.judge(ofOwner, now);
      guard.sent(ofOwner, { content: "cut", link: linkB }, now);
      guard.sent(ofOwner, { content: "cut", link: linkC }, now);
      const asked = { ...ofOther, content: "cut" };
      expect(guard.judge(asked, now + 500).verdict).toBe("echo");
      expect(openFor(guard, asked, now + 500)).toEqual([linkD]);
      guard.sent(asked, { content: "cut", link: linkD }, now + 500);
      expect(openFor(guard, asked, now + 600)).toEqual([]);
    }
  });
});

describe("searches", () => {
  const search = (link: string, source: string): Sighting => ({ content: "M-SEARCH", link, source, search: true });

  it("pass for each asker on the first link, sixteen at most", () => {
    const guard = createEchoGuard();
    const verdicts = Array.from({ length: 20 }, (_, index) => carry(guard, search(linkA, `client ${index}`), { now: 10 + index }));
    expect(verdicts.filter((verdict) => verdict === "pass")).toHaveLength(16);
    expect(carry(guard, search(linkA, "client 30"), { now: 1600 })).toBe("pass");
  });

  it("are echoes on a link that they went to, and not for longer than the search window", () => {
    const guard = createEchoGuard();
    carry(guard, search(linkA, host), { now: 10 });
    expect(carry(guard, search(linkB, other), { now: 12 })).toBe("copy");
    expect(carry(guard, search(linkB, other), { to: linkA, now: 520 })).toBe("pass");
    expect(carry(guard, search(linkA, host), { now: 530 })).toBe("copy");
  });

  it("may be repeated by the owner after 100 ms, by the others after the search window", () => {
    const guard = createEchoGuard();
    carry(guard, search(linkA, host), { now: 10 });
    carry(guard, search(linkA, other), { now: 12 });
    expect(carry(guard, search(linkA, host), { now: 50 })).toBe("repeat");
    expect(carry(guard, search(linkA, host), { now: 111 })).toBe("pass");
    expect(carry(guard, search(linkA, other), { now: 300 })).toBe("repeat");
    expect(carry(guard, search(linkA, other), { now: 520 })).toBe("pass");
  });

  it("that we rewrote are echoes on every link", () => {
    const guard = createEchoGuard();
    carry(guard, search(linkA, host), { as: "with our id", now: 10 });
    expect(carry(guard, { content: "with our id", link: linkA, source: other, search: true }, { now: 12 })).toBe("back");
  });

  it("starve a loop of any length", () => {
    for (const periodMs of [1, 90, 120, 300, 600, 900]) {
      const guard = createEchoGuard();
      let now = 10;
      let passed = 0;
      for (let round = 0; round < 200; round += 1, now += periodMs) {
        if (carry(guard, search(linkB, other), { to: linkA, now }) !== "pass") break;
        passed += 1;
      }
      expect(passed, `${periodMs} ms`).toBeLessThanOrEqual(periodMs < 100 ? 1 : 100);
    }
  });
});

describe("a flood of new contents", () => {
  const isKnown = (guard: EchoGuard, content: number, now: number): boolean =>
    !guard.isOpen({ content, link: linkC, source: other }, linkB, now);

  it("takes no more memory than the table has, and the newest second is still known", () => {
    const guard = createEchoGuard();
    let now = 10;
    for (let index = 1; index <= 200_000; index += 1, now += 0.05) {
      carry(guard, { content: index * 7919, link: linkA, source: index % 97 }, { now });
    }
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 200_001; index <= 500_000; index += 1, now += 0.05) {
      carry(guard, { content: index * 7919, link: linkA, source: index % 97 }, { now });
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    let known = 0;
    for (let index = 500_000 - 19_999; index <= 500_000; index += 1) {
      if (isKnown(guard, index * 7919, now)) known += 1;
    }
    expect(known / 20_000).toBeGreaterThan(0.99);
  });

  it("forgets the oldest first when there is no room", () => {
    const guard = createEchoGuard({ limit: 64 });
    for (let index = 1; index <= 1000; index += 1) carry(guard, { content: index, link: linkA, source: host }, { now: 10 + index });
    expect(isKnown(guard, 1000, 1011)).toBe(true);
    expect(isKnown(guard, 1, 1011)).toBe(false);
  });
});
