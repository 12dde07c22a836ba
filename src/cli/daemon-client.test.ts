import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { clientFor } from "./daemon-client.ts";

let directory: string;
let servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-client-"));
});
afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
  rmSync(directory, { recursive: true, force: true });
});

/** Something on a unix socket that says `answer` to whatever it is asked, and hangs up. */
async function speaker(name: string, answer: string): Promise<string> {
  const path = join(directory, name);
  const server = createServer((socket) => socket.once("data", () => socket.end(answer)).on("error", () => {}));
  server.listen(path);
  servers.push(server);
  await once(server, "listening");
  return path;
}

const http = (status: string, body: string): string => `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test("the first that answers is asked", async () => {
  const path = await speaker("b.sock", http("200 OK", '{"a":1}'));
  const client = clientFor([join(directory, "none.sock"), path]);
  expect(await client.get("/")).toEqual({ a: 1 });
});

test("when none answers, all that were tried are named", async () => {
  const client = clientFor(["/none/a.sock", "/none/b.sock"]);
  await expect(client.get("/")).rejects.toSatisfy(
    (error) => hasCode(error, "api.unreachable") && error.message === "no aerial is running (tried /none/a.sock, /none/b.sock)",
  );
});

test.each([
  ["no HTTP", "SSH-2.0-OpenSSH\r\n", "api.protocol"],
  ["no JSON", http("200 OK", "<html>"), "api.protocol"],
  ["half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "api.unreachable"],
  ["silence", "", "api.protocol"],
  ["a status nobody expects", http("418 Teapot", "[]"), "api.protocol"],
  ["a problem", http("404 Not Found", '{"detail":"none","code":"inventory.unknown-radio"}'), "inventory.unknown-radio"],
  ["a problem with a code it has no business with", http("500 Oops", '{"detail":"x","code":"__proto__"}'), "api.protocol"],
] as const)("%s is an error with a code", async (_what, answer, code) => {
  const client = clientFor([await speaker("a.sock", answer)]);
  await expect(client.get("/")).rejects.toSatisfy((error) => hasCode(error, code));
});

test("a stream is read line by line, however it is cut", async () => {
  const text = '{"a":1}\n{"b":"é"}\n{"c"';
  const client = clientFor([await speaker("a.sock", http("200 OK", text))]);
  const lines: string[] = [];
  for await (const line of client.lines("/")) lines.push(line);
  expect(lines).toEqual(['{"a":1}', '{"b":"é"}']);
});
