/** A node with pluggable radios: a real kernel in QEMU (`guest`) or made-up trees in namespaces (`namespace`). Scenarios run on either. */

/** A virtual USB stick. Strings are sent as given: tests use hostile ones. */
export interface VirtualStick {
  /** For people: `SONOFF Dongle Plus (P)`. */
  readonly name: string;
  /** Four lower-case hex digits. */
  readonly vendorId: string;
  readonly productId: string;
  readonly release?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  /** The kernel driver that is to bind it; `none` leaves it without a driver. */
  readonly driver: "cdc_acm" | "cp210x" | "ch341" | "ftdi_sio" | "pl2303" | "btusb" | "none";
  /** Serial ports (interfaces) it has; 1 unless said otherwise. */
  readonly ports?: number;
  /** A real stick's whole sysfs `descriptors` blob, replayed byte for byte where the lab can. */
  readonly descriptors?: Uint8Array;
}

export interface PluggedStick {
  readonly stick: VirtualStick;
  /** Lab port it sits in; plugging another stick with the same number means the same physical port. */
  readonly port: number;
  unplug(): Promise<void>;
}

export interface LabProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything written so far, both streams. */
  readonly output: string;
  /** Resolves with the line once one matches; rejects at the deadline with the output so far. */
  waitForLine(pattern: RegExp, timeoutMs: number): Promise<string>;
  kill(signal: NodeJS.Signals): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Lab extends AsyncDisposable {
  readonly kind: "guest" | "namespace";
  /** Resolves when the kernel was told, not when it has finished enumerating. */
  plug(stick: VirtualStick, options?: { readonly port?: number }): Promise<PluggedStick>;
  /** Adds a Bluetooth controller, Wi-Fi phy (with access-point mode or without), 802.15.4 phy or spidev; disposing takes it away. */
  add(what: "bluetooth" | "wifi" | "wifi-station-only" | "ieee802154" | "spidev"): Promise<AsyncDisposable>;
  /** Runs a command on the node and waits for it. */
  run(
    command: readonly string[],
    options?: { readonly environment?: Readonly<Record<string, string>>; readonly timeoutMs?: number },
  ): Promise<CommandResult>;
  /** Starts a command on the node. */
  start(command: readonly string[], options?: { readonly environment?: Readonly<Record<string, string>> }): Promise<LabProcess>;
  /** Makes `http(s)://address:port` on this machine reachable from the node; gives the address to use there. */
  reach(port: number): Promise<string>;
  /** Puts a file onto the node; absent where the node sees this machine's files as they are. */
  writeFile?(path: string, contents: string | Uint8Array, options?: { readonly mode?: number }): Promise<void>;
}
