/** What aerial reads back from containers that it gave radios to. */

/** Variables in a container's environment. */
export const handoverVariables = {
  /** The node's name. */
  node: "RADIO_NODE",
  /** `RADIO_<GROUP>_ID`: the radio's id. */
  id: /^RADIO_[A-Z0-9_]{1,80}_ID$/,
  /** Beside it: numbers of the device nodes as they were given, `188:0`. */
  deviceOf: (idVariable: string): string => idVariable.replace(/_ID$/, "_DEVICE"),
  /** Its CDI name; only what was handed over by that has it. */
  cdiOf: (idVariable: string): string => idVariable.replace(/_ID$/, "_CDI"),
} as const;

/** A radio as a container was given it when it was made. A container may say what it likes, so it is believed about itself only. */
export interface HandedRadio {
  readonly id: string;
  /** Numbers of the device nodes: `188:0`, several as `240:0,189:5`. */
  readonly device: string;
  /** Whether the container runtime looks the radio up anew each time it makes the container. */
  readonly byCdi: boolean;
}

/** A running container of a pod that was given radios. */
export interface HandedContainer {
  /** As the API server writes it. */
  readonly podUid: string;
  readonly containerId: string;
  /** The node that it was told it is on. */
  readonly node: string;
  readonly radios: readonly HandedRadio[];
}

/** The containers of this machine. Both throw `handover.processes`. */
export interface HandedContainers {
  /** All that were given radios. */
  find(signal: AbortSignal): Promise<readonly HandedContainer[]>;
  /** Ends all processes of a container, politely first. Resolves when none is left. */
  end(container: HandedContainer, signal: AbortSignal): Promise<void>;
}
