/** The radios of all nodes against a real API server: each node's aerial writes its own, any of them reads all. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Cell } from "../../src/core/cell.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { ClusterRadios } from "../../src/core/cluster-radio.ts";
import { createConditions } from "../../src/core/condition.ts";
import { AerialError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Radio, Snapshot } from "../../src/core/radio.ts";
import { type Kube, openKube } from "../../src/kube/kube.ts";
import { createClusterRadios } from "../../src/publish/cluster/cluster-radios.ts";
import { applyToNode, readNode, withdrawLabels } from "../../src/publish/labels/own-node.ts";
import { runLabels } from "../../src/publish/labels/run-labels.ts";
import { sampleRadio, sampleSnapshot, zigbee } from "../fixtures/sample-radios.ts";
import { isWrite } from "./audit.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser, installBase } from "./install-base.ts";

const prefix = "radio.mi.house";
const signal = new AbortController().signal;
const nodes = ["nuc-1", "nuc-2", "nuc-3"] as const;

let cluster: Cluster;
const kubes = new Map<string, Kube>();

beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster);
  for (const node of nodes) {
    await cluster.createNode(node);
    const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node });
    kubes.set(node, await openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal));
  }
});
afterAll(async () => {
  for (const kube of kubes.values()) await kube[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** aerial's own account, as on that node. */
function kubeOn(node: string): Kube {
  const kube = kubes.get(node);
  if (kube === undefined) throw new Error(`no client for ${node}`);
  return kube;
}

function publish(node: string, radios: readonly Radio[]): Cell<Snapshot> {
  const snapshots = new Cell(sampleSnapshot(radios));
  const controller = new AbortController();
  const options = { prefix, aliases: {}, graceMs: 0 };
  const common = { kube: kubeOn(node), node, clock: systemClock, log: silentLog, conditions: createConditions(systemClock) };
  const done = runLabels({ ...common, options, snapshots }, controller.signal);
  onTestFinished(async () => {
    controller.abort(new AerialError("internal.abort", "stopped"));
    await done;
  });
  return snapshots;
}

const readFrom = (node: string): Promise<ClusterRadios> => createClusterRadios({ kube: kubeOn(node), clock: systemClock, prefix })(signal);
const idsOf = ({ radios }: ClusterRadios): readonly string[] => radios.map(({ node, id }) => `${node} ${id}`);

describe("the radios of all nodes", () => {
  test("are those that each aerial has written, read with its own rights, from any node", async () => {
    const hostile = '"}],\n\u0000\u202E💥\\'.repeat(40);
    const snapshots = publish("nuc-1", [sampleRadio("a", { name: "attic" }), sampleRadio("b", { mode: "bootloader" })]);
    publish("nuc-2", [sampleRadio("c", { identity: { ...zigbee, vendor: hostile, model: hostile } })]);
    await cluster.api.fetch("/api/v1/nodes/nuc-1/status", {
      method: "PATCH",
      body: {
        status: {
          conditions: [
            { type: "Ready", status: "True", lastHeartbeatTime: null, lastTransitionTime: null, reason: "KubeletReady", message: "" },
          ],
        },
      },
      contentType: "application/merge-patch+json",
    });
    await expect.poll(async () => idsOf(await readFrom("nuc-3")), { timeout: 10_000 }).toEqual(["nuc-1 a", "nuc-1 b", "nuc-2 c"]);
    const seen = await readFrom("nuc-2");
    expect(seen.complete).toBe(true);
    expect(seen.nodes).toEqual([
      { name: "nuc-1", ready: true, list: "published", listedAt: expect.any(String) as string, radios: 2, omitted: 0 },
      { name: "nuc-2", ready: false, list: "published", listedAt: expect.any(String) as string, radios: 1, omitted: 0 },
      { name: "nuc-3", ready: false, list: "none", radios: 0, omitted: 0 },
    ]);
    expect(Math.abs(Date.parse(seen.nodes[0]?.listedAt ?? "") - Date.now())).toBeLessThan(60_000);
    expect(seen.radios[0]).toMatchObject({
      name: "attic",
      kinds: ["zigbee"],
      certainty: "certain",
      state: "present",
      devicePaths: ["/dev/ttyUSB0"],
    });
    expect(seen.radios[1]?.state).toBe("bootloader");
    expect(seen.radios[2]?.model).toContain("💥");
    expect(seen.radios[2]?.model).not.toContain("\u202E");

    snapshots.set(sampleSnapshot([sampleRadio("b")]));
    await expect.poll(async () => idsOf(await readFrom("nuc-3")), { timeout: 10_000 }).toEqual(["nuc-1 b", "nuc-2 c"]);
  });

  test("are read without a single write", async () => {
    const requests = await cluster.requestsBy(aerialUser);
    for (const node of nodes) for (let turn = 0; turn < 5; turn += 1) await readFrom(node);
    const since = (await cluster.requestsBy(aerialUser)).slice(requests.length);
    expect(since.filter(isWrite)).toEqual([]);
    // The last one of the test before may be noted only now.
    expect(since.filter(({ verb, resource }) => verb === "list" && resource === "nodes").length).toBeGreaterThanOrEqual(15);
  });

  test("can be written by the node's own aerial alone", async () => {
    const { uid } = await readNode({ kube: kubeOn("nuc-2"), node: "nuc-1" }, signal);
    const metadata = { labels: {}, annotations: { [`${prefix}/radios`]: '{"radios":[],"omitted":0}' } };
    const foreign = applyToNode({ kube: kubeOn("nuc-2"), node: "nuc-1", uid, metadata }, signal);
    await expect(foreign).rejects.toMatchObject({
      code: "kube.forbidden",
      message: expect.stringContaining("may not change node nuc-1") as string,
    });
    await expect(applyToNode({ kube: kubeOn("nuc-1"), node: "nuc-1", uid, metadata }, signal)).resolves.toMatchObject({ own: metadata });
  });

  test("go when aerial is cleaned up, and what others make of the annotation does no harm", async () => {
    await withdrawLabels({ kube: kubeOn("nuc-1"), node: "nuc-1" }, signal);
    await cluster.kubectl(["annotate", "node", "nuc-3", `${prefix}/radios={"radios":[{"id":1},7`]);
    const { nodes: seen } = await readFrom("nuc-2");
    expect(seen.map(({ name, list }) => [name, list])).toEqual([
      ["nuc-1", "none"],
      ["nuc-2", "published"],
      ["nuc-3", "unreadable"],
    ]);
  });

  test("are read page by page, however many nodes there are", async () => {
    const more = Array.from({ length: 40 }, (_, index) => `many-${String(index).padStart(2, "0")}`);
    for (const name of more) await cluster.createNode(name);
    const { nodes: seen, complete } = await readFrom("nuc-1");
    expect(complete).toBe(true);
    expect(seen.map(({ name }) => name)).toEqual([...more, ...nodes]);
  });
});
