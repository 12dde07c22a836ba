/** Boards with a Zigbee chip on a serial port of their own. HATs leave no such trace: their port stays unknown. */
import type { Fingerprint } from "aerial/sdk";

const source = "universal-silabs-flasher const.py";
const board = {
  says: "is",
  kinds: ["zigbee"],
  certainty: "likely",
  alternatives: ["thread"],
  adapter: "ember",
  probe: "allowed",
  source,
} as const;

export const boardFingerprints: readonly Fingerprint[] = [
  {
    ...board,
    id: "home-assistant-yellow",
    match: { function: "serial", board: /home assistant yellow/i, node: /^\/dev\/ttyAMA1$/ },
    vendor: "Nabu Casa",
    model: "Home Assistant Yellow (EFR32MG21)",
    line: { baudRate: 115_200, rtscts: true },
  },
  {
    ...board,
    id: "sonoff-ihost",
    match: { function: "serial", board: /\bihost\b/i, node: /^\/dev\/ttyS4$/ },
    vendor: "SONOFF",
    model: "iHost (EFR32MG21)",
    line: { baudRate: 115_200, rtscts: false },
  },
];
