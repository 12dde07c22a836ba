/** The words for giving a radio to a container. */

/** Which of Kubernetes' two ways a radio went to a container by. */
export type HandoverWay = "device-plugin" | "resource-claim";

/** A radio that is a pod's, whether the pod has it already or not. */
export interface RadioAssignment {
  readonly radioId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly way: HandoverWay;
  /** What was asked for: the extended resource (`radio.mi.house/zigbee`), or the name of the claim. */
  readonly request: string;
}

/** A container that was given a radio. */
export interface RadioHolder extends RadioAssignment {
  readonly container: string;
  /** When aerial first saw it; ISO 8601, UTC. */
  readonly since: string;
}

/** A device node as a container gets it. */
export interface HandedNode {
  /** In the container: `/dev/radio/zigbee`. */
  readonly path: string;
  /** On the node, as the node itself names it: `/dev/ttyUSB0`. */
  readonly hostPath: string;
  readonly major: number;
  readonly minor: number;
}

/** All that a container gets of one radio. */
export interface RadioEdits {
  /** The first is the radio's main node at its stable path. Never empty. */
  readonly nodes: readonly HandedNode[];
  /** `RADIO_ZIGBEE_PATH` and so on. Names and values are safe for environment and JSON. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * How radios become resources. Every radio that can be handed over belongs to exactly one group, and each group is one
 * extended resource; the group's name is also the last part of the node's path (`/dev/radio/<group>`).
 */
export interface ResourceGroups {
  /** The domain of the resources, of CDI and of the DRA driver: `radio.mi.house`. */
  readonly domain: string;
  /** The first that fits holds; what fits none is in a group named like its first kind. */
  readonly groups: readonly ResourceGroup[];
}

export interface ResourceGroup {
  /** At most 63 lower-case letters, digits and `-`. */
  readonly name: string;
  /** Kinds of radio that belong to it. */
  readonly kinds: readonly string[];
  /** Ids or names of radios that belong to it, whatever their kind. */
  readonly radios: readonly string[];
}

/** A pod of the cluster that asks for radios of ours. */
export interface RadioPod {
  readonly namespace: string;
  readonly name: string;
  /** Where it was scheduled. */
  readonly node?: string;
  readonly phase: "pending" | "running" | "succeeded" | "failed" | "unknown";
  readonly wants: readonly RadioRequest[];
  /** Ids of the radios it was given, as far as this node's kubelet or the claims tell. */
  readonly holds: readonly string[];
  /** One sentence for people: why it does not run, and what would help. */
  readonly waiting?: string;
}

export interface RadioRequest {
  readonly way: HandoverWay;
  /** The extended resource, or the name of the claim. */
  readonly request: string;
  readonly count: number;
}
