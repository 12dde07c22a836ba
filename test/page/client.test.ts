/** `aerial/client` in a browser, below the page's own policy, against a real daemon. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { expect, test } from "vitest";
import { openContractDaemon } from "../api/contract-daemon.ts";
import { openBrowser, openTab } from "./browser.ts";

const source = new URL("../../src/client/", import.meta.url);

/** Run in the browser; gives what it has seen. */
const program = `(async () => {
  const { AerialProblem, createAerialClient } = await import("/client/index.ts");
  const client = createAerialClient({ url: location.href });
  const { radios } = await client.listRadios({ kind: "zwave" });
  const named = await client.updateRadio({ key: radios[0].id, body: { name: "Küche" } });
  const problem = await client.getRadio({ key: "nobody" }).catch((error) => error);
  const events = [];
  for await (const { event } of client.events({ after: "oldest" })) {
    events.push(event);
    if (events.includes("history")) break;
  }
  return { name: named.name, status: problem instanceof AerialProblem && problem.status, events };
})()`;

test("the client asks, changes, is told of problems and follows, in Chromium", async () => {
  await using daemon = await openContractDaemon();
  const browser = await openBrowser();
  try {
    await using tab = await openTab(browser);
    await tab.page.route("**/client/*.ts", (route) => {
      const name = new URL(route.request().url()).pathname.replace("/client/", "");
      const body = stripTypeScriptTypes(readFileSync(new URL(name, source), "utf8"));
      return route.fulfill({ contentType: "text/javascript", body });
    });
    await tab.page.goto(`${daemon.url}/`);
    const seen = await tab.page.evaluate<{ events: string[] }>(program);
    expect(seen).toMatchObject({ name: "Küche", status: 404, events: expect.arrayContaining(["ready", "history"]) as string[] });
    expect(tab.complaints.filter((text) => !text.includes("404"))).toEqual([]);
  } finally {
    await browser.close();
  }
});
