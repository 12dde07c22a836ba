/** What the doctor learns from a real API server, as the account that daemonset/base makes. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ClusterFacts } from "../../src/core/check.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { openKube } from "../../src/kube/kube.ts";
import { readClusterFacts } from "../../src/kube/read-cluster-facts.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, basePath, installBase } from "./install-base.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster);
  await cluster.createNode("node-a", { "radio.mi.house/zigbee": "true", "radio.mi.house/zigbee.count": "1" });
  await cluster.createNode("node-b");
  const nodeInfo = { osImage: "Talos (v1.13.9)", architecture: "amd64", bootID: "b", containerRuntimeVersion: "containerd://2.2.0" };
  await cluster.api.fetch("/api/v1/nodes/node-a/status", {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: { nodeInfo } },
  });
  for (const node of ["node-a", "node-b"]) await createPod(node);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

async function createPod(nodeName: string): Promise<void> {
  const name = `zigbee2mqtt-${nodeName}`;
  const env = [
    { name: "ZIGBEE2MQTT_CONFIG_SERIAL_PORT", value: "/dev/ttyUSB0" },
    { name: "MQTT_PASSWORD", value: "hunter2-very-secret" },
  ];
  const container = { name: "z2m", image: "zigbee2mqtt:2", env, resources: { limits: { "radio.mi.house/zigbee": "1" } } };
  const volumes = [{ name: "port", hostPath: { path: "/dev/ttyUSB0" } }];
  const spec = {
    nodeName,
    serviceAccountName: aerialAccount.name,
    containers: [container],
    volumes,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
  };
  await cluster.api.fetch("/api/v1/namespaces/aerial/pods", { method: "POST", body: { metadata: { name }, spec } });
  await cluster.api.fetch(`/api/v1/namespaces/aerial/pods/${name}/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: { phase: "Failed", reason: "UnexpectedAdmissionError" } },
  });
}

async function factsOf(node: string): Promise<ClusterFacts> {
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: "node-a" });
  const { signal } = new AbortController();
  const kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal);
  onTestFinished(() => kube[Symbol.asyncDispose]());
  const needs = [
    { verb: "patch", resource: "nodes" },
    { verb: "create", resource: "events", group: "events.k8s.io", namespace: "default" },
    { verb: "delete", resource: "nodes" },
  ];
  return readClusterFacts({ kube, node, namespace: "aerial", labelPrefix: "radio.mi.house", labelGraceMs: 5_000, needs }, signal);
}

describe("facts of the cluster", () => {
  test("with the rights of the base: the node, the namespace and our rights; pods only say why not", async () => {
    const facts = await factsOf("node-a");
    expect(facts.osImage).toEqual({ state: "read", value: "Talos (v1.13.9)" });
    expect(facts.nodeLabels).toMatchObject({ state: "read", value: { "radio.mi.house/zigbee": "true" } });
    expect(facts.namespaceLabels).toMatchObject({ state: "read", value: { "pod-security.kubernetes.io/enforce": "privileged" } });
    expect(facts.access).toEqual({
      state: "read",
      value: [
        { what: "patch nodes", allowed: true },
        { what: "create events.events.k8s.io in namespace default", allowed: true },
        { what: "delete nodes", allowed: false },
      ],
    });
    expect(facts.pods).toMatchObject({ state: "unreadable", why: expect.stringMatching(/may not list pods; its role lacks/) });
  });

  test("a node that the cluster does not know is absent, not unreadable", async () => {
    expect(await factsOf("node-z")).toMatchObject({ nodeLabels: { state: "absent" }, osImage: { state: "absent" } });
  });

  test("with the component see-pods: the pods of this node and of no other, and no secret in them", async () => {
    await cluster.kubectl(["apply", "-f", join(basePath, "../components/see-pods/pod-access.yaml")]);
    const { pods } = await factsOf("node-a");
    const list = pods.state === "read" ? pods.value : [];
    // aerial's own pods are there too: tokens are bound to one.
    expect(list.filter(({ name }) => !name.startsWith("aerial-"))).toEqual([
      {
        uid: expect.any(String),
        namespace: "aerial",
        name: "zigbee2mqtt-node-a",
        phase: "Failed",
        reason: "UnexpectedAdmissionError",
        images: ["zigbee2mqtt:2"],
        environment: { ZIGBEE2MQTT_CONFIG_SERIAL_PORT: "/dev/ttyUSB0" },
        hostDevices: ["/dev/ttyUSB0"],
        privileged: false,
        resources: ["radio.mi.house/zigbee"],
      },
    ]);
    expect(JSON.stringify(pods)).not.toContain("hunter2");
  });
});
