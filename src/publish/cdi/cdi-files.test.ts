import fc from "fast-check";
import { expect, test } from "vitest";
import { ambiguous, sampleRadio, sampleSnapshot, zigbee } from "../../../test/fixtures/sample-radios.ts";
import type { Radio } from "../../core/radio.ts";
import { cdiDeviceName } from "./cdi-device-name.ts";
import { cdiFileName, cdiFilesFor, cdiNames } from "./cdi-files.ts";

const options = { groups: { domain: "radio.mi.house", groups: [] }, groupId: 20 };

interface CdiFile {
  readonly cdiVersion: string;
  readonly kind: string;
  readonly devices: readonly {
    readonly name: string;
    readonly containerEdits: { readonly env: readonly string[]; readonly deviceNodes: readonly { readonly path: string }[] };
  }[];
}

function filesOf(radios: readonly Radio[]): ReadonlyMap<string, CdiFile> {
  const files = cdiFilesFor(sampleSnapshot(radios), options);
  return new Map([...files].map(([name, content]) => [name, JSON.parse(content) as CdiFile]));
}

test("the file of a lone radio", () => {
  const files = filesOf([sampleRadio("10c4-ea60-0001")]);
  const node = { hostPath: "/dev/ttyUSB0", type: "c", major: 188, minor: 0, fileMode: 0o660, permissions: "rw", uid: 0, gid: 20 };
  expect([...files]).toEqual([
    [
      "radio.mi.house-radio_10c4-ea60-0001.json",
      {
        cdiVersion: "0.7.0",
        kind: "radio.mi.house/radio",
        devices: expect.arrayContaining([
          {
            name: "10c4-ea60-0001",
            containerEdits: {
              env: expect.arrayContaining([
                "RADIO_ZIGBEE_PATH=/dev/radio/zigbee",
                "RADIO_ZIGBEE_DEVICE=188:0",
                "RADIO_ZIGBEE_CDI=radio.mi.house/radio=10c4-ea60-0001",
                "RADIO_NODE=n1",
              ]),
              deviceNodes: [
                { path: "/dev/radio/zigbee", ...node },
                { path: "/dev/serial/by-id/usb-ITead_Sonoff_0001-if00-port0", ...node },
              ],
              additionalGids: [20],
            },
          },
        ]),
      },
    ],
  ]);
});

test("each of a group's radios can be any of a container's, up to eight, however few there are; those that are away have no file", () => {
  const radios = Array.from({ length: 10 }, (_, index) => sampleRadio(`r${index}`, { presence: index === 3 ? "absent" : "present" }));
  const files = filesOf([
    ...radios,
    sampleRadio("lone", { identity: { ...zigbee, kinds: ["lora"] } }),
    sampleRadio("x", { identity: ambiguous }),
  ]);
  expect(files.size).toBe(10);
  expect(files.get(cdiFileName("radio.mi.house", "lone"))?.devices.map(({ name }) => name)).toHaveLength(8);
  const devices = files.get(cdiFileName("radio.mi.house", "r0"))?.devices ?? [];
  expect(devices.map(({ name }) => name)).toEqual(["r0", ...[2, 3, 4, 5, 6, 7, 8].map((ordinal) => `r0:${ordinal}`)]);
  expect(devices[1]?.containerEdits.deviceNodes[0]?.path).toBe("/dev/radio/zigbee-2");
  expect(cdiDeviceName("radio.mi.house", "r0", 2)).toBe(`radio.mi.house/radio=${devices[1]?.name}`);
});

test("the same facts are the same bytes", () => {
  const bytes = (radios: readonly Radio[]): unknown => Object.fromEntries(cdiFilesFor(sampleSnapshot(radios), options));
  expect(bytes([sampleRadio("b"), sampleRadio("a")])).toEqual(bytes([sampleRadio("a"), sampleRadio("b")]));
});

test("names of files stay in their directory and end in time", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/),
      (id, domain) => {
        const name = cdiFileName(domain, id);
        expect(name).toMatch(/^[A-Za-z0-9._-]+\.json$/);
        expect(name.startsWith(cdiNames(domain).prefix)).toBe(true);
        expect(name.length).toBeLessThan(250);
      },
    ),
  );
});
