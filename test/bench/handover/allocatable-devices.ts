/** What the kubelet itself could give to a pod now, before the API server hears of it. */
import { join } from "node:path";
import { openGrpcClient } from "../../../src/kubelet/grpc-client.ts";
import { readMessages } from "../../../src/kubelet/grpc-message.ts";

interface Allocatable {
  readonly devices: readonly { readonly resourceName: string; readonly deviceIds: readonly string[] }[];
}

/** `GetAllocatableResources` (kubernetes/kubelet pkg/apis/podresources/v1/api.proto). */
const codec = readMessages({
  AllocatableResourcesRequest: { fields: {} },
  AllocatableResourcesResponse: { fields: { devices: { rule: "repeated", type: "ContainerDevices", id: 1 } } },
  ContainerDevices: { fields: { resourceName: { type: "string", id: 1 }, deviceIds: { rule: "repeated", type: "string", id: 2 } } },
});
const method = {
  path: "/v1.PodResourcesLister/GetAllocatableResources",
  request: codec<Readonly<Record<string, never>>>("AllocatableResourcesRequest"),
  response: codec<Allocatable>("AllocatableResourcesResponse"),
};

export interface AllocatableDevices extends Disposable {
  /** How many devices of a resource there are. */
  count(resource: string): Promise<number>;
}

/** `kubelet` is the kubelet's directory, as this process sees it. */
export function openAllocatableDevices(kubelet: string): AllocatableDevices {
  const client = openGrpcClient({ path: join(kubelet, "pod-resources/kubelet.sock") });
  return {
    async count(resource) {
      const { devices } = await client.call(method, {}, { signal: AbortSignal.timeout(5_000), deadlineMs: 5_000 });
      return devices.filter(({ resourceName }) => resourceName === resource).flatMap(({ deviceIds }) => deviceIds).length;
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
