/** Which of a container's radios are no longer behind the device nodes that it was given. Pure. */
import type { HandedContainer, HandedRadio } from "../../core/handed-container.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { deviceNumbers } from "../handover/radio-edits.ts";

export interface StaleRadio extends HandedRadio {
  /** Numbers of its nodes now; absent when it is away and another device has taken the numbers it had. */
  readonly now?: string;
}

/**
 * Those that came back with other numbers, and those that are away while another device has theirs: such a container would speak
 * to what it was not given. What is just away is not stale: there is nothing to be had instead. Nothing is known of a radio that is not in the snapshot.
 */
export function staleRadios({ radios, node }: HandedContainer, snapshot: Snapshot): readonly StaleRadio[] {
  if (node !== snapshot.node || !snapshot.complete) return [];
  return radios.flatMap((handed): readonly StaleRadio[] => {
    const radio = snapshot.radios.get(handed.id);
    if (radio?.presence === "present") {
      // Whoever writes its firmware is not to be ended halfway.
      if (radio.mode === "bootloader") return [];
      const now = deviceNumbers(radio);
      return now === "" || now === handed.device ? [] : [{ ...handed, now }];
    }
    return radio !== undefined && isTaken(handed, snapshot) ? [handed] : [];
  });
}

function isTaken({ id, device }: HandedRadio, snapshot: Snapshot): boolean {
  const numbers = new Set(device.split(","));
  const has = (nodes: Radio["device"]["nodes"]): boolean => nodes.some(({ major, minor }) => numbers.has(`${major}:${minor}`));
  return (
    [...snapshot.radios.values()].some((radio) => radio.id !== id && radio.presence === "present" && has(radio.device.nodes)) ||
    snapshot.others.some(({ device: { nodes } }) => has(nodes))
  );
}
