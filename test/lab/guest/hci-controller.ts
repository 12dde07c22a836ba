/** The least of a Bluetooth controller that the kernel and BlueZ power up: every command succeeds, nobody is ever in range. */

interface HciControllerOptions {
  /** Whether to claim the chip maker and firmware of a real CSR8510, which btusb checks against its list of fakes. */
  readonly cambridgeSiliconRadio?: boolean;
}

/** Opcodes (Bluetooth Core Specification, volume 4, part E §7) whose answers the kernel looks into. */
const opcodes = {
  readLocalVersion: 0x1001,
  readLocalCommands: 0x1002,
  readLocalFeatures: 0x1003,
  readBufferSize: 0x1005,
  readAddress: 0x1009,
  reset: 0x0c03,
  lowEnergyReadBufferSize: 0x2002,
  lowEnergyReadFeatures: 0x2003,
  lowEnergyReadStates: 0x201c,
} as const;

const commandComplete = 0x0e;
const success = 0;
/** The longest return parameters an event can hold beside its own four bytes. */
const longestReturn = 251;

const eightZeros = Array.from({ length: 8 }, () => 0);

/** Last octet of the address: controllers of one guest differ. */
let controllers = 0;

/** Gives a function from an HCI command packet (opcode, length, parameters) to the event that answers it. */
export function hciController({ cambridgeSiliconRadio = false }: HciControllerOptions = {}): (
  command: Uint8Array,
) => Uint8Array | undefined {
  const manufacturer = cambridgeSiliconRadio ? 10 : 0xffff;
  const revision = cambridgeSiliconRadio ? 0x22bb : 0;
  const returns: Readonly<Record<number, readonly number[]>> = {
    // Version 4.0 of HCI and LMP.
    [opcodes.readLocalVersion]: [6, ...u16(revision), 6, ...u16(manufacturer), ...u16(revision)],
    // None of the optional commands.
    [opcodes.readLocalCommands]: Array.from({ length: 64 }, () => 0),
    // Byte 4: Low Energy supported (bit 6), BR/EDR not supported (bit 5).
    [opcodes.readLocalFeatures]: [0, 0, 0, 0, 0x60, 0, 0, 0],
    [opcodes.readBufferSize]: [...u16(192), 64, ...u16(1), ...u16(0)],
    [opcodes.reset]: [],
    [opcodes.readAddress]: [++controllers, 0x00, 0x00, 0xaa, 0x1e, 0x02],
    [opcodes.lowEnergyReadBufferSize]: [...u16(251), 3],
    [opcodes.lowEnergyReadFeatures]: eightZeros,
    [opcodes.lowEnergyReadStates]: eightZeros,
  };
  return (command) => {
    if (command.length < 3) return undefined;
    const opcode = (command[0] ?? 0) | ((command[1] ?? 0) << 8);
    const parameters = returns[opcode] ?? Array.from({ length: longestReturn - 1 }, () => 0);
    return Uint8Array.of(commandComplete, parameters.length + 4, 1, ...u16(opcode), success, ...parameters);
  };
}

function u16(value: number): number[] {
  return [value & 0xff, value >> 8];
}
