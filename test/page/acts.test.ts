/** What the page does when somebody does something, and when the world does. */
import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, openTab, settled, type Tab } from "./browser.ts";
import { openStagedApi, type StagedApi } from "./staged-api.ts";
import { ago, crowdedHouse, emptyHouse, type House, stagedHouse, stagedRadio } from "./staged-house.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

async function open(
  house: House,
  options?: Parameters<typeof openTab>[1],
): Promise<{ api: StagedApi; tab: Tab; page: Page } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await openStagedApi(house));
  const tab = stack.use(await openTab(browser, options));
  await tab.page.goto(api.url);
  await settled(tab.page);
  await expect.poll(() => api.followers).toBe(1);
  const lifetime = stack.move();
  return { api, tab, page: tab.page, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}

const card = (page: Page, id: string) => page.locator(`[data-radio="${id}"]`);
const focused = (page: Page): Promise<string> =>
  page.evaluate("(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()");

describe("by keyboard alone", () => {
  it("the skip link is first and leads to what matters", async () => {
    await using opened = await open(stagedHouse());
    const { page } = opened;
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the radios");
    await expect(page.locator(".skip").evaluate((link) => getComputedStyle(link).opacity)).resolves.toBe("1");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("How to mend it");
  });

  it("everything is reached in the order it is read, and shows where it is", async () => {
    await using opened = await open(stagedHouse());
    const { page } = opened;
    const seen: { y: number; x: number; outline: string; what: string }[] = [];
    for (let step = 0; step < 120; step += 1) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate<{ y: number; x: number; outline: string; what: string } | null>(`(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element), after = getComputedStyle(element, "::after");
        const outline = style.outlineStyle !== "none" ? style.outlineStyle : after.outlineStyle;
        const part = element.closest("section")?.id ?? element.closest("header, footer")?.className ?? "";
        return { y: box.top + scrollY, x: box.left, outline, what: part + " " + (element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40)) };
      })()`);
      if (here === null) break;
      seen.push(here);
    }
    const parts = [...new Set(seen.map(({ what }) => what.split(" ")[0]))].filter((part) => part !== "");
    expect(parts).toEqual(["top", "radios", "health", "history", "network", "node", "foot"]);
    expect(seen.filter(({ outline, what }) => outline === "none" && !what.includes("Skip"))).toEqual([]);
    expect(seen.length).toBeGreaterThan(30);
  });

  it("a dialog takes the focus, keeps it, and gives it back", async () => {
    await using opened = await open(stagedHouse());
    const { page } = opened;
    const opener = page.getByRole("button", { name: "Zigbee in the hall", exact: true });
    await opener.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    for (let step = 0; step < 25; step += 1) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement === document.body || document.activeElement.closest('dialog') !== null")).toBe(
        true,
      );
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("Zigbee in the hall");
  });
});

describe("acting", () => {
  it("renames a radio, takes the name away again, and says what is in the way", async () => {
    await using opened = await open(stagedHouse());
    const { api, page, tab } = opened;
    await page.getByRole("button", { name: "Aeotec Z-Stick Gen5", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Attic");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("heading", { name: "Attic" }).waitFor();
    expect(await card(page, "zwave-1-1.4").getByRole("heading").textContent()).toBe("Attic");
    await dialog.getByLabel("Name").fill("taken");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Another radio is called taken.").waitFor();
    await dialog.getByText("Mend it: 409.").waitFor();
    await dialog.getByLabel("Name").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("heading", { name: "Aeotec Z-Stick Gen5" }).waitFor();
    expect(api.asked.filter((asked) => asked.startsWith("{"))).toEqual(['{"name":"Attic"}', '{"name":"taken"}', '{"name":null}']);
    expect(tab.complaints.filter((complaint) => !complaint.includes("409"))).toEqual([]);
  });

  it("sets a kind", async () => {
    await using opened = await open(stagedHouse());
    const { api, page } = opened;
    await page.getByRole("button", { name: "CH340 serial bridge", exact: true }).click();
    await page.getByRole("dialog").getByLabel("Kind").selectOption("enocean");
    await page.getByRole("dialog").getByRole("button", { name: "Set" }).click();
    await page.getByRole("dialog").locator(".lead-kind").getByText("EnOcean").waitFor();
    expect(api.asked).toContain('{"kind":"enocean"}');
  });

  it("rescans, examines, and saves a support bundle and the patch", async () => {
    await using opened = await open(stagedHouse());
    const { api, page } = opened;
    await page.getByRole("button", { name: "Rescan for radios" }).click();
    await page.getByRole("button", { name: "Check now the machine" }).click();
    await expect.poll(() => api.asked).toEqual(["POST /api/v1/rescan", "POST /api/v1/doctor"]);
    const bundle = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Support bundle/ }).click();
    expect((await bundle).suggestedFilename()).toBe("aerial-staged.tar.gz");
    await page.getByRole("button", { name: /^Patch for all/ }).click();
    const patch = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the patch" }).click();
    expect(await readFile(await (await patch).path(), "utf8")).toBe(api.house.patch);
  });

  it("copies the path that software should use", async () => {
    await using opened = await open(stagedHouse(), { more: { permissions: ["clipboard-read", "clipboard-write"] } });
    const { page } = opened;
    await card(page, "zwave-1-1.4").getByRole("button", { name: /^Copy/ }).click();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe("/dev/serial/by-id/usb-0658_0200-if00");
    await page.getByText("Copied the path of Aeotec Z-Stick Gen5.").waitFor();
  });

  it("asks for a token, tells when it is not known, and keeps it for the tab alone", async () => {
    await using api = await openStagedApi(stagedHouse());
    api.token = "open sesame";
    await using tab = await openTab(browser);
    const { page } = tab;
    await page.goto(api.url);
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("This token is not known here.").waitFor();
    await page.getByLabel("Token").fill("open sesame");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "One thing does not work" }).waitFor();
    await expect.poll(() => api.followers).toBe(1);
    await page.reload();
    await page.getByRole("heading", { name: "One thing does not work" }).waitFor();
    expect(await page.evaluate("[localStorage.length, document.cookie]")).toEqual([0, ""]);
    await page.getByRole("button", { name: "Forget the token" }).click();
    await page.getByLabel("Token").waitFor();
  });
});

describe("live", () => {
  it("shows a plug as it is told of, keeps what is typed, and says it once to who listens", async () => {
    await using opened = await open(stagedHouse());
    const { api, page, tab } = opened;
    await page.getByRole("searchbox", { name: "Search radios" }).fill("new");
    api.house.radios = [...api.house.radios, stagedRadio("new-1", { name: "The new one" })];
    api.tell({
      id: "abc.11",
      sequence: 11,
      at: ago(0),
      type: "attached",
      radioId: "new-1",
      text: "The new one was plugged into port 9-9",
      details: {},
    });
    await card(page, "new-1").waitFor();
    expect(await page.getByRole("searchbox", { name: "Search radios" }).inputValue()).toBe("new");
    await page.locator("#history").getByText("The new one was plugged into port 9-9.").waitFor();
    expect(await page.locator("#announcer").textContent()).toBe("The new one was plugged into port 9-9.");
    expect(tab.complaints).toEqual([]);
  });

  it("says that the connection is lost and goes on by itself, with what has changed meanwhile", async () => {
    await using opened = await open(stagedHouse());
    const { api, page } = opened;
    api.hangUp(true);
    await page.locator(".lost-bar").waitFor();
    await page.getByRole("heading", { name: "Zigbee in the hall" }).waitFor();
    api.house.radios = [stagedRadio("meanwhile", { name: "Came meanwhile" })];
    api.hangUp(false);
    await card(page, "meanwhile").waitFor({ timeout: 20_000 });
    await page.locator(".lost-bar").waitFor({ state: "detached" });
    await page.locator(".live").getByText("Live").waitFor();
  });

  it("keeps a finding open while the report is made anew", async () => {
    await using opened = await open(stagedHouse());
    const { api, page } = opened;
    await page.locator(".row summary").first().click();
    await page.getByText("/proc/sys/net/ipv6/conf/eth0/accept_ra_rt_info_max_plen").waitFor();
    api.house.report = { ...api.house.report, at: ago(0), findings: structuredClone(api.house.report.findings) };
    api.hint("findings");
    await page.waitForTimeout(500);
    expect(await page.locator(".row details").first().getAttribute("open")).toBe("");
  });
});

describe("hostile strings", () => {
  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u202e`;

  it("are text wherever they come from", async () => {
    const house = stagedHouse();
    house.radios = [
      stagedRadio("evil", {
        name: hostile,
        model: hostile,
        vendor: hostile,
        byId: hostile,
        port: hostile,
        serial: hostile,
        usb: { vendorId: "10c4", productId: "ea60", product: hostile, manufacturer: hostile },
      }),
    ];
    house.services = house.services.map((service) => ({
      ...service,
      instance: hostile,
      service: hostile,
      host: hostile,
      addresses: [hostile],
      link: hostile,
    }));
    const [link] = house.relay!.links;
    house.relay = { ...house.relay!, links: [{ ...link!, name: hostile, why: hostile }] };
    house.conditions = [{ code: hostile, severity: "error", text: hostile, since: ago(3) }];
    house.events = house.events.map((event) => ({ ...event, text: hostile, radioId: "evil" }));
    house.report = {
      ...house.report,
      findings: house.report.findings.map((finding) => ({
        ...finding,
        text: hostile,
        title: hostile,
        subject: hostile,
        evidence: [{ source: hostile, value: hostile }],
      })),
    };
    house.patch = hostile;
    house.node = { ...house.node, name: hostile };
    await using opened = await open(house);
    const { page, tab } = opened;
    await page.locator(".open").first().click();
    await page.getByRole("dialog").waitFor();
    await page.waitForTimeout(300);
    expect(await page.title()).toContain("<img");
    expect(await page.locator("img, body script").count()).toBe(0);
    expect(await page.locator(".open").first().textContent()).toBe(hostile);
    expect(tab.complaints).toEqual([]);
  });
});

describe("size", () => {
  it("is tens of kilobytes, in one go, and nothing is moved about while it comes", async () => {
    await using api = await openStagedApi(stagedHouse());
    await using tab = await openTab(browser);
    await tab.page.addInitScript(
      "new PerformanceObserver((list) => { for (const entry of list.getEntries()) globalThis.shifted = (globalThis.shifted ?? 0) + entry.value; }).observe({ type: 'layout-shift', buffered: true })",
    );
    await tab.page.goto(api.url);
    await settled(tab.page);
    await tab.page.waitForTimeout(500);
    const own = tab.transfers.filter(({ url }) => !url.includes("/api/"));
    const total = own.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`the page: ${own.length} files, ${total} bytes as sent, heads and all (from sources; a build is smaller)`);
    expect(total).toBeLessThan(80_000);
    expect(await tab.page.evaluate("globalThis.shifted ?? 0")).toBeLessThan(0.1);
    const before = tab.transfers.length;
    await tab.page.reload();
    await settled(tab.page);
    const again = tab.transfers.slice(before).filter(({ url, bytes }) => url.includes("/assets/") && bytes > 0);
    expect(again).toEqual([]);
  });

  it("200 radios and 2,000 services: what is typed is drawn at once", async () => {
    await using opened = await open(crowdedHouse(200, 2_000));
    const { api, page, tab } = opened;
    expect(await page.locator(".radio").count()).toBe(60);
    await page.getByRole("button", { name: "Show 140 more radios" }).click();
    await expect.poll(() => page.locator(".radio").count()).toBe(200);
    // Drawn anew with one change: the others are the same elements as before.
    await page.evaluate("for (const card of document.querySelectorAll('.radio')) card.mark = true");
    api.house.radios = api.house.radios.map((radio, index) => (index === 7 ? { ...radio, name: "Renamed" } : radio));
    api.hint("radios");
    await page.getByRole("button", { name: "Renamed", exact: true }).waitFor();
    expect(await page.evaluate("[...document.querySelectorAll('.radio')].filter((card) => card.mark).length")).toBe(200);
    const drawn = await page.evaluate<number>(`new Promise((resolve) => {
      const field = document.querySelector(".services input");
      const started = performance.now();
      field.value = "lamp 1999";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - started)));
    })`);
    await expect.poll(() => page.locator(".services tbody tr").count()).toBe(1);
    console.log(`a letter typed into the search of 2,000 services is drawn ${Math.round(drawn)} ms later`);
    expect(tab.complaints).toEqual([]);
  });
});

it("teaches where there is nothing", async () => {
  await using opened = await open(emptyHouse());
  const { page } = opened;
  await page.getByRole("heading", { name: "Ready for a radio" }).waitFor();
  await page.getByText("npm run demo").waitFor();
  await page.getByText("relay.links").waitFor();
});
