/** The page of a real daemon, with real kernel events: what is plugged in is seen, what is pressed is done. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sonoffDonglePlus, zstickGen5 } from "../lab/sticks.ts";
import { keepPicture, openBrowser, openTab, seriousFindings, settled } from "./browser.ts";
import { openLabPage } from "./lab-page.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

it("shows a stick within a second of its being plugged in, and its going", async () => {
  await using daemon = await openLabPage();
  await using tab = await openTab(browser);
  const { page } = tab;
  await page.goto(daemon.url);
  await settled(page);
  await page.locator(".live").getByText("Live").waitFor();
  // The browser's own clock, which is this machine's: when the card is in the document.
  await page.evaluate(`new MutationObserver(() => {
    if (document.querySelector(".radio.present")) globalThis.shownAt ??= Date.now();
    if (document.querySelector(".radio.absent")) globalThis.goneAt ??= Date.now();
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] })`);
  const pluggedAt = Date.now();
  const plugged = await daemon.lab.plug(sonoffDonglePlus, { port: 2 });
  await page.locator(".radio.present").waitFor();
  const shownMs = (await page.evaluate<number>("globalThis.shownAt")) - pluggedAt;
  await page.getByRole("heading", { name: "SONOFF" }).first().waitFor();
  await page.locator("#history").getByText("appeared on USB port").first().waitFor();
  await keepPicture(page, "daemon-desktop-light");
  const unpluggedAt = Date.now();
  await plugged.unplug();
  await page.locator(".radio.absent").waitFor();
  const goneMs = (await page.evaluate<number>("globalThis.goneAt")) - unpluggedAt;
  console.log(`on the page ${shownMs} ms after the plug began, gone ${goneMs} ms after the unplug began`);
  expect(shownMs).toBeLessThan(1_000);
  expect(await seriousFindings(page)).toEqual([]);
  expect(tab.complaints).toEqual([]);
});

it("renames and rescans by clicking; hostile strings of a stick are text", async () => {
  await using daemon = await openLabPage();
  await daemon.lab.plug(
    { ...zstickGen5, product: `<img src=x onerror="document.title='owned'">`, manufacturer: "<b>bold</b>" },
    { port: 1 },
  );
  await using tab = await openTab(browser, { device: "phone", scheme: "dark" });
  const { page } = tab;
  await page.goto(daemon.url);
  await settled(page);
  await page.locator(".radio.present .open").filter({ hasText: "Sigma Designs" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Z-Wave in the attic");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("heading", { name: "Z-Wave in the attic" }).waitFor();
  await dialog
    .getByText(/Z-Wave in the attic/)
    .last()
    .waitFor();
  await keepPicture(page, "daemon-radio-phone-dark");
  await page.keyboard.press("Escape");
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/rescan"));
  await page.getByRole("button", { name: "Rescan for radios" }).click();
  expect((await answer).status()).toBe(200);
  await page.locator(".radio").filter({ hasText: "Z-Wave in the attic" }).waitFor();
  expect(await page.locator("img, main b").count()).toBe(0);
  expect(await page.title()).not.toContain("owned");
  expect(tab.complaints).toEqual([]);
});

it("outlives the daemon: lost, and well again without a reload", async () => {
  await using daemon = await openLabPage();
  await daemon.lab.plug(sonoffDonglePlus, { port: 2 });
  await using tab = await openTab(browser);
  const { page } = tab;
  await page.goto(daemon.url);
  await settled(page);
  await page.locator(".radio.present").waitFor();
  await page.evaluate("globalThis.sameDocument = true");
  await daemon.kill();
  await page.locator(".lost-bar").waitFor();
  await daemon.lab.plug(zstickGen5, { port: 1 });
  await daemon.start();
  await page.locator(".radio.present").filter({ hasText: "Sigma Designs" }).waitFor({ timeout: 30_000 });
  await page.locator(".lost-bar").waitFor({ state: "detached" });
  expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
  expect(tab.complaints.filter((complaint) => !/ERR_/.test(complaint))).toEqual([]);
});
