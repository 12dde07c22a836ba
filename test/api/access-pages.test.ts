/** What pages of other sites try, as browsers send it: nothing of it may come through, by any way in. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ask, type Entrance, type GuardedDaemon, openGuardedDaemon, tokens } from "./guarded-daemon.ts";

let daemon: GuardedDaemon;
beforeAll(async () => {
  daemon = await openGuardedDaemon({ cors: ["https://house.example.org"] });
});
afterAll(async () => daemon?.[Symbol.asyncDispose]());

const evil = "https://evil.example";
/** Where somebody who sits at the machine is let in without a token: the places that a page could abuse. */
const open: readonly Entrance[] = ["socket", "loopback"];
const crossSite = { "sec-fetch-site": "cross-site" };
const websocket = () => ({
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": randomBytes(16).toString("base64"),
});
const hostOf = (entrance: Entrance): string => {
  const { host = "localhost", port = 80 } = daemon.target(entrance);
  return `${host}:${port}`;
};

const attempts: readonly (readonly [what: string, ask: Ask])[] = [
  ["fetch of JSON", { path: "/api/v1/radios", headers: { origin: evil, ...crossSite, "sec-fetch-mode": "cors" } }],
  ["fetch that acts", { method: "POST", path: "/api/v1/rescan", headers: { origin: evil, ...crossSite, "sec-fetch-mode": "cors" } }],
  ["fetch that acts, with JSON", { method: "POST", path: "/api/v1/rescan", body: "{}", headers: { origin: evil } }],
  [
    "question before a fetch",
    { method: "OPTIONS", path: "/api/v1/rescan", headers: { origin: evil, "access-control-request-method": "POST" } },
  ],
  ["form", { method: "POST", path: "/api/v1/rescan", headers: { origin: evil, "content-type": "application/x-www-form-urlencoded" } }],
  ["form of text", { method: "POST", path: "/api/v1/rescan", headers: { origin: evil, "content-type": "text/plain" } }],
  ["form of a sandboxed frame", { method: "POST", path: "/api/v1/rescan", headers: { origin: "null" } }],
  [
    "form, of a browser that leaves Origin out",
    { method: "POST", path: "/api/v1/rescan", headers: { ...crossSite, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" } },
  ],
  ["beacon", { method: "POST", path: "/api/v1/rescan", headers: { origin: evil, "content-type": "text/plain;charset=UTF-8" } }],
  ["script", { path: "/api/v1/radios", headers: { ...crossSite, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" } }],
  ["image", { path: "/api/v1/radios", headers: { ...crossSite, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" } }],
  ["frame", { path: "/docs", headers: { ...crossSite, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" } }],
  ["stream of events", { path: "/api/v1/events/stream", headOnly: true, headers: { origin: evil, accept: "text/event-stream" } }],
  ["WebSocket", { path: "/api/v1/events/socket?after=now", headOnly: true, headers: { origin: evil, ...websocket() } }],
  [
    "WebSocket of another port of this machine",
    { path: "/api/v1/events/socket?after=now", headOnly: true, headers: { origin: "http://localhost:3000", ...websocket() } },
  ],
  [
    "page of another port of this machine",
    { path: "/api/v1/radios", headers: { origin: "http://localhost:3000", "sec-fetch-site": "same-site" } },
  ],
];

describe.each([...open, "plain"] as const)("over the %s, another site's", (entrance) => {
  test.each(attempts)("%s", async (_what, ask) => {
    // On an exposed listener the page would also have to know a token; here it does.
    const answer = await daemon.ask(entrance, { ...ask, ...(entrance === "plain" && { token: tokens.operator }) });
    expect([403, 415]).toContain(answer.status);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(answer.body).not.toContain('"radios":');
  });
});

test("nothing of all that was done", () => {
  expect(daemon.log().filter(({ msg }) => msg === "action")).toEqual([]);
});

describe("a page whose name now leads here", () => {
  const rebound = (host: string): readonly Ask[] => [
    { path: "/api/v1/radios", headers: { host, "sec-fetch-site": "same-origin" } },
    { path: "/", headers: { host, "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" } },
    { method: "POST", path: "/api/v1/rescan", headers: { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" } },
    { path: "/api/v1/events/socket?after=now", headOnly: true, headers: { host, origin: `http://${host}`, ...websocket() } },
    { path: "/livez", headers: { host } },
  ];
  test.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "test-node.evil.example"])("%s", async (name) => {
    for (const entrance of ["loopback", "plain"] as const) {
      for (const ask of rebound(`${name}:${daemon.target(entrance).port}`)) {
        expect(await daemon.ask(entrance, { ...ask, token: tokens.operator })).toMatchObject({ status: 421 });
      }
    }
  });

  test("on the loopback address the node's own name is somebody else's too: it may be bound anew", async () => {
    expect((await daemon.ask("loopback", { path: "/api/v1/radios", headers: { host: "test-node" } })).status).toBe(421);
    expect((await daemon.ask("loopback", { path: "/api/v1/radios", headers: { host: "192.0.2.1" } })).status).toBe(421);
  });

  test.each(["test-node", "TEST-NODE:18089", "aerial.example.org", "192.168.1.10:18089", "[2001:db8::1]:18089", "localhost"])(
    "%s is a name of an exposed listener",
    async (host) => {
      expect((await daemon.ask("plain", { path: "/livez", headers: { host } })).status).toBe(200);
    },
  );
});

describe("what is no attack comes through", () => {
  test.each(open)("over the %s: the page itself, a link, and programs", async (entrance) => {
    const origin = `http://${hostOf(entrance)}`;
    const host = hostOf(entrance);
    const asks: readonly Ask[] = [
      { path: "/api/v1/radios" },
      { path: "/api/v1/radios", headers: { host, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" } },
      { path: "/api/v1/radios", headers: { host, ...crossSite, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" } },
      { method: "POST", path: "/api/v1/rescan", headers: { host, origin, "sec-fetch-site": "same-origin" } },
      { method: "POST", path: "/api/v1/rescan" },
      { path: "/api/v1/events/stream", headOnly: true, headers: { host, "sec-fetch-site": "same-origin" } },
    ];
    for (const ask of asks) expect((await daemon.ask(entrance, ask)).status).toBeLessThan(300);
  });
});

describe("a site that is named", () => {
  const origin = "https://house.example.org";

  test("may ask, and is told so beforehand", async () => {
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
      "access-control-request-private-network": "true",
    };
    for (const entrance of ["loopback", "plain"] as const) {
      expect(await daemon.ask(entrance, { method: "OPTIONS", path: "/api/v1/rescan", headers })).toMatchObject({
        status: 204,
        headers: {
          "access-control-allow-origin": origin,
          "access-control-allow-methods": expect.stringContaining("POST") as string,
          "access-control-allow-headers": expect.stringContaining("authorization") as string,
          "access-control-allow-private-network": "true",
          vary: "origin",
        },
      });
    }
  });

  test("may read streams and refusals too", async () => {
    const own = {
      "access-control-allow-origin": origin,
      "access-control-expose-headers": expect.stringContaining("aerial-role") as string,
    };
    for (const path of ["/api/v1/radios", "/api/v1/events/stream", "/api/v1/nothing"]) {
      const { headers } = await daemon.ask("plain", { path, headOnly: true, token: tokens.viewer, headers: { origin } });
      expect(headers).toMatchObject(own);
      expect(headers["access-control-allow-credentials"]).toBeUndefined();
    }
    expect(await daemon.ask("plain", { path: "/api/v1/radios", headers: { origin } })).toMatchObject({ status: 401, headers: own });
  });

  test("needs a token like everybody, and a viewer's does not act", async () => {
    const ask = { method: "POST", path: "/api/v1/rescan", headers: { origin } };
    expect((await daemon.ask("plain", ask)).status).toBe(401);
    expect((await daemon.ask("plain", { ...ask, token: tokens.viewer })).status).toBe(403);
  });

  test("is meant to the letter", async () => {
    for (const other of [
      "http://house.example.org",
      "https://house.example.org:8443",
      "https://a.house.example.org",
      "https://house.example.org.evil.example",
    ])
      expect((await daemon.ask("loopback", { path: "/api/v1/radios", headers: { origin: other } })).status).toBe(403);
  });
});
