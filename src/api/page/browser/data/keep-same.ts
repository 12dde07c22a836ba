/** New answers, of which what is as it was is the same object as before: who compares objects has nothing to do for it. */
export function keepSame<Item>(
  before: readonly Item[] | undefined,
  after: readonly Item[],
  keyOf: (item: Item) => string,
): readonly Item[] {
  if (before === undefined) return after;
  const known = new Map(before.map((item) => [keyOf(item), item]));
  const kept = after.map((item) => {
    const old = known.get(keyOf(item));
    return old !== undefined && JSON.stringify(old) === JSON.stringify(item) ? old : item;
  });
  return kept.length === before.length && kept.every((item, index) => item === before[index]) ? before : kept;
}
