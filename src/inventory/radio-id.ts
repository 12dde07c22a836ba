/** Stable radio ids: readable, at most 63 characters, valid as a Kubernetes label value. Pure. */
import { createHash } from "node:crypto";
import type { IdBasis } from "../core/radio.ts";
import type { Origin } from "./origin.ts";

const longestId = 63;

export interface RadioIdRequest {
  readonly origin: Origin;
  readonly basis: IdBasis;
  /** The node's name: part of every id that does not come from a serial number. */
  readonly node: string;
  /** Ids that are given already. */
  readonly taken: (id: string) => boolean;
}

/**
 * The id for a radio met for the first time. `10c4-ea60-<serial>` is the same on every node; `1a86-7523-<node>-1-1.2`
 * stands for a port; `wifi-<node>-0000-03-00.0` for something built in. What is on the network has the same id on every node:
 * `network-<serial>`, or `network-slzb-06-6638` for a host name and port. Text that had to be changed or cut, or that
 * could be mistaken for another form of id, is followed by eight digits of its SHA-256.
 */
export function allocateRadioId({ origin, basis, node, taken }: RadioIdRequest): string {
  const id = basis === "serial" ? serialId(origin) : basis === "name" ? nameId(origin) : placeId(origin, node);
  const unique = digest(JSON.stringify([origin.family, origin.serial ?? "", origin.lane, origin.place, node]));
  let candidate = id;
  for (let round = 0; taken(candidate); round += 1) candidate = ending(id, round === 0 ? unique : digest(`${unique}${round}`));
  return candidate;
}

function serialId({ family, serial = "", lane }: Origin): string {
  const end = lane === "" ? "" : `-${lane}`;
  const room = longestId - family.length - 1 - end.length;
  const plain = toLabelText(serial);
  const mistakable = plain !== serial || serial.length > room || looksLikeLane.test(serial);
  return `${family}-${mistakable ? ending(plain, digest(serial), room) : serial}${end}`;
}

const looksLikeLane = /-(if[0-9a-f]{2})?(p\d+)?(n\d+)?$/;

function nameId({ family, place }: Origin): string {
  const text = place.port.replace(/\.local:(\d+)$/, "-$1");
  return `${family}-${fit(text, longestId - family.length - 1)}`;
}

function placeId({ family, lane, place }: Origin, node: string): string {
  const port = family.includes("-") ? place.port : (place.port.split("/").at(-1) ?? place.port);
  const seat = toLabelText(port) || digest(port);
  const end = fit(lane === "" ? seat : `${seat}-${lane}`, 28);
  return `${family}-${fit(node, longestId - family.length - end.length - 2)}-${end}`;
}

/** `text` as it is if it may stand in a label value and has room, else made so. */
function fit(text: string, room: number): string {
  const plain = toLabelText(text);
  return plain === text && text.length <= room ? text : ending(plain, digest(text), room);
}

function ending(text: string, hash: string, room = longestId): string {
  const kept = toLabelText(text.slice(0, room - hash.length - 1));
  return kept === "" ? hash : `${kept}-${hash}`;
}

/** Letters, digits, `.`, `_` and `-`, beginning and ending with a letter or digit. */
function toLabelText(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._]+/g, "-").replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
