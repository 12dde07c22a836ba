/**
 * How the kubelet gets to know plugins (kubernetes/kubelet pkg/apis/pluginregistration/v1/api.proto), and what it asks DRA
 * drivers (pkg/apis/dra/v1, v1beta1 and dra-health/v1alpha1, all of 1.36).
 */
import { readMessages } from "./grpc-message.ts";

interface PluginInfo {
  readonly type: "DRAPlugin";
  /** The driver's. */
  readonly name: string;
  /** Path of the socket that serves the plugin, as the kubelet sees it. */
  readonly endpoint: string;
  /** gRPC services, the best first. */
  readonly supportedVersions: readonly string[];
}

interface RegistrationStatus {
  readonly pluginRegistered: boolean;
  readonly error: string;
}

/** A claim by its names; what it says is to be asked of the API server. */
export interface NamedClaim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

interface ClaimsRequest {
  readonly claims: readonly NamedClaim[];
}

/** A device of a prepared claim. */
interface PreparedForKubelet {
  readonly requestNames: readonly string[];
  readonly poolName: string;
  readonly deviceName: string;
  readonly cdiDeviceIds: readonly string[];
  readonly shareId?: string;
}

/** What became of a claim: devices, or a sentence that the kubelet shows in the pod's events before it tries again. */
export interface PrepareOutcome {
  readonly devices: readonly PreparedForKubelet[];
  readonly error: string;
}

/** By the claims' uids, one for each that was asked for. */
interface PrepareResponse {
  readonly claims: Readonly<Record<string, PrepareOutcome>>;
}

interface UnprepareResponse {
  readonly claims: Readonly<Record<string, { readonly error: string }>>;
}

export interface DeviceHealth {
  readonly device: { readonly poolName: string; readonly deviceName: string };
  readonly health: "UNKNOWN" | "HEALTHY" | "UNHEALTHY";
  /** Seconds since the epoch. */
  readonly lastUpdatedTime: number;
  /** After so many seconds without news the kubelet counts it as unknown. */
  readonly healthCheckTimeoutSeconds: number;
  /** At most 1024 characters. */
  readonly message: string;
}

type Empty = Readonly<Record<string, never>>;

const registration = readMessages({
  InfoRequest: { fields: {} },
  PluginInfo: {
    fields: {
      type: { type: "string", id: 1 },
      name: { type: "string", id: 2 },
      endpoint: { type: "string", id: 3 },
      supportedVersions: { rule: "repeated", type: "string", id: 4 },
    },
  },
  RegistrationStatus: { fields: { pluginRegistered: { type: "bool", id: 1 }, error: { type: "string", id: 2 } } },
  RegistrationStatusResponse: { fields: {} },
});

const claim = {
  fields: { namespace: { type: "string", id: 1 }, uid: { type: "string", id: 2 }, name: { type: "string", id: 3 } },
} as const;
const claims = { fields: { claims: { rule: "repeated", type: "Claim", id: 1 } } } as const;

const dra = readMessages({
  Claim: claim,
  NodePrepareResourcesRequest: claims,
  NodePrepareResourcesResponse: { fields: { claims: { keyType: "string", type: "NodePrepareResourceResponse", id: 1 } } },
  NodePrepareResourceResponse: {
    fields: { devices: { rule: "repeated", type: "Device", id: 1 }, error: { type: "string", id: 2 } },
  },
  Device: {
    fields: {
      requestNames: { rule: "repeated", type: "string", id: 1 },
      poolName: { type: "string", id: 2 },
      deviceName: { type: "string", id: 3 },
      cdiDeviceIds: { rule: "repeated", type: "string", id: 4 },
      // Not in v1beta1, whose readers skip it.
      shareId: { type: "string", id: 5 },
    },
  },
  NodeUnprepareResourcesRequest: claims,
  NodeUnprepareResourcesResponse: { fields: { claims: { keyType: "string", type: "NodeUnprepareResourceResponse", id: 1 } } },
  NodeUnprepareResourceResponse: { fields: { error: { type: "string", id: 1 } } },
});

const health = readMessages({
  NodeWatchResourcesRequest: { fields: {} },
  HealthStatus: { values: { UNKNOWN: 0, HEALTHY: 1, UNHEALTHY: 2 } },
  DeviceIdentifier: { fields: { poolName: { type: "string", id: 1 }, deviceName: { type: "string", id: 2 } } },
  DeviceHealth: {
    fields: {
      device: { type: "DeviceIdentifier", id: 1 },
      health: { type: "HealthStatus", id: 2 },
      lastUpdatedTime: { type: "int64", id: 3 },
      healthCheckTimeoutSeconds: { type: "int64", id: 4 },
      message: { type: "string", id: 5 },
    },
  },
  NodeWatchResourcesResponse: { fields: { devices: { rule: "repeated", type: "DeviceHealth", id: 1 } } },
});

/** Served on the socket that the kubelet finds. */
export const pluginRegistration = {
  getInfo: {
    path: "/pluginregistration.Registration/GetInfo",
    request: registration<Empty>("InfoRequest"),
    response: registration<PluginInfo>("PluginInfo"),
  },
  notifyStatus: {
    path: "/pluginregistration.Registration/NotifyRegistrationStatus",
    request: registration<RegistrationStatus>("RegistrationStatus"),
    response: registration<Empty>("RegistrationStatusResponse"),
  },
};

/** Kubernetes 1.34 and later; 1.32 and 1.33. */
type DraVersion = "v1" | "v1beta1";
export const draVersions: readonly DraVersion[] = ["v1", "v1beta1"];

/** Served on the endpoint of `PluginInfo`; the versions differ by name only. */
export function draPlugin(version: DraVersion) {
  const service = `/k8s.io.kubelet.pkg.apis.dra.${version}.DRAPlugin`;
  return {
    prepare: {
      path: `${service}/NodePrepareResources`,
      request: dra<ClaimsRequest>("NodePrepareResourcesRequest"),
      response: dra<PrepareResponse>("NodePrepareResourcesResponse"),
    },
    unprepare: {
      path: `${service}/NodeUnprepareResources`,
      request: dra<ClaimsRequest>("NodeUnprepareResourcesRequest"),
      response: dra<UnprepareResponse>("NodeUnprepareResourcesResponse"),
    },
  };
}

/** Served beside it. Each message is the whole list. */
export const draHealth = {
  watch: {
    path: "/v1alpha1.DRAResourceHealth/NodeWatchResources",
    request: health<Empty>("NodeWatchResourcesRequest"),
    response: health<{ readonly devices: readonly DeviceHealth[] }>("NodeWatchResourcesResponse"),
  },
};

/** What `PluginInfo` offers, in the kubelet's words: `<version>.<service>`. */
export const draServices: readonly string[] = [...draVersions.map((version) => `${version}.DRAPlugin`), "v1alpha1.DRAResourceHealth"];
