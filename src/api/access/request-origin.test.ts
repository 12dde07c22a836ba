import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { senderOf } from "./request-origin.ts";

const named = new Set(["https://house.example.org"]);
const sender = (headers: Readonly<Record<string, string>>, method = "POST") => senderOf({ method, headers }, named);
const host = "localhost:18088";

describe("who has sent a request", () => {
  test.each([
    ["no browser", {}, "own"],
    ["the page itself", { origin: "http://localhost:18088" }, "own"],
    ["the page itself, letters' case aside", { host: "LOCALHOST:18088", origin: "http://localhost:18088" }, "own"],
    ["the page behind a proxy that speaks TLS", { host: "aerial.lan", origin: "https://aerial.lan" }, "own"],
    ["the page on the scheme's own port", { host: "aerial.lan:443", origin: "https://aerial.lan" }, "own"],
    ["a site that is named", { origin: "https://house.example.org", "sec-fetch-site": "cross-site" }, "named"],
    ["another site", { origin: "https://evil.example" }, "foreign"],
    ["another site that says it is none", { origin: "https://evil.example", "sec-fetch-site": "none" }, "foreign"],
    ["another program of this machine", { origin: "http://localhost:3000", "sec-fetch-site": "same-site" }, "foreign"],
    ["a site whose name begins alike", { origin: "http://localhost:180881" }, "foreign"],
    ["a site named alike", { origin: "https://house.example.org.evil.example" }, "foreign"],
    ["a sandboxed frame or a file", { origin: "null" }, "foreign"],
    ["an extension", { origin: "chrome-extension://abc" }, "foreign"],
    ["nonsense", { origin: "http://[" }, "foreign"],
    ["nobody, to nobody", { host: "", origin: "http://" }, "foreign"],
  ])("%s", (_what, headers, expected) => {
    expect(sender({ host, ...headers })).toBe(expected);
  });

  const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  test.each([
    ["GET: another site's image", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, "foreign"],
    ["GET: another site's script", { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" }, "foreign"],
    ["GET: another site's frame", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, "foreign"],
    ["GET: a link elsewhere", { "sec-fetch-site": "cross-site", ...navigation }, "own"],
    ["POST: a form elsewhere", { "sec-fetch-site": "cross-site", ...navigation }, "foreign"],
    ["GET: the address bar", { "sec-fetch-site": "none", ...navigation }, "own"],
    ["GET: the page's own fetch", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }, "own"],
    ["GET: something new", { "sec-fetch-site": "cross-planet" }, "foreign"],
  ])("%s, without an Origin", (what, headers, expected) => {
    expect(sender({ host, ...headers }, what.split(":")[0])).toBe(expected);
  });

  test("no Origin but its own name makes a page ours", () => {
    const origin = fc.oneof(
      fc.webUrl().map((url) => new URL(url).origin),
      fc.string(),
      fc.constantFrom("http://localhost", "http://a@localhost:18088"),
    );
    fc.assert(
      fc.property(origin, fc.constantFrom("GET", "POST", "PATCH"), (written, method) => {
        fc.pre(written.toLowerCase() !== `http://${host}` && written.toLowerCase() !== `https://${host}` && !named.has(written));
        // What browsers never write: a name of somebody before ours, or a path behind it.
        fc.pre(!/^https?:\/\/([^/@]*@)?localhost:18088([/?#]|$)/i.test(written));
        expect(sender({ host, origin: written }, method)).toBe("foreign");
      }),
    );
  });
});
