import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openLyingServer, refusal } from "./lying-server.ts";

/** The error code below fetch's own "fetch failed". */
async function causeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return (cause as { code?: string }).code ?? String(cause);
  }
  return "no error";
}

describe("lying server", () => {
  test("works off its list and keeps to the last answer", async () => {
    await using server = await openLyingServer([
      refusal(409, "Conflict", "try again"),
      { type: "reply", status: 200, body: { kind: "Node" } },
    ]);
    const statuses: number[] = [];
    for (let index = 0; index < 3; index++) statuses.push((await fetch(`${server.url}/api/v1/nodes/n`)).status);
    expect(statuses).toEqual([409, 200, 200]);
  });

  test("remembers what it was asked", async () => {
    await using server = await openLyingServer([{ type: "reply", status: 200, body: "{}" }]);
    await fetch(`${server.url}/api/v1/nodes/n?force=true`, {
      method: "PATCH",
      body: "hello",
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    expect(server.requests).toMatchObject([
      { method: "PATCH", url: "/api/v1/nodes/n?force=true", body: "hello", headers: { "content-type": "application/apply-patch+yaml" } },
    ]);
  });

  test("breaks off half-way through a body", async () => {
    await using server = await openLyingServer([{ type: "half", status: 200, body: { kind: "Node", metadata: { name: "n" } } }]);
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(await causeOf(response.text())).toBe("UND_ERR_SOCKET");
  });

  test("resets the connection", async () => {
    await using server = await openLyingServer([{ type: "reset" }]);
    expect(await causeOf(fetch(server.url))).toBe("ECONNRESET");
  });

  test("says nothing", async () => {
    await using server = await openLyingServer([{ type: "silence" }]);
    const controller = new AbortController();
    const answer = fetch(server.url, { signal: controller.signal }).then(
      () => "answered",
      () => "aborted",
    );
    while (server.requests.length === 0) await sleep(5);
    expect(await Promise.race([answer, sleep(50, "waiting")])).toBe("waiting");
    controller.abort();
    expect(await answer).toBe("aborted");
  });

  test("drips, and leaves a watch open", async () => {
    await using server = await openLyingServer([{ type: "drip", status: 200, pieces: ["a", "b"], everyMs: 1, open: true }]);
    const response = await fetch(server.url);
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text === "ab") break;
    }
    expect(text).toBe("ab");
  });

  test("speaks no HTTP at all", async () => {
    await using server = await openLyingServer([{ type: "raw", bytes: "SSH-2.0-OpenSSH\r\n" }]);
    expect(await causeOf(fetch(server.url))).toMatch(/^HTTPParserError/);
  });

  test("closes although a client is still connected", async () => {
    const server = await openLyingServer([{ type: "silence" }]);
    const client = connect(server.port, "127.0.0.1");
    client.on("error", () => {});
    await new Promise((resolve) => client.once("connect", resolve));
    await server[Symbol.asyncDispose]();
    expect(await causeOf(fetch(server.url))).toBe("ECONNREFUSED");
  });
});
