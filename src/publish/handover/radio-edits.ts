/** What a container gets of a radio: device nodes and environment. Pure. */
import type { DeviceNode } from "../../core/device.ts";
import { AerialError } from "../../core/errors.ts";
import { handoverVariables } from "../../core/handed-container.ts";
import type { HandedNode, RadioEdits } from "../../core/handover.ts";
import { printable } from "../../core/printable.ts";
import type { Radio } from "../../core/radio.ts";
import { givenNodes } from "./given-nodes.ts";

/** Where in a container a radio is. */
export interface RadioPlace {
  /** The radio's group, as `groupRadios` names it. */
  readonly group: string;
  /** 1 for a container's first radio of the group, 2 for its second, … */
  readonly ordinal: number;
  /** The node's name, as the cluster calls it. */
  readonly node: string;
}

/** Longest value of a variable, in characters. */
const longestValue = 255;
/** File names end at 255 bytes (NAME_MAX); what udev makes has no blank and no `/`. */
const byIdPattern = /^[^/\s]{1,255}$/u;

/**
 * The nodes: the main one at `/dev/radio/<group>`, or `/dev/radio/<group>-<ordinal>` from the second on; a serial port also at
 * `/dev/serial/by-id/<name>`, as a node, since links would lead nowhere; everything that is no serial port also under the
 * host's own names, by which libraries find it. The variables: `RADIO_<GROUP>_PATH` and so on, with `_<ordinal>` after the group
 * from the second on, and `RADIO_NODE`. Values hold no control characters and end at 255 characters.
 *
 * Takes a radio that `groupRadios` has; throws `handover.no-node` for one without a device node.
 */
export function editsFor(radio: Radio, place: RadioPlace): RadioEdits {
  const nodes = givenNodes(radio);
  const [main] = nodes;
  if (main === undefined) {
    throw new AerialError("handover.no-node", `${radio.id} has no device node that could be given to a container`, {
      details: { radioId: radio.id },
    });
  }
  const numbered = place.ordinal > 1 ? `${place.group}-${place.ordinal}` : place.group;
  const path = `/dev/radio/${numbered}`;
  const byId = byIdPathOf(radio.device.byId);
  const further = radio.device.function === "serial" ? nodes.slice(1) : nodes;
  const handed = [
    toHanded(path, main),
    ...(byId === undefined ? [] : [toHanded(byId, main)]),
    ...further.map((node) => toHanded(node.path, node)),
  ];
  return {
    nodes: [...new Map(handed.map((node) => [node.path, node])).values()],
    environment: environmentOf(radio, {
      path,
      byId,
      prefix: `RADIO_${numbered.toUpperCase().replaceAll("-", "_")}`,
      node: place.node,
      device: deviceNumbers(radio),
    }),
  };
}

/** `188:0`, or all of them as `240:0,189:5`: what tells the device nodes of a radio from those it had before a replug. */
export function deviceNumbers(radio: Radio): string {
  return givenNodes(radio)
    .map(({ major, minor }) => `${major}:${minor}`)
    .join(",");
}

interface Words {
  readonly prefix: string;
  readonly path: string;
  readonly byId: string | undefined;
  readonly node: string;
  readonly device: string;
}

function environmentOf({ id, device, identity }: Radio, { prefix, path, byId, node, device: numbers }: Words): RadioEdits["environment"] {
  const known = identity.state === "identified" ? identity : undefined;
  const values: Readonly<Record<string, string | undefined>> = {
    PATH: path,
    BYID: byId,
    ID: id,
    DEVICE: numbers,
    KIND: known?.kinds[0],
    VENDOR: known?.vendor,
    MODEL: identity.state === "unknown" ? undefined : identity.model,
    SERIAL: device.usb?.serial,
    ADAPTER: known?.adapter,
    FIRMWARE: known?.firmware,
    BAUD: known?.line && String(known.line.baudRate),
    RTSCTS: known?.line && String(known.line.rtscts),
  };
  const entries = Object.entries(values).flatMap(([name, value]) => {
    const text = value === undefined ? "" : toValue(value);
    return text === "" ? [] : [[`${prefix}_${name}`, text] as const];
  });
  return { ...Object.fromEntries(entries), [handoverVariables.node]: toValue(node) };
}

function toHanded(path: string, { path: hostPath, major, minor }: DeviceNode): HandedNode {
  return { path, hostPath, major, minor };
}

function byIdPathOf(name: string | undefined): string | undefined {
  if (name === undefined || !byIdPattern.test(name) || name.startsWith(".")) return undefined;
  const isSafe = printable(name) === name && Buffer.byteLength(name) <= 255;
  return isSafe ? `/dev/serial/by-id/${name}` : undefined;
}

function toValue(text: string): string {
  const safe = printable(text);
  // Cutting between the halves of a surrogate pair would leave no text.
  return safe.length <= longestValue ? safe : safe.slice(0, longestValue).replace(/[\uD800-\uDBFF]$/, "");
}
