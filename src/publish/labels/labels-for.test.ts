import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ambiguous, sampleRadio, sampleSnapshot, zigbee } from "../../../test/fixtures/sample-radios.ts";
import type { Device } from "../../core/device.ts";
import type { Identity } from "../../core/identity.ts";
import type { Radio } from "../../core/radio.ts";
import { type LabelOptions, labelsFor } from "./labels-for.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const options: LabelOptions = {
  prefix: "radio.mi.house",
  aliases: { radio: "*", zigbee: "zigbee", "home/thread": "thread" },
  graceMs: 5_000,
};
const absent = (since: string): Partial<Radio> => ({ presence: "absent", absentSince: since });
const labels = (radios: readonly Radio[], changed: Partial<LabelOptions> = {}): Readonly<Record<string, string>> =>
  labelsFor(sampleSnapshot(radios), { ...options, ...changed }, now).labels;

const networkDevice: Device = {
  sysPath: "network/slzb-06.local:6638",
  function: "network",
  nodes: [],
  network: {
    service: "_slzb-06._tcp",
    instance: "slzb-06",
    text: {},
    host: "slzb-06.local",
    port: 6_638,
    addresses: ["192.0.2.7"],
    others: [],
    links: ["home"],
  },
};

test("a radio on the network is nothing that the node has: no label, no alias, no annotation, no grace", () => {
  const thread: Identity = { ...zigbee, kinds: ["thread"] };
  const described = { ...options, describe: () => ({ said: "by a plugin" }) };
  for (const changes of [{}, { presence: "absent" as const, absentSince: new Date(now - 1_000).toISOString() }]) {
    const radio = sampleRadio("network-1", { device: networkDevice, identity: thread, ...changes });
    expect(labelsFor(sampleSnapshot([radio]), described, now)).toEqual({ labels: {}, annotations: {}, wakeAt: undefined });
    expect(labelsFor(sampleSnapshot([sampleRadio("a"), radio]), options, now)).toEqual(
      labelsFor(sampleSnapshot([sampleRadio("a")]), options, now),
    );
  }
});

describe("labels", () => {
  test("one radio", () => {
    expect(labels([sampleRadio("a")])).toEqual({
      "radio.mi.house/zigbee": "true",
      "radio.mi.house/zigbee.count": "1",
      "radio.mi.house/zigbee.model": "Dongle-Plus-P",
      radio: "true",
      zigbee: "true",
    });
  });

  test("several radios, one with two kinds", () => {
    const both: Identity = { ...zigbee, kinds: ["zigbee", "thread"], certainty: "likely", model: "ZBT_2" };
    expect(labels([sampleRadio("b", { identity: both }), sampleRadio("a"), sampleRadio("c")], { aliases: {} })).toEqual({
      "radio.mi.house/thread": "true",
      "radio.mi.house/thread.count": "1",
      "radio.mi.house/thread.model": "ZBT-2",
      "radio.mi.house/zigbee": "true",
      "radio.mi.house/zigbee.count": "3",
      "radio.mi.house/zigbee.model": "Dongle-Plus-P_ZBT-2",
    });
  });

  test("what is ambiguous or unknown gets none, not even an alias", () => {
    const unknown: Identity = { state: "unknown", mode: "application", evidence: [] };
    expect(labels([sampleRadio("a", { identity: ambiguous }), sampleRadio("b", { identity: unknown })])).toEqual({});
  });

  test("a plugin may add some, but not change aerial's own", () => {
    const describe = (): Record<string, string> => ({ "zigbee.count": "99", "thread channel": "1 5", "": "x", "-": "x" });
    const said = labels([sampleRadio("a")], { describe, aliases: {} });
    expect(said).toMatchObject({ "radio.mi.house/zigbee.count": "1", "radio.mi.house/thread-channel": "1-5" });
    expect(Object.keys(said)).toHaveLength(4);
  });

  test("a kind too long for .count keeps at least its own label", () => {
    const kind = "k".repeat(60);
    expect(labels([sampleRadio("a", { identity: { ...zigbee, kinds: [kind] } })], { aliases: {} })).toEqual({
      [`radio.mi.house/${kind}`]: "true",
    });
  });
});

describe("grace", () => {
  test("an absent radio counts until its grace ends, then wakes us", () => {
    const gone = sampleSnapshot([sampleRadio("a", absent("2026-01-01T00:00:00.000Z"))]);
    const during = labelsFor(gone, options, now + 4_999);
    expect(during.labels["radio.mi.house/zigbee"]).toBe("true");
    expect(during.wakeAt).toBe(now + 5_000);
    expect(labelsFor(gone, options, now + 5_000)).toEqual({ labels: {}, annotations: {}, wakeAt: undefined });
  });

  test("the earliest end wakes us", () => {
    const gone = sampleSnapshot([
      sampleRadio("a", absent("2026-01-01T00:00:02.000Z")),
      sampleRadio("b", absent("2026-01-01T00:00:01.000Z")),
      sampleRadio("c"),
    ]);
    expect(labelsFor(gone, options, now + 2_000).wakeAt).toBe(now + 6_000);
  });

  test("a radio in its bootloader keeps its labels as long as it is there", () => {
    expect(labelsFor(sampleSnapshot([sampleRadio("a", { mode: "bootloader" })]), options, now)).toMatchObject({
      labels: { "radio.mi.house/zigbee": "true" },
      wakeAt: undefined,
    });
  });

  test("one whose absence cannot be dated gets none", () => {
    expect(labels([sampleRadio("a", { presence: "absent" }), sampleRadio("b", absent("yesterday"))])).toEqual({});
  });
});

interface Annotation {
  readonly brief?: true;
  readonly omitted: number;
  readonly radios: readonly { readonly id: string; readonly usb?: unknown }[];
}

const annotationOf = (radios: readonly Radio[]): string =>
  labelsFor(sampleSnapshot(radios), options, now).annotations["radio.mi.house/radios"] ?? "";

describe("annotation", () => {
  test("holds everything, radios by id", () => {
    const { radios, omitted } = JSON.parse(
      annotationOf([sampleRadio("b", { identity: ambiguous }), sampleRadio("a", { name: "attic" })]),
    ) as Annotation;
    expect(omitted).toBe(0);
    expect(radios[0]).toEqual({
      id: "a",
      idBasis: "serial",
      name: "attic",
      presence: "present",
      mode: "application",
      state: "identified",
      kinds: ["zigbee"],
      certainty: "certain",
      vendor: "SONOFF",
      model: "Dongle Plus (P)",
      adapter: "zstack",
      line: { baudRate: 115_200, rtscts: false },
      function: "serial",
      driver: "cp210x",
      nodes: ["/dev/ttyUSB0"],
      byId: "usb-ITead_Sonoff_0001-if00-port0",
      usb: {
        vendorId: "10c4",
        productId: "ea60",
        manufacturer: "ITead",
        product: "Sonoff",
        serial: "0001",
        port: "1-1",
        interfaceNumber: 0,
      },
    });
    expect(radios[1]).toMatchObject({ id: "b", state: "ambiguous", candidates: ["zigbee", "zwave"] });
  });

  test("says nothing that changes while the radio does not", () => {
    const later = sampleRadio("a", { lastSeen: "2027-01-01T00:00:00.000Z" });
    expect(annotationOf([later])).toBe(annotationOf([sampleRadio("a")]));
  });

  test("200 radios fit with all their facts", () => {
    const { radios, omitted, brief } = JSON.parse(annotationOf(many(200, "Dongle Plus (P)"))) as Annotation;
    expect([radios.length, omitted, brief]).toEqual([200, 0, undefined]);
    expect(radios[0]?.usb).toBeDefined();
  });

  test("200 radios with hostile strings fit briefly", () => {
    const { radios, omitted, brief } = JSON.parse(annotationOf(many(200, "\u0000💥".repeat(127)))) as Annotation;
    expect([radios.length, omitted, brief]).toEqual([200, 0, true]);
  });

  test("what does not fit at all is counted", () => {
    const text = annotationOf(many(5_000, "x".repeat(255)));
    const { radios, omitted } = JSON.parse(text) as Annotation;
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(128 * 1024);
    expect(radios.length + omitted).toBe(5_000);
    expect(omitted).toBeGreaterThan(0);
  });

  function many(count: number, text: string): readonly Radio[] {
    const { device } = sampleRadio("a");
    const usb = device.usb && { ...device.usb, manufacturer: text, product: text, serial: text };
    return Array.from({ length: count }, (_, index) =>
      sampleRadio(`radio-${index}`, { device: usb ? { ...device, usb } : device, identity: { ...zigbee, model: text } }),
    );
  }
});

const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.string({ unit: fc.constantFrom("a", "-", "_", ".", " ", "Ä"), maxLength: 300 }),
);
const hostileIdentity: fc.Arbitrary<Identity> = fc
  .record({
    kinds: fc.array(hostileText, { maxLength: 3 }),
    vendor: hostileText,
    model: hostileText,
  })
  .map((said) => Object.assign({}, zigbee, said));
const hostileRadios = fc.array(
  fc
    .record({ id: hostileText, identity: hostileIdentity, since: hostileText, present: fc.boolean(), serial: hostileText })
    .map(({ id, identity, since, present, serial }) => {
      const { device } = sampleRadio(id);
      const changes = present ? {} : absent(since);
      return sampleRadio(id, { identity, ...changes, device: { ...device, ...(device.usb && { usb: { ...device.usb, serial } }) } });
    }),
  { maxLength: 20 },
);

/** Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation, IsQualifiedName and IsValidLabelValue. */
const validKey = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const validValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

describe("whatever radios say of themselves", () => {
  test("keys and values are valid", () => {
    fc.assert(
      fc.property(hostileRadios, hostileText, hostileText, (radios, name, value) => {
        const said = labels(radios, { describe: () => ({ [name]: value }) });
        for (const [key, text] of Object.entries(said)) {
          expect(key).toMatch(validKey);
          expect(text).toMatch(validValue);
        }
      }),
    );
  });

  test("the order in which they come does not matter", () => {
    fc.assert(
      fc.property(hostileRadios, (radios) => {
        const unique = [...new Map(radios.map((radio) => [radio.id, radio])).values()];
        const one = labelsFor(sampleSnapshot(unique), options, now);
        const other = labelsFor(sampleSnapshot(unique.toReversed()), options, now);
        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
      }),
    );
  });
});
