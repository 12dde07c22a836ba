/** Pods that ask for radios, as a table and in sentences. */
import type { RadioPod, RadioRequest } from "../api/contract/types.ts";
import { printable } from "../core/printable.ts";
import type { Cell, Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `home/zigbee2mqtt-0` */
export function podKey({ namespace, name }: Pick<RadioPod, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

function stateCell({ phase, waiting }: RadioPod): Cell {
  const isWell = phase === "running" && waiting === undefined;
  return { text: phase, color: phase === "failed" ? "red" : isWell ? "green" : "yellow" };
}

/** `2 of radio.mi.house/zigbee`, `claim stick` */
function describeRequest({ way, request, count }: RadioRequest): string {
  const many = count === 1 ? "" : count === 0 ? "all of " : `${count} of `;
  return `${many}${way === "resource-claim" ? `claim ${request}` : request}`;
}

/** Columns of `aerial pods`. */
export const podColumns: readonly Column<RadioPod>[] = [
  { title: "POD", cell: podKey },
  { title: "STATE", cell: stateCell },
  { title: "NODE", cell: ({ node }) => node },
  { title: "ASKS FOR", cell: ({ wants }) => wants.map(describeRequest).join(", ") },
  { title: "HOLDS", cell: ({ holds }) => holds.join(", ") },
  { title: "WHY IT WAITS", cell: ({ waiting }) => waiting },
];

/** Lines about a pod, for a person. */
export function explainPod(pod: RadioPod, terminal: Terminal): string[] {
  const { phase, node, wants, holds, waiting } = pod;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["asks for", wants.map(describeRequest).join(", ")],
    ["node", node],
    ["holds", holds.join(", ")],
  ];
  return [
    `${terminal.paint("bold", printable(podKey(pod)))}: ${phase}`,
    ...(waiting === undefined ? [] : [`  ${printable(waiting)}`]),
    ...facts.flatMap(([name, value = ""]) => (value === "" ? [] : [`  ${name.padEnd(8)}  ${printable(value)}`])),
  ];
}
