/** What a plugin is: rows of data first, then at most a few functions. */
import type { Check } from "../core/check.ts";
import type { Device, DeviceFunction } from "../core/device.ts";
import type { Certainty, Mode, RadioKind, SerialLine } from "../core/identity.ts";
import type { Log } from "../core/log.ts";
import type { Radio } from "../core/radio.ts";

/**
 * All conditions given must hold; at least one must be given. Regular expressions search and should ignore case.
 * The more a row asks for, the more its answer counts: strings more than ids, ids more than where the device is plugged in.
 */
export interface FingerprintMatch {
  readonly function?: DeviceFunction | readonly DeviceFunction[];
  /** Four lower-case hex digits. */
  readonly vendorId?: string;
  /** Four lower-case hex digits. */
  readonly productId?: string;
  /** Any of these, each `vvvv:pppp` in lower-case hex. */
  readonly usbIds?: readonly string[];
  /**
   * Manufacturer and product in one line, with every character that udev's by-id names cannot hold, and every run of them,
   * as one blank: `Nabu Casa SkyConnect v1.0`. A string the device does not give is replaced by its hex id, as udev does:
   * `1a86 USB Serial`. Where only the by-id name is known it is that name, with the serial number at its end, and the ids
   * count as matching, so the words must stand by themselves. Anchor at the start, not at the end.
   */
  readonly name?: RegExp;
  /** The string alone, as the device gives it. `name` is mostly better: it also works on by-id names. */
  readonly manufacturer?: RegExp;
  readonly product?: RegExp;
  readonly serial?: RegExp;
  /** Interface number of the port: a stick with two radios has one row for each. */
  readonly interfaceNumber?: number;
  /** `class/subclass/protocol` of any interface, as in UsbInterface.classCode. */
  readonly interfaceClass?: string;
  readonly driver?: string | readonly string[];
  /** The host path of any of its device nodes. */
  readonly node?: RegExp;
  /** A device-tree `compatible` string, or any of several. */
  readonly compatible?: string | readonly string[];
  readonly board?: RegExp;
  /** Wi-Fi: only phys of which access-point mode is (not) known. */
  readonly accessPoint?: boolean;
}

interface FingerprintBase {
  /** Unique within the plugin; shown as evidence. Lower-case letters, digits, `-` and `.`. */
  readonly id: string;
  readonly match: FingerprintMatch;
  /** Left out where the row holds for many: then the device's own manufacturer string is shown. */
  readonly vendor?: string;
  /** Left out where the row holds for many: then the device's own product string is shown. */
  readonly model?: string;
  /** Where the row's facts come from. */
  readonly source: string;
  /** One sentence for `aerial explain`. */
  readonly note?: string;
}

/** A declarative row: what a device with this identity is, may be, or is not. */
export type Fingerprint =
  | (FingerprintBase & {
      readonly says: "is";
      readonly kinds: readonly RadioKind[];
      /** `certain` only where no other firmware comes under the same USB identity. */
      readonly certainty: Certainty;
      /** What the same hardware becomes with other firmware. Only with `likely`. */
      readonly alternatives?: readonly RadioKind[];
      readonly mode?: Mode;
      readonly adapter?: string;
      readonly line?: SerialLine;
      /** Whether the port may be actively asked. */
      readonly probe: "allowed" | "denied" | "none";
    })
  /** A bridge chip's own identity and the like: it proves nothing by itself. */
  | (FingerprintBase & { readonly says: "may-be"; readonly kinds: readonly RadioKind[]; readonly probe: "allowed" | "denied" | "none" })
  /** Known to be something else: it must not be probed, and outranks vaguer rows. */
  | (FingerprintBase & { readonly says: "is-not" })
  /** A bootloader: which radio it belongs to is told by its port and serial, not by itself. */
  | (FingerprintBase & { readonly says: "bootloader" });

/** What a row asks of what offers itself on the network. All that is given must hold. */
interface NetworkMatch {
  /** DNS-SD type in lower case, `_slzb-06._tcp`. Services that anything may offer, such as `_http._tcp`, make no radio. */
  readonly service: string;
  /** Glob for the instance's name: `*` is any run of characters; ASCII case does not matter. */
  readonly instance?: string;
  /** Globs for values of its TXT record, by key in lower case. */
  readonly text?: Readonly<Record<string, string>>;
}

interface NetworkRowBase extends NetworkMatch {
  /** Unique within the plugin, `fingerprints` included. */
  readonly id: string;
  /** Left out where the row holds for many: then the `vn` of its TXT record is shown. */
  readonly vendor?: string;
  /** Left out where the row holds for many: then what its TXT record gives as board or model is shown. */
  readonly model?: string;
  readonly source: string;
  readonly note?: string;
}

/** A declarative row for radios on the network. They are known by what they announce, and are never asked anything. */
export type NetworkFingerprint =
  | (NetworkRowBase & {
      readonly says: "is";
      readonly kinds: readonly RadioKind[];
      readonly certainty: Certainty;
      readonly alternatives?: readonly RadioKind[];
      readonly adapter?: string;
    })
  | (NetworkRowBase & { readonly says: "may-be"; readonly kinds: readonly RadioKind[] })
  | (NetworkRowBase & { readonly says: "is-not" });

/** A leased, already opened serial port. Never a path or a descriptor. */
export interface ProbePort {
  write(data: Uint8Array): Promise<void>;
  /** Resolves with all bytes seen so far once `until` holds; rejects at the deadline. */
  read(options: { readonly until: (seen: Uint8Array) => boolean; readonly timeoutMs: number }): Promise<Uint8Array>;
  setLine(line: SerialLine): Promise<void>;
}

export interface ProbeResult {
  readonly kinds: readonly RadioKind[];
  readonly model?: string;
  readonly firmware?: string;
  /** 0 to 100. */
  readonly score: number;
  readonly detail: string;
}

export interface PluginContext {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What a plugin adds to how a radio is shown to the outside. */
export interface RadioDescription {
  /** Label name without prefix → value. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly txt?: Readonly<Record<string, string>>;
}

/** The plugin API version this SDK speaks. */
export const pluginApiVersion = 1;

export interface RadioPlugin {
  readonly apiVersion: typeof pluginApiVersion;
  /** Lower-case letters, digits and `-`; unique. */
  readonly name: string;
  readonly fingerprints: readonly Fingerprint[];
  readonly network?: readonly NetworkFingerprint[];
  /**
   * What `aerial doctor` asks about these radios. Ids begin with the plugin's name: `acme-1`. In a file of its own a plugin
   * is given what its `reads` name and the devices, and nothing else of Facts.
   */
  readonly checks?: readonly Check[];
  /** Asks the radio itself, without changing its state, before its deadline. Resolves to undefined when the answer is not this plugin's protocol. */
  probe?(port: ProbePort, device: Device, context: PluginContext): Promise<ProbeResult | undefined>;
  /** Pure. */
  describe?(radio: Radio): RadioDescription;
}

/** Gives a plugin its type; changes nothing. */
export function definePlugin(plugin: RadioPlugin): RadioPlugin {
  return plugin;
}
