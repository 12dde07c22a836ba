/** Node labels against a real API server: what is ours comes and goes, what is others' stays. */
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Conditions, createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Snapshot } from "../../src/core/radio.ts";
import type { Kube } from "../../src/kube/kube.ts";
import type { LabelOptions } from "../../src/publish/labels/labels-for.ts";
import { applyToNode, withdrawLabels } from "../../src/publish/labels/own-node.ts";
import { runLabels } from "../../src/publish/labels/run-labels.ts";
import { type OutputCounters, noOutputCounters } from "../../src/publish/run-output.ts";
import { sampleRadio, sampleSnapshot, zigbee } from "../fixtures/sample-radios.ts";
import type { ApiObject } from "./api-client.ts";
import { type AuditedRequest, isWrite } from "./audit.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { createPublisherAccounts, openKubeAs, publisherUser } from "./publisher-account.ts";

const graceMs = 400;
const options: LabelOptions = { prefix: "radio.mi.house", aliases: { radio: "*", zigbee: "zigbee" }, graceMs };
const labelled = {
  "radio.mi.house/zigbee": "true",
  "radio.mi.house/zigbee.count": "1",
  "radio.mi.house/zigbee.model": "Dongle-Plus-P",
  radio: "true",
  zigbee: "true",
};
const one = (): Snapshot => sampleSnapshot([sampleRadio("a")]);
const none = (): Snapshot => sampleSnapshot([]);
const unplugged = (): Snapshot => sampleSnapshot([sampleRadio("a", { presence: "absent", absentSince: new Date().toISOString() })]);

let cluster: Cluster;
let kube: Kube;
const signal = new AbortController().signal;

beforeAll(async () => {
  cluster = await openCluster();
  await createPublisherAccounts(cluster);
  kube = await openKubeAs(cluster, "publisher");
});
afterAll(async () => {
  await kube?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

interface Publisher {
  readonly snapshots: Cell<Snapshot>;
  readonly conditions: Conditions;
  readonly counters: Cell<OutputCounters>;
  stop(): Promise<void>;
}

function publish(
  node: string,
  snapshot: Snapshot,
  changed: { readonly options?: Partial<LabelOptions>; readonly kube?: Kube } = {},
): Publisher {
  const snapshots = new Cell(snapshot);
  const conditions = createConditions(systemClock);
  const counters = new Cell(noOutputCounters);
  const controller = new AbortController();
  const done = runLabels(
    {
      kube: changed.kube ?? kube,
      node,
      options: { ...options, ...changed.options },
      snapshots,
      conditions,
      counters,
      clock: systemClock,
      log: silentLog,
    },
    controller.signal,
  );
  const stop = async (): Promise<void> => {
    controller.abort(new AerialError("internal.abort", "stopped"));
    await done;
  };
  onTestFinished(stop);
  return { snapshots, conditions, counters, stop };
}

let made = 0;
async function createNode(labels: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `node-${++made}`;
  await cluster.createNode(name, labels);
  return name;
}

const labelsOf = (node: ApiObject): Readonly<Record<string, string>> => node.metadata.labels ?? {};
const carries = (labels: Readonly<Record<string, string>>) => (node: ApiObject) => isDeepStrictEqual(labelsOf(node), labels);

async function writesTo(name: string): Promise<readonly AuditedRequest[]> {
  return (await cluster.requestsBy(publisherUser)).filter((request) => isWrite(request) && request.name === name);
}

async function pause(milliseconds: number): Promise<void> {
  await systemClock.sleep(milliseconds, signal);
}

describe("labels", () => {
  test("come with a radio and go when its grace ends; others' stay", async () => {
    const name = await createNode({ room: "attic" });
    const { snapshots } = publish(name, one());
    const node = await cluster.waitForNode(name, carries({ ...labelled, room: "attic" }), 5_000);
    expect(JSON.parse(node.metadata.annotations?.["radio.mi.house/radios"] ?? "")).toMatchObject({
      radios: [{ id: "a", kinds: ["zigbee"] }],
      omitted: 0,
    });

    const at = Date.now();
    snapshots.set(unplugged());
    const after = await cluster.waitForNode(name, carries({ room: "attic" }), 5_000);
    expect(Date.now() - at).toBeGreaterThanOrEqual(graceMs);
    expect(after.metadata.annotations?.["radio.mi.house/radios"]).toBeUndefined();
  });

  test("a replug within the grace changes no label", async () => {
    const name = await createNode();
    const { snapshots, counters } = publish(name, one(), { options: { graceMs: 2_000 } });
    const { metadata } = await cluster.waitForNode(name, carries(labelled), 5_000);
    const seen: unknown[] = [];
    const watching = new AbortController();
    const query = { fieldSelector: `metadata.name=${name}`, resourceVersion: metadata.resourceVersion ?? "" };
    const watch = (async () => {
      for await (const { object } of await kube.watch("/api/v1/nodes", query, watching.signal)) {
        seen.push((object as unknown as ApiObject).metadata.labels);
      }
    })().catch(() => {});
    snapshots.set(unplugged());
    await expect.poll(() => counters.current.attempts, { timeout: 5_000 }).toBeGreaterThan(1);
    snapshots.set(one());
    await pause(2_500);
    watching.abort();
    await watch;
    expect(seen.length).toBeGreaterThan(0);
    for (const labels of seen) expect(labels).toEqual(labelled);
  });

  test("a label that somebody else owns too stays theirs when we leave", async () => {
    const name = await createNode();
    await cluster.api.apply(
      `/api/v1/nodes/${name}`,
      { apiVersion: "v1", kind: "Node", metadata: { name, labels: { zigbee: "true" } } },
      "somebody",
    );
    const { snapshots } = publish(name, one(), { options: { graceMs: 0 } });
    await cluster.waitForNode(name, carries(labelled), 5_000);
    snapshots.set(none());
    await cluster.waitForNode(name, carries({ zigbee: "true" }), 5_000);
  });

  test("edits by others are healed: overwritten, removed, all of them", async () => {
    const name = await createNode();
    publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    await cluster.kubectl(["label", "node", name, "--overwrite", "radio.mi.house/zigbee=false", "mine=yes"]);
    await cluster.waitForNode(name, carries({ ...labelled, mine: "yes" }), 10_000);
    await cluster.kubectl(["label", "node", name, "radio.mi.house/zigbee-", "zigbee-"]);
    await cluster.waitForNode(name, carries({ ...labelled, mine: "yes" }), 10_000);
    await cluster.kubectl(["annotate", "node", name, "radio.mi.house/radios-"]);
    await cluster.waitForNode(name, ({ metadata }) => metadata.annotations?.["radio.mi.house/radios"] !== undefined, 10_000);
  });

  test("a restart withdraws nothing and writes nothing; what vanished meanwhile gets its grace", async () => {
    const name = await createNode();
    const before = publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    await before.stop();
    expect(labelsOf(await cluster.getNode(name))).toEqual(labelled);

    const writes = (await writesTo(name)).length;
    const after = publish(name, sampleSnapshot([sampleRadio("a", { presence: "absent" })], { complete: false }));
    await expect.poll(() => after.counters.current.attempts).toBeGreaterThan(0);
    await pause(graceMs * 2);
    expect(labelsOf(await cluster.getNode(name))).toEqual(labelled);
    const at = Date.now();
    after.snapshots.set(none());
    await cluster.waitForNode(name, carries({}), 5_000);
    expect(Date.now() - at).toBeGreaterThanOrEqual(graceMs);
    expect((await writesTo(name)).length - writes).toBe(1);
  });

  test("another prefix and other aliases replace the old", async () => {
    const name = await createNode({ room: "attic" });
    const before = publish(name, one());
    await cluster.waitForNode(name, carries({ ...labelled, room: "attic" }), 5_000);
    await before.stop();
    publish(name, one(), { options: { prefix: "radios.example.org", aliases: {} } });
    const node = await cluster.waitForNode(
      name,
      carries({
        "radios.example.org/zigbee": "true",
        "radios.example.org/zigbee.count": "1",
        "radios.example.org/zigbee.model": "Dongle-Plus-P",
        room: "attic",
      }),
      5_000,
    );
    expect(Object.keys(node.metadata.annotations ?? {})).toEqual(["radios.example.org/radios"]);
  });

  test("idle means no writes, and a change means one", async () => {
    const name = await createNode();
    const { snapshots } = publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    for (let count = 0; count < 5; count += 1) {
      snapshots.set(one());
      await pause(200);
    }
    await cluster.kubectl(["label", "node", name, "foreign=edit"]);
    await pause(1_000);
    expect(await writesTo(name)).toHaveLength(1);
    const verbs = new Set((await cluster.requestsBy(publisherUser)).map(({ verb }) => verb));
    expect([...verbs].sort()).toEqual(["get", "patch", "watch"]);
  });

  test("200 radios with hostile strings are accepted as they are", async () => {
    const name = await createNode();
    const text = "\u0000\n\u001b[31m💥=/".repeat(30);
    const radios = Array.from({ length: 200 }, (_, index) => {
      const { device, ...radio } = sampleRadio(`r-${index}`);
      const usb = device.usb && { ...device.usb, product: text, manufacturer: text, serial: text };
      return {
        ...radio,
        device: { ...device, ...(usb && { usb }) },
        identity: { ...zigbee, model: `${text}${index}`, kinds: ["zigbee", text] },
      };
    });
    const { conditions } = publish(name, sampleSnapshot(radios));
    await cluster.waitForNode(name, (node) => labelsOf(node)["radio.mi.house/zigbee.count"] === "200", 10_000);
    await pause(300);
    expect(conditions.current.size).toBe(0);
    expect(await writesTo(name)).toHaveLength(1);
  });
});

describe("when things go wrong", () => {
  test("without rights a condition says which rule is missing", async () => {
    const name = await createNode();
    await using powerless = await openKubeAs(cluster, "nobody");
    const { conditions } = publish(name, one(), { kube: powerless });
    await expect.poll(() => conditions.current.size, { timeout: 5_000 }).toBe(2);
    expect(conditions.current.get("output.labels.failing")).toMatchObject({
      severity: "warning",
      text: expect.stringMatching(/nobody may not get nodes.*resources: \["nodes"\], verbs: \["get"\].*apply the ClusterRole/) as string,
    });
    expect(conditions.current.get("output.labels.unwatched")).toBeDefined();
  });

  test("a node that does not exist is reported, and never made by us", async () => {
    const { conditions } = publish("node-nowhere", one());
    await expect.poll(() => conditions.current.get("output.labels.failing")?.text, { timeout: 5_000 }).toMatch(/404.*check that node.name/);
    const admin = { kube: await openAdmin(), node: "node-nowhere" };
    const gone = applyToNode({ ...admin, uid: "2c1f2b0e-0000-4000-8000-000000000000", metadata: { labels: {}, annotations: {} } }, signal);
    await expect(gone).rejects.toMatchObject({ code: "kube.conflict" });
    expect((await cluster.api.request("/api/v1/nodes/node-nowhere")).status).toBe(404);
  });

  test("a node that is made anew is labelled anew", async () => {
    const name = await createNode();
    publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    await cluster.kubectl(["delete", "node", name]);
    await cluster.createNode(name);
    await cluster.waitForNode(name, carries(labelled), 20_000);
  });

  test("a server that stops answering gets the newest when it is back", async () => {
    const name = await createNode();
    const { snapshots } = publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    cluster.pause();
    try {
      snapshots.set(none());
      await pause(500);
      snapshots.set(one());
      snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
    } finally {
      cluster.resume();
    }
    await cluster.waitForNode(name, (node) => labelsOf(node)["radio.mi.house/zigbee.count"] === "2", 15_000);
  });

  test("a server that was away gets the newest, the condition ends, and edits are seen again", async () => {
    const name = await createNode();
    const { snapshots, conditions } = publish(name, one());
    await cluster.waitForNode(name, carries(labelled), 5_000);
    await cluster.stop();
    snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
    await expect
      .poll(() => conditions.current.get("output.labels.failing")?.text, { timeout: 10_000 })
      .toMatch(/cannot reach the API server/);
    await cluster.start();
    await expect.poll(() => conditions.current.size, { timeout: 30_000 }).toBe(0);
    expect(labelsOf(await cluster.getNode(name))["radio.mi.house/zigbee.count"]).toBe("2");
    await cluster.kubectl(["label", "node", name, "zigbee-"]);
    await cluster.waitForNode(name, (node) => labelsOf(node)["zigbee"] === "true", 10_000);
  });
});

async function openAdmin(): Promise<Kube> {
  const { openKube } = await import("../../src/kube/kube.ts");
  const admin = await openKube({ kubeconfig: cluster.kubeconfig, clock: systemClock, log: silentLog }, signal);
  onTestFinished(() => admin[Symbol.asyncDispose]());
  return admin;
}

describe("cleanup", () => {
  test("takes back all that is ours and nothing else, as often as asked", async () => {
    const name = await createNode({ room: "attic" });
    expect(await withdrawLabels({ kube, node: name }, signal)).toEqual([]);
    const publisher = publish(name, one());
    await cluster.waitForNode(name, carries({ ...labelled, room: "attic" }), 5_000);
    await publisher.stop();
    const keys = await withdrawLabels({ kube, node: name }, signal);
    expect(keys).toEqual([...Object.keys(labelled), "radio.mi.house/radios"].sort());
    const { metadata } = await cluster.getNode(name);
    expect(metadata.labels).toEqual({ room: "attic" });
    expect(metadata.annotations ?? {}).toEqual({});
    expect(metadata.managedFields?.map(({ manager }) => manager)).not.toContain("aerial");

    const writes = (await writesTo(name)).length;
    expect(await withdrawLabels({ kube, node: name }, signal)).toEqual([]);
    expect(await writesTo(name)).toHaveLength(writes);
    expect(await withdrawLabels({ kube, node: "node-nowhere" }, signal)).toEqual([]);
  });
});
