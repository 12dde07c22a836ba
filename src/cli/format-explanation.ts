/** Why we believe what we believe, in sentences. */
import type { DeviceView, RadioView } from "../api/radio-view.ts";
import { printable } from "../core/printable.ts";
import { describeModel, describePlace } from "./format-devices.ts";
import type { Terminal } from "./terminal.ts";

const idReasons = {
  serial: "from its serial number: the same in any port, on any node",
  port: "from the USB port, for want of a usable serial number: another stick of this kind in that port gets the same id",
  path: "from its place in the machine, since it is built in",
  name: "from its host name and port, for want of a serial number: whatever answers there gets the same id",
} as const;

/** Lines about a radio, for a person. */
export function explainRadio(radio: RadioView, terminal: Terminal): string[] {
  const name = radio.name === undefined ? radio.id : `${radio.name} (${radio.id})`;
  const absent = radio.absentSince === undefined ? "" : ` since ${radio.absentSince}`;
  const lease = radio.lease && `${radio.lease.holder} (${radio.lease.owner}) since ${radio.lease.since}`;
  return [
    `${terminal.paint("bold", printable(name))}: ${printable(radio.state + absent)}`,
    ...conclusion(radio),
    ...facts([
      ...deviceFacts(radio),
      ["id", idReasons[radio.idBasis]],
      ["in use by", lease],
      ["resource", radio.resource],
      ...radio.handedTo.map((holding): Fact => ["handed to", describeHolding(holding)]),
      ["first seen", radio.firstSeen],
      ["last seen", radio.lastSeen],
    ]),
  ];
}

function describeHolding({ namespace, pod, container, way, request, since }: RadioView["handedTo"][number]): string {
  const by = way === "resource-claim" ? ` by claim ${request}` : "";
  return `${namespace}/${pod} (container ${container})${by} since ${since}`;
}

/** Lines about a device that is no known radio. */
export function explainDevice(device: DeviceView, terminal: Terminal): string[] {
  const name = describePlace(device) || device.sysPath;
  return [`${terminal.paint("bold", printable(name))}: not taken for a radio`, ...conclusion(device), ...facts(deviceFacts(device))];
}

function conclusion(view: DeviceView): string[] {
  const model = describeModel(view);
  const evidence = view.evidence.map(
    ({ source, plugin, rule, score, detail }) => `    ${printable(`${detail} [${plugin}/${rule}, ${source}, score ${score}]`)}`,
  );
  return [
    `  ${printable(verdict(view, model))}`,
    ...(view.mode === "bootloader" ? ["  It waits in its bootloader; its radio does not work until its firmware runs again."] : []),
    ...(evidence.length === 0 ? ["  No rule of any plugin fits it."] : ["  because:", ...evidence]),
  ];
}

function verdict(view: DeviceView, model: string): string {
  const called = model === "" ? "" : ` (${model})`;
  const kinds = view.kinds.join(" and ");
  if (view.certainty === "certain") return `It is ${kinds}${called}: nothing else comes under this identity.`;
  if (view.certainty === "likely") {
    const others =
      view.alternatives.length === 0 ? "" : ` With other firmware it would be ${view.alternatives.join(" or ")}, and look the same.`;
    return `It is most likely ${kinds}${called}.${others}`;
  }
  if (view.certainty === "ambiguous") {
    const candidates = view.candidates.length === 0 ? "some radio" : view.candidates.join(" or ");
    return `It may be ${candidates}, or no radio at all${called}. Its identity alone doesn't say; radios[].kind in the configuration can.`;
  }
  return model === "" ? "Nothing tells what it is." : `It is known, and no radio: ${model}.`;
}

type Fact = readonly [name: string, value: string | undefined];

function deviceFacts(view: DeviceView): Fact[] {
  const { usb, line, network } = view;
  return [
    ["reached by", view.function],
    ["device", describePlace(view)],
    ["address", view.bluetooth?.address],
    ["attached", network && "over the network; no node has it more than another"],
    ["service", network && [network, ...network.others].map(({ service, instance }) => `${service} "${instance}"`).join(", ")],
    ["at", network?.addresses.join(" ")],
    ["heard on", network?.links.join(" ")],
    ["network", (view.wifi ?? view.ieee802154)?.interfaces.join(" ")],
    ["board", view.platform?.board],
    ["compatible", view.platform?.compatible.join(" ")],
    ["by-id", view.byId],
    ["USB", usb && [`${usb.vendorId}:${usb.productId}`, usb.manufacturer, usb.product].filter((part) => part !== undefined).join(" ")],
    ["interface", usb?.interfaceNumber?.toString()],
    ["serial", view.serial],
    ["port", view.port],
    ["driver", view.driver],
    ["firmware", view.firmware],
    ["adapter", view.adapter],
    ["line", line && `${line.baudRate} baud${line.rtscts ? ", RTS/CTS" : ""}`],
    ["sysfs", network === undefined ? view.sysPath : undefined],
  ];
}

function facts(all: readonly Fact[]): string[] {
  const known = all.filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value ?? "")}`);
}
