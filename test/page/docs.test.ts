/** The contract as a page, in Chromium: for everybody to read, without scripts and without asking anybody else. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { type ContractDaemon, openContractDaemon } from "../api/contract-daemon.ts";
import { openBrowser, openTab, seriousFindings } from "./browser.ts";

let browser: Browser;
let daemon: ContractDaemon;
beforeAll(async () => {
  [browser, daemon] = await Promise.all([openBrowser(), openContractDaemon()]);
});
afterAll(async () => {
  await browser?.close();
  await daemon?.[Symbol.asyncDispose]();
});

test.each([
  ["phone", "light"],
  ["desktop", "dark"],
] as const)("on a %s, %s", async (device, scheme) => {
  await using tab = await openTab(browser, { device, scheme });
  await tab.page.goto(`${daemon.url}/docs`);
  expect(await tab.page.title()).toBe("aerial API");
  expect(await seriousFindings(tab.page)).toEqual([]);
  const widths = await tab.page.evaluate<readonly number[]>("[document.documentElement.scrollWidth, document.documentElement.clientWidth]");
  expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
  await tab.page.getByRole("link", { name: "Name a radio or say what it is" }).click();
  expect(await tab.page.evaluate<string>("document.querySelector(':target').id")).toBe("updateRadio");
  expect(tab.complaints).toEqual([]);
  expect(tab.transfers.map(({ type }) => type)).toEqual(["document"]);
  expect(tab.transfers[0]!.bytes).toBeLessThan(120_000);
});
