/** Whether a fingerprint fits a device, and how much of the device's identity it names. Pure. */
import type { DeviceFunction } from "../core/device.ts";
import type { Fingerprint, FingerprintMatch, NetworkFingerprint } from "../sdk/plugin.ts";
import type { DeviceView } from "./device-view.ts";
import { matchNetwork, networkScoreOf } from "./match-network.ts";

/** A fingerprint without its conditions: plain data that may cross threads. */
export type FingerprintAnswer = Fingerprint extends infer Row ? (Row extends Fingerprint ? Omit<Row, "match"> : never) : never;

/** One fingerprint that fits. */
export interface Claim {
  readonly plugin: string;
  readonly answer: FingerprintAnswer;
  /** 0 to 100: how much the row asks for. A property of the row, not of the device. */
  readonly score: number;
  /**
   * `kernel`: the kernel already drives it as a radio. `identity`: strings together with ids. `ids`: ids alone.
   * `words`: strings alone, whoever made it. `place`: neither.
   */
  readonly basis: "kernel" | "identity" | "ids" | "words" | "place";
  /** The facts that fitted, for people. */
  readonly matched: readonly string[];
}

const kernelRadios: ReadonlySet<DeviceFunction> = new Set(["bluetooth", "wifi", "ieee802154"]);

/** What each condition adds. Any string outweighs all ids together, and the kernel's own word outweighs a name. */
const weights = {
  name: 45,
  product: 30,
  manufacturer: 20,
  serial: 10,
  usbIds: 25,
  productId: 15,
  vendorId: 10,
  interfaceClass: 30,
  interfaceNumber: 8,
  driver: 30,
  compatible: 40,
  board: 30,
  node: 5,
  accessPoint: 5,
} as const satisfies Partial<Record<keyof FingerprintMatch, number>>;

/** Asking for nothing but functions that only radios have. Any other function tells nothing of who made the device. */
const kernelRadioWeight = 60;

interface Rows {
  readonly name: string;
  readonly fingerprints: readonly Fingerprint[];
  readonly network?: readonly NetworkFingerprint[];
}

/** All rows of one plugin that fit, in the order of the rows. */
export function claimsOf(plugin: Rows, view: DeviceView): Claim[] {
  if (view.device.function === "network") return networkClaimsOf(plugin, view);
  const claims: Claim[] = [];
  for (const fingerprint of plugin.fingerprints) {
    const matched = matchedFacts(fingerprint.match, view);
    if (matched === undefined) continue;
    const { match, ...answer } = fingerprint;
    claims.push({ plugin: plugin.name, answer, score: scoreOf(match), basis: basisOf(match), matched });
  }
  return claims;
}

function networkClaimsOf({ name, network = [] }: Rows, { device }: DeviceView): Claim[] {
  const { network: facts } = device;
  if (facts === undefined) return [];
  return network.flatMap((row): Claim[] => {
    const matched = matchNetwork(row, facts);
    if (matched === undefined) return [];
    const { service: _service, instance: _instance, text: _text, ...rest } = row;
    const answer = rest.says === "is-not" ? rest : { ...rest, probe: "none" as const };
    return [{ plugin: name, answer, score: networkScoreOf(row), basis: "identity", matched }];
  });
}

/** The row's weight, 0 to 100: the same for every device it fits. */
export function scoreOf(match: FingerprintMatch): number {
  let score = 0;
  for (const [condition, weight] of Object.entries(weights)) {
    if (match[condition as keyof typeof weights] !== undefined) score += weight;
  }
  if (asksForKernelRadio(match)) score += kernelRadioWeight;
  return Math.min(score, 100);
}

function basisOf(match: FingerprintMatch): Claim["basis"] {
  if (asksForKernelRadio(match) || match.compatible !== undefined || match.interfaceClass !== undefined) return "kernel";
  const words = asksForWords(match);
  if (match.driver !== undefined && !words) return "kernel";
  const ids = match.vendorId !== undefined || match.productId !== undefined || match.usbIds !== undefined;
  if (words) return ids ? "identity" : "words";
  return ids ? "ids" : "place";
}

function asksForWords(match: FingerprintMatch): boolean {
  return match.name !== undefined || match.manufacturer !== undefined || match.product !== undefined || match.serial !== undefined;
}

function asksForKernelRadio(match: FingerprintMatch): boolean {
  if (match.function === undefined) return false;
  return listOf(match.function).every((name) => kernelRadios.has(name));
}

/** What fitted, in words; undefined when a condition does not hold. Cheap conditions come first, expressions last. */
function matchedFacts(match: FingerprintMatch, view: DeviceView): string[] | undefined {
  const { device } = view;
  const facts: string[] = [];
  if (match.function !== undefined) {
    if (!listOf(match.function).includes(device.function)) return undefined;
    if (asksForKernelRadio(match)) facts.push(`the kernel drives it as ${device.function}`);
  }
  if (!idsFit(match, view)) return undefined;
  if (view.vendorId !== undefined && (match.vendorId ?? match.usbIds) !== undefined) {
    facts.push(`USB id ${view.vendorId}:${view.productId ?? "????"}`);
  }
  if (match.interfaceNumber !== undefined) {
    if (view.interfaceNumber !== match.interfaceNumber) return undefined;
    facts.push(`interface ${match.interfaceNumber}`);
  }
  if (match.interfaceClass !== undefined) {
    if (device.usb?.interfaces.some((face) => face.classCode === match.interfaceClass) !== true) return undefined;
    facts.push(`interface class ${match.interfaceClass}`);
  }
  if (match.driver !== undefined) {
    if (device.driver === undefined || !listOf(match.driver).includes(device.driver)) return undefined;
    facts.push(`driver ${device.driver}`);
  }
  if (match.accessPoint !== undefined && device.wifi?.accessPoint !== match.accessPoint) return undefined;
  if (match.compatible !== undefined) {
    const fitting = listOf(match.compatible).find((name) => device.platform?.compatible.includes(name));
    if (fitting === undefined) return undefined;
    facts.push(`device tree ${fitting}`);
  }
  return expressionsFit(match, view, facts) ? facts : undefined;
}

/** Ids that nothing shows are no obstacle to a row that also asks for words; then those decide. */
function idsFit(match: FingerprintMatch, view: DeviceView): boolean {
  const { vendorId, productId } = view;
  if (match.usbIds !== undefined) {
    if (vendorId === undefined || productId === undefined) return asksForWords(match);
    if (!match.usbIds.includes(`${vendorId}:${productId}`)) return false;
  }
  return idFits(match.vendorId, vendorId, match) && idFits(match.productId, productId, match);
}

function idFits(wanted: string | undefined, shown: string | undefined, match: FingerprintMatch): boolean {
  if (wanted === undefined) return true;
  return shown === undefined ? asksForWords(match) : shown === wanted;
}

function expressionsFit(match: FingerprintMatch, view: DeviceView, facts: string[]): boolean {
  const { device } = view;
  if (match.board !== undefined) {
    if (!search(match.board, device.platform?.board)) return false;
    facts.push(`board "${device.platform?.board}"`);
  }
  if (match.node !== undefined) {
    const expression = match.node;
    const fitting = device.nodes.find((node) => search(expression, node.path));
    if (fitting === undefined) return false;
    facts.push(fitting.path);
  }
  if (match.name !== undefined) {
    if (!search(match.name, view.name)) return false;
    facts.push(`name "${view.name}"`);
  }
  if (match.manufacturer !== undefined) {
    if (!search(match.manufacturer, device.usb?.manufacturer)) return false;
    facts.push(`manufacturer "${device.usb?.manufacturer}"`);
  }
  if (match.product !== undefined) {
    if (!search(match.product, device.usb?.product)) return false;
    facts.push(`product "${device.usb?.product}"`);
  }
  if (match.serial !== undefined) {
    if (!search(match.serial, device.usb?.serial)) return false;
    facts.push("serial number of the expected form");
  }
  return true;
}

/** Not `test`: an expression with the `g` or `y` flag would remember where it was. */
function search(expression: RegExp, text: string | undefined): boolean {
  return text !== undefined && text.search(expression) >= 0;
}

function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === "string" ? [value] : value;
}
