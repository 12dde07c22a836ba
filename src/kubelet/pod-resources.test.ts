import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../core/log.ts";
import { openGrpcServer, unary } from "./grpc-server.ts";
import { openPodResources, type PodDevices, podResourcesLister } from "./pod-resources.ts";

const signal = new AbortController().signal;

/** A kubelet that answers so. */
async function openKubelet(answer: () => readonly PodDevices[]) {
  const kubelet = mkdtempSync(join(tmpdir(), "aerial-pods-"));
  onTestFinished(() => rmSync(kubelet, { recursive: true, force: true }));
  mkdirSync(join(kubelet, "pod-resources"));
  const client = openPodResources({ kubelet });
  onTestFinished(() => client[Symbol.dispose]());
  const serve = () =>
    openGrpcServer({
      path: join(kubelet, "pod-resources/kubelet.sock"),
      handlers: [unary(podResourcesLister.list, () => ({ podResources: answer() }))],
      log: silentLog,
    });
  return { client, serve };
}

const z2m: PodDevices = {
  name: "z2m-0",
  namespace: "home",
  containers: [
    {
      name: "main",
      devices: [{ resourceName: "radio.mi.house/zigbee", deviceIds: ["a", "b"] }],
      dynamicResources: [
        {
          claimName: "stick",
          claimNamespace: "home",
          claimResources: [{ driverName: "radio.mi.house", poolName: "n1", deviceName: "c" }],
        },
      ],
    },
    { name: "side", devices: [], dynamicResources: [] },
  ],
};

test("the kubelet's pods come with their devices, also from one that has been restarted", async () => {
  const { client, serve } = await openKubelet(() => [z2m]);
  await expect(client.list(signal)).rejects.toMatchObject({ code: "kubelet.unreachable" });
  for (let run = 0; run < 2; run += 1) {
    const server = await serve();
    await expect.poll(() => client.list(signal).catch(() => "away"), { timeout: 5_000 }).toEqual([z2m]);
    await server[Symbol.asyncDispose]();
  }
});

test("fields of newer kubelets are passed over, bytes as protoc writes them are read", () => {
  // A pod `p` in `n` with container `c`, device `i` of `r`, and cpu_ids, memory and topology, which nobody asks for.
  const pod = "0a0170 12016e 1a14 0a0163 120a 0a0172 120169 1a020a00 1a0101 2200 220101";
  const bytes = Buffer.from(`0a1f${pod}`.replaceAll(" ", ""), "hex");
  expect(podResourcesLister.list.response.decode(bytes)).toEqual({
    podResources: [
      {
        name: "p",
        namespace: "n",
        containers: [{ name: "c", devices: [{ resourceName: "r", deviceIds: ["i"] }], dynamicResources: [] }],
      },
    ],
  });
});

test("an answer of more than 4 MiB is refused, and the next is read", async () => {
  let pods: readonly PodDevices[] = Array.from({ length: 60_000 }, (_, index) => ({ ...z2m, name: `pod-${index}` }));
  const { client, serve } = await openKubelet(() => pods);
  await using _server = await serve();
  await expect(client.list(signal)).rejects.toMatchObject({ code: "kubelet.refused", details: { status: "RESOURCE_EXHAUSTED" } });
  pods = [z2m];
  await expect.poll(() => client.list(signal).catch((error: unknown) => error), { timeout: 5_000 }).toEqual([z2m]);
});
