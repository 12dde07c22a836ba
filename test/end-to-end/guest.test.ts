/** From a real kernel's uevent to a real API server's label, and the stories of sticks on a real kernel. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGuestLab, type GuestLab } from "../lab/guest-lab.ts";
import { bareCh340, conbee2, cp2102OtherTwin, cp2102Twin, nrf52840Bootloader, nrf52840Thread, sonoffDonglePlus } from "../lab/sticks.ts";
import { aerialOnLab } from "../light/aerial-on-lab.ts";
import { scenarios } from "../light/scenarios.ts";
import { openAerialNode, prefix } from "./aerial-node.ts";
import { measureLabelLatency } from "./label-latency.ts";
import { soak } from "./soak.ts";

const environment = { AERIAL__LABELS__GRACESECONDS: "0" };

describe("a guest with the kernel's own drivers", () => {
  let lab: GuestLab;
  beforeAll(async () => {
    lab = await openGuestLab();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it("gets its label from a plug, and loses it from an unplug", async () => {
    await using node = await openAerialNode({ lab });
    await using _daemon = await node.start();
    const plugged = await lab.plug(sonoffDonglePlus);
    await node.waitForLabels((labels) => labels[`${prefix}/zigbee`] === "true");
    await plugged.unplug();
    await node.waitForLabels((labels) => Object.keys(labels).length === 0);
  });

  it("is labelled within seconds even on an emulated processor", async () => {
    await using node = await openAerialNode({ lab, environment });
    await using _daemon = await node.start();
    for (const latencyMs of await measureLabelLatency({ node, lab, plugs: 4, say: () => {} })) expect(latencyMs).toBeLessThan(10_000);
  });

  it("keeps its labels right through flaps and renumbering, and its descriptors and memory", async () => {
    await using node = await openAerialNode({ lab, environment });
    const { warm, end, settled } = await soak({ node, cycles: 25, warmCycles: 10, seed: 5, say: () => {} });
    expect(settled).toBe(50);
    expect(end.descriptors).toBe(warm.descriptors);
    expect(end.anonymousKib).toBeLessThan(warm.anonymousKib * 1.5);
  });

  it.each(scenarios.filter(({ only = "guest" }) => only === "guest"))("$name", (scenario) => scenario.run(lab, aerialOnLab(lab)));
});

describe("a guest with udevd", () => {
  it("labels twins, sticks without a serial number and moved ones by the same rules", async () => {
    await using lab = await openGuestLab({ udev: true });
    await using node = await openAerialNode({ lab, environment });
    await using _daemon = await node.start();
    const ids = async (): Promise<readonly string[]> => {
      const { radios } = await node.get<{ radios: { id: string; state: string }[] }>("/api/v1/radios");
      return radios.filter(({ state }) => state !== "absent").map(({ id }) => id);
    };
    const twins = [await lab.plug(cp2102Twin, { port: 1 }), await lab.plug(cp2102OtherTwin, { port: 2 })];
    await expect.poll(ids, { timeout: 60_000, interval: 500 }).toHaveLength(2);
    const [first, second] = await ids();
    expect(first).not.toBe(second);
    for (const twin of twins) await twin.unplug();

    const nameless = await lab.plug(bareCh340, { port: 3 });
    await expect.poll(ids, { timeout: 60_000, interval: 500 }).toEqual([expect.stringMatching(/^1a86-7523-lab-node-/)]);
    await nameless.unplug();

    const there = await lab.plug(conbee2, { port: 1 });
    await node.waitForLabels((labels) => labels[`${prefix}/zigbee`] === "true", 60_000);
    const before = await ids();
    await there.unplug();
    const moved = await lab.plug(conbee2, { port: 2 });
    await node.waitForLabels((labels) => labels[`${prefix}/zigbee`] === "true", 60_000);
    await expect.poll(ids, { timeout: 60_000, interval: 500 }).toEqual(before);
    await moved.unplug();

    const application = await lab.plug(nrf52840Thread, { port: 4 });
    await node.waitForLabels((labels) => labels[`${prefix}/thread`] === "true", 60_000);
    const radio = await ids();
    await application.unplug();
    await lab.plug(nrf52840Bootloader, { port: 4 });
    await expect
      .poll(
        async () =>
          (await node.get<{ radios: { id: string; state: string }[] }>("/api/v1/radios")).radios.find(({ id }) => id === radio[0])?.state,
        {
          timeout: 60_000,
          interval: 500,
        },
      )
      .toBe("bootloader");
    expect((await node.labels())[`${prefix}/thread`]).toBe("true");
  });
});
