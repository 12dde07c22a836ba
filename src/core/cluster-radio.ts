/** The radios of all nodes, as the API server knows them: words for whoever reads and shows them. */

export interface ClusterRadio {
  /** The node's name. */
  readonly node: string;
  readonly id: string;
  readonly name?: string;
  readonly kinds: readonly string[];
  readonly certainty: "certain" | "likely" | "ambiguous" | "unknown";
  readonly vendor?: string;
  readonly model?: string;
  readonly state: "present" | "absent" | "bootloader";
  /** As that node names them. */
  readonly devicePaths: readonly string[];
  /** The USB port path, such as `1-1.2`. */
  readonly port?: string;
}

export interface ClusterNode {
  readonly name: string;
  /** Whether the kubelet says that it is ready; what a node that is not ready tells may be old. */
  readonly ready: boolean;
  /** `none`: no aerial has listed radios there, or it has none. `unreadable`: somebody has changed the list so that it is none. */
  readonly list: "published" | "none" | "unreadable";
  /** Since when the list is as it is; ISO 8601, UTC. */
  readonly listedAt?: string;
  readonly radios: number;
  /** Radios that did not fit into the node's list. */
  readonly omitted: number;
}

export interface ClusterRadios {
  /** When the API server was asked; ISO 8601, UTC. */
  readonly at: string;
  /** False where there are more nodes than are read. */
  readonly complete: boolean;
  readonly nodes: readonly ClusterNode[];
  readonly radios: readonly ClusterRadio[];
}
