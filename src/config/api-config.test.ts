import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { loadConfig } from "./load-config.ts";

const directory = mkdtempSync(join(tmpdir(), "aerial-api-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, "it.yaml");

const load = (api: string, environment: Record<string, string> = {}) => {
  writeFileSync(file, api === "" ? "" : `api:\n${api.replaceAll(/^/gm, "  ")}\n`);
  return loadConfig({ file, machine: { environment, hostname: "a", home: "/home/me", isRoot: false, canWrite: () => true } }).config.api;
};

const complaint = (api: string): string => {
  try {
    load(api);
  } catch (error) {
    if (hasCode(error, "config.invalid")) return error.message.replaceAll(`${directory}/`, "");
    throw error;
  }
  return "no complaint";
};

const tokens = "tokens: [{name: a, role: viewer, file: /t/a}]";

test("unless told otherwise the API is on the socket and the loopback address only", () => {
  expect(load("")).toEqual({
    socket: expect.stringContaining("aerial.sock") as string,
    listen: [],
    tokens: [],
    kubernetesTokens: { enabled: false, audiences: [] },
    cors: [],
    requestsPerSecond: 50,
  });
});

test.each([
  ["false", false],
  ["0", 0],
  ["8088", 8088],
])("the loopback port may be %s", (written, port) => {
  expect(load(`port: ${written}`).port).toBe(port);
});

test("an exposed listener, as the file and as the environment say it", () => {
  const listen = "[{address: '::', port: 18443, tls: {certificate: /c, key: /k}, allowedHosts: [Aerial.Example.org., '*.lan']}]";
  const expected = [{ address: "::", port: 18443, tls: { certificate: "/c", key: "/k" }, allowedHosts: ["aerial.example.org", "*.lan"] }];
  expect(load(`listen: ${listen}\n${tokens}`).listen).toEqual(expected);
  const environment = { AERIAL__API__LISTEN: listen, AERIAL__API__KUBERNETES_TOKENS__ENABLED: "true" };
  expect(load("", environment).listen).toEqual(expected);
});

test("what default.yaml shows of listeners and tokens is valid", () => {
  const text = readFileSync(new URL("../../config/default.yaml", import.meta.url), "utf8");
  const section = text.slice(text.indexOf("\napi:\n"), text.indexOf("\n# Radio plugins."));
  const lines = section
    .replaceAll(/^( {2}(listen|tokens):) \[\]$/gm, "$1")
    .split("\n")
    .map((line) => line.replace(/^( +)# ( {2}\w+:|- #)/, "$1$2").replace(/^( +)# {5}(\w+:)/, "$1    $2"));
  writeFileSync(file, lines.join("\n"));
  const { api } = loadConfig({ file }).config;
  expect(api.listen).toEqual([
    {
      address: "0.0.0.0",
      port: 18_089,
      tls: { certificate: "/etc/aerial/tls/tls.crt", key: "/etc/aerial/tls/tls.key" },
      allowedHosts: ["aerial.example.org"],
    },
  ]);
  expect(api.tokens).toEqual([{ name: "home-assistant", role: "viewer", file: "/etc/aerial/tokens/home-assistant" }]);
});

describe("complaints", () => {
  test.each([
    ["port: 70000", /^it\.yaml:2:9: api\.port must be a whole number from 0 to 65535, or false/],
    ["port: yes", /^it\.yaml:2:9: api\.port must be a whole number from 0 to 65535, or false/],
    ["listen: [{address: 0.0.0.0, port: 1}]", /^it\.yaml:2:11: api\.listen is reachable from the network, and nobody could come in/],
    [`listen: [{address: house.lan, port: 1}]\n${tokens}`, /api\.listen\[0\]\.address must be an IP address/],
    [`listen: [{address: 0.0.0.0}]\n${tokens}`, /api\.listen\[0\]\.port is missing/],
    [`listen: [{address: '::', port: 18088}]\n${tokens}`, /api\.listen\[0\]\.port is the port of api\.port/],
    [`port: 7\nlisten: [{address: 0.0.0.0, port: 7}]\n${tokens}`, /api\.listen\[0\]\.port is the port of api\.port/],
    [`listen: [{address: '::', port: 1}, {address: 10.0.0.1, port: 1}]\n${tokens}`, /api\.listen\[1\]\.port is taken at this address/],
    [`listen: [{address: '::', port: 1, tls: {key: /k}}]\n${tokens}`, /api\.listen\[0\]\.tls\.certificate is missing/],
    [`listen: [{address: '::', port: 1, allowedHosts: ['*']}]\n${tokens}`, /allowedHosts\[0\] must be a name without a port/],
    [`listen: [{address: '::', port: 1, allowedHosts: ['a:80']}]\n${tokens}`, /allowedHosts\[0\] must be a name without a port/],
    ["tokens: [{name: a, role: root, file: /t}]", /api\.tokens\[0\]\.role must be viewer or operator/],
    ["tokens: [{name: a, role: viewer, file: /t}, {name: a, role: viewer, file: /u}]", /api\.tokens\[1\]\.name is the name of another/],
    ["cors: ['*']", /api\.cors\[0\] must be an origin/],
    ["cors: ['null']", /api\.cors\[0\] must be an origin/],
    ["cors: ['https://a.example/x']", /api\.cors\[0\] must be an origin/],
    ["cors: ['https://*.example']", /api\.cors\[0\] must be an origin/],
  ])("%s", (api, message) => {
    expect(complaint(api)).toMatch(message);
  });
});

test("no text makes an origin other than scheme, name and port", () => {
  const text = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.tuple(fc.constantFrom("http://", "https://"), fc.string()).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (written) => {
      writeFileSync(file, `api: {cors: [${JSON.stringify(written)}]}`);
      try {
        const [origin = ""] = loadConfig({ file }).config.api.cors;
        expect(new URL(origin).origin).toBe(origin);
        expect(origin).toMatch(/^https?:\/\/[^/]+$/);
      } catch (error) {
        if (!hasCode(error, "config.invalid")) throw error;
      }
    }),
  );
});
