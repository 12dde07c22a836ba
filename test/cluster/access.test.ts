/** Tokens of the cluster at aerial's API: asked of a real API server, by the account of daemonset/base and its component. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GuardedDaemon, openGuardedDaemon, tokens, until } from "../api/guarded-daemon.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { aerialAccount, aerialUser, basePath, installBase } from "./install-base.ts";

const audience = "aerial";
const accounts = { viewer: "aerial-radio-viewer", operator: "aerial-radio-operator", nobody: undefined } as const;
type Account = keyof typeof accounts;

let cluster: Cluster;
let daemon: GuardedDaemon;
beforeAll(async () => {
  cluster = await openCluster();
  await installBase(cluster);
  await cluster.createNode("node-a");
  await cluster.kubectl(["create", "namespace", "house"]);
  for (const name of Object.keys(accounts)) await cluster.kubectl(["create", "serviceaccount", name, "-n", "house"]);
  const kubeconfig = await cluster.serviceAccountKubeconfig({ ...aerialAccount, node: "node-a" });
  const kubernetes = { enabled: true, kubeconfig };
  daemon = await openGuardedDaemon(
    { kubernetesTokens: { enabled: true, audiences: [audience] } },
    { kubernetes, node: { name: "node-a" } },
  );
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** As a pod gets one from a projected volume. */
async function tokenOf(account: Account, audiences: readonly string[] = [audience]): Promise<string> {
  const path = `/api/v1/namespaces/house/serviceaccounts/${account}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences, expirationSeconds: 600 } };
  return (await cluster.api.fetch<{ status: { token: string } }>(path, { method: "POST", body })).status.token;
}

/** The same token with other claims, signed anew. */
function signedAnew(token: string, changes: object, key: KeyObject): string {
  const [head = "", payload = ""] = token.split(".");
  const claims = { ...(JSON.parse(Buffer.from(payload, "base64url").toString()) as object), ...changes };
  const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
const serverKey = (): KeyObject => createPrivateKey(readFileSync(join(cluster.directory, "service-accounts.key")));

/** Status of looking and of acting. */
async function rights(token: string): Promise<readonly [looks: number, acts: number]> {
  const look = await daemon.ask("tls", { path: "/api/v1/radios", token, localAddress: nextAddress() });
  const act = await daemon.ask("tls", { method: "POST", path: "/api/v1/rescan", token, localAddress: nextAddress() });
  return [look.status, act.status];
}
/** Wrong tokens are counted to whoever sends them: here always somebody else. */
let addresses = 0;
const nextAddress = (): string => `127.1.${Math.floor((addresses += 1) / 250)}.${1 + (addresses % 250)}`;

const conditions = async (): Promise<string> => (await daemon.ask("loopback", { path: "/api/v1/conditions" })).body;

describe("without the component", () => {
  test("aerial may not ask, lets nobody in, and says what to apply", async () => {
    expect(await rights(await tokenOf("operator"))).toEqual([503, 503]);
    expect(await conditions()).toContain("daemonset/components/kubernetes-tokens");
    expect((await daemon.ask("tls", { path: "/api/v1/radios", token: tokens.viewer })).status).toBe(200);
  });
});

describe("with the component", () => {
  beforeAll(async () => {
    // As people use it: in an overlay of their own.
    const overlay = mkdtempSync(join(tmpdir(), "aerial-overlay-"));
    const from = (path: string): string => relative(overlay, join(basePath, path));
    writeFileSync(
      join(overlay, "kustomization.yaml"),
      JSON.stringify({ resources: [from(".")], components: [from("../components/kubernetes-tokens")] }),
    );
    await cluster.kubectl(["apply", "-k", overlay]);
    rmSync(overlay, { recursive: true });
    for (const [account, role] of Object.entries(accounts)) {
      if (role === undefined) continue;
      await cluster.kubectl([
        "create",
        "clusterrolebinding",
        `house-${account}`,
        `--clusterrole=${role}`,
        `--serviceaccount=house:${account}`,
      ]);
    }
    // The authorizer learns of bindings a moment later.
    const isLetIn = async () => ((await rights(await tokenOf("operator"))).every((status) => status < 300) ? true : undefined);
    await until(isLetIn, () => "the operator is not let in");
  });

  test("the DaemonSet takes them, and aerial's rights are those and no more", async () => {
    const { spec } = await cluster.api.fetch<{ spec: { template: { spec: { containers: [{ env: object[] }] } } } } & Record<string, never>>(
      "/apis/apps/v1/namespaces/aerial/daemonsets/aerial",
    );
    expect(spec.template.spec.containers[0].env).toContainEqual({ name: "AERIAL__API__KUBERNETES_TOKENS__ENABLED", value: "true" });
    const mayOf = async (user: string): Promise<string[]> =>
      (await cluster.kubectl(["auth", "can-i", "--list", "--no-headers", `--as=${user}`, "--namespace=house"]))
        .trim()
        .split("\n")
        .map((row) => row.trim().replaceAll(/\s+/g, " "));
    const everybody = new Set(await mayOf("system:serviceaccount:aerial:nobody"));
    expect((await mayOf(aerialUser)).filter((row) => !everybody.has(row) && row.includes("review")).toSorted()).toEqual([
      "subjectaccessreviews.authorization.k8s.io [] [] [create]",
      "tokenreviews.authentication.k8s.io [] [] [create]",
    ]);
  });

  test.each([
    ["viewer", 200, 403],
    ["operator", 200, 200],
    ["nobody", 403, 403],
  ] as const)("the %s's token", async (account, looks, acts) => {
    const [look, act] = await rights(await tokenOf(account));
    expect([look, act < 300 ? 200 : act]).toEqual([looks, acts]);
  });

  test("the log names who acted as the cluster does", async () => {
    await rights(await tokenOf("operator"));
    expect(daemon.log()).toContainEqual(expect.objectContaining({ msg: "action", by: "system:serviceaccount:house:operator" }));
  });

  test("tokens for others, of the past, of somebody else's making, and no tokens at all", async () => {
    const good = await tokenOf("operator");
    const past = Math.floor(Date.now() / 1_000) - 60;
    const foreignKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const attempts = {
      "for the API server": await tokenOf("operator", ["https://kubernetes.default.svc"]),
      "for somebody else": await tokenOf("operator", ["somebody-else"]),
      expired: signedAnew(good, { iat: past - 600, nbf: past - 600, exp: past }, serverKey()),
      "of another key": signedAnew(good, {}, foreignKey),
      "cut short": good.slice(0, -8),
      unsigned: `${good.split(".").slice(0, 2).join(".")}.`,
      nonsense: "x".repeat(3_000),
    };
    // What is made by this test is taken if it is right: the refusals above are for the reason they name.
    expect((await rights(signedAnew(good, {}, serverKey())))[0]).toBe(200);
    for (const [what, token] of Object.entries(attempts)) expect([what, ...(await rights(token))]).toEqual([what, 401, 401]);
  });

  test("an account that is gone is let in no more, a minute later at the latest", async () => {
    await cluster.kubectl(["create", "serviceaccount", "guest", "-n", "house"]);
    await cluster.kubectl([
      "create",
      "clusterrolebinding",
      "house-guest",
      "--clusterrole=aerial-radio-viewer",
      "--serviceaccount=house:guest",
    ]);
    const token = await tokenOf("guest" as Account);
    await until(
      async () => ((await rights(token))[0] === 200 ? true : undefined),
      () => "the guest is not let in",
    );
    const before = (await cluster.requestsBy(aerialUser)).length;
    for (let index = 0; index < 20; index += 1) expect((await rights(token))[0]).toBe(200);
    const asked = (await cluster.requestsBy(aerialUser)).slice(before).filter(({ resource }) => resource === "tokenreviews");
    expect(asked).toEqual([]);
    await cluster.kubectl(["delete", "serviceaccount", "guest", "-n", "house"]);
    const deadline = performance.now() + 90_000;
    while ((await rights(token))[0] !== 401 && performance.now() < deadline) await sleep(1_000);
    expect(await rights(token)).toEqual([401, 401]);
  }, 150_000);

  test("while the API server is away nobody new is let in; who was is, and tokens of files are", async () => {
    const known = await tokenOf("viewer");
    expect((await rights(known))[0]).toBe(200);
    const fresh = await tokenOf("operator");
    await cluster.stop();
    expect(await rights(fresh)).toEqual([503, 503]);
    expect((await rights(known))[0]).toBe(200);
    expect((await daemon.ask("tls", { path: "/api/v1/radios", token: tokens.viewer })).status).toBe(200);
    expect(await conditions()).toContain("Tokens of the cluster cannot be checked");
    await cluster.start();
    await until(
      async () => ((await rights(fresh))[0] === 200 ? true : undefined),
      () => "the operator is not let in again",
    );
    expect(await conditions()).not.toContain("Tokens of the cluster cannot be checked");
  });
});
