/** The kubelet's device plugin API (kubernetes/kubelet pkg/apis/deviceplugin/v1beta1/api.proto, 1.36). */
import { readMessages } from "./grpc-message.ts";

type Empty = Readonly<Record<string, never>>;

interface DevicePluginOptions {
  readonly preStartRequired: boolean;
  readonly getPreferredAllocationAvailable: boolean;
}

interface RegisterRequest {
  /** `v1beta1`. */
  readonly version: string;
  /** Name of the plugin's socket, in the directory of the kubelet's. */
  readonly endpoint: string;
  readonly resourceName: string;
  readonly options: DevicePluginOptions | null;
}

/** What the kubelet may give to a container. */
export interface PluginDevice {
  /** At most 63 characters. */
  readonly ID: string;
  readonly health: "Healthy" | "Unhealthy";
}

export interface DeviceList {
  readonly devices: readonly PluginDevice[];
}

interface AllocateRequest {
  readonly containerRequests: readonly { readonly devicesIds: readonly string[] }[];
}

/** What the kubelet passes on to the container runtime. */
export interface ContainerAllocation {
  readonly envs: Readonly<Record<string, string>>;
  readonly devices: readonly { readonly containerPath: string; readonly hostPath: string; readonly permissions: string }[];
  readonly cdiDevices: readonly { readonly name: string }[];
}

interface AllocateResponse {
  readonly containerResponses: readonly ContainerAllocation[];
}

interface PreStartContainerRequest {
  readonly devicesIds: readonly string[];
}

const codec = readMessages({
  Empty: { fields: {} },
  DevicePluginOptions: {
    fields: { preStartRequired: { type: "bool", id: 1 }, getPreferredAllocationAvailable: { type: "bool", id: 2 } },
  },
  RegisterRequest: {
    fields: {
      version: { type: "string", id: 1 },
      endpoint: { type: "string", id: 2 },
      resourceName: { type: "string", id: 3 },
      options: { type: "DevicePluginOptions", id: 4 },
    },
  },
  Device: { fields: { ID: { type: "string", id: 1 }, health: { type: "string", id: 2 } } },
  ListAndWatchResponse: { fields: { devices: { rule: "repeated", type: "Device", id: 1 } } },
  ContainerAllocateRequest: { fields: { devicesIds: { rule: "repeated", type: "string", id: 1 } } },
  AllocateRequest: { fields: { containerRequests: { rule: "repeated", type: "ContainerAllocateRequest", id: 1 } } },
  DeviceSpec: {
    fields: {
      containerPath: { type: "string", id: 1 },
      hostPath: { type: "string", id: 2 },
      permissions: { type: "string", id: 3 },
    },
  },
  CDIDevice: { fields: { name: { type: "string", id: 1 } } },
  ContainerAllocateResponse: {
    fields: {
      envs: { keyType: "string", type: "string", id: 1 },
      devices: { rule: "repeated", type: "DeviceSpec", id: 3 },
      cdiDevices: { rule: "repeated", type: "CDIDevice", id: 5 },
    },
  },
  AllocateResponse: { fields: { containerResponses: { rule: "repeated", type: "ContainerAllocateResponse", id: 1 } } },
  PreStartContainerRequest: { fields: { devicesIds: { rule: "repeated", type: "string", id: 1 } } },
});

const empty = codec<Empty>("Empty");

/** Served by the kubelet. */
export const registration = {
  register: { path: "/v1beta1.Registration/Register", request: codec<RegisterRequest>("RegisterRequest"), response: empty },
};

/** Served by a plugin. */
export const devicePlugin = {
  getOptions: {
    path: "/v1beta1.DevicePlugin/GetDevicePluginOptions",
    request: empty,
    response: codec<DevicePluginOptions>("DevicePluginOptions"),
  },
  listAndWatch: {
    path: "/v1beta1.DevicePlugin/ListAndWatch",
    request: empty,
    response: codec<DeviceList>("ListAndWatchResponse"),
  },
  allocate: {
    path: "/v1beta1.DevicePlugin/Allocate",
    request: codec<AllocateRequest>("AllocateRequest"),
    response: codec<AllocateResponse>("AllocateResponse"),
  },
  preStartContainer: {
    path: "/v1beta1.DevicePlugin/PreStartContainer",
    request: codec<PreStartContainerRequest>("PreStartContainerRequest"),
    response: empty,
  },
};
