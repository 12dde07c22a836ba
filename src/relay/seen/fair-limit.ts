/** A bound on how much is remembered, fair to those who say little. All operations take constant time but for the number of groups. */

/** How many entries there may be, and who has to go when there are more. */
export interface FairLimit<Entry extends object> {
  readonly size: number;
  /** Takes an entry in for `owner`, one of `group`; beyond the limit another one is evicted. */
  add(entry: Entry, place: FairPlace): void;
  /** Notes that an entry is in use. To the second, so that it costs next to nothing. */
  touch(entry: Entry, at: number): void;
  remove(entry: Entry): void;
}

interface FairPlace {
  readonly group: string;
  readonly owner: string;
  /** Milliseconds. */
  readonly at: number;
}

interface Owner<Entry> {
  readonly group: Group<Entry>;
  readonly name: string;
  /** Least recently used first. */
  readonly entries: Set<Entry>;
}

interface Group<Entry> {
  readonly name: string;
  readonly owners: Map<string, Owner<Entry>>;
  /** Owners by how many entries they have. */
  readonly byCount: Map<number, Set<Owner<Entry>>>;
  size: number;
  /** The most that one owner has. */
  most: number;
}

interface Seat<Entry> {
  readonly owner: Owner<Entry>;
  usedAt: number;
}

const touchEveryMs = 1_000;

/**
 * Of more than `limit` entries the one goes that was used least recently among those of the owner who has most, in the group
 * that has most: whoever floods pushes out what is his own. `evict` is told of it after it is out.
 */
export function createFairLimit<Entry extends object>(limit: number, evict: (entry: Entry) => void): FairLimit<Entry> {
  const groups = new Map<string, Group<Entry>>();
  const seats = new Map<Entry, Seat<Entry>>();

  function ownerAt({ group: groupName, owner: ownerName }: FairPlace): Owner<Entry> {
    let group = groups.get(groupName);
    if (group === undefined) {
      group = { name: groupName, owners: new Map(), byCount: new Map(), size: 0, most: 0 };
      groups.set(groupName, group);
    }
    let owner = group.owners.get(ownerName);
    if (owner === undefined) {
      owner = { group, name: ownerName, entries: new Set() };
      group.owners.set(ownerName, owner);
    }
    return owner;
  }

  /** Moves an owner from among those that had `before` entries to where it belongs now. */
  function recount(owner: Owner<Entry>, before: number): void {
    const { group } = owner;
    const now = owner.entries.size;
    const left = group.byCount.get(before);
    left?.delete(owner);
    if (left?.size === 0) group.byCount.delete(before);
    group.size += now - before;
    if (now === 0) {
      group.owners.delete(owner.name);
      if (group.owners.size === 0) groups.delete(group.name);
    } else {
      let peers = group.byCount.get(now);
      if (peers === undefined) {
        peers = new Set();
        group.byCount.set(now, peers);
      }
      peers.add(owner);
    }
    // Counts change by one, so that the most does too.
    if (now > group.most) group.most = now;
    else if (before === group.most && !group.byCount.has(before)) group.most = now;
  }

  function remove(entry: Entry): void {
    const seat = seats.get(entry);
    if (seat === undefined) return;
    seats.delete(entry);
    const { owner } = seat;
    const before = owner.entries.size;
    owner.entries.delete(entry);
    recount(owner, before);
  }

  function evictOne(): void {
    let largest: Group<Entry> | undefined;
    for (const group of groups.values()) if (largest === undefined || group.size > largest.size) largest = group;
    const [owner] = largest?.byCount.get(largest.most) ?? [];
    const [victim] = owner?.entries ?? [];
    if (victim === undefined) return;
    remove(victim);
    evict(victim);
  }

  return {
    get size() {
      return seats.size;
    },
    add(entry, place) {
      const owner = ownerAt(place);
      const before = owner.entries.size;
      owner.entries.add(entry);
      recount(owner, before);
      seats.set(entry, { owner, usedAt: place.at });
      if (seats.size > limit) evictOne();
    },
    touch(entry, at) {
      const seat = seats.get(entry);
      if (seat === undefined || at - seat.usedAt < touchEveryMs) return;
      seat.usedAt = at;
      seat.owner.entries.delete(entry);
      seat.owner.entries.add(entry);
    },
    remove,
  };
}
