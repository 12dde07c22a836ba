/** What the namespace lab and its agent say to each other: one JSON object a line, both ways. */
import type { VirtualStick } from "../lab/lab.ts";
import type { AddedKind, AnswerMessage, GuestCalls, WireStick } from "../lab/protocol.ts";
import type { ProcessNews } from "../lab/process-table.ts";
import type { SerialPortOptions } from "./platform-objects.ts";

/** Where the kernel put a stick, as this lab alone can tell without waiting. */
export interface StickPlace {
  readonly port: number;
  /** Below `/sys`: `devices/pci0000:00/…/1-1`. */
  readonly path: string;
  /** `/dev/ttyUSB0`; none for a stick without driver. */
  readonly nodes: readonly string[];
  readonly busNumber: number;
  readonly deviceNumber: number;
  /** `1-2`, `1-5.3`. */
  readonly portPath: string;
}

/** Calls to the agent, by name; each is answered once. */
export interface NamespaceCalls extends Pick<GuestCalls, "start" | "kill" | "remove"> {
  readonly plug: {
    readonly ask: { readonly stick: WireStick; readonly port?: number };
    readonly answer: StickPlace & { readonly id: number };
  };
  readonly add: { readonly ask: { readonly what: AddedKind }; readonly answer: { readonly id: number } };
  readonly addSerialPort: { readonly ask: SerialPortOptions; readonly answer: { readonly id: number } };
  /** Listens on the namespace's 127.0.0.1 and passes connections on to a unix socket. */
  readonly forward: { readonly ask: { readonly port: number; readonly socket: string }; readonly answer: null };
}

export type NamespaceCallName = keyof NamespaceCalls;

export interface NamespaceCall {
  readonly id: number;
  readonly call: NamespaceCallName;
  readonly ask: unknown;
}

export type NamespaceMessage = { readonly event: "ready" } | ProcessNews | AnswerMessage;

export function toWire({ descriptors, ...stick }: VirtualStick): WireStick {
  return descriptors === undefined ? stick : { ...stick, descriptorsBase64: Buffer.from(descriptors).toString("base64") };
}

export function fromWire({ descriptorsBase64, ...stick }: WireStick): VirtualStick {
  return descriptorsBase64 === undefined ? stick : { ...stick, descriptors: Buffer.from(descriptorsBase64, "base64") };
}
