/** What is remembered of one radio. What the rest of aerial sees of it is derived. Pure. */
import type { Device } from "../core/device.ts";
import type { Identity, Mode, RadioKind } from "../core/identity.ts";
import type { IdBasis, Lease, Radio } from "../core/radio.ts";
import { believedIdentity, overrideFor, type RadioOverride } from "./belief.ts";
import type { Origin } from "./origin.ts";

/** Times are ISO 8601, UTC. Written to the database as it is. */
export interface Memory {
  readonly id: string;
  readonly basis: IdBasis;
  /** Of the application-mode device, at the place where the stick was last seen. */
  readonly origin: Origin;
  /** As last seen, in whichever mode. */
  readonly device: Device;
  /** The device in application mode that `passive` speaks of. */
  readonly home: Device;
  /** What the fingerprints said. */
  readonly passive: Identity;
  /** What the radio itself said, or whoever else sent `identified`. */
  readonly told?: Extract<Identity, { readonly state: "identified" }>;
  /** Somebody asked the radio and found its bootloader, although its USB identity shows the application. */
  readonly toldBootloader?: true;
  /** Set by people at run time; goes before the configuration's. */
  readonly name?: string;
  readonly kind?: RadioKind;
  readonly presence: "present" | "absent";
  readonly absentSince?: string;
  readonly mode: Mode;
  readonly lease?: Lease;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** The radio as others see it. */
export function toRadio(memory: Memory, overrides: readonly RadioOverride[]): Radio {
  const { id, basis: idBasis, device, presence, absentSince, lease, firstSeen, lastSeen } = memory;
  const name = memory.name ?? overrideFor(overrides, applicationDevice(memory), "name");
  return {
    id,
    idBasis,
    ...(name === undefined ? {} : { name }),
    device,
    identity: identityOf(memory, overrides),
    presence,
    ...(absentSince === undefined ? {} : { absentSince }),
    mode: memory.mode,
    ...(lease === undefined ? {} : { lease }),
    firstSeen,
    lastSeen,
  };
}

export function identityOf(memory: Memory, overrides: readonly RadioOverride[]): Identity {
  const { passive, told } = memory;
  const device = applicationDevice(memory);
  const kind = memory.kind ?? overrideFor(overrides, device, "kind");
  return believedIdentity({ device, passive, ...(told === undefined ? {} : { told }), ...(kind === undefined ? {} : { kind }) });
}

function applicationDevice({ mode, device, home }: Memory): Device {
  return mode === "application" ? device : home;
}

/** `memory` without `keys`: optional fields are left out, never undefined. */
export function without<K extends keyof Memory>(memory: Memory, ...keys: readonly K[]): Omit<Memory, K> {
  const copy = { ...memory };
  for (const key of keys) delete copy[key];
  return copy;
}

/** Whether a value read from disk has the shape of a memory: enough to run on without surprises. */
export function isMemory(value: unknown): value is Memory {
  if (!isObject(value)) return false;
  const texts = [value["id"], value["basis"], value["presence"], value["mode"], value["firstSeen"], value["lastSeen"]];
  return (
    texts.every((text) => typeof text === "string" && text !== "") &&
    isOrigin(value["origin"]) &&
    isDevice(value["device"]) &&
    isDevice(value["home"]) &&
    isIdentity(value["passive"]) &&
    (value["told"] === undefined || isIdentity(value["told"]))
  );
}

function isOrigin(value: unknown): boolean {
  if (!isObject(value) || !isObject(value["place"])) return false;
  const { family, lane, place } = value;
  return [family, lane, place["controller"], place["port"]].every((text) => typeof text === "string");
}

function isDevice(value: unknown): boolean {
  return isObject(value) && typeof value["sysPath"] === "string" && typeof value["function"] === "string" && Array.isArray(value["nodes"]);
}

function isIdentity(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value["evidence"]) || typeof value["mode"] !== "string") return false;
  if (value["state"] === "identified") return Array.isArray(value["kinds"]) && Array.isArray(value["alternatives"]);
  return value["state"] === "unknown" || (value["state"] === "ambiguous" && Array.isArray(value["candidates"]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
