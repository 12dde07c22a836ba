/** What we believe a device is, and why. */
import type { Device } from "./device.ts";

/** `zigbee`, `thread`, `zwave`, `lora`, `bluetooth`, `wifi`, …; open, since plugins add their own. */
export type RadioKind = string;

/** Why we believe what we believe; `explain` prints it. */
export interface Evidence {
  readonly source: "fingerprint" | "kernel" | "probe" | "override";
  readonly plugin: string;
  /** The row or rule that spoke, such as `nabucasa-zbt1`. */
  readonly rule: string;
  /** 0 to 100: how much of the device's identity the rule matched. */
  readonly score: number;
  readonly detail: string;
}

/**
 * `certain`: nothing else is sold or flashed under this identity.
 * `likely`: the product is known, but its firmware can be replaced without its USB identity changing.
 */
export type Certainty = "certain" | "likely";

/** Serial line settings; 8 data bits, no parity, 1 stop bit everywhere. */
export interface SerialLine {
  readonly baudRate: number;
  readonly rtscts: boolean;
}

/** Whether the stick runs its radio firmware or waits in its bootloader. */
export type Mode = "application" | "bootloader";

/** Not knowing is a value, not an error. */
export type Identity =
  | {
      readonly state: "identified";
      readonly kinds: readonly RadioKind[];
      readonly certainty: Certainty;
      /** What the same hardware becomes with other firmware; empty when certain. */
      readonly alternatives: readonly RadioKind[];
      readonly vendor: string;
      readonly model: string;
      readonly mode: Mode;
      /** The driver name its usual software wants: `ember`, `zstack`, `deconz`, … */
      readonly adapter?: string;
      readonly firmware?: string;
      readonly line?: SerialLine;
      readonly evidence: readonly Evidence[];
    }
  | {
      readonly state: "ambiguous";
      /** What it may be. The device may also be no radio at all. */
      readonly candidates: readonly RadioKind[];
      readonly mode: Mode;
      /** What the strings do tell, such as `CP2102 serial bridge`. */
      readonly model?: string;
      readonly evidence: readonly Evidence[];
    }
  | {
      readonly state: "unknown";
      readonly mode: Mode;
      /** Set when a rule names it as something that is no radio, such as `GNSS receiver`. */
      readonly model?: string;
      readonly evidence: readonly Evidence[];
    };

/** A device together with what identification made of it. */
export interface IdentifiedDevice {
  readonly device: Device;
  readonly identity: Identity;
}
