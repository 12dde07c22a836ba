/** What kubelet and containerd do with a device plugin's answers and with CDI files, without aerial in between. */
import { renameSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cell } from "../../../src/core/cell.ts";
import { silentLog } from "../../../src/core/log.ts";
import { type DeviceList, devicePlugin, registration } from "../../../src/kubelet/device-plugin-messages.ts";
import { openGrpcClient } from "../../../src/kubelet/grpc-client.ts";
import { openGrpcServer, serverStream, unary } from "../../../src/kubelet/grpc-server.ts";
import { sonoffDonglePlus } from "../../lab/sticks.ts";
import { openCluster, type Cluster } from "../cluster.ts";
import { openControlPlane } from "../control-plane.ts";
import { openKubeNode, type KubeNode } from "./kube-node.ts";
import { startPod } from "./pods.ts";

const kind = "test.mi.house/stick";
const resourceName = "test.mi.house/zigbee";

let lifetime: AsyncDisposableStack;
let cluster: Cluster;
let node: KubeNode;

beforeAll(async () => {
  lifetime = new AsyncDisposableStack();
  cluster = lifetime.use(await openCluster());
  lifetime.use(await openControlPlane(cluster));
  // A new resource is told to the API server with the next status only; ten seconds unless told.
  node = lifetime.use(await openKubeNode(cluster, { name: "node-1", kubelet: { nodeStatusUpdateFrequency: "1s" } }));
  await offerStick();
});
afterAll(() => lifetime.disposeAsync());

/** A device plugin with one device, that answers with its CDI name. */
async function offerStick(): Promise<void> {
  const devices = new Cell<DeviceList>({ devices: [{ ID: "one", health: "Healthy" }] });
  const options = { preStartRequired: false, getPreferredAllocationAvailable: false };
  const directory = join(node.paths.kubelet, "device-plugins");
  const handlers = [
    unary(devicePlugin.getOptions, () => options),
    serverStream(devicePlugin.listAndWatch, (_request, signal) => devices.changes(signal)),
    unary(devicePlugin.allocate, () => ({
      containerResponses: [{ envs: { STICK: "one" }, devices: [], cdiDevices: [{ name: `${kind}=one` }] }],
    })),
  ];
  lifetime.use(await openGrpcServer({ path: join(directory, "test.sock"), handlers, log: silentLog }));
  using client = openGrpcClient({ path: join(directory, "kubelet.sock") });
  const request = { version: "v1beta1", endpoint: "test.sock", resourceName, options };
  await client.call(registration.register, request, { signal: new AbortController().signal, deadlineMs: 5_000 });
  await cluster.waitForNode("node-1", ({ status }) => JSON.stringify(status).includes(`"${resourceName}":"1"`), 10_000);
}

function writeCdi(hostPath: string): void {
  const deviceNodes = [{ path: "/dev/radio/zigbee", hostPath, permissions: "rw" }];
  const spec = { cdiVersion: "0.7.0", kind, devices: [{ name: "one", containerEdits: { deviceNodes, env: [`HOST=${hostPath}`] } }] };
  mkdirSync(node.paths.cdi, { recursive: true });
  const path = join(node.paths.cdi, "test.mi.house-stick.json");
  writeFileSync(`${path}.tmp`, JSON.stringify(spec));
  renameSync(`${path}.tmp`, path);
}

describe("a container without privileges", () => {
  it("opens the device of a CDI file, and the next one of that file when it is started again", async () => {
    const stick = await node.plug(sonoffDonglePlus);
    writeCdi("/dev/ttyUSB0");
    const script = "exec 3<>/dev/radio/zigbee; echo $STICK $HOST >&3; while read line <&3; do echo got $line >&3; done; exit 1";
    const limits = { [resourceName]: "1" };
    await startPod(cluster, { name: "reader", script, container: { resources: { limits } } });
    await stick.line.waitForWritten(/^one \/dev\/ttyUSB0$/mu);
    stick.line.send("question\n");
    await stick.line.waitForWritten(/^got question$/mu);

    // The line hangs up, the script ends, and the kubelet starts it again with the answer it was given at first.
    await stick.unplug();
    const again = await node.plug(sonoffDonglePlus, { without: stick.nodes });
    writeCdi("/dev/ttyUSB1");
    const startedAt = performance.now();
    await again.line.waitForWritten(/^one \/dev\/ttyUSB1$/mu, 30_000);
    again.line.send("another\n");
    await again.line.waitForWritten(/^got another$/mu);
    console.log(`speaks again ${Math.round(performance.now() - startedAt)} ms after the replug`);
    const restarts = await cluster.kubectl(["get", "pod", "reader", "--output=jsonpath={.status.containerStatuses[0].restartCount}"]);
    expect(Number(restarts)).toBeLessThanOrEqual(2);
    await again.unplug();
  });
});
