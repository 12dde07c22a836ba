/** Pods and their radios, on the page. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, openTab, seriousFindings, settled } from "./browser.ts";
import { openStagedApi } from "./staged-api.ts";
import { ago, stagedHouse } from "./staged-house.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

it("those that wait come first and say why; a radio says who was given it", async () => {
  await using api = await openStagedApi(stagedHouse());
  await using tab = await openTab(browser);
  const { page } = tab;
  await page.goto(api.url);
  await settled(page);
  const rows = page.locator("#pods .row");
  await expect.poll(() => rows.count(), { timeout: 15_000 }).toBe(3);
  expect(await rows.nth(0).textContent()).toContain("home/zha-7d9c6b5f4-x2x9k · pending");
  expect(await rows.nth(0).textContent()).toContain("Zigbee in the hall on talos-kitchen is held by home/zigbee2mqtt-0.");
  expect(await rows.nth(2).textContent()).toContain("Has Zigbee in the hall (radio.mi.house/zigbee)");
  expect(await page.locator('[data-radio="zigbee-62a88fbb4d19"]').textContent()).toContain("Given tohome/zigbee2mqtt-0");
  await page.getByRole("button", { name: "Zigbee in the hall", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(" · container zigbee2mqtt, ").waitFor();
  await dialog.getByText("radio.mi.house/zigbee").waitFor();
  expect(tab.complaints).toEqual([]);
});

it("what changes is shown when it does", async () => {
  const house = stagedHouse();
  await using api = await openStagedApi(house);
  await using tab = await openTab(browser);
  const { page } = tab;
  await page.goto(api.url);
  await settled(page);
  await expect.poll(() => api.followers).toBe(1);
  await page.locator("#pods .row").first().waitFor();
  const [first] = house.radios;
  const holding = { namespace: "lab", pod: "sniffer", container: "main", way: "resource-claim", request: "stick", since: ago(1) } as const;
  if (first !== undefined) house.radios = [{ ...first, handedTo: [holding] }, ...house.radios.slice(1)];
  house.pods = [];
  api.hint("pods");
  await page.locator('[data-radio="zigbee-62a88fbb4d19"]').getByText("lab/sniffer").waitFor();
  await page.locator("#pods").waitFor({ state: "detached" });
});

it("without the right to list pods the page says what gives it, and nothing is wrong", async () => {
  const house = stagedHouse();
  house.pods = "forbidden";
  await using api = await openStagedApi(house);
  await using tab = await openTab(browser);
  const { page } = tab;
  await page.goto(api.url);
  await settled(page);
  await page.locator("#pods").getByText("aerial may not list pods.").waitFor();
  expect(await page.locator("#pods .note.fail").count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
});
