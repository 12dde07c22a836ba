import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { clusterOf, samplePod } from "../../../test/fixtures/cluster-pods.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { createRadioWorld, type RadioWorld } from "../../../test/fixtures/radio-world.ts";
import { loraChecks } from "./lora-checks.ts";

const check = checkNamed(loraChecks);

function createWorld(machine = "aarch64", devices: readonly string[] = ["/dev/spidev0.0"]): RadioWorld {
  const world = createRadioWorld({ machine, known: { cluster: clusterOf([samplePod("concentratord", { hostDevices: devices })]) } });
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

test("where nobody wants SPI, none is missed", async () => {
  const { judge, tree } = createWorld("x86_64", ["/dev/ttyUSB0"]);
  for (const each of loraChecks) expect(await judge(each)).toBeTypeOf("string");
  tree.addSpidev();
  for (const each of loraChecks) expect(await judge(each)).toBeTypeOf("string");
});

describe("LORA-01 and LORA-02, SPI", () => {
  test("a kernel without it, a board without it, and both with it", async () => {
    const { judge, tree, world } = createWorld();
    expect(verdictsOf(await judge(check("LORA-01")))).toEqual(["unknown"]);
    world.kernelConfig({ CONFIG_USB: "y" });
    expect(outcomesOf(await judge(check("LORA-01")))).toMatchObject([
      { verdict: "fail", text: expect.stringMatching(/\(aarch64\) was built without/) },
    ]);
    expect(await judge(check("LORA-02"))).toBeTypeOf("string");
    world.kernelConfig({ CONFIG_SPI_SPIDEV: "y" });
    expect(verdictsOf(await judge(check("LORA-01")))).toEqual(["pass"]);
    expect(outcomesOf(await judge(check("LORA-02")))).toMatchObject([
      { verdict: "fail", evidence: [{ source: "pod home/concentratord" }, {}] },
    ]);
    tree.addSpidev();
    expect(verdictsOf(await judge(check("LORA-01")))).toEqual(["pass"]);
    expect(verdictsOf(await judge(check("LORA-02")))).toEqual(["pass"]);
  });

  test("what is there is there, whatever is known of the kernel", async () => {
    const { judge, tree } = createWorld();
    tree.addSpidev();
    expect(verdictsOf(await judge(check("LORA-01")))).toEqual(["pass"]);
  });

  test("a board that names itself wants it too", async () => {
    const { judge, tree, world } = createWorld("aarch64", []);
    tree.setBoard("Raspberry Pi 4 Model B Rev 1.4");
    world.kernelConfig({ CONFIG_SPI_SPIDEV: "y" }).file("/sys/firmware/devicetree/base/hat/product", "Sense HAT\0");
    expect(await judge(check("LORA-02"))).toBeTypeOf("string");
    world.file("/sys/firmware/devicetree/base/hat/product", "RAK2287 WisLink LPWAN\0");
    expect(verdictsOf(await judge(check("LORA-02")))).toEqual(["fail"]);
  });

  test("cannot tell where /dev cannot be listed", async () => {
    const { gather, world } = createWorld();
    world.kernelConfig({ CONFIG_SPI_SPIDEV: "y" });
    const facts = await gather(loraChecks);
    const deviceNode = () => ({ state: "unreadable", why: "EACCES" }) as const;
    expect(verdictsOf(check("LORA-02").judge({ ...facts, deviceNode, deviceNodes: [] }))).toEqual(["unknown"]);
  });
});

test("LORA-03, the reset line", async () => {
  const { judge, tree, world } = createWorld();
  expect(await judge(check("LORA-03"))).toBeTypeOf("string");
  tree.addSpidev();
  expect(verdictsOf(await judge(check("LORA-03")))).toEqual(["fail"]);
  world.node("/dev/gpiochip0", { major: 254, minor: 0 });
  expect(verdictsOf(await judge(check("LORA-03")))).toEqual(["pass"]);
});
