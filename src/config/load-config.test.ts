import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { defaultYaml } from "./default-yaml.ts";
import { configJsonSchema } from "./json-schema.ts";
import { loadConfig } from "./load-config.ts";
import type { Machine } from "./machine.ts";

const directory = mkdtempSync(join(tmpdir(), "aerial-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const machine = (environment: Record<string, string> = {}): Machine => ({
  environment,
  hostname: "Attic",
  home: "/home/me",
  isRoot: false,
  canWrite: () => true,
});

const load = (text: string | Uint8Array, environment: Record<string, string> = {}) => {
  const file = join(directory, "config.yaml");
  writeFileSync(file, text);
  return loadConfig({ file, machine: machine(environment) }).config;
};

/** The message of the error, without the directory. */
const complaint = (text: string | Uint8Array, environment: Record<string, string> = {}): string => {
  try {
    load(text, environment);
  } catch (error) {
    if (hasCode(error, "config.invalid")) return error.message.replaceAll(`${directory}/`, "");
    throw error;
  }
  return "no complaint";
};

describe("complaints", () => {
  test.each([
    ["lables:\n  enabled: true\n", 'config.yaml:1:1: unknown key "lables"; did you mean "labels"?'],
    ["scan:\n  intervall: 20\n", 'config.yaml:2:3: unknown key "intervall" in scan; did you mean "interval"?'],
    ["\nscan:\n  xyz: 20\n", 'config.yaml:3:3: unknown key "xyz" in scan; known are interval'],
    ["scan:\n  interval: 5\n", 'config.yaml:2:13: scan.interval must be a whole number of seconds from 10 to 86400, not "5"'],
    ["scan: {interval: 1e3}\n", 'config.yaml:1:18: scan.interval must be a whole number of seconds from 10 to 86400, not "1e3"'],
    ["labels:\n  enabled: yes\n", 'config.yaml:2:12: labels.enabled must be true or false, not "yes"'],
    ["version: 2\n", 'config.yaml:1:10: version must be 1, the only version there is, not "2"'],
    ["labels: []\n", "config.yaml:1:9: labels must be keys and values"],
    ["log: loud\n", "config.yaml:1:6: log must be keys and values"],
    ["plugins:\n  paths: /a\n", "config.yaml:2:10: plugins.paths must be a list"],
    ["host:\n  sys: [/sys]\n", "config.yaml:2:8: host.sys must be a single value"],
    ["host:\n  sys: sys\n", 'config.yaml:2:8: host.sys must be an absolute path, not "sys"'],
    ["radios:\n  - name: x\n", "config.yaml:2:5: radios[0].match is missing"],
    [
      "radios:\n  - {match: {node: /dev/ttyUSB0}, name: x}\n",
      'config.yaml:2:20: radios[0].match.node must be the device node of what is built in, such as /dev/spidev0.0; what is on USB is matched by serial, port or byId, not "/dev/ttyUSB0"',
    ],
    ["radios:\n  - match: {port: 1-1}\n", "config.yaml:2:5: radios[0] must give a name, a kind or both"],
    [
      "radios:\n  - {match: {port: 1-1}, name: x}\n  - {match: {port: 1-2}, name: x}\n",
      "config.yaml:3:32: radios[1].name is already the name of another radio",
    ],
    ["scan: {interval: 20}\nscan: {interval: 30}\n", "config.yaml:2:1: broken YAML: Map keys must be unique"],
    ["? [a]\n: b\n", "config.yaml:1:3: a key must be plain text"],
  ])("%j: %s", (text, message) => {
    expect(complaint(text)).toBe(message);
  });

  test.each([
    ["labels:\n  prefix: node.kubernetes.io\n", /^config\.yaml:2:11: labels\.prefix must not be under kubernetes\.io, /],
    ["labels:\n  prefix: k8s.io\n", /^config\.yaml:2:11: labels\.prefix must not be under k8s\.io, /],
    ["labels:\n  prefix: Radio_House\n", /^config\.yaml:2:11: labels\.prefix must be a DNS name in lower case/],
    ["labels:\n  aliases:\n    not valid!: zigbee\n", /^config\.yaml:3:5: labels\.aliases: key "not valid!" must be a label key/],
    [
      "labels:\n  aliases:\n    x.k8s.io/radio: zigbee\n",
      /^config\.yaml:3:5: labels\.aliases: key "x\.k8s\.io\/radio" must not be under k8s\.io/,
    ],
    ["labels:\n  aliases:\n    radio.mi.house/zigbee: zigbee\n", /^config\.yaml:3:5: labels\.aliases: key .* is under labels\.prefix/],
    [`api:\n  socket: /${"a".repeat(107)}\n`, /^config\.yaml:2:11: api\.socket must be at most 107 bytes long/],
    ["api:\n  port: 70000\n", /^config\.yaml:2:9: api\.port must be a whole number from 0 to 65535, or false/],
    ["radios:\n  - match: {}\n    name: x\n", /^config\.yaml:2:12: radios\[0\]\.match must name at least one of serial/],
    ["radios:\n  - match: {vendorId: 10c4e}\n    name: x\n", /^config\.yaml:2:23: radios\[0\]\.match\.vendorId must be a USB id/],
    ["just words\n", /^config\.yaml:1:1: must be keys and values/],
    ["a: b: c\n", /^config\.yaml:1:4: broken YAML: /],
    ["scan:\n\tinterval: 20\n", /^config\.yaml:2:1: broken YAML: .*[Tt]ab/],
    ["a: &x 1\nb: *x\n", /^config\.yaml:2:4: YAML aliases/],
    ["scan: !!int 20\n", /^config\.yaml:1:7: broken YAML: Unresolved tag/],
    ['node:\n  name: "a\\e[31mb"\n', /^config\.yaml:2:9: node\.name must be .*, not "a\\u\{1b\}\[31mb"$/],
    ['"\\e]0;x\\a": 1\n', /^config\.yaml:1:1: unknown key "\\u\{1b\}\]0;x\\u\{7\}"; known are /],
  ])("%j: %s", (text, message) => {
    expect(complaint(text)).toMatch(message);
  });

  test("bytes that are not UTF-8 are pointed at", () => {
    expect(complaint(Buffer.from("scan:\n  interval: \xff\n", "latin1"))).toBe("config.yaml:2:13: is not UTF-8 text from here on");
  });

  test("nesting that would exhaust the stack is broken YAML like any other", () => {
    expect(complaint("[".repeat(50_000))).toMatch(/^config\.yaml:1:\d+: broken YAML: nested too deeply/);
    expect(complaint(`a: ${"[".repeat(40)}${"]".repeat(40)}`)).toMatch(/nested more than 32 levels/);
  });

  test("all are listed in the order of the file, at most ten", () => {
    const lines = Array.from({ length: 12 }, (_, index) => `wrong${index}: 1`);
    const told = complaint(`log: loud\n${lines.join("\n")}`).split("\n");
    expect(told).toHaveLength(11);
    expect(told[0]).toBe("config.yaml:1:6: log must be keys and values");
    expect(told[1]).toMatch(/^config\.yaml:2:1: unknown key "wrong0"/);
    expect(told[10]).toBe("and 3 more");
  });

  test("the environment's name the variable", () => {
    expect(complaint("", { AERIAL__LABLES__ENABLED: "true" })).toBe(
      'AERIAL__LABLES__ENABLED: unknown key "LABLES"; did you mean "LABELS"?',
    );
    expect(complaint("", { AERIAL__SCAN__INTERVAL: "1" })).toMatch(/^AERIAL__SCAN__INTERVAL: scan\.interval must be a whole number/);
    expect(complaint("", { AERIAL__LABELS__ALIASES: "{a: " })).toMatch(/^AERIAL__LABELS__ALIASES: broken YAML/);
    expect(complaint("", { AERIAL__LABELS__ALIASES__ZIGBEE: "zigbee" })).toBe(
      'AERIAL__LABELS__ALIASES__ZIGBEE: "ZIGBEE" is too deep: set AERIAL__LABELS__ALIASES as a whole, in YAML',
    );
  });

  test("a file that was named must be there", () => {
    expect(() => loadConfig({ file: join(directory, "none.yaml"), machine: machine() })).toThrow(
      /cannot read the configuration .*none\.yaml: ENOENT/,
    );
    expect(() => loadConfig({ machine: machine({ AERIAL_CONFIG: directory }) })).toThrow(/EISDIR/);
  });
});

test("any bytes load or are complained about with a place", () => {
  const words = fc.constantFrom(
    "scan:",
    "interval:",
    "labels:",
    "aliases:",
    "radios:",
    "- match:",
    "serial:",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "!!x",
    "? ",
    "|",
    "\t",
    "\n",
    "\n  ",
    " ",
    ":",
    "#",
    '"',
    "'",
    "__proto__:",
    "\0",
    "%YAML 9.9",
    "---",
    "<<:",
    "0658",
  );
  const soup = fc.array(words, { maxLength: 30 }).map((parts) => Buffer.from(parts.join("")));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), soup), (bytes) => {
      const lines = complaint(bytes).split("\n");
      const placed = /^config\.yaml:\d+:\d+: |^and \d+ more$|^no complaint$/;
      expect(lines.filter((line) => !placed.test(line))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe("values", () => {
  test("USB ids are taken as written, whatever number YAML sees in them", () => {
    const id = (written: string): string | undefined =>
      load(`radios:\n  - match: {productId: ${written}}\n    name: x\n`).radios[0]?.match.productId;
    expect(["0658", "2838", '"2838"', "0x2838", "1e10", "0X10C4", "658", "0o17".slice(2)].map(id)).toEqual([
      "0658",
      "2838",
      "2838",
      "2838",
      "1e10",
      "10c4",
      "0658",
      "0017",
    ]);
  });

  test("serial numbers keep their zeros and by-id names lose their directory", () => {
    const { radios } = load("radios:\n  - match: {serial: 00012, byId: /dev/serial/by-id/usb-a-if00}\n    kind: zwave\n");
    expect(radios).toEqual([{ match: { serial: "00012", byId: "usb-a-if00" }, kind: "zwave" }]);
  });

  test("keys with nothing behind them are as if left out", () => {
    expect(load("node:\nscan:\n  interval:\nlabels: ~\nradios:\n")).toEqual(load(""));
    expect(load("# nothing\n")).toEqual(load(""));
  });

  test("keys that objects are born with are unknown keys", () => {
    expect(complaint("__proto__: {a: b}\n")).toMatch(/unknown key "__proto__"/);
    expect(complaint("scan:\n  constructor: 1\n")).toMatch(/unknown key "constructor" in scan/);
  });

  test("the environment wins over the file, key by key", () => {
    const config = load("labels:\n  graceSeconds: 7\n  aliases: {a: zigbee}\nscan: {interval: 60}\n", {
      AERIAL__LABELS__GRACE_SECONDS: "9",
      AERIAL__LABELS__ALIASES: '{b: "*"}',
      AERIAL__KUBERNETES: "{enabled: false, context: home}",
      AERIAL__NODE__NAME: "",
      AERIAL_PORT: "tcp://10.0.0.1:80",
    });
    expect(config.labels).toMatchObject({ graceSeconds: 9, aliases: { a: "zigbee", b: "*" } });
    expect(config.scan.interval).toBe(60);
    expect(config.kubernetes).toEqual({ enabled: false, context: "home" });
    expect(config.node.name).toBe("attic");
  });

  test("auto means a pod or a kubeconfig", () => {
    const enabled = (text: string, environment = {}) => load(text, environment).kubernetes.enabled;
    expect(enabled("")).toBe(false);
    expect(enabled("", { KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toBe(true);
    expect(enabled("kubernetes: {kubeconfig: /k}")).toBe(true);
    expect(enabled("kubernetes: {kubeconfig: /k, enabled: false}")).toBe(false);
    expect(enabled("", { KUBECONFIG: "/home/me/.kube/config" })).toBe(false);
  });
});

/** A line of default.yaml without its `# ` where it shows a setting rather than words. */
const uncomment = (line: string): string => {
  if (/^# ( {2}|- )/.test(line)) return line.slice(2);
  const [, spaces = "", rest = ""] = /^( *)# (.*)$/.exec(line) ?? [];
  return /^[a-zA-Z]+: \S+$/.test(rest) ? spaces + rest : line;
};

describe("written files", () => {
  const read = (name: string): string => readFileSync(new URL(`../../config/${name}`, import.meta.url), "utf8");

  test("default.yaml and schema.json are what the schema says (npm run -s generate:config)", () => {
    expect(read("default.yaml")).toBe(defaultYaml());
    expect(JSON.parse(read("schema.json"))).toEqual(configJsonSchema());
  });

  test("default.yaml says what holds without any file", () => {
    expect(load(read("default.yaml"))).toEqual(load(""));
  });

  test("what default.yaml shows in comments is valid too", () => {
    const uncommented = read("default.yaml").replace("radios: []", "radios:").split("\n").map(uncomment).join("\n");
    const config = load(uncommented);
    expect(config).toMatchObject({ node: { name: "node-1" }, api: { socket: "/run/aerial/aerial.sock", port: 18088 } });
    expect(config.radios).toEqual([
      {
        match: {
          serial: "0001",
          port: "1-1.2",
          vendorId: "10c4",
          productId: "ea60",
          byId: "usb-Acme_Stick_0001-if00-port0",
          node: "/dev/spidev0.0",
        },
        name: "attic",
        kind: "zigbee",
      },
    ]);
  });

  test.each(readdirSync(new URL("../../config/examples/", import.meta.url)))("examples/%s loads", (name) => {
    expect(load(read(`examples/${name}`)).version).toBe(1);
  });
});
