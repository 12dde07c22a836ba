/** Kinds of radio as people write them, and how sure aerial is of one. */
import type { Radio } from "../data/model.ts";
import type { IconName } from "../view/icon.ts";

const kinds: Readonly<Record<string, { readonly name: string; readonly icon: IconName }>> = {
  zigbee: { name: "Zigbee", icon: "mesh" },
  thread: { name: "Thread", icon: "mesh" },
  zwave: { name: "Z-Wave", icon: "wave" },
  lora: { name: "LoRa", icon: "tower" },
  meshtastic: { name: "Meshtastic", icon: "tower" },
  bluetooth: { name: "Bluetooth", icon: "bluetooth" },
  wifi: { name: "Wi-Fi", icon: "wifi" },
  enocean: { name: "EnOcean", icon: "wave" },
  ieee802154: { name: "802.15.4", icon: "mesh" },
  sdr: { name: "Software-defined radio", icon: "tower" },
};

/** All kinds aerial knows a name for. */
export const knownKinds: readonly string[] = Object.keys(kinds);

export function kindName(kind: string): string {
  return kinds[kind]?.name ?? kind;
}

export function kindIcon({ kinds: [kind], candidates: [candidate], attachment }: Radio): IconName {
  if (kind === undefined && candidate !== undefined) return "unknown";
  return kinds[kind ?? ""]?.icon ?? (attachment === "network" ? "network" : "chip");
}

/** `Zigbee`, `Zigbee and Thread`, `Zigbee or Z-Wave?`, `Unknown device`. */
export function kindsInWords({ kinds: known, candidates }: Radio): string {
  if (known.length > 0) return list(known, "and");
  return candidates.length > 0 ? `${list(candidates, "or")}?` : "Unknown device";
}

export interface Certainty {
  readonly word: string;
  readonly sentence: string;
}

/** How sure aerial is of what it says, and what that means. */
export function certaintyInWords(radio: Radio): Certainty {
  const { certainty, alternatives, candidates } = radio;
  const kind = kindsInWords(radio);
  if (radio.evidence.some(({ source }) => source === "override"))
    return { word: "Set by hand", sentence: `You said that this is ${kind}; aerial does not judge it.` };
  switch (certainty) {
    case "certain":
      return { word: "Certain", sentence: `It is ${kind}: nothing else is sold or flashed under this identity.` };
    case "likely":
      return {
        word: "Likely",
        sentence:
          alternatives.length > 0
            ? `Most likely ${kind}. With other firmware the same hardware is ${list(alternatives, "or")}, and looks no different.`
            : `Most likely ${kind}. Its firmware can be replaced without its looks changing.`,
      };
    case "ambiguous":
      return {
        word: "Unclear",
        sentence: `Its USB chip is in many products. This may be ${list(candidates, "or")}, or no radio at all. If you know, set its kind.`,
      };
    case "unknown":
      break;
  }
  return { word: "Unknown", sentence: "No plugin knows this device. If it is a radio, set its kind." };
}

function list(names: readonly string[], last: "and" | "or"): string {
  const words = names.map(kindName);
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

/** What people call it: the name they gave, else vendor and model, else what USB says. */
export function titleOf(radio: Radio): string {
  return radio.name ?? productOf(radio) ?? radio.id;
}

/** `SONOFF Dongle Plus (P)`. */
export function productOf({ vendor, model, usb, network }: Radio): string | undefined {
  if (model !== undefined) return vendor === undefined || model.startsWith(vendor) ? model : `${vendor} ${model}`;
  if (usb?.product !== undefined) return usb.product;
  if (network !== undefined) return network.instance;
  return usb === undefined ? undefined : `USB device ${usb.vendorId}:${usb.productId}`;
}

/** Where it is: a port of the machine, or a place on the network. */
export function placeOf({ port, network, platform, wifi, bluetooth, ieee802154 }: Radio): string {
  if (network !== undefined) return `${network.host}:${network.port}`;
  if (port !== undefined) return `USB ${port}`;
  if (platform?.board !== undefined) return `on the board (${platform.board})`;
  return wifi?.phy ?? bluetooth?.controller ?? ieee802154?.phy ?? "built in";
}

/** The path software should use: by-id names stay the same when device nodes are given anew. */
export function pathOf({ byId, devicePaths }: Radio): string | undefined {
  return byId === undefined ? devicePaths[0] : `/dev/serial/by-id/${byId}`;
}
