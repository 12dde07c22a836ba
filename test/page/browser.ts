/** Debian's Chromium, and pages in it that remember everything a good page never does. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import axe, { type AxeResults, type Result } from "axe-core";
import { expect } from "vitest";
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from "playwright-core";

/** Pictures are kept here; CI shows them with its output. */
export const pictures = resolve(import.meta.dirname, "../../test-output/screenshots");

const devices = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  small: { viewport: { width: 320, height: 568 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1360, height: 900 } },
} as const satisfies Record<string, BrowserContextOptions>;

export type Device = keyof typeof devices;
export type Scheme = "light" | "dark";

export interface Tab extends AsyncDisposable {
  readonly page: Page;
  /** Messages of level error, uncaught errors, refusals by the content security policy, requests to elsewhere. */
  readonly complaints: readonly string[];
  /** Every request with the bytes that came for it, head and body as sent. */
  readonly transfers: readonly { readonly url: string; readonly bytes: number; readonly type: string }[];
}

/** One for a test file; closed with it. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("no Chromium here: scripts/install-test-packages installs it");
  // Chromium's own sandbox needs what containers and root do not have; what it shows here is ours.
  return chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"] });
}

interface TabOptions {
  readonly device?: Device;
  readonly scheme?: Scheme;
  readonly more?: BrowserContextOptions;
}

export async function openTab(browser: Browser, { device = "desktop", scheme = "light", more = {} }: TabOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ ...devices[device], colorScheme: scheme, locale: "en-GB", ...more });
  const page = await context.newPage();
  const complaints: string[] = [];
  const transfers: { url: string; bytes: number; type: string }[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || /content security policy|trusted/i.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && hostname !== "127.0.0.1") complaints.push(`request to ${request.url()}`);
  });
  page.on("requestfinished", (request) => {
    void bytesOf(request).then((bytes) => transfers.push({ url: request.url(), bytes, type: request.resourceType() }));
  });
  return {
    page,
    complaints,
    transfers,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

async function bytesOf(request: Request): Promise<number> {
  try {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    return responseBodySize + responseHeadersSize;
  } catch {
    return 0;
  }
}

/** Findings that keep somebody out (`critical`, `serious`), as sentences. The page's policy does not hold for what is evaluated from here. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // As a string, so that it is run as it is.
  await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  const serious = ({ impact }: Result): boolean => impact === "serious" || impact === "critical";
  return results.violations
    .filter(serious)
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}\n  ${target.join(" ")}\n  ${failureSummary ?? ""}`),
    );
}

export async function keepPicture(page: Page, name: string, fullPage = false): Promise<void> {
  const path = resolve(pictures, `${name}.png`);
  await mkdir(dirname(path), { recursive: true });
  await page.screenshot({ path, fullPage, animations: "disabled" });
}

/** Waits until the page has drawn what it asked for. */
export async function settled(page: Page): Promise<void> {
  await page.locator(".foot").waitFor();
  await expect.poll(() => page.locator(".skeleton").count(), { timeout: 20_000 }).toBe(0);
}
