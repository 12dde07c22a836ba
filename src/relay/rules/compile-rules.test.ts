import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseNetworkPrefix } from "../../core/network-prefix.ts";
import { compileRules } from "./compile-rules.ts";
import { compileGlob } from "./glob.ts";
import type { RelayRule, RelaySubject } from "./relay-rule.ts";

const subject = (over: Partial<RelaySubject> = {}): RelaySubject => ({
  protocol: "mdns",
  family: 4,
  direction: "offer",
  source: Uint8Array.of(192, 0, 2, 7),
  services: ["_hap._tcp"],
  ...over,
});

const allows = (rules: readonly RelayRule[], over: Partial<RelaySubject> = {}, last: "allow" | "deny" = "allow"): boolean =>
  compileRules({ rules, default: last }).between("iot", "home").allows(subject(over));

const deny = (rule: Omit<RelayRule, "action">): RelayRule => ({ action: "deny", ...rule });
const allow = (rule: Omit<RelayRule, "action">): RelayRule => ({ action: "allow", ...rule });

describe("one rule", () => {
  const cases: [string, Omit<RelayRule, "action">, Partial<RelaySubject>, boolean][] = [
    ["that says nothing matches everything", {}, {}, true],
    ["from its link", { from: ["iot"] }, {}, true],
    ["from another link", { from: ["home"] }, {}, false],
    ["to its link", { to: ["guest", "home"] }, {}, true],
    ["to another link", { to: ["iot"] }, {}, false],
    ["of its direction", { direction: "offer" }, {}, true],
    ["of the other direction", { direction: "ask" }, {}, false],
    ["of its protocol", { protocol: ["ssdp", "mdns"] }, {}, true],
    ["of another protocol", { protocol: ["ssdp"] }, {}, false],
    ["a type", { service: ["_hap._tcp"] }, {}, true],
    ["a type in other case", { service: ["_HAP._TCP"] }, {}, true],
    ["another type", { service: ["_hap._udp"] }, {}, false],
    ["a type that begins alike", { service: ["_ha._tcp"] }, {}, false],
    ["a preset", { service: ["homekit"] }, {}, true],
    ["another preset", { service: ["cast"] }, {}, false],
    ["a pattern of types", { service: ["_hap._*"] }, {}, true],
    ["one type of several", { service: ["_ipp._tcp"] }, { services: ["_printer._tcp", "_ipp._tcp"] }, true],
    ["a type where none is named", { service: ["homekit"] }, { services: [] }, false],
    ["a UPnP type", { service: ["sonos"] }, { protocol: "ssdp", services: ["urn:schemas-upnp-org:device:zoneplayer:1"] }, true],
    ["a later version", { service: ["dlna"] }, { services: ["urn:schemas-upnp-org:device:mediaserver:4"] }, true],
    ["an earlier version", { service: ["urn:a:device:b:2"] }, { services: ["urn:a:device:b:1"] }, false],
    ["a type of another version scheme", { service: ["roku"] }, { services: ["urn:roku-com:device:player:1-0"] }, true],
    ["an instance", { instance: ["kitchen*"] }, { instance: "kitchen lamp" }, true],
    ["an instance, written in capitals", { instance: ["KITCHEN*"] }, { instance: "kitchen lamp" }, true],
    ["another instance", { instance: ["kitchen"] }, { instance: "kitchen lamp" }, false],
    ["an instance where none is named", { instance: ["*"] }, {}, false],
    ["a host", { host: ["*-cam"] }, { host: "door-cam" }, true],
    ["a host where none is named", { host: ["*"] }, {}, false],
    ["a source", { source: ["192.0.2.7"] }, {}, true],
    ["a source's prefix", { source: ["198.51.100.0/24", "192.0.2.0/29"] }, {}, true],
    ["another prefix", { source: ["192.0.2.8/29"] }, {}, false],
    ["an IPv6 prefix", { source: ["fd00::/8"] }, { source: Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? 0xfd : 1)) }, true],
    ["an IPv6 prefix for IPv4", { source: ["::/0"] }, {}, false],
    ["all IPv4", { source: ["0.0.0.0/0"] }, {}, true],
    ["what is no prefix", { source: ["192.0.2.7/33"] }, {}, false],
    ["all it names, and not just some", { service: ["homekit"], host: ["bridge"] }, { host: "lamp" }, false],
  ];
  test.each(cases)("%s", (...[, rule, over, matched]) => {
    expect(allows([deny(rule)], over)).toBe(!matched);
    expect(allows([deny(rule), allow({})], over, "deny")).toBe(!matched);
  });
});

describe("several rules", () => {
  test("the first that matches decides", () => {
    expect(allows([allow({ service: ["homekit"] }), deny({})])).toBe(true);
    expect(allows([deny({}), allow({ service: ["homekit"] })])).toBe(false);
    expect(allows([deny({ instance: ["lamp"] }), allow({ service: ["homekit"] }), deny({})], { instance: "lamp" })).toBe(false);
  });

  test("where none matches the default decides", () => {
    expect(allows([], {}, "allow")).toBe(true);
    expect(allows([], {}, "deny")).toBe(false);
  });

  test.each(["_matter._tcp", "_matterc._udp", "_matterd._udp", "_meshcop._udp", "_trel._udp", "_sleep-proxy._udp"])(
    "%s stays where it is unless a rule that names it allows it or the defaults are off",
    (service) => {
      for (const direction of ["ask", "offer"] as const) {
        const over = { services: [service], direction };
        expect(allows([], over)).toBe(false);
        expect(allows([allow({ service: [service] })], over)).toBe(true);
        expect(allows([allow({})], over)).toBe(false);
        expect(compileRules({ rules: [], defaults: false }).between("a", "b").allows(subject(over))).toBe(true);
      }
    },
  );

  test("directions and links are judged apart", () => {
    const rules = compileRules({ rules: [allow({ from: ["home"], to: ["iot"], direction: "ask" })], default: "deny" });
    expect(rules.between("home", "iot").allows(subject({ direction: "ask" }))).toBe(true);
    expect(rules.between("home", "iot").allows(subject({ direction: "offer" }))).toBe(false);
    expect(rules.between("iot", "home").allows(subject({ direction: "ask" }))).toBe(false);
  });
});

describe("where only some services may cross", () => {
  const some = [allow({ service: ["homekit"] })];
  const everyType = { services: ["_services._dns-sd._udp"], direction: "ask" } as const;

  test("so may the question for all types, and the hosts behind services, for their addresses are asked for by themselves", () => {
    expect(allows(some, everyType, "deny")).toBe(true);
    expect(allows(some, { services: [], host: "bridge" }, "deny")).toBe(true);
    expect(allows(some, { services: [], host: "bridge", direction: "ask" }, "deny")).toBe(true);
    expect(allows([allow({ instance: ["lamp"] })], { services: [], host: "bridge" }, "deny")).toBe(true);
  });

  test("and the searches that name no type", () => {
    for (const target of ["ssdp:all", "upnp:rootdevice", "uuid:7076436f"]) {
      const over = { protocol: "ssdp", services: [target] } as const;
      expect(allows([allow({ service: ["sonos"] })], { ...over, direction: "ask" }, "deny")).toBe(true);
      expect(allows([allow({ service: ["sonos"] })], { ...over, direction: "offer" }, "deny")).toBe(false);
    }
  });

  test("not where none may", () => {
    expect(allows([], everyType, "deny")).toBe(false);
    expect(allows([deny({}), ...some], everyType)).toBe(false);
    expect(allows([], { services: [], host: "bridge" }, "deny")).toBe(false);
    expect(allows([allow({ service: ["homekit"], direction: "ask" })], { services: [], host: "bridge" }, "deny")).toBe(false);
    expect(allows([allow({ service: ["homekit"], source: ["198.51.100.1"] })], { services: [], host: "bridge" }, "deny")).toBe(false);
  });

  test("nor a host that a rule is about", () => {
    expect(allows([...some, deny({ host: ["cam*"] })], { services: [], host: "camera" }, "deny")).toBe(false);
    expect(allows([allow({ service: ["homekit"], host: ["bridge"] })], { services: [], host: "camera" }, "deny")).toBe(false);
    expect(allows([allow({ service: ["homekit"], host: ["bridge"] })], { services: [], host: "bridge" }, "deny")).toBe(true);
  });

  test("nor the question for all types that a rule denies by name", () => {
    expect(allows([...some, deny({ service: ["_services._dns-sd._udp"] })], everyType, "deny")).toBe(false);
  });
});

describe("where only some instances or hosts may cross", () => {
  const ask = { services: ["_ipp._tcp"], direction: "ask" } as const;
  const search = { protocol: "ssdp", services: ["urn:schemas-upnp-org:device:zoneplayer:1"], direction: "ask" } as const;
  const office = allow({ service: ["_ipp._tcp"], instance: ["Office*"] });
  const printer = allow({ host: ["printer"] });

  test("so may the questions that they could answer, and those answers alone", () => {
    for (const rule of [office, printer, allow({ instance: ["Office*"] }), allow({ instance: ["Office*"], host: ["printer"] })]) {
      expect(allows([rule], ask, "deny")).toBe(true);
      expect(allows([rule, deny({})], ask)).toBe(true);
      expect(allows([rule], { ...ask, instance: "office 1" }, "deny")).toBe(true);
      expect(allows([rule], { services: ["_services._dns-sd._udp"], direction: "ask" }, "deny")).toBe(true);
      expect(allows([rule], { services: ["_ipp._tcp"], instance: "desk", host: "desk" }, "deny")).toBe(false);
    }
    expect(allows([printer], { ...ask, instance: "desk" }, "deny")).toBe(true);
  });

  test("nor what they could not", () => {
    expect(allows([office], { ...ask, services: ["_hap._tcp"] }, "deny")).toBe(false);
    expect(allows([office], { ...ask, instance: "desk" }, "deny")).toBe(false);
    expect(allows([printer], { services: [], host: "desk", direction: "ask" }, "deny")).toBe(false);
    expect(allows([printer], { services: [], direction: "ask" }, "deny")).toBe(false);
    expect(allows([allow({ instance: ["Office*"], direction: "offer" })], ask, "deny")).toBe(false);
    expect(allows([allow({ instance: ["Office*"], source: ["198.51.100.1"] })], ask, "deny")).toBe(false);
  });

  test("what asks and is no question says all it has to say", () => {
    expect(allows([printer], { ...ask, instance: "desk", record: true }, "deny")).toBe(false);
    expect(allows([office], { ...ask, record: true }, "deny")).toBe(false);
  });

  test("searches of other protocols go to devices by their id, and not to hosts, which no answer there names", () => {
    expect(allows([allow({ service: ["sonos"], instance: ["uuid:1"] })], search, "deny")).toBe(true);
    expect(
      allows([allow({ service: ["sonos"], instance: ["uuid:1"] })], { ...search, direction: "offer", instance: "uuid:2" }, "deny"),
    ).toBe(false);
    expect(allows([allow({ service: ["sonos"], host: ["player"] })], search, "deny")).toBe(false);
  });

  test("a rule that denies comes first where it is written first, and one that denies some is not asked about all", () => {
    expect(allows([deny({ service: ["_ipp._tcp"] }), office], ask, "deny")).toBe(false);
    expect(allows([deny({ instance: ["office 2"], direction: "ask" }), office], ask, "deny")).toBe(true);
    expect(allows([deny({ instance: ["office 2"], direction: "ask" }), office], { ...ask, instance: "office 2" }, "deny")).toBe(false);
  });

  test("what the defaults keep on its link is asked for where a rule names it", () => {
    const matter = { services: ["_matter._tcp"], direction: "ask" } as const;
    expect(allows([allow({ instance: ["Office*"] })], matter)).toBe(false);
    expect(allows([printer], matter)).toBe(false);
    expect(allows([allow({ service: ["matter"], instance: ["Office*"] })], matter)).toBe(true);
  });
});

describe("what is shown", () => {
  test("every rule in order, written out, with how often it decided", () => {
    const rules = compileRules({
      rules: [
        allow({ service: ["homekit", "_ipp._tcp"], from: ["iot"], to: ["home", "tv"], direction: "offer", protocol: ["mdns"] }),
        deny({ instance: ["Bad \u001b[31m*"], host: ["cam*"], source: ["192.0.2.0/24"] }),
      ],
    });
    const pair = rules.between("iot", "home");
    pair.allows(subject());
    pair.allows(subject());
    pair.allows(subject({ services: ["_matter._tcp"] }));
    pair.allows(subject({ services: ["_http._tcp"] }));
    expect(rules.lines).toEqual([
      { text: "allow offer _hap._tcp,_hap._udp,_homekit._tcp,_ipp._tcp protocol mdns from iot to home,tv", hits: 2 },
      { text: 'deny ask,offer any instance "Bad \\u{1b}[31m*" host "cam*" source 192.0.2.0/24 from any to any', hits: 0 },
      { text: "deny ask,offer _matter._tcp,_matterc._udp,_matterd._udp from any to any (default: matter)", hits: 1 },
      { text: "deny ask,offer _meshcop._udp,_meshcop-e._udp,_trel._udp,_srpl-tls._tcp from any to any (default: thread)", hits: 0 },
      { text: "deny ask,offer _sleep-proxy._udp from any to any (default: sleep-proxy)", hits: 0 },
      { text: "allow ask,offer any from any to any (default)", hits: 1 },
    ]);
  });
});

test("what is remembered of services is the same as what is worked out, however many there are", () => {
  const pair = compileRules({ rules: [deny({ service: ["_s7*._tcp"] })] }).between("a", "b");
  const verdict = (number: number): boolean => pair.allows(subject({ services: [`_s${number}._tcp`] }));
  const first = Array.from({ length: 3000 }, (_, number) => verdict(number));
  expect(Array.from({ length: 3000 }, (_, number) => verdict(number))).toEqual(first);
  expect([first[6], first[7], first[70], first[700]]).toEqual([true, false, false, false]);
});

describe("patterns", () => {
  test("mean what the same regular expression does", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 8 });
    const plain = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
    fc.assert(
      fc.property(word, plain, (pattern, text) => {
        const same = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll(/\*+/g, ".*")}$`);
        expect(compileGlob(pattern)(text)).toBe(same.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("that would make a backtracking matcher try for years answer at once", () => {
    const fits = compileGlob(`${"*a".repeat(200)}*b`);
    expect(fits("a".repeat(60_000))).toBe(false);
  });
});

test.each([
  ["192.0.2.7", [192, 0, 2, 7], 32],
  ["10.0.0.0/8", [10, 0, 0, 0], 8],
  ["::/0", Array.from({ length: 16 }, () => 0), 0],
  ["fe80::/10", [0xfe, 0x80, ...Array.from({ length: 14 }, () => 0)], 10],
  ["2001:db8::192.0.2.1", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1], 128],
  ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], 128],
])("%s is a prefix", (text, bytes, length) => {
  expect(parseNetworkPrefix(text)).toEqual({ bytes: Uint8Array.from(bytes), length });
});

test.each(["", "home", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/8/8", "fe80::1%eth0", "::/129", "1.2.3.4/-1", ":::"])(
  "%s is no prefix",
  (text) => {
    expect(parseNetworkPrefix(text)).toBeUndefined();
  },
);

test("lets what the defaults keep on its link pass for a rule that names it, not for one that allows everything", () => {
  const matter = subject({ services: ["_matter._tcp"] });
  const blanket = { action: "allow", from: ["iot"], to: ["home"] } as const;
  expect(
    compileRules({ rules: [blanket] })
      .between("iot", "home")
      .allows(matter),
  ).toBe(false);
  expect(
    compileRules({ rules: [blanket], default: "deny" })
      .between("iot", "home")
      .allows(subject({ services: ["_hap._tcp"] })),
  ).toBe(true);
  expect(
    compileRules({ rules: [blanket, { action: "allow", service: ["matter"] }] })
      .between("iot", "home")
      .allows(matter),
  ).toBe(true);
  expect(
    compileRules({ rules: [blanket], defaults: false })
      .between("iot", "home")
      .allows(matter),
  ).toBe(true);
});
