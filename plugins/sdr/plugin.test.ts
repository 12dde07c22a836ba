import { expect, it } from "vitest";
import { createFactsWorld } from "../../test/fixtures/facts-world.ts";
import { sampleRadio, zigbee } from "../../test/fixtures/sample-radios.ts";
import type { Outcome } from "../../src/core/check.ts";
import type { Radio } from "../../src/core/radio.ts";
import { sdr } from "./plugin.ts";

const [check] = sdr.checks!;

function receiver(driver?: string): Radio {
  const { device } = sampleRadio("receiver");
  const face = { number: 0, classCode: "ff/ff/ff", ...(driver !== undefined && { driver }) };
  return sampleRadio("receiver", {
    identity: { ...zigbee, kinds: ["sdr"] },
    device: { ...device, function: "usb", nodes: [], usb: { ...device.usb!, interfaces: [face] } },
  });
}

async function judge(...radios: readonly Radio[]): Promise<readonly Outcome[] | string> {
  using world = createFactsWorld({ known: { devices: () => ({ radios, others: [] }) } });
  return await world.judge(check!);
}

it("finds a receiver that the kernel has taken for a television tuner", async () => {
  expect(await judge(receiver("dvb_usb_rtl28xxu"))).toMatchObject([{ verdict: "fail", radioId: "receiver" }]);
  expect(await judge(receiver())).toMatchObject([{ verdict: "pass" }]);
  expect(await judge(sampleRadio("attic"))).toBeTypeOf("string");
});
