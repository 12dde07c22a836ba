/** UPnP devices and what they offer, out of NOTIFYs and answers to searches (UPnP Device Architecture 2.0 §1.2, §1.3.3). */
import type { SsdpMessage } from "../ssdp/read-ssdp.ts";
import { longestLifeMs, ownerOf, ownText, type Hearing, type SeenOffer, type SeenTable } from "./seen-entries.ts";

/** What is used of a message. */
export type SsdpOffer = Pick<SsdpMessage, "kind" | "targets" | "usn" | "nts" | "location" | "maxAgeSeconds" | "headers">;

const longestLocation = 512;
const longestServer = 255;
const longestDevice = 128;

/** UDA 2.0 §1.2.2 asks for half an hour or more; what says nothing gets that. */
const usualLifeMs = 1_800_000;

const rootDevice = "upnp:rootdevice";

/** The row that the message is about; undefined when it adds none. */
export function hearSsdpOffer(table: SeenTable, message: SsdpOffer, hearing: Hearing): SeenOffer | undefined {
  const { at } = hearing;
  const device = deviceOf(message.usn);
  if (message.kind === "search" || device === undefined) return undefined;
  // What a device announces under its bare UUID says no more than its root or its type does.
  const service = message.targets.findLast((target) => !target.startsWith("uuid:"));
  const offers = table.linkOf(hearing.link).offers.get(device);

  if (message.nts === "byebye") {
    const whole = service === undefined || service === rootDevice;
    for (const offer of whole ? [...(offers?.values() ?? [])] : [offers?.get(service)]) {
      if (offer === undefined) continue;
      table.entries.remove(offer);
      forgetOffer(offer);
      table.changed();
    }
    return undefined;
  }
  if (service === undefined) return undefined;

  const known = offers?.get(service);
  const offer = known ?? addOffer(table, hearing, { device, service });
  if (offer === undefined) return undefined;
  table.entries.touch(offer, at);
  offer.heardAt = at;
  if (message.maxAgeSeconds !== undefined || known === undefined) {
    offer.until = at + Math.min(message.maxAgeSeconds === undefined ? usualLifeMs : message.maxAgeSeconds * 1_000, longestLifeMs);
    table.due(offer.until);
  }
  const { location } = message;
  if (location !== undefined && location.length <= longestLocation && offer.locations.get(hearing.family) !== location) {
    offer.locations.set(hearing.family, ownText(location));
    table.changed();
  }
  const server = message.headers.get("server");
  if (server !== undefined && server.length <= longestServer && server !== offer.server) {
    offer.server = ownText(server);
    table.changed();
  }
  return offer;
}

/** Takes the row out of its link. */
export function forgetOffer({ link, device, service }: SeenOffer): void {
  const offers = link.offers.get(device);
  offers?.delete(service);
  if (offers?.size === 0) link.offers.delete(device);
}

/** `uuid:` and what identifies the device, up to `::` (UDA 2.0 §1.2.2). Not all that devices give there is a UUID. */
function deviceOf(usn: string | undefined): string | undefined {
  const device = usn
    ?.split("::", 1)[0]
    ?.replace(/^uuid:/i, "")
    .toLowerCase();
  return device === "" || (device?.length ?? 0) > longestDevice ? undefined : device;
}

function addOffer(table: SeenTable, hearing: Hearing, { device, service }: Pick<SeenOffer, "device" | "service">): SeenOffer | undefined {
  const link = table.linkOf(hearing.link);
  const offer: SeenOffer = {
    kind: "offer",
    link,
    service: ownText(service),
    device: ownText(device),
    until: -Infinity,
    locations: new Map(),
    heardAt: hearing.at,
    relayedTo: new Set(),
  };
  const offers = link.offers.get(offer.device) ?? new Map<string, SeenOffer>();
  link.offers.set(offer.device, offers.set(offer.service, offer));
  table.entries.add(offer, { group: link.name, owner: ownerOf(hearing.source), at: hearing.at });
  table.changed();
  return link.offers.get(offer.device)?.get(offer.service);
}
