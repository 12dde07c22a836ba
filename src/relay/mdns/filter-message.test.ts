import { describe, expect, test } from "vitest";
import {
  address,
  hostInfo,
  hugeProbe,
  nextSecure,
  options,
  pointer,
  sampleMessage,
  server,
  text,
} from "../../../test/fixtures/dns-packets.ts";
import type { DnsMessage } from "../dns/dns-message.ts";
import { compileRules } from "../rules/compile-rules.ts";
import type { RelayRule } from "../rules/relay-rule.ts";
import { type FilterContext, filterMessage } from "./filter-message.ts";

interface Crossing extends Partial<FilterContext> {
  readonly rules?: readonly RelayRule[];
  readonly last?: "allow" | "deny";
}

/** From `iot` to `home`, where 192.168.1.0/24 is. */
function cross(message: DnsMessage, { rules = [], last = "allow", ...over }: Crossing = {}) {
  const result = filterMessage(message, {
    pair: compileRules({ rules, default: last }).between("iot", "home"),
    family: 4,
    source: Uint8Array.of(192, 168, 20, 7),
    onEgress: ([one, two, three]) => one === 192 && two === 168 && three === 1,
    isMultiHomed: () => false,
    ...over,
  });
  const { droppedQuestions, droppedRecords } = result.cut;
  const typeNames: Readonly<Record<number, string>> = {
    1: "A",
    12: "PTR",
    13: "HINFO",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    41: "OPT",
    47: "NSEC",
  };
  return {
    asked: message.questions.filter((_, index) => !droppedQuestions.has(index)).map(({ name }) => name.key),
    said: message.records
      .filter((_, index) => !droppedRecords.has(index))
      .map(({ name, type }) => `${typeNames[type] ?? type} ${name.key}`),
    dropped: result.dropped,
  };
}

const deny = (...service: string[]): RelayRule => ({ action: "deny", service });
const allow = (...service: string[]): RelayRule => ({ action: "allow", service });

const lamp = "Lamp._hap._tcp.local";
const hap = "_hap._tcp.local";

/** What a HomeKit lamp announces. */
const announcement = [
  pointer("_services._dns-sd._udp.local", hap),
  pointer(hap, lamp),
  server(lamp, "lamp.local"),
  text(lamp),
  nextSecure(lamp),
  address("lamp.local", "192.168.20.7"),
  address("lamp.local", "fd00::7"),
  nextSecure("lamp.local"),
  pointer("7.20.168.192.in-addr.arpa", "lamp.local", 120),
];
const whole = announcement.map(
  ({ name, type }) => `${{ 1: "A", 12: "PTR", 16: "TXT", 28: "AAAA", 33: "SRV", 47: "NSEC" }[type]} ${name.toLowerCase()}`,
);

describe("questions", () => {
  test.each<[string, RelayRule[], string[]]>([
    ["of a denied type", [deny("homekit")], ["_services._dns-sd._udp.local", "_ipp._tcp.local", "lamp.local", "7.20.168.192.in-addr.arpa"]],
    [
      "of denied instances",
      [{ action: "deny", instance: ["lamp"] }],
      ["_services._dns-sd._udp.local", hap, "_a._sub._hap._tcp.local", "_ipp._tcp.local", "lamp.local", "7.20.168.192.in-addr.arpa"],
    ],
    [
      "of denied hosts",
      [{ action: "deny", host: ["LAMP"] }],
      ["_services._dns-sd._udp.local", hap, "_a._sub._hap._tcp.local", lamp.toLowerCase(), "_ipp._tcp.local", "7.20.168.192.in-addr.arpa"],
    ],
    ["in the other direction stay", [{ action: "deny", direction: "offer" }], questions().map(([name]) => name.toLowerCase())],
    ["in this direction go", [{ action: "deny", direction: "ask" }], []],
  ])("%s", (_, rules, asked) => {
    expect(cross(sampleMessage({ asks: questions() }), { rules }).asked).toEqual(asked);
  });

  function questions() {
    return [
      ["_services._dns-sd._udp.local", "PTR"],
      ["_HAP._tcp.local", "PTR", "QU"],
      ["_a._sub._hap._tcp.local", "PTR"],
      [lamp, "SRV"],
      ["_ipp._tcp.local", "PTR", "QU"],
      ["Lamp.local", "A"],
      ["7.20.168.192.in-addr.arpa", "PTR"],
    ] as const;
  }

  test("of types and subtypes name no instance", () => {
    const asked = cross(sampleMessage({ asks: questions() }), { rules: [{ action: "deny", instance: ["*"] }] }).asked;
    expect(asked).toContain("_a._sub._hap._tcp.local");
    expect(asked).not.toContain(lamp.toLowerCase());
  });

  test("for the names of link-local addresses stay behind", () => {
    const asks = [
      ["1.0.254.169.in-addr.arpa", "PTR"],
      [`1.${"0.".repeat(28)}8.e.f.ip6.arpa`, "PTR"],
      ["1.254.169.10.in-addr.arpa", "PTR"],
    ] as const;
    expect(cross(sampleMessage({ asks }))).toMatchObject({ asked: ["1.254.169.10.in-addr.arpa"], dropped: { scope: 2 } });
  });

  test("take their known answers with them, and options too when none is left", () => {
    const query = { asks: [[hap, "PTR"]], answers: [pointer(hap, lamp)], additional: [options()] } as const;
    expect(cross(sampleMessage(query), { rules: [deny("homekit")] })).toEqual({ asked: [], said: [], dropped: { rule: 2 } });
    expect(cross(sampleMessage(query)).said).toEqual([`PTR ${hap}`, "OPT "]);
  });

  test("that continue another packet have known answers alone, which are judged by themselves", () => {
    const more = sampleMessage({ answers: [pointer(hap, lamp), pointer("_ipp._tcp.local", "Desk._ipp._tcp.local")], response: false });
    expect(cross(more, { rules: [deny("homekit")] }).said).toEqual(["PTR _ipp._tcp.local"]);
    expect(cross(more, { rules: [{ action: "deny", direction: "ask" }] }).said).toEqual([]);
  });
});

describe("answers", () => {
  test("cross whole where nothing forbids it", () => {
    expect(cross(sampleMessage({ answers: announcement }))).toEqual({ asked: [], said: whole, dropped: {} });
  });

  test("of a denied type take everything of theirs along, goodbyes too", () => {
    expect(cross(sampleMessage({ answers: announcement }), { rules: [deny("homekit")] })).toEqual({
      asked: [],
      said: [],
      dropped: { rule: announcement.length },
    });
    const goodbye = announcement.map((record) => ({ ...record, ttl: 0 }));
    expect(cross(sampleMessage({ answers: goodbye }), { rules: [deny("homekit")] }).said).toEqual([]);
    expect(cross(sampleMessage({ answers: goodbye })).said).toEqual(whole);
  });

  test("keep the addresses of hosts that something kept is on, and of those that nothing is said of", () => {
    const answers = [
      server("A._airplay._tcp.local", "tv.local"),
      server("A._raop._tcp.local", "tv.local"),
      server("B._airplay._tcp.local", "pod.local"),
      address("tv.local", "10.0.0.1"),
      address("POD.local", "10.0.0.2"),
      nextSecure("pod.local"),
      hostInfo("pod.local"),
      address("other.local", "10.0.0.3"),
    ];
    expect(cross(sampleMessage({ answers }), { rules: [deny("_airplay._tcp")] }).said).toEqual([
      "SRV a._raop._tcp.local",
      "A tv.local",
      "A other.local",
    ]);
  });

  test("of allowed types keep their hosts where all else is denied", () => {
    const answers = [
      ...announcement,
      pointer("_ipp._tcp.local", "Desk._ipp._tcp.local"),
      server("Desk._ipp._tcp.local", "desk.local"),
      address("desk.local", "10.0.0.9"),
    ];
    expect(cross(sampleMessage({ answers }), { rules: [allow("homekit")], last: "deny" }).said).toEqual(whole);
  });

  test("about hosts by themselves cross where a service may", () => {
    const answers = [address("lamp.local", "10.0.0.1")];
    expect(cross(sampleMessage({ answers }), { rules: [allow("homekit")], last: "deny" }).said).toEqual(["A lamp.local"]);
    expect(cross(sampleMessage({ answers }), { last: "deny" }).said).toEqual([]);
  });

  test.each<[string, RelayRule, string[]]>([
    ["a list of types loses those denied", deny("_ipp._tcp"), ["PTR _services._dns-sd._udp.local", "PTR _x._sub._hap._tcp.local"]],
    ["a subtype goes with its type", deny("homekit"), ["PTR _services._dns-sd._udp.local", "PTR _universal._sub._ipp._tcp.local"]],
    [
      "a pointer goes with what it points at",
      { action: "deny", instance: ["desk 2.0"] },
      ["PTR _services._dns-sd._udp.local", "PTR _services._dns-sd._udp.local", "PTR _x._sub._hap._tcp.local"],
    ],
  ])("%s", (_, rule, said) => {
    const answers = [
      pointer("_services._dns-sd._udp.local", "_ipp._tcp.local"),
      pointer("_services._dns-sd._udp.local", hap),
      pointer("_universal._sub._ipp._tcp.local", "Desk 2\\.0._ipp._tcp.local"),
      pointer("_x._sub._hap._tcp.local", lamp),
    ];
    expect(cross(sampleMessage({ answers }), { rules: [rule] }).said).toEqual(said);
  });

  test.each([
    ["with a dot", "Desk 2\\.0._ipp._tcp.local", "desk 2.0"],
    ["with dots not escaped", "Desk 2.0._ipp._tcp.local", "desk 2.0"],
    ["in UTF-8", "Küche._ipp._tcp.local", "küche"],
    ["in UTF-8, with letters that differ by case outside ASCII", "KÜCHE._ipp._tcp.local", "kÜche"],
    ["in capitals", "DESK._IPP._TCP.LOCAL", "desk"],
    ["like a transport", "_tcp._ipp._tcp.local", "_tcp"],
    ["with a backslash", "a\\\\b._ipp._tcp.local", "a\\b"],
  ])("an instance %s is matched", (_, name, pattern) => {
    const message = sampleMessage({ answers: [server(name, "x.local"), text(name)] });
    expect(cross(message, { rules: [{ action: "deny", instance: [pattern] }] }).said).toEqual([]);
    expect(cross(message, { rules: [{ action: "deny", instance: ["other"] }] }).said).toHaveLength(2);
  });

  test("with port 0 are services that are announced and not offered, and cross like others", () => {
    expect(cross(sampleMessage({ answers: [server(lamp, "lamp.local", { port: 0 })] })).said).toEqual([`SRV ${lamp.toLowerCase()}`]);
  });

  test("are of a host that the SRV record beside them names, wherever in the packet that is", () => {
    const rules: RelayRule[] = [{ action: "allow", host: ["lamp"] }];
    const more = [server("Desk._ipp._tcp.local", "desk.local"), pointer("_ipp._tcp.local", "Desk._ipp._tcp.local")];
    const allowed = whole.filter((record) => !record.includes("_services._dns-sd"));
    expect(cross(sampleMessage({ answers: [...announcement, ...more] }), { rules, last: "deny" }).said).toEqual(allowed);
    expect(cross(sampleMessage({ answers: [...more, ...announcement] }), { rules, last: "deny" }).said).toEqual(allowed);
    expect(cross(sampleMessage({ answers: [pointer(hap, lamp), text(lamp)] }), { rules, last: "deny" }).said).toEqual([]);
    const probe = { asks: [[lamp, "ANY"]], authority: [server(lamp, "lamp.local"), text(lamp)] } as const;
    expect(cross(sampleMessage(probe), { rules, last: "deny" })).toMatchObject({ asked: [lamp.toLowerCase()], dropped: {} });
    const known = { asks: [[hap, "PTR"]], answers: [pointer(hap, lamp)] } as const;
    expect(cross(sampleMessage(known), { rules, last: "deny" })).toMatchObject({ asked: [hap], said: [] });
  });

  test("on a denied host take their instance along", () => {
    const rules: RelayRule[] = [{ action: "deny", host: ["lamp"] }];
    expect(cross(sampleMessage({ answers: announcement }), { rules }).said).toEqual(["PTR _services._dns-sd._udp.local"]);
  });

  test("say nothing more of a device whose services stay behind", () => {
    const info = text("Pod._device-info._tcp.local");
    const airplay = server("Pod._airplay._tcp.local", "pod.local");
    const rules = [deny("airplay")];
    expect(cross(sampleMessage({ answers: [airplay], additional: [info] }), { rules }).said).toEqual([]);
    expect(
      cross(sampleMessage({ answers: [airplay, server("Pod._hap._tcp.local", "pod.local")], additional: [info] }), { rules }).said,
    ).toEqual(["SRV pod._hap._tcp.local", "TXT pod._device-info._tcp.local"]);
    expect(cross(sampleMessage({ answers: [info] }), { rules }).said).toHaveLength(1);
  });

  test("to one-shot queries repeat the question, and are nothing without a record", () => {
    const answer = sampleMessage({ asks: [[hap, "PTR"]], answers: [pointer(hap, lamp)], additional: [options()], response: true });
    expect(cross(answer, { rules: [{ action: "deny", direction: "ask" }] })).toMatchObject({ asked: [hap], said: [`PTR ${hap}`, "OPT "] });
    expect(cross(answer, { rules: [{ action: "deny", instance: ["lamp"] }] })).toMatchObject({ asked: [], said: [] });
  });

  test("that are not of `.local` or no service's are left to rules without names", () => {
    const answers = [text("example.org"), text("_tcp.local")];
    expect(cross(sampleMessage({ answers })).said).toHaveLength(2);
    expect(cross(sampleMessage({ answers }), { rules: [{ action: "deny" }] }).said).toEqual([]);
  });

  test.each(["matter", "thread", "sleep-proxy"])("of %s stay behind unless a rule allows them", (preset) => {
    const type = { matter: "_matter._tcp", thread: "_trel._udp", "sleep-proxy": "_sleep-proxy._udp" }[preset];
    const message = sampleMessage({
      answers: [pointer("_services._dns-sd._udp.local", `${type}.local`), server(`x.${type}.local`, "x.local")],
    });
    expect(cross(message).said).toEqual([]);
    expect(cross(message, { rules: [allow(preset)] }).said).toHaveLength(2);
  });
});

describe("scope", () => {
  test.each([
    ["169.254.3.4", false],
    ["fe80::1", false],
    ["febf::1", false],
    ["127.0.0.1", false],
    ["0.0.0.0", false],
    ["224.0.0.251", false],
    ["255.255.255.255", false],
    ["::", false],
    ["::1", false],
    ["ff02::fb", false],
    ["169.253.0.1", true],
    ["10.0.0.1", true],
    ["fec0::1", true],
    ["fd00::1", true],
    ["2001:db8::1", true],
    ["::ffff:0:1", true],
  ])("%s crosses: %s", (written, crosses) => {
    const result = cross(sampleMessage({ answers: [address("lamp.local", written)] }));
    expect(result.said).toHaveLength(crosses ? 1 : 0);
    expect(result.dropped).toEqual(crosses ? {} : { scope: 1 });
  });

  test("a link-local address beside one that can be used is left out, and nothing else", () => {
    const answers = [...announcement, address("lamp.local", "fe80::7"), pointer(`7.${"0.".repeat(28)}8.e.f.ip6.arpa`, "lamp.local")];
    expect(cross(sampleMessage({ answers }))).toEqual({ asked: [], said: whole, dropped: { scope: 2 } });
  });

  test("a host with link-local addresses only takes all of its own along", () => {
    const answers = [
      pointer(hap, lamp),
      server(lamp, "LAMP.local"),
      text(lamp),
      address("lamp.local", "fe80::7"),
      address("lamp.local", "169.254.7.7"),
      nextSecure("lamp.local"),
    ];
    expect(cross(sampleMessage({ answers, additional: [options()] }))).toEqual({ asked: [], said: [], dropped: { scope: 6 } });
    const others = [
      pointer("_ipp._tcp.local", "Desk._ipp._tcp.local"),
      server("Desk._ipp._tcp.local", "desk.local"),
      address("desk.local", "10.0.0.9"),
    ];
    expect(cross(sampleMessage({ answers: [...answers, ...others] })).said).toHaveLength(3);
  });

  test("unless it is known to have one that can be used", () => {
    const answers = [server(lamp, "lamp.local"), address("lamp.local", "fe80::7"), nextSecure("lamp.local")];
    const said = cross(sampleMessage({ answers }), { hasUsableAddress: (host) => host === "lamp.local" }).said;
    expect(said).toEqual([`SRV ${lamp.toLowerCase()}`, "NSEC lamp.local"]);
  });

  test("a goodbye crosses: what it takes back may have crossed when the host had another address", () => {
    const answers = [pointer(hap, lamp, 0), server(lamp, "lamp.local", { ttl: 0 }), address("lamp.local", "fe80::7", 0)];
    expect(cross(sampleMessage({ answers })).said).toEqual([`PTR ${hap}`, `SRV ${lamp.toLowerCase()}`]);
  });

  test("a probe loses link-local addresses and keeps its question, which a holder of the name answers", () => {
    const probe = sampleMessage({
      asks: [["lamp.local", "ANY", "QU"]],
      authority: [address("lamp.local", "fe80::7"), address("lamp.local", "10.0.0.7")],
    });
    expect(cross(probe)).toEqual({ asked: ["lamp.local"], said: ["A lamp.local"], dropped: { scope: 1 } });
    const bare = sampleMessage({ asks: [["lamp.local", "ANY"]], authority: [address("lamp.local", "fe80::7")] });
    expect(cross(bare)).toEqual({ asked: ["lamp.local"], said: [], dropped: { scope: 1 } });
  });
});

describe("hosts on both links", () => {
  const nas = "NAS._smb._tcp.local";
  const answers = [
    pointer("_smb._tcp.local", nas),
    server(nas, "nas.local"),
    address("nas.local", "192.168.20.5"),
    nextSecure("nas.local"),
    hostInfo("nas.local"),
    pointer("5.20.168.192.in-addr.arpa", "nas.local"),
    address("lamp.local", "192.168.20.7"),
  ];
  const rest = ["PTR _smb._tcp.local", "SRV nas._smb._tcp.local", "A lamp.local"];

  test("speak for themselves: what is known to live on both is not carried", () => {
    expect(cross(sampleMessage({ answers }), { isMultiHomed: (host) => host === "nas.local" })).toEqual({
      asked: [],
      said: rest,
      dropped: { "multi-homed": 4 },
    });
  });

  test("nor what has an address of the other link, whatever its name's case", () => {
    const told = [...answers, address("NAS.local", "192.168.1.5"), address("nas.local", "fe80::5")];
    expect(cross(sampleMessage({ answers: told }))).toEqual({ asked: [], said: rest, dropped: { "multi-homed": 5, scope: 1 } });
  });

  test("keep their services, though the only other address they give is link-local", () => {
    const told = [server(nas, "nas.local"), address("nas.local", "fe80::5"), address("nas.local", "192.168.1.5")];
    expect(cross(sampleMessage({ answers: told }))).toEqual({
      asked: [],
      said: ["SRV nas._smb._tcp.local"],
      dropped: { scope: 1, "multi-homed": 1 },
    });
  });

  test("do not have their probes carried, while others do", () => {
    const probe = (ip: string) => sampleMessage({ asks: [["nas.local", "ANY", "QU"]], authority: [address("nas.local", ip)] });
    expect(cross(probe("192.168.20.5"), { isMultiHomed: () => true })).toEqual({ asked: [], said: [], dropped: { "multi-homed": 2 } });
    expect(cross(probe("192.168.1.5"))).toMatchObject({ asked: [], said: [] });
    expect(cross(probe("192.168.20.5"))).toMatchObject({ asked: ["nas.local"], said: ["A nas.local"] });
  });

  test("a message that asks and proposes much costs by what it holds, and not by each question times each record", () => {
    const { message, looks } = hugeProbe(300);
    expect(cross(message, { isMultiHomed: () => true }).asked).toHaveLength(300);
    expect(looks()).toBeLessThan(10 * 300);
  });

  test("can be asked for", () => {
    expect(cross(sampleMessage({ asks: [["nas.local", "A"]] }), { isMultiHomed: () => true }).asked).toEqual(["nas.local"]);
  });
});
