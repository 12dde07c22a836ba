import { expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { AerialError } from "../../core/errors.ts";
import { createSchedulerGate } from "./scheduler-gate.ts";

const signal = new AbortController().signal;
const zigbee = "radio.mi.house/zigbee";

function open(nodes: Readonly<Record<string, unknown>>, offered = 0) {
  const clock = createManualClock();
  const asked: string[] = [];
  const get = (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const name = path.replace("/api/v1/nodes/", "");
    asked.push(name);
    if (!(name in nodes)) return Promise.reject(new AerialError("kube.unreachable", "away"));
    return Promise.resolve({ status: { allocatable: nodes[name] } });
  };
  const gate = createSchedulerGate({ kube: { get }, clock, node: "n1", offered: () => offered });
  const isOpen = (resources: readonly string[] = [zigbee]): Promise<boolean> => gate.isOpen({ uid: "u", to: "n2", resources }, signal);
  return { clock, gate, isOpen, asked };
}

test.for<[string, Readonly<Record<string, unknown>>, isOpen: boolean]>([
  ["neither kubelet has said it", { n1: { [zigbee]: "1" }, n2: {} }, false],
  ["only the other has", { n1: { [zigbee]: "1" }, n2: { [zigbee]: "1" } }, false],
  ["only the own has", { n1: { [zigbee]: "0" }, n2: { [zigbee]: "0" } }, false],
  ["both have", { n1: { [zigbee]: "0" }, n2: { [zigbee]: "1" } }, true],
  ["the own forgot it altogether", { n1: {}, n2: { [zigbee]: 1 } }, true],
  ["the own cannot be read", { n2: { [zigbee]: "1" } }, true],
  ["the other cannot be read", { n1: {} }, true],
  ["what is there is no Node", { n1: 7, n2: null }, true],
  ["what is there is no number", { n1: { [zigbee]: "many" }, n2: { [zigbee]: "1" } }, true],
])("when %s", async ([, nodes, isOpen]) => {
  expect(await open(nodes).isOpen()).toBe(isOpen);
});

test("other radios of the same kind that are here may be offered", async () => {
  const nodes = { n1: { [zigbee]: "2" }, n2: { [zigbee]: "1" } };
  expect([await open(nodes, 1).isOpen(), await open(nodes, 2).isOpen()]).toEqual([false, true]);
});

test("a pod that has its radio by a claim waits for slices to be written, and for no kubelet", async () => {
  const { clock, isOpen, asked } = open({ n1: { [zigbee]: "1" }, n2: {} });
  expect(await isOpen([])).toBe(false);
  await clock.advance(1_500);
  expect([await isOpen([]), asked]).toEqual([true, []]);
});

test("nobody waits for ever, and another pod waits anew", async () => {
  const { clock, gate, isOpen } = open({ n1: { [zigbee]: "1" }, n2: {} });
  expect(await isOpen()).toBe(false);
  await clock.advance(29_999);
  expect(await isOpen()).toBe(false);
  await clock.advance(1);
  expect(await isOpen()).toBe(true);
  gate.keep(new Set(["another"]));
  expect(await isOpen()).toBe(false);
});
