/** The page of a daemon on a real kernel: from the kernel's own device node to a card in Chromium. Built as it is shipped. */
import { expect, it } from "vitest";
import { aerialCommand } from "../lab/aerial-command.ts";
import { openGuestLab } from "../lab/guest-lab.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { keepPicture, openBrowser, openTab, settled } from "./browser.ts";
import { openGuestDoor } from "./guest-door.ts";

it("shows a stick that a real kernel has enumerated, in a build as it is shipped", { timeout: 600_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await openGuestLab());
  const socket = "/run/aerial-page.sock";
  const environment = {
    AERIAL__NODE__NAME: "guest-node",
    AERIAL__KUBERNETES__ENABLED: "false",
    AERIAL__STATE__DIRECTORY: "/run/aerial-page",
    AERIAL__API__SOCKET: socket,
    AERIAL__LOG__FORMAT: "json",
  };
  const daemon = stack.use(await lab.start([...(await aerialCommand(lab)), "run"], { environment }));
  await daemon.waitForLine(/aerial is up/, 240_000);
  const { url } = stack.use(await openGuestDoor(lab, socket));
  const browser = await openBrowser();
  stack.defer(() => browser.close());
  const { page, transfers, complaints } = stack.use(await openTab(browser));
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await settled(page);
  await page.locator(".live").getByText("Live").waitFor();
  const own = transfers.filter(({ url: from }) => !from.includes("/api/"));
  console.log(`the page as built: ${own.length} files, ${own.reduce((sum, { bytes }) => sum + bytes, 0)} bytes as sent, heads and all`);
  await page.evaluate(`new MutationObserver(() => {
    if (document.querySelector(".radio.present")) globalThis.shownAt ??= Date.now();
  }).observe(document.body, { childList: true, subtree: true })`);
  const sinceMs = Date.now();
  await lab.plug(sonoffDonglePlus, { port: 1 });
  await page.locator(".radio.present").waitFor();
  const node = await lab.waitForDeviceNode({ path: /ttyUSB/, action: "created", sinceMs, timeoutMs: 10_000 });
  const shownAt = await page.evaluate<number>("globalThis.shownAt");
  console.log(`on the page ${Math.round(shownAt - (node.bornAtMs ?? node.seenAtMs))} ms after its device node (an emulated processor)`);
  await keepPicture(page, "guest-desktop-light");
  expect(shownAt - (node.bornAtMs ?? node.seenAtMs)).toBeLessThan(10_000);
  expect(complaints).toEqual([]);
});
