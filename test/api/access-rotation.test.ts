/** Certificates and tokens that change while the daemon runs; limits of rate. */
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { RequestOptions } from "node:http";
import { join } from "node:path";
import { type ConnectionOptions, connect, type DetailedPeerCertificate } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type GuardedDaemon, openGuardedDaemon, tokens, until } from "./guarded-daemon.ts";

async function open(api: object = {}): Promise<GuardedDaemon> {
  const daemon = await openGuardedDaemon(api);
  onTestFinished(() => daemon[Symbol.asyncDispose]());
  return daemon;
}

/** What a handshake comes to: the certificate's name and the protocol, or why there is none. */
function handshake({ host, port }: RequestOptions, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: String(host), port: Number(port), rejectUnauthorized: false, ...options }, () => {
      const { subject } = socket.getPeerCertificate() as DetailedPeerCertificate;
      resolve(`${String(subject.CN)} ${socket.getProtocol()}`);
      socket.destroy();
    });
    socket.on("error", ({ message }) => resolve(message));
  });
}

const conditions = (daemon: GuardedDaemon): readonly string[] =>
  daemon.log().flatMap(({ msg, text }) => (msg === "condition" ? [String(text)] : []));

test("TLS 1.2 and 1.3 are spoken, older ones are not; what is no TLS is closed", async () => {
  const daemon = await open();
  const target = daemon.target("tls");
  expect(await handshake(target)).toBe("api TLSv1.3");
  expect(await handshake(target, { maxVersion: "TLSv1.2" })).toBe("api TLSv1.2");
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  expect(await handshake(target, old)).toMatch(/alert protocol version|unsupported protocol/);
  const { host, port } = target;
  expect(await daemon.ask("tls", { path: "/livez" })).toMatchObject({ status: 200 });
  await expect(fetch(`http://${host}:${port}/livez`)).rejects.toThrow("fetch failed");
});

test("a renewed certificate is shown to the next who comes, and one without its key never", async () => {
  const daemon = await open();
  const target = daemon.target("tls");
  const { directory, authority } = daemon;
  // A kept connection is not touched by it.
  const { status } = await daemon.ask("tls", { path: "/livez" });
  expect(status).toBe(200);
  const renewed = await authority.issue("renewed", { commonName: "renewed", alternativeNames: ["IP:127.0.0.1"] });
  // Half of it is there: the new certificate, and still the old key.
  copyFileSync(renewed.certificateFile, join(directory, "api.crt"));
  await sleep(1_100);
  expect(await handshake(target)).toBe("api TLSv1.3");
  await until(
    () => conditions(daemon).find((text) => text.includes("is not renewed")),
    () => JSON.stringify(daemon.log()),
  );
  copyFileSync(renewed.keyFile, join(directory, "api.key"));
  await sleep(1_100);
  expect(await handshake(target)).toBe("renewed TLSv1.3");
  expect(await handshake(target, { maxVersion: "TLSv1.2" })).toBe("renewed TLSv1.2");
  expect(daemon.log()).toContainEqual(expect.objectContaining({ msg: "certificate has changed" }));
  await until(
    () => daemon.log().find(({ msg, code }) => msg === "condition is over" && String(code).startsWith("api.tls.")),
    () => "over",
  );
});

test("a certificate that is not there yet is waited for; the rest is up meanwhile", async () => {
  const daemon = await open({
    listen: [
      { address: "127.0.0.1", port: 0 },
      { address: "127.0.0.1", port: 0, tls: { certificate: "/nowhere/tls.crt", key: "/nowhere/tls.key" } },
    ],
  });
  expect(await daemon.ask("plain", { path: "/livez" })).toMatchObject({ status: 200 });
  expect(await daemon.ask("loopback", { path: "/api/v1/conditions" })).toMatchObject({
    body: expect.stringContaining("cannot read /nowhere/tls.crt: ENOENT") as string,
  });
});

test("a token that is rotated as the kubelet does it: the new one is let in within a second or two, the old one no more", async () => {
  const daemon = await open();
  const volume = join(daemon.directory, "secret");
  const put = (name: string, token: string): void => {
    mkdirSync(join(volume, name), { recursive: true });
    writeFileSync(join(volume, name, "token"), token);
    symlinkSync(name, join(volume, "..data_tmp"));
    renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  };
  put("..1", "first-token-0123456789");
  symlinkSync("..data/token", join(volume, "token"));
  const file = join(daemon.directory, "viewer");
  const link = `${file}.link`;
  symlinkSync(join(volume, "token"), link);
  renameSync(link, file);
  const status = async (token: string): Promise<number> => (await daemon.ask("plain", { path: "/api/v1/node", token })).status;
  const isLetIn = (token: string) => async () => ((await status(token)) === 200 ? true : undefined);
  await sleep(1_100);
  expect(await status("first-token-0123456789")).toBe(200);
  expect(await status(tokens.viewer)).toBe(401);
  put("..2", "second-token-012345678");
  await sleep(1_100);
  await until(isLetIn("second-token-012345678"), () => "the second token");
  expect(await status("first-token-0123456789")).toBe(401);
  expect(await status(tokens.operator)).toBe(200);
  rmSync(join(volume, "token"));
  await sleep(1_100);
  expect(await status("second-token-012345678")).toBe(401);
  await until(
    () => conditions(daemon).find((text) => text.includes("The token of viewer is not accepted")),
    () => "a condition",
  );
});

test("a stream ends with its token, over either transport, and others go on", async () => {
  const daemon = await open();
  const target = daemon.target("plain");
  const base = `${String(target.host)}:${String(target.port)}`;
  const connectAs = (token: string) => fetch(`http://${base}/api/v1/events/stream`, { headers: { authorization: `Bearer ${token}` } });
  const ended: string[] = [];
  const follow = async (name: string, token: string): Promise<void> => {
    const { body } = await connectAs(token);
    const reader = body!.getReader();
    await reader.read();
    void (async () => {
      while (!(await reader.read()).done);
    })()
      .catch(() => {})
      .finally(() => ended.push(name));
  };
  await follow("viewer", tokens.viewer);
  await follow("operator", tokens.operator);
  const socket = new WebSocket(`ws://${base}/api/v1/events/socket?after=now`, {
    headers: { authorization: `Bearer ${tokens.viewer}` },
  });
  await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
  socket.addEventListener("close", () => ended.push("socket"));
  rmSync(join(daemon.directory, "viewer"));
  await until(
    () => (ended.length >= 2 ? true : undefined),
    () => `only ${ended.join()}`,
  );
  await sleep(11_000);
  expect(ended.toSorted()).toEqual(["socket", "viewer"]);
  socket.close();
});

test("who asks too often is told when to come again; probes, other addresses and the node itself are not held up", async () => {
  const daemon = await open({ requestsPerSecond: 5 });
  const ask = (localAddress: string, path = "/api/v1/node") => daemon.ask("plain", { path, token: tokens.viewer, localAddress });
  const answers = [];
  for (let index = 0; index < 10; index += 1) answers.push(await ask("127.0.0.2"));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  // Connections are counted too: whoever comes back all the time is not even heard.
  const more = await Promise.allSettled(Array.from({ length: 40 }, () => ask("127.0.0.2")));
  const heard = more.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(heard.filter(({ status }) => status === 200).length).toBeLessThan(15);
  expect((await ask("127.0.0.3")).status).toBe(200);
  expect((await ask("127.0.0.3", "/livez")).status).toBe(200);
  for (let index = 0; index < 50; index += 1) expect((await daemon.ask("loopback", { path: "/livez" })).status).toBe(200);
});

test("a client that keeps its connection is told 429 and Retry-After", async () => {
  const daemon = await open({ requestsPerSecond: 5 });
  const { host, port } = daemon.target("plain");
  // fetch keeps connections.
  const ask = async () => {
    const response = await fetch(`http://${host}:${port}/api/v1/node`, { headers: { authorization: `Bearer ${tokens.viewer}` } });
    const body = (await response.json()) as { readonly code?: string };
    return { status: response.status, retryAfter: response.headers.get("retry-after"), code: body.code };
  };
  const answers = [];
  for (let index = 0; index < 30; index += 1) answers.push(await ask());
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(limited[0]).toEqual({ status: 429, retryAfter: "1", code: "api.too-often" });
});

test("tokens are guessed at ten times, then no more", async () => {
  const daemon = await open();
  const guess = async (token: string): Promise<number> => (await daemon.ask("plain", { path: "/api/v1/node", token })).status;
  const statuses = [];
  for (let index = 0; index < 20; index += 1) statuses.push(await guess(`guess-${index}-0123456789abc`));
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(12);
  expect(statuses.at(-1)).toBe(429);
  expect(await guess(tokens.operator)).toBe(429);
  expect((await daemon.ask("plain", { path: "/api/v1/node", token: tokens.operator, localAddress: "127.0.0.9" })).status).toBe(200);
});
