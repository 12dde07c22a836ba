import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { fromKubeconfig } from "./kubeconfig.ts";

interface Entries {
  readonly cluster?: object;
  readonly user?: object;
}

async function directoryFor(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-kubeconfig-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

function document({ cluster = {}, user = {} }: Entries): string {
  return stringify({
    "current-context": "here",
    contexts: [
      { name: "here", context: { cluster: "c", user: "u" } },
      { name: "elsewhere", context: { cluster: "gone", user: "u" } },
    ],
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443/", ...cluster } }],
    users: [{ name: "u", user }],
  });
}

async function sourceFor(entries: Entries, context?: string): Promise<ReturnType<typeof fromKubeconfig>> {
  const path = join(await directoryFor(), "config");
  await writeFile(path, document(entries));
  return fromKubeconfig({ path, context });
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("inline certificates and a token", async () => {
  const source = await sourceFor({
    cluster: { "certificate-authority-data": base64("CA"), "tls-server-name": "kube" },
    user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY"), token: "T", as: "someone" },
  });
  expect(await source.read()).toEqual({
    server: "https://10.0.0.1:6443",
    tls: { ca: "CA", cert: "CERT", key: "KEY", servername: "kube" },
    headers: { authorization: "Bearer T", "impersonate-user": "someone" },
  });
});

test("files are found beside the kubeconfig and read again each time", async () => {
  const directory = await directoryFor();
  const path = join(directory, "config");
  await writeFile(path, document({ cluster: { "certificate-authority": "ca.pem" }, user: { tokenFile: "token" } }));
  await writeFile(join(directory, "ca.pem"), "CA");
  await writeFile(join(directory, "token"), "first\n");
  const source = fromKubeconfig({ path });
  expect(await source.read()).toMatchObject({ tls: { ca: "CA" }, headers: { authorization: "Bearer first" } });
  await writeFile(join(directory, "token"), "second\n");
  expect((await source.read()).headers).toEqual({ authorization: "Bearer second" });
  await writeFile(path, document({ user: { token: "third" } }));
  expect((await source.read()).headers).toEqual({ authorization: "Bearer third" });
});

test("a credential plugin is told about the cluster, runs once and again when its credentials were refused", async () => {
  const directory = await directoryFor();
  const plugin = join(directory, "plugin");
  const runs = join(directory, "runs");
  await writeFile(
    plugin,
    `#!/bin/sh\necho run >> ${runs}\nn=$(wc -l < ${runs})\ncase "$KUBERNETES_EXEC_INFO" in *10.0.0.1*) ;; *) exit 3 ;; esac\n` +
      `echo '{"status":{"token":"T'$n'","expirationTimestamp":"2999-01-01T00:00:00Z"}}'\n`,
  );
  await chmod(plugin, 0o755);
  const source = await sourceFor({ user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: plugin } } });
  const token = async (): Promise<string | undefined> => (await source.read()).headers["authorization"];
  expect(await Promise.all([token(), token()])).toEqual(["Bearer T1", "Bearer T1"]);
  expect(await token()).toBe("Bearer T1");
  source.forget();
  expect(await token()).toBe("Bearer T2");
});

test.for<readonly [string, Entries, string | undefined, RegExp]>([
  ["an unknown context", {}, "nope", /no context "nope"/],
  ["a context without its cluster", {}, "elsewhere", /no cluster "gone"/],
  ["a cluster without server", { cluster: { server: "" } }, undefined, /server is missing/],
  ["an impossible server", { cluster: { server: "::" } }, undefined, /no usable server/],
  ["a proxy", { cluster: { "proxy-url": "socks5://x" } }, undefined, /proxy-url/],
  ["an auth provider", { user: { "auth-provider": { name: "gcp" } } }, undefined, /auth-provider/],
  ["a password", { user: { username: "a", password: "b" } }, undefined, /username/],
  ["a missing token file", { user: { tokenFile: "/nowhere/token" } }, undefined, /token \/nowhere\/token/],
  ["a failing plugin", { user: { exec: { command: "/nowhere/plugin" } } }, undefined, /plugin \/nowhere\/plugin failed/],
])("%s is a configuration error that says so", async ([, entries, context, message]) => {
  const source = await sourceFor(entries, context);
  await expect(source.read()).rejects.toMatchObject({ code: "kube.config", message: expect.stringMatching(message) as string });
});

test.for(["", "just text", "- a\n- b", "a: [", "contexts: 3", "contexts: [{}]"])("%j is no kubeconfig", async (text) => {
  const path = join(await directoryFor(), "config");
  await writeFile(path, text);
  await expect(fromKubeconfig({ path }).read()).rejects.toMatchObject({ code: "kube.config" });
  await expect(fromKubeconfig({ path: `${path}-not` }).read()).rejects.toMatchObject({ code: "kube.config" });
});
