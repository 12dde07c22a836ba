/** From a uevent to the API server and back, on a node in namespaces, with the rights that are shipped and no others. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../src/core/radio.ts";
import { planRun, toRuns } from "../../src/publish/events/plan-events.ts";
import { toEvent } from "../../src/publish/events/to-event.ts";
import { aerialUser } from "../cluster/install-base.ts";
import { openNamespaceLab, type NamespaceLab } from "../light/namespace-lab.ts";
import { conbee2, sonoffDonglePlus, zstickGen5 } from "../lab/sticks.ts";
import { openAerialNode, prefix, type AerialNode } from "./aerial-node.ts";
import { crash } from "./crash.ts";
import { soak } from "./soak.ts";

const label = `${prefix}/zigbee`;
const none = (labels: Readonly<Record<string, string>>): boolean => Object.keys(labels).length === 0;
const hasZigbee = (labels: Readonly<Record<string, string>>): boolean => labels[label] === "true";

describe("a node", () => {
  let lab: NamespaceLab;
  let node: AerialNode;
  beforeAll(async () => {
    lab = await openNamespaceLab();
    node = await openAerialNode({
      lab,
      environment: { AERIAL__LABELS__GRACESECONDS: "1", AERIAL__LABELS__ALIASES: "{zigbee: zigbee, radio: '*'}" },
    });
  });
  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  it("carries the label and the aliases while the stick is in, tells Events, and forgets it after the grace", async () => {
    await using _daemon = await node.start();
    const plugged = await lab.plug(sonoffDonglePlus);
    expect(await node.waitForLabels(hasZigbee)).toEqual({
      [label]: "true",
      [`${label}.count`]: "1",
      [`${label}.model`]: "ZBDongle-P-CC2652P",
    });
    const { metadata } = await node.cluster.getNode(node.name);
    expect(metadata.labels).toMatchObject({ zigbee: "true", radio: "true" });
    const facts = JSON.parse(metadata.annotations?.[`${prefix}/radios`] ?? "{}") as { radios: unknown[] };
    expect(facts.radios).toMatchObject([{ id: `10c4-ea60-${sonoffDonglePlus.serial}`, kinds: ["zigbee"] }]);
    await plugged.unplug();
    await node.waitForLabels(none);
    await expect
      .poll(async () => (await node.cluster.listEvents()).map(({ reason }) => String(reason)).toSorted(byText), { timeout: 10_000 })
      .toEqual(["RadioAttached", "RadioDetached"]);
  });

  it("keeps its labels over a stop and a start, with not one write for it", async () => {
    const plugged = await lab.plug(conbee2);
    {
      await using daemon = await node.start();
      await node.waitForLabels(hasZigbee);
      await expect.poll(() => node.get("/readyz"), { timeout: 10_000 }).toMatchObject({ ready: true });
      await daemon.kill("SIGTERM");
      expect(await daemon.exited).toBe(0);
    }
    const resourceVersion = async (): Promise<string> => (await node.cluster.getNode(node.name)).metadata.resourceVersion;
    const before = await resourceVersion();
    await using _daemon = await node.start();
    await expect.poll(() => node.get("/readyz"), { timeout: 10_000 }).toMatchObject({ ready: true });
    // Past the grace, in which what an earlier life left is only kept.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await resourceVersion()).toBe(before);
    await plugged.unplug();
    await node.waitForLabels(none);
  });

  it("was refused nothing so far: the shipped role has all that aerial needs", async () => {
    const refused = (await node.cluster.requestsBy(aerialUser)).filter(
      ({ status, userAgent }) => status === 403 && userAgent !== "aerial-test",
    );
    expect(refused).toEqual([]);
  });

  it("catches up when the API server was away while sticks came and went, and says so meanwhile", async () => {
    await using _daemon = await node.start();
    await expect.poll(() => node.get("/readyz"), { timeout: 10_000 }).toMatchObject({ ready: true });
    await node.cluster.stop();
    const gone = await lab.plug(conbee2);
    await lab.plug(zstickGen5).then((stays) => gone.unplug().then(() => stays));
    await expect
      .poll(async () => (await node.get<{ conditions: { code: string }[] }>("/healthz")).conditions.map(({ code }) => code), {
        timeout: 15_000,
      })
      .toContain("output.labels.failing");
    await node.cluster.start();
    const labels = await node.waitForLabels((now) => now[`${prefix}/zwave`] === "true" && !hasZigbee(now), 45_000);
    expect(labels[`${prefix}/zwave.count`]).toBe("1");
  });

  it("gives everything back at `aerial cleanup`", async () => {
    await node.waitForLabels((labels) => !none(labels));
    const { exitCode, stdout, stderr } = await node.cli("cleanup");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`removed ${prefix}/radios from node ${node.name}`);
    const { labels = {}, annotations = {} } = (await node.cluster.getNode(node.name)).metadata;
    expect([...Object.keys(labels), ...Object.keys(annotations)].filter((key) => key.startsWith(prefix) || key === "radio")).toEqual([]);
  });
});

describe("a node on which aerial is killed again and again", () => {
  it("converges after every restart over 200 plug events: labels, ids, history and Events", { timeout: 300_000 }, async () => {
    await using lab = await openNamespaceLab();
    await using node = await openAerialNode({ lab, environment: { AERIAL__LABELS__GRACESECONDS: "0" } });
    const { kills, settled, missing, ids, history, daemon } = await crash({ node, plugEvents: 200, seed: 7, say: () => {} });
    await using _daemon = daemon;

    expect(kills).toBeGreaterThan(30);
    expect(settled).toBeGreaterThan(kills);
    expect(missing).toEqual([]);
    expect([...ids.values()].map((known) => known.size)).toEqual([...ids.keys()].map(() => 1));
    expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, index) => index + 1));
    expect(alternates(history)).toEqual([]);

    const { uid } = (await node.cluster.getNode(node.name)).metadata;
    const single = [...toRuns(history)].flatMap((run) => planRun(run).single);
    const untold = async (): Promise<readonly number[]> => {
      const told = new Set((await node.cluster.listEvents()).map(({ metadata }) => metadata.name));
      return single.filter((entry) => !told.has(nameOf(toEvent(entry, { name: node.name, uid })))).map(({ sequence }) => sequence);
    };
    await expect.poll(untold, { timeout: 20_000 }).toEqual([]);
  });
});

describe("a node on which sticks come and go all day", () => {
  it("ends with as many descriptors as it began with", { timeout: 180_000 }, async () => {
    await using lab = await openNamespaceLab();
    await using node = await openAerialNode({ lab, environment: { AERIAL__LABELS__GRACESECONDS: "0" } });
    const { warm, end, settled, renumbered } = await soak({ node, cycles: 120, warmCycles: 20, seed: 3, say: () => {} });
    expect([settled, renumbered > 0]).toEqual([240, true]);
    expect(end.descriptors).toBe(warm.descriptors);
    expect(end.anonymousKib).toBeLessThan(warm.anonymousKib * 1.5);
  });
});

const byText = (a: string, b: string): number => a.localeCompare(b);

/** Radios of which history says twice in a row that they came, or went. */
function alternates(history: readonly HistoryEntry[]): readonly string[] {
  const present = new Map<string, boolean>();
  return history.flatMap(({ type, radioId, sequence }) => {
    if (type !== "attached" && type !== "detached") return [];
    const wrong = (present.get(radioId) ?? false) === (type === "attached");
    present.set(radioId, type === "attached");
    return wrong ? [`${sequence}: ${radioId} ${type} twice`] : [];
  });
}

function nameOf(event: Readonly<Record<string, unknown>>): string {
  return (event["metadata"] as { readonly name: string }).name;
}
