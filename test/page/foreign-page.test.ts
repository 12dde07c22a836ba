/** The page of another site in a real browser on aerial's own machine: it tries all that a browser can do, and nothing comes of it. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuardedDaemon, openGuardedDaemon } from "../api/guarded-daemon.ts";

/** Evaluated in the page, with the base of the API as `base`. Gives what came of each attempt. */
const attempts = `async (base) => {
  const settled = (work) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, 3000, "nothing"))]).then(String, () => "refused");
  const post = (headers, body, mode) => fetch(base + "/api/v1/rescan", { method: "POST", headers, body, mode }).then((answer) => "status " + answer.status);
  const event = (target, good, bad) => new Promise((resolve, reject) => {
    target["on" + good] = () => resolve(good);
    target["on" + bad] = reject;
  });
  const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { name: "there" }));
  const form = document.body.appendChild(Object.assign(document.createElement("form"), { method: "POST", enctype: "text/plain", target: "there", action: base + "/api/v1/rescan" }));
  form.submit();
  const script = Object.assign(document.createElement("script"), { src: base + "/api/v1/radios" });
  const image = Object.assign(document.createElement("img"), { src: base + "/api/v1/radios" });
  const loads = [settled(event(script, "load", "error")), settled(event(image, "load", "error"))];
  document.body.append(script, image);
  return {
    read: await settled(fetch(base + "/api/v1/radios").then((answer) => answer.text())),
    blind: await settled(fetch(base + "/api/v1/radios", { mode: "no-cors" }).then((answer) => "got " + answer.type + " " + answer.status)),
    act: await settled(post({}, undefined, "cors")),
    actWithText: await settled(post({ "content-type": "text/plain" }, "{}", "no-cors")),
    actWithJson: await settled(post({ "content-type": "application/json" }, "{}", "cors")),
    socket: await settled(event(new WebSocket(base.replace("http", "ws") + "/api/v1/events/socket?after=now"), "open", "error")),
    stream: await settled(event(new EventSource(base + "/api/v1/events/stream"), "open", "error")),
    beacon: String(navigator.sendBeacon(base + "/api/v1/rescan", "{}")),
    script: await loads[0],
    image: await loads[1],
  };
}`;

const name = "evil.example";
let daemon: GuardedDaemon;
let browser: Browser;
let port: number;
const site = createServer((_request, response) =>
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>x</title>"),
);

beforeAll(async () => {
  daemon = await openGuardedDaemon();
  port = Number(daemon.target("loopback").port);
  await new Promise<void>((resolve) => void site.listen(0, "127.0.0.1", () => resolve()));
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("no Chromium here: scripts/install-test-packages installs it");
  // The name of that site leads to this machine: what it takes for its name to be bound anew.
  const args = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", `--host-resolver-rules=MAP ${name} 127.0.0.1`];
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  site.close();
  await daemon?.[Symbol.asyncDispose]();
});

async function openPage(url: string): Promise<{ readonly page: Page; readonly status: number }> {
  const page = await browser.newPage();
  const status = (await page.goto(url))?.status() ?? 0;
  return { page, status };
}

const actions = (): number => daemon.log().filter(({ msg }) => msg === "action").length;

test.each(["127.0.0.1", "localhost"])("at http://%s it reads nothing, hears nothing and does nothing", async (host) => {
  const before = actions();
  for (const from of [name, "127.0.0.1", "localhost"]) {
    const { page } = await openPage(`http://${from}:${(site.address() as AddressInfo).port}/`);
    const outcome = await page.evaluate<Record<string, string>>(`(${attempts})("http://${host}:${port}")`);
    expect([from, outcome]).toEqual([
      from,
      {
        read: "refused",
        // Cross-Origin-Resource-Policy: not even blindly.
        blind: "refused",
        act: "refused",
        actWithText: "refused",
        actWithJson: "refused",
        socket: "refused",
        stream: "refused",
        beacon: "true",
        script: "refused",
        image: "refused",
      },
    ]);
    await page.close();
  }
  expect(actions()).toBe(before);
});

test("under its own name, bound anew to this machine, it gets no page and no data", async () => {
  const { page, status } = await openPage(`http://${name}:${port}/`);
  expect(status).toBe(421);
  // What came has a policy by which it could not even ask.
  expect(await page.evaluate(`fetch("/api/v1/radios").then((answer) => answer.status, () => "refused")`)).toBe("refused");
  await page.close();
});

test("aerial's own page may do all that, and is in nobody's frame", async () => {
  const { page, status } = await openPage(`http://127.0.0.1:${port}/`);
  expect(status).toBe(200);
  const before = actions();
  expect(await page.evaluate(`fetch("/api/v1/radios").then((answer) => answer.status)`)).toBe(200);
  expect(await page.evaluate(`fetch("/api/v1/rescan", { method: "POST" }).then((answer) => answer.status)`)).toBeLessThan(300);
  expect(actions()).toBe(before + 1);
  await page.close();
  const framing = await openPage(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  const refusal = framing.page.waitForEvent("requestfailed");
  await framing.page.evaluate(
    `document.body.appendChild(Object.assign(document.createElement("iframe"), { src: "http://127.0.0.1:${port}/" })), 0`,
  );
  expect((await refusal).url()).toContain(`:${port}/`);
  await framing.page.close();
});
