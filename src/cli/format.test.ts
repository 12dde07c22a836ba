import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { RadioPod } from "../api/contract/types.ts";
import type { DeviceView, RadioView } from "../api/radio-view.ts";
import { displayWidth, truncate } from "./display-width.ts";
import { describeKind, radioColumns, wideRadioColumns } from "./format-devices.ts";
import { explainDevice, explainRadio } from "./format-explanation.ts";
import { explainPod, podColumns } from "./format-pods.ts";
import { formatStructured } from "./structured-output.ts";
import { formatTable } from "./table.ts";
import { createTerminal, type Terminal } from "./terminal.ts";
import { type Change, formatChange, toChanges } from "./watch-command.ts";

const terminal = (columns?: number, environment: Record<string, string> = { NO_COLOR: "1" }): Terminal =>
  createTerminal({
    stdout: { write: () => true, isTTY: columns !== undefined, ...(columns === undefined ? {} : { columns }) },
    stderr: { write: () => true },
    environment,
  });

const plain = terminal();

const device: DeviceView = {
  kinds: [],
  certainty: "unknown",
  alternatives: [],
  candidates: [],
  mode: "application",
  function: "serial",
  attachment: "local",
  devicePaths: ["/dev/ttyUSB0"],
  sysPath: "devices/usb1/1-1/ttyUSB0",
  evidence: [],
};

const radio: RadioView = {
  ...device,
  id: "acme-0001",
  idBasis: "serial",
  state: "present",
  kinds: ["zigbee"],
  certainty: "likely",
  alternatives: ["thread"],
  vendor: "Acme",
  model: "Stick",
  port: "1-1.2",
  serial: "0001",
  usb: { vendorId: "10c4", productId: "ea60", manufacturer: "Acme", product: "Stick" },
  driver: "cp210x",
  byId: "usb-Acme_Stick_0001-if00-port0",
  evidence: [{ source: "fingerprint", plugin: "zigbee", rule: "acme", score: 90, detail: "product: is most likely zigbee" }],
  handedTo: [],
  firstSeen: "2026-01-02T03:04:05.678Z",
  lastSeen: "2026-01-02T03:04:06.678Z",
};

/** What would move a cursor, recolour, retitle, reorder, hide or break a line. */
const hostile = "\u001b[31m\u001b]0;title\u0007\r\n\t\u009b2J\u202egnp.exe\u2066\u200b\u{e0041}\ud800\u007f";

// oxlint-disable-next-line no-control-regex -- the very characters that must not get through
const harmful = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|\u{e0041}/u;

const hostileRadio: RadioView = {
  ...radio,
  id: hostile,
  name: hostile,
  vendor: hostile,
  model: hostile,
  serial: hostile,
  byId: hostile,
  kinds: [hostile],
  alternatives: [hostile],
  devicePaths: [hostile],
  port: hostile,
  driver: hostile,
  lease: { holder: "bridge", owner: hostile, since: hostile },
  resource: hostile,
  handedTo: [{ namespace: hostile, pod: hostile, container: hostile, way: "resource-claim", request: hostile, since: hostile }],
  usb: { vendorId: hostile, productId: hostile, manufacturer: hostile, product: hostile },
  evidence: [{ source: "probe", plugin: hostile, rule: hostile, score: 1, detail: hostile }],
};

const hostilePod: RadioPod = {
  namespace: hostile,
  name: hostile,
  node: hostile,
  phase: "pending",
  wants: [{ way: "resource-claim", request: hostile, count: 2 }],
  holds: [hostile],
  waiting: hostile,
};

describe("nothing a device says reaches the terminal as anything but text", () => {
  test("in tables, explanations and live lines", () => {
    const { evidence, ...rest } = hostileRadio;
    const lines = [
      ...formatTable(wideRadioColumns, [hostileRadio], plain),
      ...formatTable(radioColumns, [hostileRadio], terminal(60)),
      ...explainRadio(hostileRadio, plain),
      ...explainRadio({ ...hostileRadio, certainty: "ambiguous", candidates: [hostile] }, plain),
      ...explainDevice({ ...rest, evidence, devicePaths: [], sysPath: hostile }, plain),
      formatChange({ what: "attached", radio: hostileRadio }, plain),
      ...formatTable(podColumns, [hostilePod], plain),
      ...explainPod(hostilePod, plain),
    ];
    expect(lines.filter((line) => harmful.test(line))).toEqual([]);
  });

  test("in JSON and YAML, which still say the same", async () => {
    const value = { [hostile]: [hostile, { text: `a\n${hostile}` }, "plain", "multi\nline"] };
    for (const [format, read] of [
      ["json", JSON.parse],
      ["yaml", (text: string) => parse(text) as unknown],
    ] as const) {
      const text = await formatStructured(value, format);
      expect(text.split("\n").filter((line) => harmful.test(line))).toEqual([]);
      expect(read(text)).toEqual(value);
    }
  });

  test("whatever it says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        const shown = [
          ...formatTable(radioColumns, [{ ...radio, model: text, serial: text }], plain),
          await formatStructured([text], "yaml"),
        ];
        expect(shown.flatMap((one) => one.split("\n")).filter((line) => harmful.test(line))).toEqual([]);
        expect(parse(await formatStructured({ text }, "yaml"))).toEqual({ text });
        expect(JSON.parse(await formatStructured({ text }, "json"))).toEqual({ text });
      }),
    );
  });
});

describe("tables", () => {
  test("are aligned, and say - where there is nothing", () => {
    const bare: RadioView = { ...radio, name: "居間", kinds: [], certainty: "unknown", state: "absent", devicePaths: [] };
    expect(formatTable(radioColumns, [radio, bare], plain)).toEqual([
      "NAME       KIND             MODEL       STATE    ATTACHED  DEVICE        PORT   SERIAL",
      "acme-0001  zigbee (likely)  Acme Stick  present  local     /dev/ttyUSB0  1-1.2  0001",
      "居間       -                Acme Stick  absent   local     -             1-1.2  0001",
    ]);
  });

  test("fit the terminal", () => {
    const lines = formatTable(wideRadioColumns, [radio], terminal(120));
    expect(lines.map(displayWidth).every((width) => width <= 120)).toBe(true);
    expect(lines[1]).toContain("…");
    expect(formatTable(wideRadioColumns, [radio], plain)[1]).not.toContain("…");
  });

  test("are coloured on terminals that want it only", () => {
    const escape = "\u001b[";
    expect(formatTable(radioColumns, [radio], terminal(200, {})).join()).toContain(escape);
    expect(formatTable(radioColumns, [radio], terminal(200, { NO_COLOR: "1" })).join()).not.toContain(escape);
    expect(formatTable(radioColumns, [radio], terminal(200, { TERM: "dumb" })).join()).not.toContain(escape);
    expect(formatTable(radioColumns, [radio], terminal(undefined, {})).join()).not.toContain(escape);
  });
});

test.each([
  ["abc", 3],
  ["居間", 4],
  ["é", 1],
  ["e\u0301", 1],
  ["👍🏽", 2],
  ["ｱ", 1],
  ["Ａ", 2],
  ["", 0],
])("%s takes %i columns", (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test("cutting never exceeds the columns, nor cuts what fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 20 }), (text, columns) => {
      const cut = truncate(text, columns);
      expect(displayWidth(cut)).toBeLessThanOrEqual(Math.max(columns, 0));
      expect(cut === text).toBe(displayWidth(text) <= columns);
    }),
  );
});

test.each([
  [{}, "zigbee (likely)"],
  [{ certainty: "certain", kinds: ["zigbee", "thread"] }, "zigbee+thread"],
  [{ certainty: "ambiguous", kinds: [], candidates: ["zigbee", "zwave"] }, "zigbee or zwave?"],
  [{ certainty: "ambiguous", kinds: [], candidates: [] }, "something?"],
  [{ certainty: "unknown", kinds: [] }, ""],
] as const)("the kind of %j is %j", (changes, text) => {
  expect(describeKind({ ...radio, ...changes })).toBe(text);
});

test("an explanation gives the verdict, its reasons and the facts", () => {
  expect(explainRadio({ ...radio, name: "attic" }, plain).join("\n")).toBe(`attic (acme-0001): present
  It is most likely zigbee (Acme Stick). With other firmware it would be thread, and look the same.
  because:
    product: is most likely zigbee [zigbee/acme, fingerprint, score 90]
  reached by  serial
  device      /dev/ttyUSB0
  by-id       usb-Acme_Stick_0001-if00-port0
  USB         10c4:ea60 Acme Stick
  serial      0001
  port        1-1.2
  driver      cp210x
  sysfs       devices/usb1/1-1/ttyUSB0
  id          from its serial number: the same in any port, on any node
  first seen  2026-01-02T03:04:05.678Z
  last seen   2026-01-02T03:04:06.678Z`);
  expect(explainDevice(device, plain).slice(0, 3)).toEqual([
    "/dev/ttyUSB0: not taken for a radio",
    "  Nothing tells what it is.",
    "  No rule of any plugin fits it.",
  ]);
  const ambiguous = explainRadio(
    { ...radio, certainty: "ambiguous", kinds: [], candidates: ["zigbee", "zwave"], mode: "bootloader" },
    plain,
  );
  expect(ambiguous[1]).toMatch(/It may be zigbee or zwave, or no radio at all/);
  expect(ambiguous[2]).toMatch(/bootloader/);
});

test("a radio on the network says where it is, on which links, and that it is no node's", () => {
  const { usb: _usb, byId: _byId, port: _port, driver: _driver, ...rest } = radio;
  const network: RadioView = {
    ...rest,
    id: "network-slzb-06-6638",
    idBasis: "name",
    function: "network",
    attachment: "network",
    devicePaths: [],
    sysPath: "network/slzb-06.local:6638",
    network: {
      service: "_slzb-06._tcp",
      instance: "slzb-06",
      text: {},
      host: "slzb-06.local",
      port: 6_638,
      addresses: ["192.0.2.7", "fd00::7"],
      others: [{ service: "_zigbee-gateway._tcp", instance: "slzb-06", text: {} }],
      links: ["home", "iot"],
    },
  };
  expect(formatTable(radioColumns, [network], plain)[1]).toBe(
    "network-slzb-06-6638  zigbee (likely)  Acme Stick  present  network   slzb-06.local:6638  -     0001",
  );
  const lines = explainRadio(network, plain).join("\n");
  expect(lines).toMatch(/^ {2}attached +over the network; no node has it more than another$/m);
  expect(lines).toMatch(/^ {2}service +_slzb-06\._tcp "slzb-06", _zigbee-gateway\._tcp "slzb-06"$/m);
  expect(lines).toMatch(/^ {2}at +192\.0\.2\.7 fd00::7$/m);
  expect(lines).toMatch(/^ {2}heard on +home iot$/m);
  expect(lines).toMatch(/^ {2}id +from its host name and port, for want of a serial number/m);
  expect(lines).not.toContain("sysfs");
});

describe("live changes", () => {
  const words = (changes: readonly Change[]): string[] => changes.map(({ what, radio: { id } }) => `${what} ${id}`);

  test("are told in a word each", () => {
    const held = new Map<string, RadioView>();
    const change = (type: "added" | "changed" | "removed", changes: Partial<RadioView>) =>
      words(toChanges({ type, revision: 1, radio: { ...radio, ...changes } }, held));
    expect(words(toChanges({ type: "snapshot", revision: 1, complete: true, radios: [radio] }, held))).toEqual(["present acme-0001"]);
    expect(toChanges({ type: "heartbeat", revision: 1 }, held)).toEqual([]);
    expect(change("changed", { state: "absent" })).toEqual(["detached acme-0001"]);
    expect(change("changed", { state: "present" })).toEqual(["attached acme-0001"]);
    expect(change("changed", { state: "bootloader" })).toEqual(["bootloader acme-0001"]);
    expect(change("changed", { state: "present", port: "1-1.3" })).toEqual(["attached acme-0001"]);
    expect(change("changed", { port: "1-1.4" })).toEqual(["moved acme-0001"]);
    expect(change("changed", { port: "1-1.4", name: "attic" })).toEqual(["named acme-0001"]);
    expect(change("changed", { port: "1-1.4", name: "attic", model: "Other" })).toEqual(["changed acme-0001"]);
    expect(change("added", { id: "new" })).toEqual(["attached new"]);
    expect(change("added", { id: "old", state: "absent" })).toEqual(["detached old"]);
    expect(change("removed", { id: "new" })).toEqual(["forgotten new"]);
    expect(held.has("new")).toBe(false);
  });

  test("a second snapshot tells only what it changes", () => {
    const held = new Map<string, RadioView>();
    const other = { ...radio, id: "other" };
    toChanges(
      { type: "snapshot", revision: 1, complete: false, radios: [{ ...radio, state: "absent" }, other, { ...radio, id: "gone" }] },
      held,
    );
    expect(words(toChanges({ type: "snapshot", revision: 2, complete: true, radios: [radio, other] }, held))).toEqual([
      "attached acme-0001",
      "forgotten gone",
    ]);
  });
});
