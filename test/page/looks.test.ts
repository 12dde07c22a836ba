/** How the page looks and whether everybody can use it: every situation on phone and desktop, in light and dark. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, keepPicture, openBrowser, openTab, pictures, type Scheme, seriousFindings, settled, type Tab } from "./browser.ts";
import { openStagedApi, type StagedApi } from "./staged-api.ts";
import { emptyHouse, healthyHouse, type House, stagedHouse } from "./staged-house.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  console.log(`screenshots: ${pictures}`);
});

interface Situation {
  readonly name: string;
  readonly house: () => House;
  /** Brings it about, once the page is there. */
  readonly bring?: (tab: Tab, api: StagedApi) => Promise<void>;
  /** It shows the whole page, not just what fits the window. */
  readonly whole?: boolean;
  /** What the browser itself says of it. */
  readonly expected?: RegExp;
}

const situations: readonly Situation[] = [
  { name: "findings", house: stagedHouse, whole: true },
  { name: "healthy", house: healthyHouse },
  { name: "empty", house: emptyHouse },
  {
    name: "finding-open",
    house: stagedHouse,
    async bring({ page }) {
      await page.locator(".row summary").first().click();
      await page.getByRole("button", { name: "Show the patch for THR-05" }).click();
      await page.locator(".talos pre").waitFor();
      await page.locator("#health").evaluate((part) => part.scrollIntoView({ behavior: "instant" }));
    },
  },
  {
    name: "radio",
    house: stagedHouse,
    async bring({ page }) {
      await page.getByRole("button", { name: "Zigbee in the hall", exact: true }).click();
      await page.getByRole("dialog").getByText("home/zigbee2mqtt-0").first().waitFor();
    },
  },
  {
    name: "patch",
    house: stagedHouse,
    async bring({ page }) {
      await page.getByRole("button", { name: /^Patch for all/ }).click();
      await page.getByRole("dialog").getByText("sysctls").waitFor();
    },
  },
  {
    name: "relay",
    house: stagedHouse,
    async bring({ page }, api) {
      await page.locator("#network").evaluate((part) => part.scrollIntoView({ behavior: "instant" }));
      await expect
        .poll(
          () => {
            for (const link of api.house.relay?.links ?? []) (link.heard as Record<string, number>)["relayed"]! += 2;
            return page.locator(".flow.slow, .flow.steady, .flow.fast").count();
          },
          { timeout: 15_000 },
        )
        .toBeGreaterThan(0);
    },
  },
  {
    name: "disconnected",
    house: stagedHouse,
    async bring({ page }, api) {
      api.hangUp(true);
      await page.locator(".lost-bar").waitFor();
    },
    expected: /ERR_(EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|CONNECTION)/,
  },
];

describe.each<Device>(["phone", "desktop"])("on a %s", (device) => {
  describe.each<Scheme>(["light", "dark"])("in %s", (scheme) => {
    it.each(situations)("$name", async ({ name, house, bring, whole = false, expected }) => {
      await using api = await openStagedApi(house());
      await using tab = await openTab(browser, { device, scheme });
      await tab.page.goto(api.url);
      await settled(tab.page);
      await bring?.(tab, api);
      await tab.page.waitForTimeout(250);
      await keepPicture(tab.page, `${name}-${device}-${scheme}`, whole);
      expect(await seriousFindings(tab.page)).toEqual([]);
      expect(tab.complaints.filter((complaint) => !(expected?.test(complaint) ?? false))).toEqual([]);
      expect(await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    });

    it("token", async () => {
      await using api = await openStagedApi(stagedHouse());
      api.token = "open sesame";
      await using tab = await openTab(browser, { device, scheme });
      await tab.page.goto(api.url);
      await tab.page.getByLabel("Token").waitFor();
      await tab.page.waitForTimeout(250);
      await keepPicture(tab.page, `token-${device}-${scheme}`);
      expect(await seriousFindings(tab.page)).toEqual([]);
    });
  });
});

it.each(["stagedHouse", "emptyHouse"])("%s fits 320 pixels, as it does when somebody zooms in four times", async (which) => {
  await using api = await openStagedApi(which === "emptyHouse" ? emptyHouse() : stagedHouse());
  await using tab = await openTab(browser, { device: "small" });
  await tab.page.goto(api.url);
  await settled(tab.page);
  await keepPicture(tab.page, `${which}-320`, true);
  expect(await tab.page.evaluate("document.documentElement.scrollWidth")).toBe(320);
});

it("keeps its signs where colours are forced, and prints", async () => {
  await using api = await openStagedApi(stagedHouse());
  await using tab = await openTab(browser, { more: { forcedColors: "active", reducedMotion: "reduce" } });
  await tab.page.goto(api.url);
  await settled(tab.page);
  await keepPicture(tab.page, "forced-colours");
  expect(await seriousFindings(tab.page)).toEqual([]);
  expect(await tab.page.evaluate("document.getAnimations().length")).toBe(0);
  await tab.page.emulateMedia({ media: "print", forcedColors: "none" });
  await keepPicture(tab.page, "print", true);
  await expect(tab.page.locator("nav").isVisible()).resolves.toBe(false);
});
