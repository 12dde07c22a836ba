/** What the lab and the agent in the guest say to each other: one JSON object a line, both ways. */
import type { VirtualStick } from "./lab.ts";

/** A stick as JSON can carry it. */
export type WireStick = Omit<VirtualStick, "descriptors"> & { readonly descriptorsBase64?: string };

export type AddedKind = "bluetooth" | "wifi" | "wifi-station-only" | "ieee802154" | "spidev";

/** Calls to the guest, by name; each is answered once. */
export interface GuestCalls {
  readonly plug: { readonly ask: { readonly stick: WireStick; readonly port?: number }; readonly answer: { readonly port: number } };
  readonly unplug: { readonly ask: { readonly port: number }; readonly answer: null };
  readonly add: { readonly ask: { readonly what: AddedKind }; readonly answer: { readonly id: number } };
  readonly remove: { readonly ask: { readonly id: number }; readonly answer: null };
  readonly start: {
    readonly ask: { readonly command: readonly string[]; readonly environment: Readonly<Record<string, string>> };
    readonly answer: { readonly process: number; readonly pid: number };
  };
  readonly kill: { readonly ask: { readonly process: number; readonly signal: NodeJS.Signals }; readonly answer: null };
  readonly writeFile: {
    readonly ask: { readonly path: string; readonly contentsBase64: string; readonly mode: number };
    readonly answer: null;
  };
  /** The guest's wall clock, milliseconds since the Unix epoch with a fraction. */
  readonly clock: { readonly ask: null; readonly answer: { readonly nowMs: number } };
}

export type GuestCallName = keyof GuestCalls;

/** A device node that came or went directly below the guest's `/dev`. */
export interface DeviceNodeNews {
  readonly action: "created" | "deleted";
  readonly path: string;
  /** When the agent saw it, in the guest's wall-clock milliseconds: at most late. */
  readonly seenAtMs: number;
  /** The kernel's own creation time of the node: at most one tick (4 ms) early. Only for `created`. */
  readonly bornAtMs?: number;
}

/** What the guest says unasked. */
export type GuestEvent =
  | { readonly event: "ready"; readonly token: string; readonly kernel: string }
  | { readonly event: "deviceNode"; readonly news: DeviceNodeNews }
  | { readonly event: "output"; readonly process: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly event: "exited"; readonly process: number; readonly exitCode: number | null };

export interface CallMessage {
  readonly id: number;
  readonly call: GuestCallName;
  readonly ask: unknown;
}

export type AnswerMessage = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: string };

export type GuestMessage = GuestEvent | AnswerMessage;

/** Cuts a stream of text chunks into lines and parses each as JSON. The peer is our own other half: a broken line is a bug and throws. */
export function jsonLines(receive: (message: unknown) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      receive(JSON.parse(line));
    }
  };
}
