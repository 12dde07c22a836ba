/** Pods that ask for radios, as a real API server and scheduler tell of them; and what README says pods may look like. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { systemClock } from "../../src/core/clock.ts";
import type { ClusterRadio } from "../../src/core/cluster-radio.ts";
import { silentLog } from "../../src/core/log.ts";
import { openKube } from "../../src/kube/kube.ts";
import { createRadioPods, type RadioPods } from "../../src/publish/handover/radio-pods.ts";
import { sampleRadio, sampleSnapshot } from "../fixtures/sample-radios.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { openControlPlane } from "./control-plane.ts";
import { aerialAccount, basePath, installBase } from "./install-base.ts";
import { installResourceClaims } from "./install-resource-claims.ts";

const zigbee = "radio.mi.house/zigbee";
const signal = new AbortController().signal;

let cluster: Cluster;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  cluster = stack.use(await openCluster());
  await installBase(cluster);
  await installResourceClaims(cluster);
  stack.use(await openControlPlane(cluster));
  await cluster.createNode("n1");
});
afterAll(() => stack.disposeAsync());

async function createPod(name: string, spec: object = {}): Promise<void> {
  const container = { name: "main", image: "none", resources: { limits: { [zigbee]: "1" } } };
  const common = { serviceAccountName: aerialAccount.name, automountServiceAccountToken: false, terminationGracePeriodSeconds: 0 };
  const body = { metadata: { name }, spec: { ...common, containers: [container], ...spec } };
  await cluster.api.fetch("/api/v1/namespaces/aerial/pods", { method: "POST", body });
}

/** As the aerial of n1 reads them, which has one stick; `others` are those of other nodes. */
async function readPods(others: readonly ClusterRadio[] = []): Promise<RadioPods> {
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: "n1" });
  const kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal);
  onTestFinished(() => kube[Symbol.asyncDispose]());
  const snapshot = sampleSnapshot([sampleRadio("stick")]);
  return createRadioPods({
    kube,
    clock: systemClock,
    groups: { domain: "radio.mi.house", groups: [] },
    clusterRadios: () => Promise.resolve({ at: "2026-01-01T00:00:00.000Z", complete: true, nodes: [], radios: others }),
    snapshot: () => snapshot,
    holders: () => [],
  })(signal);
}

test("with the rights of the base nobody's pods are seen, and what would give them is named", async () => {
  await expect(readPods()).rejects.toMatchObject({ code: "pods.forbidden", hint: expect.stringContaining("see-pods") });
});

test("with the component see-pods each that waits is explained, also by what the scheduler says, and claims are read", async () => {
  await cluster.kubectl(["apply", "-f", join(basePath, "../components/see-pods/pod-access.yaml")]);
  await createPod("holds", { nodeName: "n1" });
  await createPod("waits");
  await createPod("elsewhere", { containers: [{ name: "main", image: "none", resources: { limits: { "radio.mi.house/lora": "1" } } }] });
  const requests = [{ name: "stick", exactly: { deviceClassName: "zigbee.radio.mi.house" } }];
  await cluster.api.fetch("/apis/resource.k8s.io/v1/namespaces/aerial/resourceclaims", {
    method: "POST",
    body: { metadata: { name: "stick" }, spec: { devices: { requests } } },
  });
  const claims = { resourceClaims: [{ name: "stick", resourceClaimName: "stick" }], containers: [{ name: "main", image: "none" }] };
  await createPod("claims", claims);
  const lora: ClusterRadio = {
    node: "n2",
    id: "far",
    kinds: ["lora"],
    certainty: "certain",
    state: "present",
    devicePaths: ["/dev/ttyACM0"],
  };
  const said = async (): Promise<Readonly<Record<string, string | undefined>>> => {
    const { pods, complete } = await readPods([lora]);
    expect(complete).toBe(true);
    return Object.fromEntries(pods.map(({ name, waiting }) => [name, waiting]));
  };
  await expect.poll(said, { timeout: 60_000, interval: 1_000 }).toEqual({
    holds: expect.stringContaining("scheduled to n1"),
    waits: `Every radio that is ${zigbee} is taken: stick on n1 is held by aerial/holds. It waits for that pod to end, or for another radio.`,
    elsewhere: expect.stringMatching(/^far is free on n2, but the scheduler does not put the pod there: 0\/1 nodes are available: /),
    claims: expect.stringMatching(/^Its claim stick has no radio: .* The scheduler says: 0\/1 nodes are available: /),
  });
});

test("what README shows is taken as it is", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const documents = [...readme.matchAll(/```yaml\n(.*?)```/gs)]
    .flatMap(([, text = ""]) => parseAllDocuments(text).map((document) => document.toJS() as { kind?: string; apiVersion?: string }))
    .filter(({ kind, apiVersion = "" }) => kind !== undefined && !apiVersion.startsWith("kustomize"));
  expect(documents.map(({ kind }) => kind)).toEqual(["Pod", "ResourceClaimTemplate", "Pod", "Deployment"]);
  const file = join(cluster.directory, "readme.yaml");
  await writeFile(file, documents.map((document) => stringify(document)).join("---\n"));
  await cluster.kubectl(["create", "namespace", "readme"]);
  await cluster.kubectl(["create", "serviceaccount", "default", "--namespace", "readme"]).catch(() => {});
  await cluster.kubectl(["apply", "--namespace", "readme", "--dry-run=server", "-f", file]);
});
