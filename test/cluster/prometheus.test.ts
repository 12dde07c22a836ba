/** daemonset/components/prometheus: what the operator is given, and that its account may scrape and nothing else. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "../../src/config/load-config.ts";
import type { ApiObject } from "./api-client.ts";
import { openCluster, type Cluster } from "./cluster.ts";
import { basePath } from "./install-base.ts";

const components = join(basePath, "../components");

let cluster: Cluster;
let objects: readonly ApiObject[];

beforeAll(async () => {
  cluster = await openCluster();
  const directory = join(cluster.directory, "overlay");
  await mkdir(directory);
  const from = (path: string): string => relative(directory, path);
  const overlay = {
    resources: [from(basePath)],
    components: ["kubernetes-tokens", "prometheus"].map((name) => from(join(components, name))),
  };
  await writeFile(join(directory, "kustomization.yaml"), JSON.stringify(overlay));
  const manifests = await cluster.kubectl(["kustomize", "--load-restrictor=LoadRestrictionsNone", directory]);
  objects = parseAllDocuments(manifests).map((document) => document.toJS() as ApiObject);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

function find(kind: string, name: string): ApiObject {
  const object = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (object === undefined) throw new Error(`no ${kind} ${name}`);
  return object;
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly hostPort: number }[];
}

test("the DaemonSet exposes what the PodMonitor scrapes, with tokens of the cluster", () => {
  const { template } = find("DaemonSet", "aerial")["spec"] as {
    readonly template: { readonly spec: { readonly containers: readonly [Container] } };
  };
  const [{ env, ports }] = template.spec.containers;
  const environment = Object.fromEntries(env.map(({ name, value = "node-a" }) => [name, value]));
  const { config } = loadConfig({ machine: { environment, hostname: "pod", home: "/root", isRoot: true, canWrite: () => true } });
  expect(config.api.kubernetesTokens.enabled).toBe(true);
  const { podMetricsEndpoints } = find("PodMonitor", "aerial")["spec"] as {
    readonly podMetricsEndpoints: readonly [
      { readonly port: string; readonly authorization: { readonly credentials: { readonly name: string } } },
    ];
  };
  const [{ port, authorization }] = podMetricsEndpoints;
  const declared = ports.find(({ name }) => name === port);
  expect(config.api.listen).toMatchObject([{ address: "0.0.0.0", port: declared?.containerPort }]);
  expect(declared?.hostPort).toBe(declared?.containerPort);
  expect(find("Secret", authorization.credentials.name)).toMatchObject({ type: "kubernetes.io/service-account-token" });
});

test("its rules are those of config/prometheus", async () => {
  const rules: unknown = parse(await readFile(join(basePath, "../../config/prometheus/aerial-alerts.yaml"), "utf8"));
  expect(find("PrometheusRule", "aerial")["spec"]).toEqual(rules);
});

test("its account is a viewer of aerial and has no other right in the cluster", async () => {
  // The operator's own kinds are none that this API server knows.
  const known = objects.filter(({ apiVersion = "" }) => !apiVersion.startsWith("monitoring.coreos.com/"));
  await cluster.kubectl(["apply", "-f", "-"], { stdin: known.map((object) => JSON.stringify(object)).join("\n---\n") });
  const can = async (verb: string, resource: string, group = ""): Promise<boolean> => {
    const user = "system:serviceaccount:aerial:aerial-metrics";
    const body = { spec: { user, groups: ["system:serviceaccounts"], resourceAttributes: { verb, resource, group, namespace: "aerial" } } };
    const review = await cluster.api.fetch<{ status: { allowed: boolean } }>("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      method: "POST",
      body,
    });
    return review.status.allowed;
  };
  // The authorizer learns of bindings a moment later.
  await expect.poll(() => can("get", "radios", "radio.mi.house"), { timeout: 10_000 }).toBe(true);
  const others = [can("update", "radios", "radio.mi.house"), can("get", "nodes"), can("get", "secrets"), can("list", "pods")];
  expect(await Promise.all(others)).toEqual([false, false, false, false]);
});
