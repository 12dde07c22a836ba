/** A pod that holds a stick and does nothing about it when it is gone but to open it again: what a replug is hardest for. */
import { type ScriptPod, unprivileged } from "./pods.ts";

/** Opens its radio for ever, says by which numbers it was given it, and repeats what the line tells it. Ends when asked to. */
const program = `while :; do
  ( exec 3<>"$RADIO_ZIGBEE_PATH" && echo "open $RADIO_ZIGBEE_DEVICE" >&3 && while read line <&3; do echo "got $line" >&3; done ) & wait $!
  sleep 0.1
done`;

interface PatientPodOptions {
  readonly name: string;
  /** As process 1 of its namespace it need not listen to SIGTERM, and without a word it does not. */
  readonly isDeaf?: boolean;
  /** What only CDI does is to let it open its radio without being root. */
  readonly isRoot?: boolean;
}

/** Asks for one `radio.mi.house/zigbee`. */
export function patientPod({ name, isDeaf = false, isRoot = false }: PatientPodOptions): ScriptPod {
  const resources = { limits: { "radio.mi.house/zigbee": "1" } };
  return {
    name,
    script: isDeaf ? program : `trap 'exit 0' TERM\n${program}`,
    container: isRoot ? { resources } : { resources, securityContext: unprivileged },
  };
}
