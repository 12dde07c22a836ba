/** `aerial watch`. */
import type { WatchLine } from "../api/contract/types.ts";
import type { RadioView } from "../api/radio-view.ts";
import { AerialError } from "../core/errors.ts";
import { printable, printableJson } from "../core/printable.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { describeKind, describeModel, describePlace } from "./format-devices.ts";
import { parseOutputFormat } from "./structured-output.ts";
import type { Terminal } from "./terminal.ts";

/** Shows the radios there are, then each change, until interrupted. Ends with `api.unreachable` when the daemon goes. */
export async function runWatchCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json"]);
  const states = new Map<string, RadioView>();
  for await (const text of createDaemonClient(invocation).lines("/api/v1/watch")) {
    const line = JSON.parse(text) as WatchLine;
    if (line.type === "heartbeat") continue;
    if (format === "json") terminal.line(printableJson(text));
    else for (const change of toChanges(line, states)) terminal.line(formatChange(change, terminal));
  }
  throw new AerialError("api.unreachable", "the daemon has stopped");
}

/** What happened to a radio, in a word, and the radio as it is now. */
export interface Change {
  readonly what: string;
  readonly radio: RadioView;
}

/** The changes a line of the stream tells of; `held` keeps the radios as last told. */
export function toChanges(line: WatchLine, held: Map<string, RadioView>): readonly Change[] {
  if (line.type === "heartbeat") return [];
  if (line.type === "removed") return forget([line.radio], held);
  if (line.type !== "snapshot") return remember(line.radio, held);
  if (held.size === 0) {
    for (const radio of line.radios) held.set(radio.id, radio);
    return line.radios.map((radio) => ({ what: radio.state, radio }));
  }
  const now = new Set(line.radios.map(({ id }) => id));
  const gone = [...held.values()].filter(({ id }) => !now.has(id));
  return [...line.radios.flatMap((radio) => remember(radio, held)), ...forget(gone, held)];
}

function forget(radios: readonly RadioView[], held: Map<string, RadioView>): readonly Change[] {
  for (const { id } of radios) held.delete(id);
  return radios.map((radio) => ({ what: "forgotten", radio }));
}

function remember(radio: RadioView, held: Map<string, RadioView>): readonly Change[] {
  const before = held.get(radio.id);
  held.set(radio.id, radio);
  return JSON.stringify(before) === JSON.stringify(radio) ? [] : [{ what: describeChange(before, radio), radio }];
}

function describeChange(before: RadioView | undefined, now: RadioView): string {
  if (before === undefined || before.state !== now.state) {
    return { present: "attached", absent: "detached", bootloader: "bootloader" }[now.state];
  }
  if (before.port !== now.port || before.devicePaths.join() !== now.devicePaths.join()) return "moved";
  if (before.name !== now.name) return "named";
  if (before.lease?.owner !== now.lease?.owner) return now.lease === undefined ? "released" : "leased";
  return "changed";
}

const colors = { attached: "green", present: "green", detached: "red", absent: "dim", bootloader: "yellow" } as const;

/** A line about a change, for a person. */
export function formatChange({ what, radio }: Change, terminal: Terminal): string {
  const time = radio.state === "absent" ? (radio.absentSince ?? radio.lastSeen) : radio.lastSeen;
  const color = what in colors ? colors[what as keyof typeof colors] : "bold";
  const parts = [describeKind(radio), describeModel(radio), describePlace(radio), radio.port === undefined ? "" : `port ${radio.port}`];
  const details = parts.filter((part) => part !== "").join(", ");
  return `${printable(time)}  ${terminal.paint(color, what.padEnd(10))}  ${printable(radio.name ?? radio.id)}  ${printable(details)}`;
}
