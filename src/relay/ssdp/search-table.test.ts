import fc from "fast-check";
import { expect, test } from "vitest";
import { createSearchTable, type SearchRoute, type SearchTable } from "./search-table.ts";

class Socket implements Disposable {
  closed = 0;
  readonly route: SearchRoute;
  constructor(route: SearchRoute) {
    this.route = route;
  }
  [Symbol.dispose](): void {
    this.closed += 1;
  }
}

function tableOf(limit = 512, portsPerSource = 32): { readonly table: SearchTable<Socket>; readonly opened: Socket[] } {
  const opened: Socket[] = [];
  const table = createSearchTable<Socket>({
    limit,
    portsPerSource,
    open(route) {
      const socket = new Socket(route);
      opened.push(socket);
      return socket;
    },
  });
  return { table, opened };
}

function routeOf(host: number, change: Partial<SearchRoute> & { readonly port?: number } = {}): SearchRoute {
  const { port = 50_000, ...rest } = change;
  const asker = { bytes: Uint8Array.of(10, 0, host >> 8, host & 255), port };
  return { protocol: "ssdp", family: 4, asker, askerLink: "home", egressLink: "iot", ...rest };
}

const open = (sockets: readonly Socket[]): readonly Socket[] => sockets.filter(({ closed }) => closed === 0);

test("who asks again keeps the socket, for longer", () => {
  const { table, opened } = tableOf();
  const first = table.socketFor(routeOf(1), { now: 0, lifetimeMs: 6_000 });
  expect(table.nextExpiry()).toBe(6_000);
  expect(table.socketFor(routeOf(1), { now: 1_000, lifetimeMs: 6_000 })).toBe(first);
  expect(table.nextExpiry()).toBe(7_000);
  expect(table.socketFor(routeOf(1), { now: 1_000, lifetimeMs: 100 })).toBe(first);
  expect(opened).toHaveLength(1);
  table.expire(6_999);
  expect(table.size).toBe(1);
  table.expire(7_000);
  expect(table.size).toBe(0);
  expect(first?.closed).toBe(1);
  expect(first === undefined ? undefined : table.find(first)).toBeUndefined();
  expect(table.nextExpiry()).toBeUndefined();
});

test("two clients with one source port and one search at one moment are two searches", () => {
  const { table } = tableOf();
  const sockets = [1, 2].map((host) => table.socketFor(routeOf(host), { now: 0, lifetimeMs: 6_000 }));
  expect(new Set(sockets).size).toBe(2);
  expect(sockets.map((socket) => socket && table.find(socket)?.asker.bytes)).toEqual([
    Uint8Array.of(10, 0, 0, 1),
    Uint8Array.of(10, 0, 0, 2),
  ]);
});

test("one address on two links, two families, two protocols, two links asked: each is its own", () => {
  const { table } = tableOf();
  const routes = [
    routeOf(1),
    routeOf(1, { askerLink: "guest" }),
    routeOf(1, { egressLink: "lab" }),
    routeOf(1, { family: 6 }),
    routeOf(1, { protocol: "wsd" }),
    routeOf(1, { port: 50_001 }),
  ];
  for (const route of routes) table.socketFor(route, { now: 0, lifetimeMs: 1 });
  expect(table.size).toBe(routes.length);
});

test("the asker is remembered though its address is a view that is overwritten", () => {
  const { table } = tableOf();
  const bytes = Uint8Array.of(10, 0, 0, 1);
  const socket = table.socketFor(routeOf(0, { asker: { bytes, port: 1 } }), { now: 0, lifetimeMs: 1 });
  bytes.fill(0);
  expect(socket && table.find(socket)?.asker.bytes).toEqual(Uint8Array.of(10, 0, 0, 1));
});

test("600 clients: 512 are served, the rest made room", () => {
  const { table, opened } = tableOf();
  for (let host = 0; host < 600; host += 1) table.socketFor(routeOf(host), { now: host, lifetimeMs: 6_000 });
  expect(table.size).toBe(512);
  expect(table.evicted).toBe(88);
  expect(open(opened)).toEqual(opened.slice(88));
});

test("a host that floods has its share and costs nobody else", () => {
  const { table, opened } = tableOf();
  for (let host = 1; host <= 400; host += 1) table.socketFor(routeOf(host), { now: 0, lifetimeMs: 6_000 });
  for (let port = 0; port < 5_000; port += 1) table.socketFor(routeOf(500, { port }), { now: 1, lifetimeMs: 6_000 });
  expect(table.size).toBe(432);
  expect(open(opened).slice(0, 400)).toEqual(opened.slice(0, 400));
});

test("however many links it asks, a port is one", () => {
  const { table, opened } = tableOf();
  const links = Array.from({ length: 39 }, (_, index) => `link${index}`);
  for (let port = 0; port < 13; port += 1)
    for (const egressLink of links) table.socketFor(routeOf(1, { port, egressLink }), { now: 0, lifetimeMs: 1 });
  expect([table.size, table.evicted, open(opened).length]).toEqual([13 * 39, 0, 13 * 39]);
});

test("of too many ports of a host the one goes whose searches end first, with all of them", () => {
  const { table, opened } = tableOf(512, 2);
  const asks = [
    [1, "iot", 10],
    [1, "lab", 30],
    [2, "iot", 20],
    [2, "lab", 20],
    [3, "iot", 5],
  ] as const;
  for (const [port, egressLink, lifetimeMs] of asks) table.socketFor(routeOf(1, { port, egressLink }), { now: 0, lifetimeMs });
  expect(open(opened).map(({ route }) => `${route.asker.port} ${route.egressLink}`)).toEqual(["1 iot", "1 lab", "3 iot"]);
  expect(table.evicted).toBe(2);
});

test("who asks many links gives way to who asks few", () => {
  const { table, opened } = tableOf(100);
  for (let port = 0; port < 10; port += 1) {
    for (let link = 0; link < 10; link += 1) table.socketFor(routeOf(1, { port, egressLink: `${link}` }), { now: 0, lifetimeMs: 9 });
  }
  for (let host = 2; host < 42; host += 1) table.socketFor(routeOf(host), { now: 1, lifetimeMs: 9 });
  expect(table.size).toBe(100);
  expect(open(opened).filter(({ route }) => route.asker.bytes[3] !== 1)).toHaveLength(40);
});

test("a host that floods under many addresses costs nobody on other links", () => {
  const { table, opened } = tableOf();
  for (let host = 1; host <= 200; host += 1) table.socketFor(routeOf(host, { askerLink: "lab" }), { now: 0, lifetimeMs: 6_000 });
  for (let host = 0; host < 5_000; host += 1) table.socketFor(routeOf(host), { now: 1, lifetimeMs: 6_000 });
  expect(table.size).toBe(512);
  expect(open(opened).slice(0, 200)).toEqual(opened.slice(0, 200));
});

test("who asks little gets room from who asks most", () => {
  const { table, opened } = tableOf(10, 8);
  for (let port = 0; port < 8; port += 1) table.socketFor(routeOf(1, { port }), { now: 0, lifetimeMs: 9_000 - port });
  for (const host of [2, 3, 4]) table.socketFor(routeOf(host), { now: 0, lifetimeMs: 1 });
  expect(table.size).toBe(10);
  expect(opened.filter(({ closed }) => closed > 0)).toEqual([opened[7]]);
});

test("a link that goes takes its searches along, asked from it or on it", () => {
  const { table, opened } = tableOf();
  table.socketFor(routeOf(1), { now: 0, lifetimeMs: 1 });
  table.socketFor(routeOf(2, { askerLink: "iot", egressLink: "lab" }), { now: 0, lifetimeMs: 1 });
  table.socketFor(routeOf(3, { askerLink: "lab", egressLink: "home" }), { now: 0, lifetimeMs: 1 });
  table.closeLink("iot");
  expect(open(opened)).toEqual([opened[2]]);
});

test("a socket that cannot be opened is no search", () => {
  const table = createSearchTable<Socket>({ limit: 4, portsPerSource: 2, open: () => undefined });
  expect(table.socketFor(routeOf(1), { now: 0, lifetimeMs: 1 })).toBeUndefined();
  expect(table.size).toBe(0);
});

test("closing the table closes every socket once", () => {
  const { table, opened } = tableOf();
  for (let host = 0; host < 5; host += 1) table.socketFor(routeOf(host), { now: 0, lifetimeMs: host });
  table.expire(2);
  table[Symbol.dispose]();
  expect(opened.map(({ closed }) => closed)).toEqual([1, 1, 1, 1, 1]);
});

/** The same in the plainest words: a list, searched through. */
interface Held {
  readonly name: string;
  readonly host: number;
  readonly port: number;
  readonly link: string;
  readonly to: string;
  expiresAt: number;
}

interface Limits {
  readonly limit: number;
  readonly portsPerSource: number;
}

function ask(before: Held[], asked: Held, { limit, portsPerSource }: Limits): Held[] {
  let held = before;
  const known = held.find(({ name }) => name === asked.name);
  if (known !== undefined) {
    known.expiresAt = Math.max(known.expiresAt, asked.expiresAt);
    return held;
  }
  const isOwn = ({ host, link }: Held): boolean => host === asked.host && link === asked.link;
  const withoutFirstToEnd = (among: readonly Held[]): Held[] => {
    const first = among.toSorted((a, b) => a.expiresAt - b.expiresAt)[0];
    return held.filter((one) => one !== first);
  };
  const ports = Map.groupBy(held.filter(isOwn), ({ port }) => port);
  if (!ports.has(asked.port) && ports.size >= portsPerSource) {
    const endOf = (searches: readonly Held[]): number => Math.max(...searches.map(({ expiresAt }) => expiresAt));
    const [first] = [...ports.values()].toSorted((a, b) => endOf(a) - endOf(b));
    held = held.filter((one) => first?.includes(one) !== true);
  }
  const own = held.filter(isOwn);
  if (held.length < limit) return [...held, asked];
  const links = Map.groupBy(held, ({ link }) => link);
  const mostOnLink = Math.max(...[...links.values()].map(({ length }) => length));
  const fullest = links.get(asked.link)?.length === mostOnLink ? asked.link : firstOf(links, mostOnLink);
  const hosts = Map.groupBy(links.get(fullest) ?? [], ({ host }) => host);
  const most = Math.max(...[...hosts.values()].map(({ length }) => length));
  const giving =
    fullest === asked.link && own.length === most
      ? own
      : held.filter(({ host, link }) => link === fullest && hosts.get(host)?.length === most);
  return [...withoutFirstToEnd(giving), asked];
}

/** Of several links that hold as many, the table may take any; here the one that has held searches for longest. */
function firstOf(links: ReadonlyMap<string, readonly Held[]>, size: number): string {
  return [...links].find(([, held]) => held.length === size)?.[0] ?? "";
}

test("does what the plainest model does", () => {
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant("ask" as const),
        host: fc.nat(4),
        port: fc.nat(3),
        // Two links, of which one asks: on a draw between others the order is free.
        link: fc.constantFrom("home", "lab"),
        to: fc.constantFrom("iot", "guest"),
        lifetimeMs: fc.nat(50),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("close" as const), link: fc.constantFrom("home", "lab", "iot", "guest") }) },
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, limit, portsPerSource) => {
        const { table, opened } = tableOf(limit, portsPerSource);
        let held: Held[] = [];
        // Ends fall together for no two searches, so that "ends first" is one.
        let now = 0;
        for (const [index, made] of steps.entries()) {
          if (made.type === "ask") {
            const { host, port, link, to, lifetimeMs } = made;
            const lasting = lifetimeMs + index / 1_000;
            table.socketFor(routeOf(host, { port, askerLink: link, egressLink: to }), { now, lifetimeMs: lasting });
            const asked = { name: JSON.stringify([host, port, link, to]), host, port, link, to, expiresAt: now + lasting };
            held = ask(held, asked, { limit, portsPerSource });
          } else if (made.type === "wait") {
            now += made.ms;
            table.expire(now);
            held = held.filter(({ expiresAt }) => expiresAt > now);
          } else {
            table.closeLink(made.link);
            held = held.filter(({ link, to }) => link !== made.link && to !== made.link);
          }
          const names = open(opened).map(({ route }) =>
            JSON.stringify([route.asker.bytes[3] ?? 0, route.asker.port, route.askerLink, route.egressLink]),
          );
          expect(names.toSorted()).toEqual(held.map(({ name }) => name).toSorted());
          expect(table.size).toBe(held.length);
          expect(table.nextExpiry()).toBe(held.length === 0 ? undefined : Math.min(...held.map(({ expiresAt }) => expiresAt)));
          for (const socket of opened) {
            expect(socket.closed).toBeLessThanOrEqual(1);
            expect(table.find(socket)?.socket).toBe(socket.closed === 0 ? socket : undefined);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
