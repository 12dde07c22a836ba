import fc from "fast-check";
import { expect, it } from "vitest";
import { createFairLimit } from "./fair-limit.ts";

interface Entry {
  readonly group: string;
  readonly owner: string;
  readonly number: number;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant("add" as const), group: fc.constantFrom("a", "b"), owner: fc.constantFrom("x", "y", "z") }),
  },
  fc.record({ what: fc.constantFrom("touch", "remove"), which: fc.nat({ max: 30 }) }),
);

/** The one to go, looked for the slow way. `order`: least recently used first. */
function victimOf(order: readonly Entry[]): readonly Entry[] {
  const count = (by: (entry: Entry) => boolean): number => order.filter(by).length;
  const inGroup = ({ group }: Entry): number => count((other) => other.group === group);
  const mostInGroup = Math.max(...order.map(inGroup));
  const ofOwner = ({ group, owner }: Entry): number => count((other) => other.group === group && other.owner === owner);
  return [...new Set(order.filter((one) => inGroup(one) === mostInGroup).map(({ group }) => group))].flatMap((group) => {
    const within = order.filter((one) => one.group === group);
    const most = Math.max(...within.map(ofOwner));
    const owners = new Set(within.filter((one) => ofOwner(one) === most).map(({ owner }) => owner));
    return [...owners].flatMap((owner) => within.find((one) => one.owner === owner) ?? []);
  });
}

it("evicts what was used least recently of the owner with most in the group with most", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 12 }), (steps, limit) => {
      let order: Entry[] = [];
      const evicted: Entry[] = [];
      const kept = createFairLimit<Entry>(limit, (entry) => void evicted.push(entry));
      for (const [number, one] of steps.entries()) {
        const at = number * 1_000;
        if (one.what === "add") {
          const entry = { group: one.group, owner: one.owner, number };
          order.push(entry);
          kept.add(entry, { ...entry, at });
        } else {
          const entry = order[one.which];
          if (entry === undefined) continue;
          order = order.filter((other) => other !== entry);
          if (one.what === "touch") {
            kept.touch(entry, at);
            order.push(entry);
          } else kept.remove(entry);
        }
        if (order.length > limit) {
          const gone = evicted.at(-1);
          expect(victimOf(order)).toContain(gone);
          order = order.filter((other) => other !== gone);
        }
        expect(kept.size).toBe(order.length);
      }
      expect(evicted).toHaveLength(
        steps.filter(({ what }) => what === "add").length - order.length - steps.length + countKept(steps, order.length, evicted.length),
      );
    }),
  );
});

/** Adds that neither stayed nor were evicted were removed. */
function countKept(steps: readonly { readonly what: string }[], stayed: number, evicted: number): number {
  const adds = steps.filter(({ what }) => what === "add").length;
  return steps.length - adds + stayed + evicted;
}
