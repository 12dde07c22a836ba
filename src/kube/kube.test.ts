import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeKubeconfig } from "../../test/cluster/kubeconfig.ts";
import { type Answer, type LyingServer, type Script, openLyingServer, refusal } from "../../test/cluster/lying-server.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import { inCluster } from "./connection.ts";
import { type Kube, openKube } from "./kube.ts";
import type { WatchEvent } from "./watch.ts";

const node = { kind: "Node", metadata: { name: "n1", resourceVersion: "7" } };
const signal = new AbortController().signal;

async function kubeAgainst(script: Script, clock: Clock = systemClock): Promise<{ kube: Kube; server: LyingServer }> {
  const server = await openLyingServer(script);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const kube = await openKube({ kubeconfig: server.kubeconfig, clock, log: silentLog }, signal);
  onTestFinished(() => kube[Symbol.asyncDispose]());
  return { kube, server };
}

async function refusalOf(work: Promise<unknown>): Promise<AerialError> {
  return work.then(
    () => expect.fail("was not refused"),
    (error: unknown) => {
      expect(error).toBeInstanceOf(AerialError);
      return error as AerialError;
    },
  );
}

async function collect(events: Promise<AsyncIterable<WatchEvent>>, into: WatchEvent[] = []): Promise<readonly WatchEvent[]> {
  for await (const event of await events) into.push(event);
  return into;
}

/** Time limits are over at once. */
const impatientClock: Clock = { now: () => 0, sleep: () => Promise.resolve() };

test("get gives the object and sends the credentials", async () => {
  const { kube, server } = await kubeAgainst([{ type: "reply", status: 200, body: node }]);
  expect(await kube.get("/api/v1/nodes/n1", signal)).toEqual(node);
  expect(server.requests[0]).toMatchObject({ method: "GET", url: "/api/v1/nodes/n1", headers: { authorization: "Bearer lie" } });
});

test("apply is a server-side apply with one field manager", async () => {
  const { kube, server } = await kubeAgainst([{ type: "reply", status: 200, body: node }]);
  await kube.apply({ path: "/api/v1/nodes/n1", object: { kind: "Node" }, fieldManager: "aerial", force: true }, signal);
  expect(server.requests[0]).toMatchObject({
    method: "PATCH",
    url: "/api/v1/nodes/n1?fieldManager=aerial&force=true",
    headers: { "content-type": "application/apply-patch+yaml" },
    body: '{"kind":"Node"}',
  });
});

test("create posts to the collection", async () => {
  const { kube, server } = await kubeAgainst([{ type: "reply", status: 201, body: {} }]);
  await kube.create("/apis/events.k8s.io/v1/namespaces/default/events", { kind: "Event" }, signal);
  expect(server.requests[0]).toMatchObject({ method: "POST", body: '{"kind":"Event"}', headers: { "content-type": "application/json" } });
});

test("replace puts the whole object", async () => {
  const { kube, server } = await kubeAgainst([{ type: "reply", status: 200, body: node }]);
  expect(await kube.replace("/api/v1/nodes/n1", { kind: "Node" }, signal)).toEqual(node);
  expect(server.requests[0]).toMatchObject({
    method: "PUT",
    url: "/api/v1/nodes/n1",
    body: '{"kind":"Node"}',
    headers: { "content-type": "application/json" },
  });
});

test("remove sends what must hold of the object", async () => {
  const { kube, server } = await kubeAgainst([{ type: "reply", status: 200, body: { kind: "Status" } }]);
  await kube.remove("/api/v1/namespaces/a/pods/p", { uid: "u1", gracePeriodSeconds: 0 }, signal);
  await kube.remove("/api/v1/namespaces/a/pods/p", { resourceVersion: "7" }, signal);
  expect(server.requests[0]).toMatchObject({
    method: "DELETE",
    url: "/api/v1/namespaces/a/pods/p",
    headers: { "content-type": "application/json" },
  });
  expect(server.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, preconditions: { uid: "u1" } },
    { apiVersion: "v1", kind: "DeleteOptions", preconditions: { resourceVersion: "7" } },
  ]);
});

test.for([
  [404, "NotFound", "kube.not-found"],
  [409, "Conflict", "kube.conflict"],
  [403, "Forbidden", "kube.forbidden"],
] as const)("a removal answered %i %s is %s", async ([status, reason, code]) => {
  const { kube } = await kubeAgainst([refusal(status, reason, "because")]);
  expect(await refusalOf(kube.remove("/api/v1/namespaces/a/pods/p", {}, signal))).toMatchObject({ code });
});

test("an eviction that a PodDisruptionBudget forbids is told from a server with too much to do", async () => {
  const said = "The disruption budget house needs 1 healthy pods and has 1 currently";
  const status = { kind: "Status", message: "Cannot evict pod", reason: "TooManyRequests", code: 429 };
  const answer = (causes: unknown): Answer => ({ type: "reply", status: 429, body: { ...status, details: { causes } } });
  const { kube } = await kubeAgainst([
    answer([{ reason: "Other" }, { reason: "DisruptionBudget", message: said }]),
    answer([{ reason: "DisruptionBudget", message: 7 }]),
    answer([null, 7, { reason: "UnexpectedServerResponse" }]),
    answer("none"),
    { type: "reply", status: 429, body: { ...status, details: null } },
    { type: "reply", status: 429, body: "later" },
  ]);
  const evict = () => refusalOf(kube.create("/api/v1/namespaces/a/pods/p/eviction", {}, signal));
  expect(await evict()).toMatchObject({
    code: "kube.disruption-budget",
    retryable: true,
    message: `POST /api/v1/namespaces/a/pods/p/eviction was refused for now: ${said}`,
    details: { said },
  });
  expect(await evict()).toMatchObject({ code: "kube.disruption-budget", details: { said: "a disruption budget forbids it" } });
  for (let index = 0; index < 4; index += 1) expect(await evict()).toMatchObject({ code: "kube.unreachable" });
});

test.for([
  [401, "Unauthorized", "kube.unauthorized"],
  [403, "Forbidden", "kube.forbidden"],
  [404, "NotFound", "kube.not-found"],
  [409, "AlreadyExists", "kube.conflict"],
  [410, "Expired", "kube.conflict"],
  [422, "Invalid", "kube.invalid"],
  [429, "TooManyRequests", "kube.unreachable"],
  [500, "InternalError", "kube.unreachable"],
  [302, "Found", "kube.protocol"],
] as const)("an answer of %i %s is %s", async ([status, reason, code]) => {
  const { kube } = await kubeAgainst([refusal(status, reason, "because")]);
  const error = await refusalOf(kube.get("/api/v1/nodes/n1", signal));
  expect(error).toMatchObject({ code, details: { status, reason } });
  expect(error.message).toBe(`GET /api/v1/nodes/n1 was answered ${status} ${reason}: because`);
});

test("a 403 says who may not do what, and which rule is missing", async () => {
  const said =
    'nodes "n1" is forbidden: User "system:serviceaccount:aerial:aerial" cannot patch resource "nodes" in API group "" at the cluster scope';
  const { kube } = await kubeAgainst([refusal(403, "Forbidden", said)]);
  const error = await refusalOf(kube.get("/api/v1/nodes/n1", signal));
  expect(error.details).toMatchObject({ user: "system:serviceaccount:aerial:aerial", verb: "patch", resource: "nodes", group: "" });
  expect(error.message).toContain(
    'system:serviceaccount:aerial:aerial may not patch nodes; its role lacks {apiGroups: [""], resources: ["nodes"], verbs: ["patch"]}',
  );
});

test("text of the server is made fit for one line", async () => {
  const { kube } = await kubeAgainst([refusal(500, "InternalError", `a\n\u001b[31mb${"x".repeat(5_000)}`)]);
  const { message } = await refusalOf(kube.get("/", signal));
  expect(message).not.toMatch(/\p{Cc}/u);
  expect(message.length).toBeLessThan(1_200);
});

const lies: readonly (readonly [string, Answer, string])[] = [
  ["half an answer", { type: "half", status: 200, body: node }, "kube.protocol"],
  ["half a refusal", { type: "half", status: 403, body: node }, "kube.protocol"],
  ["no JSON", { type: "reply", status: 200, body: "<html>hotel wifi</html>" }, "kube.protocol"],
  ["JSON that is no object", { type: "reply", status: 200, body: [1] }, "kube.protocol"],
  ["no HTTP", { type: "raw", bytes: "SSH-2.0-OpenSSH_9.6\r\n" }, "kube.protocol"],
  ["a body without end", { type: "reply", status: 200, body: `"${"x".repeat(5_000_000)}"` }, "kube.protocol"],
  ["a reset", { type: "reset" }, "kube.unreachable"],
  ["an HTML refusal", { type: "reply", status: 502, body: "<html>" }, "kube.unreachable"],
];

test.for(lies)("%s is reported as such", async ([, answer, code]) => {
  const { kube } = await kubeAgainst([answer]);
  expect(await refusalOf(kube.get("/api/v1/nodes/n1", signal))).toMatchObject({ code });
});

test("a server that never answers runs into the deadline", async () => {
  const { kube } = await kubeAgainst([{ type: "silence" }], impatientClock);
  expect(await refusalOf(kube.get("/api/v1/nodes/n1", signal))).toMatchObject({ code: "kube.unreachable" });
});

test("a body that drips runs into the deadline too", async () => {
  const clock: Clock = { now: () => 0, sleep: (_milliseconds, stopped) => systemClock.sleep(100, stopped) };
  const { kube } = await kubeAgainst([{ type: "drip", status: 200, pieces: ["{", '"a"'], everyMs: 20, open: true }], clock);
  expect(await refusalOf(kube.get("/api/v1/nodes/n1", signal))).toMatchObject({ code: "kube.unreachable" });
});

test("nobody listening is unreachable", async () => {
  const { url, ...server } = await openLyingServer([{ type: "silence" }]);
  await server[Symbol.asyncDispose]();
  const directory = await mkdtemp(join(tmpdir(), "aerial-kube-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const kubeconfig = await writeKubeconfig(join(directory, "kubeconfig"), { server: url });
  await using kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal);
  expect(await refusalOf(kube.get("/", signal))).toMatchObject({
    code: "kube.unreachable",
    message: expect.stringContaining(url) as string,
  });
});

test.for([
  ["a key that is none", { server: "https://127.0.0.1:1", client: { certificate: "x", key: "y" } }],
  ["a token with a line break", { server: "http://127.0.0.1:1", token: "a\nb" }],
] as const)("%s is a configuration error", async ([, contents]) => {
  const directory = await mkdtemp(join(tmpdir(), "aerial-kube-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const kubeconfig = await writeKubeconfig(join(directory, "kubeconfig"), contents);
  await using kube = await openKube({ kubeconfig, clock: systemClock, log: silentLog }, signal);
  expect(await refusalOf(kube.get("/", signal))).toMatchObject({ code: "kube.config" });
});

test("aborting ends a request with the caller's reason", async () => {
  const { kube, server } = await kubeAgainst([{ type: "silence" }]);
  const controller = new AbortController();
  const asked = kube.get("/", controller.signal);
  await expect.poll(() => server.requests.length).toBe(1);
  controller.abort(new AerialError("internal.abort", "enough"));
  await expect(asked).rejects.toMatchObject({ code: "internal.abort" });
});

test("a kept connection that the server has closed meanwhile is replaced without a word", async () => {
  const { kube, server } = await kubeAgainst((_request, index) =>
    index === 1 ? { type: "reset" } : { type: "reply", status: 200, body: node },
  );
  await kube.get("/a", signal);
  await kube.get("/b", signal);
  expect(server.requests.map(({ url }) => url)).toEqual(["/a", "/b", "/b"]);
});

const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

test("watch yields events, however they are cut, and ends with the stream", async () => {
  const whole = line("ADDED", { a: "ü" }) + line("BOOKMARK", { b: 1 });
  const bytes = Buffer.from(whole);
  const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
  const { kube, server } = await kubeAgainst([{ type: "drip", status: 200, pieces, everyMs: 0 }]);
  const events = await collect(kube.watch("/api/v1/nodes", { fieldSelector: "metadata.name=n1", resourceVersion: "7" }, signal));
  expect(events).toEqual([
    { type: "ADDED", object: { a: "ü" } },
    { type: "BOOKMARK", object: { b: 1 } },
  ]);
  const query = new URL(server.requests[0]!.url, server.url).searchParams;
  expect(Object.fromEntries(query)).toMatchObject({
    watch: "true",
    allowWatchBookmarks: "true",
    fieldSelector: "metadata.name=n1",
    resourceVersion: "7",
  });
});

test.for([
  ["an ERROR event of 410", [line("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old" })], "kube.conflict"],
  ["an ERROR event without a code", [line("ERROR", {})], "kube.unreachable"],
  ["an unknown event", [line("SURPRISE", {})], "kube.protocol"],
  ["an event without object", ['{"type":"ADDED"}\n'], "kube.protocol"],
  ["garbage", ["not json\n"], "kube.protocol"],
  ["a stream that ends within a line", ['{"type":"ADD'], "kube.protocol"],
  ["a line without end", Array.from({ length: 6 }, () => "x".repeat(1_000_000)), "kube.protocol"],
] as const)("watch: %s throws", async ([, pieces, code]) => {
  const { kube } = await kubeAgainst([{ type: "drip", status: 200, pieces, everyMs: 0 }]);
  expect(await refusalOf(collect(kube.watch("/api/v1/nodes", {}, signal)))).toMatchObject({ code });
});

test("watch: events before a broken one are yielded, and aborting ends the wait", async () => {
  const { kube } = await kubeAgainst([{ type: "drip", status: 200, pieces: [line("ADDED", {})], everyMs: 0, open: true }]);
  const controller = new AbortController();
  const events: WatchEvent[] = [];
  const watching = collect(kube.watch("/api/v1/nodes", {}, controller.signal), events);
  await expect.poll(() => events.length).toBe(1);
  controller.abort(new AerialError("internal.abort", "enough"));
  await expect(watching).rejects.toMatchObject({ code: "internal.abort" });
});

test("the pod's own account is used without a kubeconfig, and read anew for each request", async () => {
  const directory = await mkdtemp(join(tmpdir(), "aerial-kube-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  const open = (environment: Readonly<Record<string, string>>): Promise<Kube> =>
    openKube({ environment, serviceAccountDirectory: directory, clock: systemClock, log: silentLog }, signal);
  expect((await refusalOf(open({}))).message).toBe("no cluster is configured, and this is no pod");
  expect((await refusalOf(open(environment))).message).toBe(`cannot read the service account in ${directory}`);

  const source = inCluster({ host: "fd00::1", port: "6443", directory });
  await writeFile(join(directory, "ca.crt"), "CA");
  await writeFile(join(directory, "token"), "first\n");
  expect(await source.read()).toEqual({ server: "https://[fd00::1]:6443", tls: { ca: "CA" }, headers: { authorization: "Bearer first" } });
  await writeFile(join(directory, "token"), "second\n");
  expect((await source.read()).headers).toEqual({ authorization: "Bearer second" });
  await using kube = await open(environment);
  expect(kube).toBeDefined();
});
