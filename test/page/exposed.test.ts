/** The page where aerial is reached over TCP: on the loopback address without a token, exposed with one, and what each role sees. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepPicture, openBrowser, openTab, seriousFindings } from "./browser.ts";

const projectRoot = resolve(import.meta.dirname, "../..");
const tokens = { viewer: "only-here-to-look-around", operator: "here-to-do-something-too" };

interface Daemon extends AsyncDisposable {
  readonly loopback: string;
  readonly exposed: string;
}

/** On this machine itself; ports are the kernel's choice. */
async function openDaemon(): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-exposed-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  for (const [role, token] of Object.entries(tokens)) await writeFile(join(directory, role), token);
  const roles = Object.keys(tokens).map((role) => ({ name: role, role, file: join(directory, role) }));
  const child = spawn(process.execPath, ["--conditions=source", join(projectRoot, "src/main.ts"), "run"], {
    env: {
      PATH: process.env["PATH"],
      AERIAL__NODE__NAME: "exposed-node",
      AERIAL__KUBERNETES__ENABLED: "false",
      AERIAL__STATE__DIRECTORY: directory,
      AERIAL__API__SOCKET: join(directory, "aerial.sock"),
      AERIAL__API__PORT: "0",
      AERIAL__API__LISTEN: JSON.stringify([{ address: "127.0.0.1", port: 0 }]),
      AERIAL__API__TOKENS: JSON.stringify(roles),
      AERIAL__LOG__FORMAT: "json",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack.defer(async () => {
    if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
  });
  let exposed: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, address, addresses } = JSON.parse(line) as Readonly<{ msg: string; address?: string; addresses?: readonly string[] }>;
    // It warns of what has no certificate.
    if (msg.startsWith("tokens come here unencrypted")) exposed = address;
    if (msg !== "aerial is up") continue;
    child.stdout.resume();
    const loopback = addresses?.find((url) => url.startsWith("http://127.0.0.1:") && !url.endsWith(exposed ?? ""));
    if (exposed === undefined || loopback === undefined) throw new Error(`no addresses in ${line}`);
    const lifetime = stack.move();
    return { exposed: `http://${exposed}/`, loopback: `${loopback}/`, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
  }
  throw new Error("aerial ended before it was up");
}

let browser: Browser;
let daemon: Daemon;
beforeAll(async () => {
  [browser, daemon] = await Promise.all([openBrowser(), openDaemon()]);
});
afterAll(async () => {
  await browser.close();
  await daemon[Symbol.asyncDispose]();
});

describe("exposed", () => {
  it("hands out the page without a token, and no data", async () => {
    const page = await fetch(daemon.exposed);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(page.headers.get("content-security-policy")).not.toMatch(/unsafe/);
    const html = await page.text();
    for (const [, path = ""] of html.matchAll(/(?:href|src)="(assets\/[^"]+)"/g))
      expect((await fetch(daemon.exposed + path)).status).toBe(200);
    expect((await fetch(`${daemon.exposed}api/v1/radios`)).status).toBe(401);
    expect((await fetch(`${daemon.exposed}assets/other/main.js`)).status).toBeGreaterThanOrEqual(400);
  });

  it.each(["viewer", "operator"] as const)("shows a %s what it may do, and nothing else", async (role) => {
    await using tab = await openTab(browser);
    const { page } = tab;
    await page.goto(daemon.exposed);
    await page.getByLabel("Token").fill(tokens[role]);
    await page.keyboard.press("Enter");
    await page.locator(".foot").waitFor();
    await page.locator(".live").getByText("Live").waitFor();
    await page.getByRole("heading", { name: "exposed-node" }).waitFor();
    await expect
      .poll(() => page.getByRole("button", { name: /^(Rescan|Check now|Support bundle)/ }).count())
      .toBe(role === "operator" ? 3 : 0);
    if (role === "operator") {
      const answer = page.waitForResponse((response) => response.url().endsWith("/rescan"));
      await page.getByRole("button", { name: /^Rescan/ }).click();
      expect((await answer).status()).toBe(200);
    }
    await keepPicture(page, `exposed-${role}`);
    expect(await seriousFindings(page)).toEqual([]);
    expect(tab.complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
  });
});

it("asks for nothing on the loopback address", async () => {
  await using tab = await openTab(browser, { device: "phone" });
  await tab.page.goto(daemon.loopback);
  await tab.page.locator(".live").getByText("Live").waitFor();
  await tab.page.getByRole("button", { name: /^Rescan/ }).waitFor();
  expect(await tab.page.getByRole("dialog").count()).toBe(0);
  expect(tab.complaints).toEqual([]);
});

it("is checked anew each time, and its parts are kept for good", async () => {
  const first = await fetch(daemon.loopback);
  const etag = first.headers.get("etag") ?? "";
  expect(first.headers.get("cache-control")).toBe("no-cache");
  expect((await fetch(daemon.loopback, { headers: { "if-none-match": etag } })).status).toBe(304);
  const script = /src="(assets\/[^"]+)"/.exec(await first.text())?.[1] ?? "";
  for (const encoding of ["br", "gzip", "identity"]) {
    const answer = await fetch(daemon.loopback + script, { headers: { "accept-encoding": encoding } });
    expect(answer.headers.get("cache-control")).toContain("immutable");
    expect(answer.headers.get("content-encoding")).toBe(encoding === "identity" ? null : encoding);
    expect(await answer.text()).toContain("drawWith");
  }
});
