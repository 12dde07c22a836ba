import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { igmp, igmp6, route, udp, udp6 } from "../../../test/fixtures/proc-net.ts";
import { parseDatagramSockets, parseGroups4, parseGroups6, parseRoutes4 } from "./proc-net.ts";

describe("tables that a kernel gave", () => {
  test("sockets", () => {
    expect(parseDatagramSockets(udp)).toEqual([
      { address: "00000000", port: 5353, inode: 1_727_834, line: expect.stringMatching(/^15593: /) },
    ]);
    expect(parseDatagramSockets(udp6)).toMatchObject([{ address: "0".repeat(32), port: 5353, inode: 1_727_836 }]);
  });

  test("groups, also where the name fills its column", () => {
    const all = "010000E0";
    expect(parseGroups4(igmp)).toEqual(
      new Map([
        ["lo", new Set([all])],
        ["e0", new Set(["FB0000E0", all])],
        ["eth-with-name15", new Set([all])],
      ]),
    );
    expect(parseGroups6(igmp6).get("e0")).toContain("ff0200000000000000000000000000fb");
    expect(parseGroups6(igmp6).get("eth-with-name15")).toContain("ff0200000000000000000001ffcfacec");
  });

  test("routes", () => {
    expect(parseRoutes4(route)).toMatchObject([
      { interface: "e0", destination: "00000000", isDirect: false },
      { interface: "eth-with-name15", destination: "0000020A", mask: "0000FFFF", isDirect: true, metric: 0 },
      { interface: "e0", destination: "0001A8C0", metric: 0 },
      { interface: "eth-with-name15", destination: "0001A8C0", metric: 50 },
    ]);
  });
});

test("whatever the tables hold, nothing is thrown and nothing made up", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(...[igmp, igmp6, route, udp, udp6].flatMap((table) => table.split("\n"))),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join("\n");
      for (const { port, inode } of parseDatagramSockets(text)) {
        expect(port).toBeLessThan(65_536);
        expect(Number.isSafeInteger(inode)).toBe(true);
      }
      for (const [name, groups] of [...parseGroups4(text), ...parseGroups6(text)]) expect([name, ...groups]).not.toContain("");
      for (const each of parseRoutes4(text)) expect(text).toContain(each.interface);
    }),
  );
});

test("a socket is found again, whatever its numbers", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), fc.nat({ max: 2 ** 31 }), (port, inode) => {
      const line = udp.replace("14E9", port.toString(16).toUpperCase().padStart(4, "0")).replace("1727834", String(inode));
      expect(parseDatagramSockets(line)).toMatchObject([{ port, inode }]);
    }),
  );
});
