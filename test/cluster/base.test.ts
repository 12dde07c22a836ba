import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseContract } from "../../src/api/contract/document.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { messageOf, type ApiClient, type ApiObject } from "./api-client.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { eventsIn, ownEvent } from "./event-object.ts";
import { aerialAccount, aerialUser, basePath, installBase } from "./install-base.ts";

let cluster: Cluster;
let dryRun: string;
/** aerial on node-a. */
let aerial: ApiClient;

beforeAll(async () => {
  cluster = await openCluster();
  const manifests = await cluster.kubectl(["kustomize", basePath]);
  // A dry run creates nothing, so what lives in the namespace needs it to be there.
  await cluster.kubectl(["apply", "-f", join(basePath, "namespace.yaml")]);
  dryRun = await cluster.kubectl(["apply", "--dry-run=server", "--warnings-as-errors", "-f", "-"], { stdin: manifests });
  await installBase(cluster, { aliases: ["zigbee", "example.com/radio"] });
  await cluster.createNode("node-a", { "kubernetes.io/hostname": "node-a", "example.com/rack": "1" });
  await cluster.createNode("node-b");
  aerial = cluster.clientFor(await cluster.serviceAccountToken({ ...aerialAccount, node: "node-a" }));
});
afterAll(async () => cluster[Symbol.asyncDispose]());

interface DaemonSet extends ApiObject {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly type?: string } }[];
}

interface Probe {
  readonly httpGet: { readonly host?: string; readonly port: string; readonly path: string };
}

interface Container {
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe: Probe;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

/** With a token of aerial's account that belongs to no pod. */
const unboundClient = async (): Promise<ApiClient> => cluster.clientFor(await cluster.serviceAccountToken(aerialAccount));

/** While the role of an administrator is bound to aerial's account. */
async function withEverything(attempt: () => Promise<void>): Promise<void> {
  await cluster.kubectl(["create", "clusterrolebinding", "too-much", "--clusterrole=cluster-admin", "--serviceaccount=aerial:aerial"]);
  try {
    await attempt();
  } finally {
    await cluster.kubectl(["delete", "clusterrolebinding", "too-much"]);
  }
}

const readDaemonSet = () => cluster.api.fetch<DaemonSet>("/apis/apps/v1/namespaces/aerial/daemonsets/aerial");

describe("daemonset/base", () => {
  test("is accepted whole, without a warning, by the API server in a dry run", () => {
    const kinds = dryRun
      .trim()
      .split("\n")
      .map((line) => line.replace(/[./].*\((server dry run)\)$/, ""));
    expect(kinds.toSorted()).toEqual([
      "clusterrole",
      "clusterrolebinding",
      "configmap",
      "daemonset",
      "namespace",
      "role",
      "role",
      "role",
      "rolebinding",
      "rolebinding",
      "rolebinding",
      "serviceaccount",
      "validatingadmissionpolicy",
      "validatingadmissionpolicy",
      "validatingadmissionpolicy",
      "validatingadmissionpolicybinding",
      "validatingadmissionpolicybinding",
      "validatingadmissionpolicybinding",
    ]);
  });

  test("its pods are let in where namespaces enforce the baseline standard, thanks to the namespace's label", async () => {
    const { template } = (await readDaemonSet()).spec;
    const createIn = (namespace: string) =>
      cluster.api.request(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, {
        method: "POST",
        body: { apiVersion: "v1", kind: "Pod", ...template, metadata: { ...template.metadata, generateName: "aerial-" } },
      });
    await cluster.kubectl(["create", "serviceaccount", aerialAccount.name, "-n", "default"]);
    expect(await createIn("default")).toMatchObject({ status: 403 });
    expect(await createIn("aerial")).toMatchObject({ status: 201 });
  });

  test("what it sets in the environment is configuration that aerial understands, and fits its mounts and ports", async () => {
    const [container] = (await readDaemonSet()).spec.template.spec.containers;
    const [map] = (await cluster.api.fetch<{ items: [{ data: Record<string, string> }] }>("/api/v1/namespaces/aerial/configmaps")).items;
    const file = join(cluster.directory, "config.yaml");
    await writeFile(file, map.data["config.yaml"] ?? "");
    const environment = Object.fromEntries(container.env.map(({ name, value = "node-a" }) => [name, value]));
    const { config } = loadConfig({ file, machine: { environment, hostname: "pod", home: "/root", isRoot: true, canWrite: () => true } });
    const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(config.node.name).toBe("node-a");
    expect(mounts).toEqual(expect.arrayContaining([config.host.dev, config.state.directory, join(config.api.socket, ".."), "/run/dbus"]));
    expect(mounts).toEqual(
      expect.arrayContaining([
        config.host.cdi,
        ...["device-plugins", "pod-resources", "plugins", "plugins_registry"].map((name) => join(config.host.kubelet, name)),
      ]),
    );
    expect(config.host.run).toBe("/run");
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual([config.api.port]);
  });

  test("its probes ask for what the API answers without a token: a restart for life, a rollout for readiness", async () => {
    const [{ livenessProbe, readinessProbe, startupProbe }] = (await readDaemonSet()).spec.template.spec.containers;
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toMatchObject([
      { host: "127.0.0.1", port: "api", path: "/livez" },
      { host: "127.0.0.1", port: "api", path: "/livez" },
      { host: "127.0.0.1", port: "api", path: "/readyz" },
    ]);
    const { paths } = parseContract();
    for (const path of ["/livez", "/readyz"]) expect(paths[path]?.["get"]?.["x-aerial-role"]).toBe("none");
  });

  test("no host path is checked by type, which Talos' kubelet would refuse", async () => {
    const { volumes } = (await readDaemonSet()).spec.template.spec;
    const hostPaths = volumes.flatMap(({ hostPath }) => (hostPath === undefined ? [] : [hostPath.type ?? ""]));
    expect(hostPaths).toEqual(hostPaths.map(() => ""));
    expect(hostPaths.length).toBeGreaterThan(0);
  });
});

describe("aerial's rights", () => {
  /** Rows of `kubectl auth can-i --list`, blanks squeezed. */
  async function rights(user: string, namespace: string): Promise<Set<string>> {
    const table = await cluster.kubectl(["auth", "can-i", "--list", "--no-headers", `--as=${user}`, `--namespace=${namespace}`]);
    return new Set(
      table
        .trim()
        .split("\n")
        .map((row) => row.trim().replaceAll(/\s+/g, " ")),
    );
  }

  test.each([
    ["default", ["events.events.k8s.io [] [] [create]", "nodes [] [] [get list watch patch]"]],
    [
      "aerial",
      ["leases.coordination.k8s.io [] [] [create get update watch]", "namespaces [] [aerial] [get]", "nodes [] [] [get list watch patch]"],
    ],
    ["kube-system", ["nodes [] [] [get list watch patch]"]],
  ])("in %s are what every account has, and exactly %j", async (namespace, expected) => {
    const everybody = await rights("system:serviceaccount:aerial:nobody", namespace);
    const own = await rights(aerialUser, namespace);
    expect([...own].filter((row) => !everybody.has(row)).toSorted()).toEqual(expected);
    expect(everybody.size).toBeGreaterThan(10);
  });

  test("suffice to read and watch its node, to list all nodes, and to write Events about it", async () => {
    const { metadata } = await aerial.fetch("/api/v1/nodes/node-a");
    const path = "/api/v1/nodes?fieldSelector=metadata.name=node-a";
    const changes = aerial.watchFrom(path, metadata.resourceVersion, AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    const seen = changes.next();
    await cluster.kubectl(["label", "node", "node-a", "example.com/seen=true"]);
    expect(await seen).toMatchObject({ value: { type: "MODIFIED", object: { metadata: { labels: { "example.com/seen": "true" } } } } });
    await changes.return?.();
    await cluster.kubectl(["label", "node", "node-a", "example.com/seen-"]);
    expect((await aerial.request("/api/v1/nodes")).status).toBe(200);
    const create = (namespace: string) => aerial.request(eventsIn(namespace), { method: "POST", body: ownEvent() });
    expect(await create("default")).toMatchObject({ status: 201 });
    expect((await create("aerial")).status).toBe(403);
  });

  test("suffice to take, renew and watch a Lease beside its pods, and none elsewhere", async () => {
    const collection = "/apis/coordination.k8s.io/v1/namespaces/aerial/leases";
    const lease = { metadata: { name: "aerial-relay-home-iot" }, spec: { holderIdentity: "node-a" } };
    const { metadata, ...made } = await aerial.fetch(collection, { method: "POST", body: lease });
    const path = `${collection}?fieldSelector=metadata.name=${metadata.name}`;
    const changes = aerial.watchFrom(path, metadata.resourceVersion, AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
    const seen = changes.next();
    const renewed = { ...made, metadata, spec: { holderIdentity: "node-a", leaseDurationSeconds: 6 } };
    await aerial.fetch(`${collection}/${metadata.name}`, { method: "PUT", body: renewed });
    expect(await seen).toMatchObject({ value: { type: "MODIFIED", object: { spec: { leaseDurationSeconds: 6 } } } });
    await changes.return?.();
    expect((await aerial.request(collection)).status).toBe(403);
    expect((await aerial.request(`${collection}/${metadata.name}`, { method: "DELETE" })).status).toBe(403);
    expect((await aerial.request(collection.replace("aerial", "kube-node-lease"), { method: "POST", body: lease })).status).toBe(403);
  });
});

/** The text of a policy's refusal. */
async function refusal(response: Promise<{ readonly status: number; readonly body: unknown }>): Promise<string> {
  const { status, body } = await response;
  expect(status).toBe(403);
  return messageOf(body).replace(/^.*denied request: /, "");
}

describe("aerial's own-events policy", () => {
  const create = (client: ApiClient, event: object, collection = eventsIn("default")) =>
    client.request(collection, { method: "POST", body: event });
  const about = (kind: string, name: string) => ({ regarding: { apiVersion: "v1", kind, name } });

  test.each([
    ["another node", about("Node", "node-b"), "aerial on node node-a may not write Events about Node node-b"],
    ["a pod of that name", about("Pod", "node-a"), "aerial on node node-a may not write Events about Pod node-a"],
    ["nothing", { regarding: {} }, "aerial on node node-a may not write Events about "],
  ])("refuses an Event about %s", async (_what, event, why) => {
    expect((await refusal(create(aerial, ownEvent(event)))).trim()).toBe(why.trim());
  });

  test.each([
    ["as somebody else", { reportingController: "kubelet" }],
    ["as another node's", { reportingInstance: "node-b" }],
    ["with half of its name", { reportingInstance: "node" }],
    ["with another object beside", { related: { apiVersion: "v1", kind: "Pod", name: "p", namespace: "default" } }],
  ])("refuses one signed %s", async (_what, event) => {
    expect(await refusal(create(aerial, ownEvent(event)))).toMatch(/^aerial must sign its Events as mi\.house\/aerial on its node/);
  });

  test("allows a name that is too long for an Event, cut", async () => {
    const name = "n".repeat(200);
    await cluster.createNode(name);
    const longest = cluster.clientFor(await cluster.serviceAccountToken({ ...aerialAccount, node: name }));
    const cut = { ...about("Node", name), reportingInstance: name.slice(0, 128) };
    expect((await create(longest, ownEvent(cut))).status).toBe(201);
  });

  test("refuses a token that names no node", async () => {
    expect(await refusal(create(await unboundClient(), ownEvent()))).toMatch(/^the token names no node/);
  });

  test("holds even if somebody grants aerial everything: it changes and removes none, and writes none of the core group", async () => {
    const mine = await aerial.fetch(eventsIn("default"), { method: "POST", body: ownEvent() });
    const path = `${eventsIn("default")}/${mine.metadata.name}`;
    await withEverything(async () => {
      const old = { metadata: { generateName: "aerial-" }, involvedObject: { kind: "Node", name: "node-a" } };
      for (const attempt of [
        aerial.request(path, { method: "DELETE" }),
        aerial.request(path, {
          method: "PATCH",
          body: { metadata: { labels: { mine: "no" } } },
          contentType: "application/merge-patch+json",
        }),
        create(aerial, old, "/api/v1/namespaces/default/events"),
      ]) {
        expect(await refusal(attempt)).toBe("aerial may only create Events, of events.k8s.io");
      }
      expect((await create(cluster.api, ownEvent(about("Node", "node-b")))).status).toBe(201);
    });
  });
});

describe("aerial's own-leases policy", () => {
  const collection = "/apis/coordination.k8s.io/v1/namespaces/aerial/leases";
  const create = (client: ApiClient, name: string, changes: { readonly metadata?: object; readonly spec?: object } = {}) =>
    client.request(collection, {
      method: "POST",
      body: { spec: { holderIdentity: "node-a" }, ...changes, metadata: { name, ...changes.metadata } },
    });
  const held = async (name: string, holderIdentity: string): Promise<(holder: string) => ReturnType<ApiClient["request"]>> => {
    const lease = await cluster.api.fetch(collection, { method: "POST", body: { metadata: { name }, spec: { holderIdentity } } });
    return (holder) => aerial.request(`${collection}/${name}`, { method: "PUT", body: { ...lease, spec: { holderIdentity: holder } } });
  };

  test("allows to take over what another node held, and to give up its own", async () => {
    expect((await (await held("aerial-relay-theirs", "node-b"))("node-a")).status).toBe(200);
    expect((await (await held("aerial-relay-ours", "node-a"))("")).status).toBe(200);
  });

  test("refuses to name another holder, and to give up what another holds", async () => {
    const why = "aerial on node node-a may not make node-b the holder";
    expect(await refusal(create(aerial, "aerial-relay-x", { spec: { holderIdentity: "node-b" } }))).toBe(why);
    expect(await refusal((await held("aerial-relay-free", ""))("node-b"))).toBe(why);
    expect(await refusal((await held("aerial-relay-own", "node-a"))("node-b"))).toBe(why);
    expect(await refusal((await held("aerial-relay-kept", "node-b"))(""))).toBe(
      "aerial on node node-a may not give up what node node-b holds",
    );
  });

  test("refuses other names, finalizers and owners, and a token that names no node", async () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "1" };
    expect(await refusal(create(aerial, "cert-manager"))).toMatch(/whose names begin with aerial-relay-$/);
    for (const metadata of [{ finalizers: ["example.com/keep"] }, { ownerReferences: [owner] }]) {
      expect(await refusal(create(aerial, "aerial-relay-y", { metadata }))).toBe("a Lease of aerial has no finalizers and no owners");
    }
    expect(await refusal(create(await unboundClient(), "aerial-relay-z"))).toMatch(/^the token names no node/);
  });

  test("holds even if somebody grants aerial everything", async () => {
    await withEverything(async () => {
      expect(
        await refusal(
          aerial.request(collection.replace("/aerial/", "/kube-node-lease/"), {
            method: "POST",
            body: { metadata: { name: "aerial-relay-a" } },
          }),
        ),
      ).toMatch(/of its namespace/);
      await held("aerial-relay-remains", "node-a");
      expect(await refusal(aerial.request(`${collection}/aerial-relay-remains`, { method: "DELETE" }))).toMatch(
        /^aerial may only make and renew/,
      );
    });
  });
});

describe("aerial's own-node policy", () => {
  const apply = (client: ApiClient, name: string, change: { readonly metadata?: object; readonly spec?: object }) =>
    client.apply(`/api/v1/nodes/${name}`, { apiVersion: "v1", kind: "Node", ...change, metadata: { name, ...change.metadata } }, "aerial");
  const radio = { metadata: { labels: { "radio.mi.house/zigbee": "true" } } };

  test("allows its labels, listed aliases and annotations on its own node, and taking them back", async () => {
    const metadata = {
      labels: { "radio.mi.house/zigbee": "true", zigbee: "true", "example.com/radio": "true" },
      annotations: { "radio.mi.house/radios": "[]" },
    };
    expect((await apply(aerial, "node-a", { metadata })).status).toBe(200);
    expect((await cluster.getNode("node-a")).metadata).toMatchObject(metadata);
    expect((await apply(aerial, "node-a", {})).status).toBe(200);
    const { labels, annotations } = (await cluster.getNode("node-a")).metadata;
    expect({ labels, annotations }).toEqual({
      labels: { "kubernetes.io/hostname": "node-a", "example.com/rack": "1" },
      annotations: undefined,
    });
  });

  test("refuses another node", async () => {
    expect(await refusal(apply(aerial, "node-b", radio))).toBe("aerial on node node-a may not change node node-b");
  });

  test("refuses a token that names no node", async () => {
    expect(await refusal(apply(await unboundClient(), "node-a", radio))).toMatch(/^the token names no node/);
  });

  test.each([
    ["a label", { labels: { "node-role.kubernetes.io/control-plane": "" } }, "node-role.kubernetes.io/control-plane"],
    ["a restricted label", { labels: { "x.node-restriction.kubernetes.io/y": "" } }, "x.node-restriction.kubernetes.io/y"],
    ["a label of k8s.io", { labels: { "k8s.io/x": "", "radio.mi.house/zigbee": "true" } }, "k8s.io/x"],
    ["somebody else's value", { labels: { "kubernetes.io/hostname": "node-z" } }, "kubernetes.io/hostname"],
    ["an annotation", { annotations: { "csi.volume.kubernetes.io/nodeid": "" } }, "csi.volume.kubernetes.io/nodeid"],
  ])("refuses Kubernetes' own domains: %s", async (_what, metadata, key) => {
    const message = await refusal(apply(aerial, "node-a", { metadata }));
    expect(message).toBe(`aerial may not change labels and annotations of Kubernetes itself: ${key}`);
  });

  test("refuses to take such a label away, whatever the kind of patch", async () => {
    const body = { metadata: { labels: { "kubernetes.io/hostname": null } } };
    const patch = aerial.request("/api/v1/nodes/node-a", { method: "PATCH", body, contentType: "application/merge-patch+json" });
    expect(await refusal(patch)).toMatch(/kubernetes\.io\/hostname$/);
  });

  test.each([
    ["another prefix", { labels: { "example.org/zigbee": "true" } }, "example.org/zigbee"],
    ["a prefix that only begins like ours", { labels: { "radio.mi.house.example.org/x": "" } }, "radio.mi.house.example.org/x"],
    ["a prefix that only ends like ours", { labels: { "notradio.mi.house/x": "" } }, "notradio.mi.house/x"],
    ["an alias that is not listed", { labels: { zigbee: "true", thread: "true" } }, "thread"],
    ["a domain that only looks like Kubernetes' own", { labels: { "notkubernetes.io/x": "" } }, "notkubernetes.io/x"],
    ["somebody else's value", { labels: { "example.com/rack": "2" } }, "example.com/rack"],
    ["somebody else's annotation", { annotations: { "example.com/note": "" } }, "example.com/note"],
  ])("refuses other people's labels: %s", async (_what, metadata, key) => {
    expect(await refusal(apply(aerial, "node-a", { metadata }))).toBe(
      `aerial may change labels and annotations of radio.mi.house and the aliases listed in the policy aerial-own-node, not ${key}`,
    );
  });

  test.each([
    ["merge", { metadata: { labels: { "example.com/rack": null } } }, "application/merge-patch+json"],
    ["JSON", [{ op: "remove", path: "/metadata/labels/example.com~1rack" }], "application/json-patch+json"],
    [
      "strategic",
      { metadata: { labels: { $patch: "replace", "kubernetes.io/hostname": "node-a" } } },
      "application/strategic-merge-patch+json",
    ],
    [
      "one that first says that the label was aerial's all along",
      {
        metadata: {
          managedFields: [
            {
              manager: "aerial",
              operation: "Apply",
              apiVersion: "v1",
              time: "2026-01-01T00:00:00Z",
              fieldsType: "FieldsV1",
              fieldsV1: { "f:metadata": { "f:labels": { "f:example.com/rack": {} } } },
            },
          ],
          labels: { "example.com/rack": null },
        },
      },
      "application/merge-patch+json",
    ],
  ])("refuses to take other people's labels away by a %s patch", async (_what, body, contentType) => {
    const patch = aerial.request("/api/v1/nodes/node-a", { method: "PATCH", body, contentType });
    expect(await refusal(patch)).toMatch(/example\.com\/rack/);
    expect((await cluster.getNode("node-a")).metadata.labels).toMatchObject({ "example.com/rack": "1" });
  });

  test.each([
    ["taints", { taints: [{ key: "radio", effect: "NoSchedule" }] }],
    ["cordon", { unschedulable: true }],
    ["provider id", { providerID: "made://up" }],
  ])("refuses a change of the spec: %s", async (_what, spec) => {
    expect(await refusal(apply(aerial, "node-a", { spec }))).toMatch(/not its spec or status$/);
  });

  test.each([
    ["finalizers", { finalizers: ["radio.mi.house/keep"] }],
    ["owners", { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }] }],
  ])("refuses a change of %s", async (_what, metadata) => {
    expect(await refusal(apply(aerial, "node-a", { metadata }))).toMatch(/not its finalizers or owners$/);
  });

  test("holds even if somebody grants aerial everything", async () => {
    await withEverything(async () => {
      const create = { method: "POST", body: { apiVersion: "v1", kind: "Node", metadata: { name: "node-c" } } };
      const status = { method: "PATCH", body: { status: { capacity: { x: "1" } } }, contentType: "application/merge-patch+json" };
      expect(await refusal(aerial.request("/api/v1/nodes", create))).toBe("aerial may only change existing nodes");
      expect(await refusal(aerial.request("/api/v1/nodes/node-a", { method: "DELETE" }))).toBe("aerial may only change existing nodes");
      expect(await refusal(aerial.request("/api/v1/nodes/node-a/status", status))).toBe("aerial may only change existing nodes");
      expect(await refusal(apply(aerial, "node-b", radio))).toMatch(/may not change node node-b$/);
    });
  });

  test("leaves everybody else alone", async () => {
    expect((await apply(cluster.api, "node-b", { metadata: { labels: { "kubernetes.io/hostname": "node-b" } } })).status).toBe(200);
  });
});
