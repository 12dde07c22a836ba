import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { ambiguous, sampleRadio } from "../../../test/fixtures/sample-radios.ts";
import { AerialError } from "../../core/errors.ts";
import { unprintable } from "../../core/printable.ts";
import type { Radio } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { radiosAnnotation } from "../labels/radio-facts.ts";
import { createClusterRadios } from "./cluster-radios.ts";
import { readNodeList } from "./read-node-list.ts";

const annotation = "radio.mi.house/radios";
const signal = new AbortController().signal;

function nodeWith(
  name: string,
  list: string | undefined,
  status: KubeObject = { conditions: [{ type: "Ready", status: "True" }] },
): KubeObject {
  return {
    metadata: {
      name,
      ...(list !== undefined && { annotations: { [annotation]: list } }),
      managedFields: [
        { manager: "kubelet", time: "2026-01-01T00:00:00Z" },
        { manager: "aerial", time: "2026-02-03T04:05:06Z" },
      ],
    },
    status,
  };
}

function pageOf(items: readonly unknown[], next?: string): KubeObject {
  return { kind: "NodeList", metadata: { ...(next && { continue: next }) }, items };
}

describe("a page of Nodes", () => {
  it("tells the radios as their aerial has written them", () => {
    const radios: Radio[] = [
      sampleRadio("10c4-ea60-a", { name: "attic" }),
      sampleRadio("b", { presence: "absent", identity: ambiguous }),
      sampleRadio("c", { mode: "bootloader" }),
    ];
    const page = readNodeList(pageOf([nodeWith("nuc-1", radiosAnnotation(radios)), nodeWith("nuc-2", undefined, {})]), annotation);
    expect(page?.nodes).toEqual([
      { name: "nuc-1", ready: true, list: "published", listedAt: "2026-02-03T04:05:06.000Z", radios: 3, omitted: 0 },
      { name: "nuc-2", ready: false, list: "none", radios: 0, omitted: 0 },
    ]);
    expect(page?.radios[0]).toEqual({
      node: "nuc-1",
      id: "10c4-ea60-a",
      name: "attic",
      kinds: ["zigbee"],
      certainty: "certain",
      vendor: "SONOFF",
      model: "Dongle Plus (P)",
      state: "present",
      devicePaths: ["/dev/ttyUSB0"],
      port: "1-1",
    });
    expect(page?.radios.slice(1).map(({ state, certainty, kinds }) => [state, certainty, kinds])).toEqual([
      ["absent", "ambiguous", []],
      ["bootloader", "certain", ["zigbee"]],
    ]);
  });

  it("says how many radios a full list had to leave out, and shows the others briefly", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => sampleRadio(`radio-${index}`, { name: `n${index}` }));
    const page = readNodeList(pageOf([nodeWith("nuc-1", radiosAnnotation(many))]), annotation);
    const [node] = page?.nodes ?? [];
    expect((node?.radios ?? 0) + (node?.omitted ?? 0)).toBe(2_000);
    expect(node?.radios).toBeGreaterThan(300);
    expect(page?.radios[0]).toMatchObject({
      id: "radio-0",
      name: "n0",
      kinds: ["zigbee"],
      certainty: "certain",
      devicePaths: ["/dev/ttyUSB0"],
    });
  });

  it.each(["", "{", "null", "[]", '{"radios":{}}', '{"radios":[],"omitted":-1}', '"x"'])("a list that is none does no harm: %s", (list) => {
    const page = readNodeList(pageOf([nodeWith("nuc-1", list), nodeWith("nuc-2", radiosAnnotation([sampleRadio("a")]))]), annotation);
    expect(page?.nodes.map(({ list: state }) => state)).toEqual(["unreadable", "published"]);
    expect(page?.radios).toHaveLength(1);
  });

  it("whatever is written there, what comes of it is bounded and can be shown", () => {
    const anything = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.record({ radios: fc.array(fc.anything()) }).map((value) => JSON.stringify(value)),
    );
    const radioLike = fc
      .record({
        id: fc.string({ unit: "binary" }),
        name: fc.string({ unit: "binary", maxLength: 400 }),
        model: fc.string({ unit: "binary" }),
        nodes: fc.array(fc.string()),
      })
      .map((said) => JSON.stringify({ radios: [{ presence: "present", mode: "application", state: "unknown", ...said }] }));
    fc.assert(
      fc.property(fc.oneof(anything, radioLike), (list) => {
        const page = readNodeList(pageOf([nodeWith("nuc-1", list)]), annotation);
        expect(page?.nodes).toHaveLength(1);
        for (const radio of page?.radios ?? []) {
          expect(JSON.stringify(Object.values(radio))).not.toMatch(unprintable);
          expect(radio.devicePaths.length).toBeLessThanOrEqual(16);
        }
      }),
    );
  });

  it.each([undefined, null, [], {}, { kind: "Node" }, { kind: "PodList", items: [] }, { kind: "NodeList" }])(
    "anything else is none: %j",
    (value) => {
      expect(readNodeList(value, annotation)).toBeUndefined();
    },
  );
});

describe("the radios of all nodes", () => {
  it("are read page by page, once for all who ask within five seconds", async () => {
    const clock = createManualClock();
    const asked: Readonly<Record<string, string>>[] = [];
    const list = (_path: string, query: Readonly<Record<string, string>>): Promise<KubeObject> => {
      asked.push(query);
      const first = query["continue"] === undefined;
      return Promise.resolve(
        pageOf([nodeWith(first ? "nuc-1" : "nuc-2", radiosAnnotation([sampleRadio("a")]))], first ? "more" : undefined),
      );
    };
    const read = createClusterRadios({ kube: { list }, clock, prefix: "radio.mi.house" });
    const [one, other] = await Promise.all([read(signal), read(signal)]);
    expect(other).toBe(one);
    expect(one).toMatchObject({
      complete: true,
      nodes: [{ name: "nuc-1" }, { name: "nuc-2" }],
      radios: [{ node: "nuc-1" }, { node: "nuc-2" }],
    });
    expect(asked).toEqual([{ limit: "16" }, { limit: "16", continue: "more" }]);
    expect(await read(signal)).toBe(one);
    await clock.advance(5_001);
    expect(await read(signal)).not.toBe(one);
  });

  it("end somewhere, and say so, however many nodes there are", async () => {
    const list = (): Promise<KubeObject> => Promise.resolve(pageOf([nodeWith("n", undefined)], "more"));
    const { complete, nodes } = await createClusterRadios({ kube: { list }, clock: createManualClock(), prefix: "p" })(signal);
    expect([complete, nodes.length]).toEqual([false, 64]);
  });

  it("a failure is told to who asked, and kept for nobody", async () => {
    let away = true;
    const list = (): Promise<KubeObject> =>
      away ? Promise.reject(new AerialError("kube.unreachable", "away")) : Promise.resolve(pageOf([]));
    const read = createClusterRadios({ kube: { list }, clock: createManualClock(), prefix: "p" });
    await expect(read(signal)).rejects.toMatchObject({ code: "kube.unreachable" });
    away = false;
    expect((await read(signal)).nodes).toEqual([]);
    const liar = createClusterRadios({
      kube: { list: () => Promise.resolve({ kind: "PodList", items: [] }) },
      clock: createManualClock(),
      prefix: "p",
    });
    await expect(liar(signal)).rejects.toMatchObject({ code: "kube.protocol" });
  });
});
