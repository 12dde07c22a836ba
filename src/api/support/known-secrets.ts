/** What this node knows to be private: what its devices and neighbours call themselves. */
import type { Device } from "../../core/device.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { SeenService } from "../../core/relay.ts";
import type { KnownSecret, RedactorOptions } from "./redactor.ts";

export interface PrivateSources {
  readonly snapshot: Snapshot;
  readonly services: readonly SeenService[];
  /** Whether names that people have given, to nodes and radios too, are to go. */
  readonly hideNames: boolean;
}

/** Words that the rest of a bundle is made of: a neighbour who calls itself so hides behind them as it is. */
const ordinaryWords: ReadonlySet<string> = new Set([
  "aerial",
  "zigbee",
  "zwave",
  "thread",
  "matter",
  "bluetooth",
  "network",
  "serial",
  "homekit",
  "zigbee2mqtt",
  "homeassistant",
  "home assistant",
  "ubuntu",
  "debian",
  "localhost",
]);
/** What is shorter is in many words. */
const shortestName = 5;

export function findSecrets({ snapshot, services, hideNames }: PrivateSources): RedactorOptions {
  const radios = [...snapshot.radios.values()];
  const plainIds = new Set(radios.filter(({ idBasis }) => idBasis === "port" || idBasis === "path").map(({ id }) => id));
  const ids = radios
    .filter(({ idBasis }) => idBasis === "serial" || idBasis === "name")
    .map(({ id }): KnownSecret => ({ kind: "radio", text: id }));
  const devices = [...radios.map(({ device }) => device), ...snapshot.others.map(({ device }) => device)];
  const neighbours = services.flatMap(({ host = "", instance }) => [host.replace(/\.local\.?$/, ""), instance]);
  const given = hideNames ? [snapshot.node, ...radios.flatMap(({ name }) => name ?? [])] : [];
  const names = [...neighbours, ...given].filter((name) => name.length >= shortestName && !ordinaryWords.has(name.toLowerCase()));
  return {
    known: [...devices.flatMap(ofDevice), ...ids, ...names.map((text): KnownSecret => ({ kind: "name", text }))],
    plainIds,
  };
}

function ofDevice({ usb, bluetooth, network }: Device): readonly KnownSecret[] {
  const serials = [usb?.serial, network?.serial].flatMap((text) => text ?? []);
  const macs = [bluetooth?.address, network?.mac].flatMap((text) => text ?? []);
  return [...serials.map((text): KnownSecret => ({ kind: "serial", text })), ...macs.map((text): KnownSecret => ({ kind: "mac", text }))];
}
