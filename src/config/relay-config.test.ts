import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { relayPresets } from "../core/relay-presets.ts";
import { loadConfig } from "./load-config.ts";
import { loadRelayRules } from "./load-relay-rules.ts";
import { serviceProblem } from "./relay-words.ts";

const directory = mkdtempSync(join(tmpdir(), "aerial-relay-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const write = (text: string): string => {
  const file = join(directory, "it.yaml");
  writeFileSync(file, text);
  return file;
};

const load = (text: string) =>
  loadConfig({ file: write(text), machine: { environment: {}, hostname: "a", home: "/home/me", isRoot: false, canWrite: () => true } })
    .config.relay;

const complaint = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (hasCode(error, "config.invalid")) return error.message.replaceAll(`${directory}/`, "");
    throw error;
  }
  return "no complaint";
};

const links = "relay:\n  enabled: true\n  links: [iot, {name: home, vlan: 10}, eth0.*]\n";

test("nothing is relayed until links are named", () => {
  expect(load("")).toEqual({
    enabled: false,
    links: [],
    protocols: ["mdns", "ssdp"],
    rules: [],
    defaults: true,
    default: "allow",
    limits: { perSource: 500, perLink: 2000 },
    onSecondReflector: "stand-down",
    lease: { enabled: "auto" },
  });
});

test("a link is an interface, a pattern or a VLAN", () => {
  expect(
    load("relay:\n  links: [eth0, eth1.*, {interface: wlan0}, {name: iot, interface: en*}, {vlan: 20}, {name: tv, vlan: 30}]\n").links,
  ).toEqual([
    { interface: "eth0" },
    { interface: "eth1.*" },
    { interface: "wlan0" },
    { name: "iot", interface: "en*" },
    { vlan: 20 },
    { name: "tv", vlan: 30 },
  ]);
});

test("a rule's values are one or a list", () => {
  const rules = `${links}  rules:
    - {action: allow, from: iot, to: [home, eth0.5], direction: offer, service: [homekit, _ipp._tcp, "urn:x:device:y:1", "roku:ecp", "_a*._udp"]}
    - {action: deny, instance: "Kitchen*", host: [cam.local, "door*"], source: 192.168.20.0/24, protocol: [mdns, ssdp]}
`;
  expect(load(rules).rules).toEqual([
    {
      action: "allow",
      from: ["iot"],
      to: ["home", "eth0.5"],
      direction: "offer",
      service: ["homekit", "_ipp._tcp", "urn:x:device:y:1", "roku:ecp", "_a*._udp"],
    },
    { action: "deny", instance: ["Kitchen*"], host: ["cam", "door*"], source: ["192.168.20.0/24"], protocol: ["mdns", "ssdp"] },
  ]);
});

describe("complaints", () => {
  test.each([
    ["relay: {enabled: true}\n", "1:18: relay.enabled is true, but relay.links names fewer than two links"],
    ["relay: {enabled: true, links: [eth0]}\n", "1:18: relay.enabled is true, but relay.links names fewer than two links"],
    ["relay:\n  links:\n    - eth0\n    - eth0\n", '4:7: relay.links[1] is called "eth0", as another link is'],
    ["relay:\n  links:\n    - eth0\n    - {name: eth0, vlan: 2}\n", '4:7: relay.links[1] is called "eth0", as another link is'],
    ["relay:\n  links: [{name: a, vlan: 2}, {name: b, vlan: 2}]\n", "2:31: relay.links[1] is vlan 2, as another link is"],
    ["relay:\n  links: [{name: a}]\n", "2:11: relay.links[0] must give an interface or a vlan, and not both"],
    ["relay:\n  links: [{interface: a, vlan: 2}]\n", "2:11: relay.links[0] must give an interface or a vlan, and not both"],
    ["relay:\n  links: [{vlan: 4095}]\n", '2:18: relay.links[0].vlan must be a whole number from 1 to 4094, not "4095"'],
    ["relay:\n  links: [{vlan: 4, vlam: 4}]\n", '2:21: unknown key "vlam" in relay.links[0]; did you mean "vlan"?'],
    [
      "relay:\n  links: [a b]\n",
      '2:11: relay.links[0].interface must be an interface\'s name, in which * stands for any run of characters, not "a b"',
    ],
    ["relay:\n  links: eth0\n", "2:10: relay.links must be a list"],
    ["relay:\n  links: [{name: any, vlan: 2}]\n", '2:18: relay.links[0].name must be a name, and not a word for every link, not "any"'],
    [
      `${links}  rules:\n    - {action: allow, service: homkit}\n`,
      '5:32: relay.rules[0].service[0] is "homkit", which is no preset; did you mean "homekit"?',
    ],
    [
      `${links}  rules:\n    - {action: allow, from: iott}\n`,
      '5:29: relay.rules[0].from[0] is "iott", which is no link in relay.links; did you mean "iot"?',
    ],
    [
      `${links}  rules:\n    - action: allow\n      to: [home, garden]\n`,
      '6:18: relay.rules[0].to[1] is "garden", which is no link in relay.links; links are iot, home',
    ],
    [`${links}  rules:\n    - {action: allow, from: any}\n`, '5:29: relay.rules[0].from[0] is "any"; leave the key out to mean every link'],
    [`${links}  rules:\n    - {from: iot}\n`, "5:7: relay.rules[0].action is missing"],
    [`${links}  rules:\n    - {action: permit}\n`, '5:16: relay.rules[0].action must be allow or deny, not "permit"'],
    [`${links}  rules:\n    - {action: deny, form: iot}\n`, '5:22: unknown key "form" in relay.rules[0]; did you mean "from"?'],
    [`${links}  rules:\n    - {action: deny, service: []}\n`, "5:31: relay.rules[0].service must not be an empty list"],
    [
      `${links}  rules:\n    - {action: deny, source: 10.0.0.0/33}\n`,
      '5:30: relay.rules[0].source[0] must be an address or a prefix, such as 192.0.2.7, 192.0.2.0/24 or fd00::/8, not "10.0.0.0/33"',
    ],
    [
      `${links}  rules:\n    - {action: deny, protocol: upnp}\n`,
      '5:32: relay.rules[0].protocol[0] must be mdns, ssdp, wsd or sonos, not "upnp"',
    ],
    [
      "relay:\n  limits: {perSource: -1}\n",
      '2:23: relay.limits.perSource must be a whole number of packets a second from 0 to 1000000, not "-1"',
    ],
  ])("%j: %s", (text, message) => {
    expect(complaint(() => load(text))).toBe(`it.yaml:${message}`);
  });

  test.each([
    ["hap._tcp", '"_hap._tcp"'],
    ["_hap.tcp", '"_hap._tcp"'],
    ["_HAP._TCP.local.", '"_hap._tcp"'],
    ["_color._sub._ipp._tcp", '"_ipp._tcp"'],
    ["_googelcast", '"_googlecast._tcp"'],
    ["AirPlay", '"airplay"'],
    ["googlecast", '"_googlecast._tcp"'],
    ["any", "leave the key out"],
    ["*", "leave the key out"],
    ["printer", '"printers"'],
    ["x", "those are airplay, androidtv,"],
    ["_", "such as _hap._tcp"],
    ["_a b._tcp", "which is no service type"],
    ["", "those are airplay"],
    ["a: b", "is"],
  ])("service %j: %s", (word, hint) => {
    expect(serviceProblem(word)).toContain(hint);
  });

  test("none about what presets hold", () => {
    for (const [preset, types] of Object.entries(relayPresets)) {
      expect(serviceProblem(preset)).toBeUndefined();
      expect(types.map(serviceProblem)).toEqual(types.map(() => undefined));
    }
  });
});

describe("a file of rules", () => {
  test("has the section's rules and defaults", () => {
    expect(loadRelayRules(write("rules:\n  - {action: allow, service: cast}\ndefault: deny\n"))).toEqual({
      rules: [{ action: "allow", service: ["cast"] }],
      defaults: true,
      default: "deny",
    });
    expect(loadRelayRules(write(""))).toEqual({ rules: [], defaults: true, default: "allow" });
  });

  test.each([
    ["- a\n", '1:1: must be keys and values, such as "rules:"'],
    ["links: [a]\n", '1:1: unknown key "links"; known are rules, defaults, default'],
    ["rules:\n  - {action: deny, service: homkit}\n", '2:29: rules[0].service[0] is "homkit", which is no preset; did you mean "homekit"?'],
    ["rules:\n  - {action: deny, to: homee}\n", '2:24: rules[0].to[0] is "homee", which is no link in relay.links; did you mean "home"?'],
  ])("%j: %s", (text, message) => {
    expect(complaint(() => loadRelayRules(write(text), [{ interface: "home" }, { name: "iot", vlan: 2 }]))).toBe(`it.yaml:${message}`);
  });

  test("must be there", () => {
    expect(() => loadRelayRules(join(directory, "none.yaml"))).toThrow(/cannot read the rules .*none\.yaml: ENOENT/);
  });
});
