/** Who may do what: each operation of the contract, by each way in, with each kind of token. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Entrance, entrances, type GuardedDaemon, openGuardedDaemon, tokens } from "./guarded-daemon.ts";

interface Operation {
  readonly operationId: string;
  readonly "x-aerial-role": "none" | "viewer" | "operator";
  readonly requestBody?: unknown;
}

const document = JSON.parse(readFileSync("src/api/contract/openapi.json", "utf8")) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    id: operation.operationId,
    role: operation["x-aerial-role"],
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, "nothing"),
    body: operation.requestBody === undefined ? undefined : "{}",
  })),
);

let daemon: GuardedDaemon;
beforeAll(async () => {
  daemon = await openGuardedDaemon();
  // Wrong tokens in great number lock out who was not right before.
  for (const entrance of ["plain", "tls"] as const)
    for (const token of Object.values(tokens)) await daemon.ask(entrance, { path: "/api/v1/node", token });
});
afterAll(async () => daemon?.[Symbol.asyncDispose]());

const exposed: readonly Entrance[] = ["plain", "tls"];
const wrong = "wrong-token-0123456789";
/** Who would have been let in and was told something, be it that it does not exist. */
const wasLetIn = ({ status }: Answer): boolean => ![401, 403, 421, 429].includes(status);

test("the contract says of each operation who may use it, and of no action that a viewer may", () => {
  expect(operations.length).toBeGreaterThan(20);
  for (const { role, method } of operations) {
    expect(["none", "viewer", "operator"]).toContain(role);
    if (method !== "GET") expect(role).toBe("operator");
  }
  expect(
    operations
      .filter(({ role }) => role === "none")
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual(["/healthz", "/livez", "/readyz"]);
});

describe.each(operations)("$id", ({ method, path, role, body }) => {
  const ask = (entrance: Entrance, token?: string): Promise<Answer> => daemon.ask(entrance, { method, path, token, headOnly: true, body });

  test.each(exposed)("over %s, asks for what it should", async (entrance) => {
    const without = await ask(entrance);
    const withWrong = await ask(entrance, wrong);
    const asViewer = await ask(entrance, tokens.viewer);
    if (role === "none") return expect([without, withWrong, asViewer].every(wasLetIn)).toBe(true);
    expect(without).toMatchObject({
      status: 401,
      headers: {
        "www-authenticate": 'Bearer realm="aerial"',
        "content-type": expect.stringContaining("application/problem+json") as string,
      },
    });
    expect(JSON.parse(without.body)).toMatchObject({ status: 401, code: "api.token-missing" });
    expect([401, 429]).toContain(withWrong.status);
    if (role === "operator") expect(asViewer.status).toBe(403);
    else expect(wasLetIn(asViewer)).toBe(true);
    expect(asViewer.headers["aerial-role"]).toBe(role === "operator" ? undefined : "viewer");
    const asOperator = await ask(entrance, tokens.operator);
    expect(wasLetIn(asOperator)).toBe(true);
    expect(asOperator.headers["aerial-role"]).toBe("operator");
  });

  test.each(["socket", "loopback"] as const)("over the %s, asks for nothing", async (entrance) => {
    expect(wasLetIn(await ask(entrance))).toBe(true);
  });
});

describe("what is no operation", () => {
  const paths = [
    "/nothing",
    "/api/v1",
    "/api/v1/nothing",
    "/livez/",
    "/LIVEZ",
    "//livez",
    "/livez/../api/v1/radios",
    "/livez%2f..%2fapi%2fv1%2fradios",
    "/healthz;/api/v1/radios",
    "/api/v1/radios/",
    "/api/v1//radios",
    "/API/v1/radios",
    "/.git/config",
  ];
  test.each(paths)("%s shows nothing without a token", async (path) => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const { status, body } = await daemon.ask("plain", { method, path });
      expect([method, status]).toEqual([method, 401]);
      expect(body).not.toContain("radios");
    }
  });

  test.each(["PUT", "DELETE", "PATCH", "POST", "OPTIONS", "TRACE"])("%s to what only answers GET lets nobody in", async (method) => {
    for (const path of ["/livez", "/api/v1/radios"]) {
      const { status } = await daemon.ask("plain", { method, path });
      expect(status).toBe(401);
    }
  });

  test("there it is told with a token", async () => {
    expect((await daemon.ask("plain", { path: "/api/v1/nothing", token: tokens.viewer })).status).toBe(404);
  });

  const raw = async (bytes: string): Promise<string> => {
    const { host, port } = daemon.target("plain");
    const socket = connect(Number(port), String(host));
    socket.end(bytes);
    let text = "";
    for await (const chunk of socket.setEncoding("latin1") as AsyncIterable<string>) text += chunk;
    return text;
  };
  test.each([
    [
      "a request behind one that is let in",
      "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /api/v1/radios HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
    ],
    ["HTTP/1.0", "GET /api/v1/radios HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n"],
    ["HTTP/1.0 without a host", "GET /api/v1/radios HTTP/1.0\r\n\r\n"],
    ["a whole URL", "GET http://127.0.0.1/api/v1/radios HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"],
    ["two hosts", "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\n\r\n"],
    ["a tunnel", "CONNECT 127.0.0.1:80 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"],
    ["two lengths", "POST /api/v1/rescan HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"],
    [
      "length and chunks",
      "POST /api/v1/rescan HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/radios HTTP/1.1\r\n\r\n",
    ],
    ["another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("%s gets no data", async (_what, bytes) => {
    const answer = await raw(bytes);
    expect(answer).not.toContain('"radios":');
    expect(answer).not.toContain("101 Switching");
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
    expect(statuses.filter((status) => status === "200").length).toBe(
      bytes.startsWith("GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n") ? 1 : 0,
    );
  });
});

describe("every answer", () => {
  test.each(entrances)("over %s tells browsers to do nothing with it", async (entrance) => {
    const asks = [
      { path: "/livez" },
      { path: "/api/v1/radios", token: tokens.viewer },
      { path: "/api/v1/nothing", token: tokens.viewer },
      { path: "/api/v1/radios" },
      { path: "/api/v1/watch", token: tokens.viewer, headOnly: true },
      { path: "/%", token: tokens.viewer },
      { path: "/api/v1/events/socket", headers: { connection: "upgrade", upgrade: "websocket" } },
    ];
    for (const ask of asks) {
      const { headers } = await daemon.ask(entrance, ask);
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/) as string,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": expect.stringMatching(/no-store|no-cache/) as string,
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(headers["content-security-policy"]).not.toContain("unsafe");
    }
  });

  test("HTTPS is to stay HTTPS, where the name has no port that others share", async () => {
    const at = async (host: string) =>
      (await daemon.ask("tls", { path: "/livez", headers: { host } })).headers["strict-transport-security"];
    expect(await at("test-node")).toBe("max-age=31536000");
    expect(await at("test-node:18089")).toBeUndefined();
    expect(
      (await daemon.ask("plain", { path: "/livez", headers: { host: "test-node" } })).headers["strict-transport-security"],
    ).toBeUndefined();
  });
});

test("refused and done actions are in the log, by name, and no token ever is", async () => {
  await daemon.ask("plain", { method: "POST", path: "/api/v1/rescan?secret=query", token: tokens.viewer });
  await daemon.ask("plain", { method: "POST", path: "/api/v1/rescan", token: tokens.operator });
  const lines = daemon.log();
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: "action", by: "operator", method: "POST", path: "/api/v1/rescan", client: "127.0.0.1" }),
  );
  const text = JSON.stringify(lines);
  expect(text).toContain("request refused");
  for (const secret of [...Object.values(tokens), wrong, "secret=query"]) expect(text).not.toContain(secret);
});
