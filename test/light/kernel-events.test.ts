/** Kernel events, heard where they come in earnest: in a network namespace whose owner may make the kernel say them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { openNamespaceLab, type NamespaceLab } from "./namespace-lab.ts";

const deadlineMs = 10_000;

// Where a user namespace owns the network, only what is injected is heard: that must be said.
const inUserNamespace = /user namespace/;
const asThisUser = process.getuid?.() === 0 ? /^listening $/ : inUserNamespace;

describe.each([
  ["as this user", {}, asThisUser],
  ["unprivileged", { unprivileged: true }, inUserNamespace],
])("kernel events, %s", (_, options, greeting) => {
  let lab: NamespaceLab;

  beforeAll(async () => {
    lab = await openNamespaceLab(options);
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("wake a process that has nothing else to do, and do not hold up its exit", async () => {
    await using listener = await lab.start(["node", "--conditions=source", "test/light/hint-listener.ts"]);
    const listening = await listener.waitForLine(/^listening/, deadlineMs);
    const plugged = await lab.plug(sonoffDonglePlus);
    await listener.waitForLine(/^hint$/, deadlineMs);
    await plugged.unplug();
    await listener.kill("SIGTERM");
    expect(await listener.exited).toBe(0);
    expect(listener.output).toContain("exiting");
    expect(listening).toMatch(greeting);
  });
});
