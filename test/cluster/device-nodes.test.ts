/** Radios that are no serial ports, in pods without privileges on a real node: SPI with its GPIO chip, HID, raw USB. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noDriverStick } from "../lab/sticks.ts";
import type { LabProcess } from "../lab/lab.ts";
import { gpioChip, hidraw, spidevDevice } from "../light/platform-objects.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeNode } from "./node/kube-node.ts";
import { prepareAerial } from "./node/node-aerial.ts";
import { type OneNode, openOneNode } from "./node/one-node.ts";
import { startPod, unprivileged } from "./node/pods.ts";
import type { VirtualTerminal } from "./node/virtual-terminals.ts";

/** What neither can tell of itself its owner says. */
const config = `
radios:
  - {match: {node: /dev/spidev0.0}, kind: lora, name: roof}
  - {match: {vendorId: "${noDriverStick.vendorId}", productId: "${noDriverStick.productId}"}, kind: zigbee}
`;

let house: OneNode;
let cluster: Cluster;
let node: KubeNode;
let daemon: LabProcess;

beforeAll(async () => {
  house = await openOneNode();
  ({ cluster, node } = house);
  const file = join(node.paths.root, "aerial.yaml");
  await writeFile(file, config);
  const aerial = await prepareAerial(cluster, node, { AERIAL_CONFIG: file });
  daemon = await aerial.start();
});
afterAll(() => house[Symbol.asyncDispose]());

interface Given {
  readonly kind: string;
  /** Paths in the container → what is behind them. */
  readonly nodes: Readonly<Record<string, VirtualTerminal>>;
}

/** A pod of nobody's writes its path to each, and reads what the other end says. */
async function expectHandedOver({ kind, nodes }: Given): Promise<void> {
  const resource = `radio.mi.house/${kind}`;
  await house.until(
    `the scheduler knows ${resource}`,
    async () => {
      const { status } = await cluster.api.fetch<{ status: { allocatable: Record<string, string> } }>("/api/v1/nodes/node-1");
      return status.allocatable[resource] === "1";
    },
    { timeoutMs: 30_000, daemon },
  );
  const paths = Object.keys(nodes);
  const talk = (path: string): string => `(exec 3<>${path}; echo "${path} here" >&3; read line <&3; echo "${path} got $line" >&3)`;
  const container = { resources: { limits: { [resource]: "1" } }, securityContext: unprivileged };
  const script = `echo "$RADIO_${kind.toUpperCase()}_PATH" >/tmp/path; ${paths.map(talk).join("; ")}; exec sleep 10000`;
  await startPod(cluster, { name: kind, script, container });
  for (const [path, line] of Object.entries(nodes)) {
    await line.waitForWritten(new RegExp(`^${path} here$`, "mu"));
    line.send("word\n");
    await line.waitForWritten(new RegExp(`^${path} got word$`, "mu"));
  }
  const inPod = (command: string): Promise<string> => cluster.kubectl(["exec", kind, "--", "sh", "-c", command]);
  expect((await inPod("cat /tmp/path")).trim()).toBe(`/dev/radio/${kind}`);
  const listed = await inPod("find /dev -type c | grep -vE '^/dev/(null|zero|full|random|urandom|tty|console|ptmx|pts/.*)$'");
  expect(listed.trim().split("\n").sort()).toEqual(paths.toSorted());
}

it("an SPI port and the GPIO chip without which it is of no use", async () => {
  const chip = await node.insert(gpioChip(0, "devices/platform/soc/fe200000.gpio"));
  const port = await node.insert(spidevDevice(0, 0));
  await expectHandedOver({ kind: "lora", nodes: { "/dev/radio/lora": port, "/dev/spidev0.0": port, "/dev/gpiochip0": chip } });
});

it("a USB device without a driver, with its HID node", async () => {
  const stick = await node.plug(noDriverStick);
  const hid = await node.insert(hidraw(0, `${stick.path}/1-1:1.0`));
  const nodes = { "/dev/radio/zigbee": stick.line, "/dev/hidraw0": hid, "/dev/bus/usb/001/002": stick.line };
  await expectHandedOver({ kind: "zigbee", nodes });
});
