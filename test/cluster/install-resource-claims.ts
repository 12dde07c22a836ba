/** daemonset/base with the component resource-claims, as people install it: in an overlay of their own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "./api-client.ts";
import type { Cluster } from "./cluster.ts";
import { aerialAccount, basePath, installBase } from "./install-base.ts";

const componentPath = join(basePath, "../components/resource-claims");

const deadlineMs = 20_000;

/** Applies both and waits until rights and admission policy are in force, which the API server takes up a moment later. */
export async function installResourceClaims(cluster: Cluster): Promise<void> {
  await installBase(cluster);
  const overlay = await mkdtemp(join(tmpdir(), "aerial-overlay-"));
  const from = (path: string): string => relative(overlay, path);
  await writeFile(join(overlay, "kustomization.yaml"), JSON.stringify({ resources: [from(basePath)], components: [from(componentPath)] }));
  await cluster.kubectl(["apply", "-k", overlay]);
  await rm(overlay, { recursive: true });
  const visitor = cluster.clientFor(await cluster.serviceAccountToken(aerialAccount));
  const pool = { name: "nowhere", generation: 1, resourceSliceCount: 1 };
  const body = { metadata: { name: "aerial-policy-check" }, spec: { driver: "radio.mi.house", nodeName: "nowhere", pool } };
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const path = "/apis/resource.k8s.io/v1/resourceslices?dryRun=All";
    const response = await visitor.request(path, { method: "POST", body });
    const said = messageOf(response.body);
    if (response.status === 403 && said.includes("names no node")) return;
    if (Date.now() > deadline) throw new Error(`the admission policy of ${componentPath} is not in force: ${response.status} ${said}`);
    await sleep(50);
  }
}
