/** dnspython as a judge of DNS packets: the strictest parser at hand. Needs a Python that has it (`pip install dnspython`). */
import { spawnSync } from "node:child_process";
import { AerialError } from "../../src/core/errors.ts";

/**
 * Reads packets, each after its length in 4 bytes, and prints the number and the fault of those that it refuses. dnspython is told two
 * things that it does not know of multicast DNS: the top bit of the class is not part of the class (RFC 6762 §10.2), and names in the
 * data of all types may be compressed (RFC 6762 §18.14).
 */
const program = `
import sys, dns.message, dns.wire, dns.name
dns.wire.Parser.get_name = lambda self, origin=None, decompress=True: dns.name.from_wire_parser(self, True)
header = dns.message.QueryMessage._parse_rr_header
def without_top_bit(self, section, name, rdclass, rdtype):
    return header(self, section, name, rdclass & 0x7fff, rdtype)
dns.message.QueryMessage._parse_rr_header = without_top_bit
data = sys.stdin.buffer.read()
offset = 0
number = 0
while offset < len(data):
    length = int.from_bytes(data[offset:offset + 4], "big")
    packet = data[offset + 4:offset + 4 + length]
    offset += 4 + length
    try:
        dns.message.from_wire(packet)
    except Exception as fault:
        print(number, type(fault).__name__, str(fault).replace("\\n", " "))
    number += 1
`;

export interface Refusal {
  readonly packet: Uint8Array;
  readonly fault: string;
}

/** Throws `cli.usage` if `python` cannot be run or has no dnspython. */
export function askDnspython(python: string, packets: readonly Uint8Array[]): readonly Refusal[] {
  const input = Buffer.concat(packets.flatMap((packet) => [lengthOf(packet), packet]));
  const { status, stdout, stderr, error } = spawnSync(python, ["-c", program], { input, maxBuffer: 1 << 26 });
  if (status !== 0) throw new AerialError("cli.usage", `${python} could not judge: ${error?.message ?? stderr.toString().trim()}`);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [number = "", ...fault] = line.split(" ");
      return { packet: packets[Number(number)] ?? new Uint8Array(), fault: fault.join(" ") };
    });
}

function lengthOf(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(packet.length);
  return length;
}
