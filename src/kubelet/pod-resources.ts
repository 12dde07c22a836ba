/** Which container has which devices, as the kubelet tells (kubernetes/kubelet pkg/apis/podresources/v1/api.proto, 1.36). */
import { join } from "node:path";
import { type GrpcClient, openGrpcClient } from "./grpc-client.ts";
import { readMessages } from "./grpc-message.ts";

/** A pod of this node, with what its containers have. */
export interface PodDevices {
  readonly name: string;
  readonly namespace: string;
  readonly containers: readonly ContainerDevices[];
}

interface ContainerDevices {
  readonly name: string;
  /** Of device plugins. */
  readonly devices: readonly { readonly resourceName: string; readonly deviceIds: readonly string[] }[];
  /** Of resource claims. */
  readonly dynamicResources: readonly ClaimedDevices[];
}

interface ClaimedDevices {
  readonly claimName: string;
  readonly claimNamespace: string;
  readonly claimResources: readonly { readonly driverName: string; readonly poolName: string; readonly deviceName: string }[];
}

export interface PodResourcesClient extends Disposable {
  /** All pods that have not ended. Throws `kubelet.*`, and the signal's reason. */
  list(signal: AbortSignal): Promise<readonly PodDevices[]>;
}

const codec = readMessages({
  ListPodResourcesRequest: { fields: {} },
  ListPodResourcesResponse: { fields: { podResources: { rule: "repeated", type: "PodResources", id: 1 } } },
  PodResources: {
    fields: {
      name: { type: "string", id: 1 },
      namespace: { type: "string", id: 2 },
      containers: { rule: "repeated", type: "ContainerResources", id: 3 },
    },
  },
  ContainerResources: {
    fields: {
      name: { type: "string", id: 1 },
      devices: { rule: "repeated", type: "ContainerDevices", id: 2 },
      dynamicResources: { rule: "repeated", type: "DynamicResource", id: 5 },
    },
  },
  ContainerDevices: {
    fields: { resourceName: { type: "string", id: 1 }, deviceIds: { rule: "repeated", type: "string", id: 2 } },
  },
  DynamicResource: {
    fields: {
      claimName: { type: "string", id: 2 },
      claimNamespace: { type: "string", id: 3 },
      claimResources: { rule: "repeated", type: "ClaimResource", id: 4 },
    },
  },
  ClaimResource: {
    fields: {
      driverName: { type: "string", id: 2 },
      poolName: { type: "string", id: 3 },
      deviceName: { type: "string", id: 4 },
    },
  },
});

/** Served by the kubelet. */
export const podResourcesLister = {
  list: {
    path: "/v1.PodResourcesLister/List",
    request: codec<Readonly<Record<string, never>>>("ListPodResourcesRequest"),
    response: codec<{ readonly podResources: readonly PodDevices[] }>("ListPodResourcesResponse"),
  },
};

const deadlineMs = 10_000;

/** `kubelet` is the kubelet's own directory: `/var/lib/kubelet`. Throws `kubelet.socket-path`; nothing is connected yet. */
export function openPodResources({ kubelet }: { readonly kubelet: string }): PodResourcesClient {
  const open = (): GrpcClient => openGrpcClient({ path: join(kubelet, "pod-resources/kubelet.sock") });
  let client = open();
  return {
    async list(signal) {
      try {
        return (await client.call(podResourcesLister.list, {}, { signal, deadlineMs })).podResources;
      } catch (error) {
        // A connection on which an answer was too large never has room for another one.
        client[Symbol.dispose]();
        client = open();
        throw error;
      }
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
