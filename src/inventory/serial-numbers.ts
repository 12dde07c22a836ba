/** Which USB serial numbers are worth anything: many makers ship every unit with the same one. */

interface Placeholder {
  readonly pattern: RegExp;
  /** Where it comes from, or why it can't be one unit's own. */
  readonly reason: string;
}

/** Serial numbers that say nothing of the unit. Matched against the whole trimmed string. */
const placeholders: readonly Placeholder[] = [
  { pattern: /^$/, reason: "empty" },
  { pattern: /\\u\{|\uFFFD|[^ -~]/, reason: "not printable: noise, or a descriptor read from blank memory" },
  { pattern: /^[^a-z0-9]*(?:([a-z0-9])(?:[^a-z0-9]|\1)*)?$/i, reason: "one character repeated: blank or erased memory (zeros, Fs)" },
  { pattern: /^0*1$/, reason: "factory default of the CP2102 (0001) and of many firmware examples (1, 000000000001)" },
  { pattern: /^0?123456(7(8(90?)?)?)?$/, reason: "digits counted up: firmware examples, TinyUSB, ESP-IDF" },
  {
    pattern: /^(0?123456789|0x?0123456789)?abcdef(0123456789)?$/i,
    reason: "hexadecimal digits counted up: USB gadget and MediaTek examples",
  },
  { pattern: /^9876543210?$/, reason: "digits counted down" },
  { pattern: /^00e04c0{2,}1$/i, reason: "Realtek's default for Wi-Fi and Bluetooth: its own address block and a one" },
  { pattern: /^a50285bi$/i, reason: "carried by a whole family of copied FT232R chips" },
  { pattern: /^espressif[ _-]?device.*$/i, reason: "ESP-IDF's example descriptor" },
  { pattern: /^v?\d{1,2}\.\d{1,2}(\.\d{1,2})?$/i, reason: "a version, not a serial number (Ralink Wi-Fi: 1.0)" },
  {
    pattern: /^(none|null|n\/?a|unknown|default|undefined|test|serial|serial[ _-]?(number|no)?\.?|to be filled by o\.e\.m\.?)$/i,
    reason: "a word, not a number",
  },
  { pattern: /^(abc|abcd|abc123|123abc|deadbeef|cafebabe|deadc0de|xxxx+)$/i, reason: "a programmer's filler" },
];

/** The names a device gives besides its serial number. */
export interface SerialContext {
  readonly manufacturer?: string;
  readonly product?: string;
}

/** Why `serial` can't tell one unit from another of its make, or undefined when it can. */
export function placeholderReason(serial: string, context: SerialContext = {}): string | undefined {
  const trimmed = serial.trim();
  const found = placeholders.find(({ pattern }) => pattern.test(trimmed));
  if (found !== undefined) return found.reason;
  const copied = [context.manufacturer, context.product].some((text) => text !== undefined && fold(text) === fold(trimmed));
  return copied ? "the same text as the manufacturer or product" : undefined;
}

/** The serial number where it is real, trimmed; undefined where it is missing or a placeholder. */
export function realSerial(serial: string | undefined, context: SerialContext = {}): string | undefined {
  if (serial === undefined || placeholderReason(serial, context) !== undefined) return undefined;
  return serial.trim();
}

function fold(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
