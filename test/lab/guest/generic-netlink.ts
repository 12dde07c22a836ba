/** Generic netlink requests (Documentation/userspace-api/netlink/intro.rst; include/uapi/linux/{netlink,genetlink}.h). */
import { openNetlink } from "./libc.ts";

const genericNetlink = 16;
const controlFamily = 0x10;
const getFamily = 3;
const familyIdAttribute = 1;
const familyNameAttribute = 2;
const messageTypes = { error: 2 } as const;
const flags = { request: 1, acknowledge: 4 } as const;
/** struct nlmsghdr and struct genlmsghdr. */
const headerLength = 20;

interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

interface GenericRequest {
  /** Such as `MAC80211_HWSIM`. */
  readonly family: string;
  readonly command: number;
  readonly attributes?: readonly Attribute[];
}

/** Sends a command and gives the number the kernel acknowledges it with: 0, or what the command makes of it. Throws on a refusal, with its errno. */
export function genericRequest({ family, command, attributes = [] }: GenericRequest): number {
  using socket = openNetlink(genericNetlink);
  socket.send(
    requestMessage({
      type: controlFamily,
      command: getFamily,
      attributes: [{ type: familyNameAttribute, value: Buffer.from(`${family}\0`) }],
    }),
  );
  const familyId = readFamilyId(family, socket.receive());
  socket.send(requestMessage({ type: familyId, command, attributes }));
  return acknowledgement(`${family} command ${command}`, socket.receive());
}

/** An attribute of four bytes. */
export function u32(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { type, value: bytes };
}

function requestMessage({ type, command, attributes }: { type: number; command: number; attributes: readonly Attribute[] }): Uint8Array {
  const body = Buffer.concat(attributes.map((attribute) => encoded(attribute)));
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(headerLength + body.length, 0);
  header.writeUInt16LE(type, 4);
  // The family is answered with a message anyway; everything else only when it is asked to acknowledge.
  header.writeUInt16LE(flags.request | (type === controlFamily ? 0 : flags.acknowledge), 6);
  header.writeUInt8(command, 16);
  header.writeUInt8(1, 17);
  return Buffer.concat([header, body]);
}

/** Length and type before the value, padded to four bytes. */
function encoded({ type, value }: Attribute): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(4 + value.length, 0);
  header.writeUInt16LE(type, 2);
  return Buffer.concat([header, value, Buffer.alloc(-value.length & 3)]);
}

function readFamilyId(family: string, answer: Buffer): number {
  if (answer.readUInt16LE(4) === messageTypes.error) acknowledgement(`the netlink family ${family}`, answer);
  for (let at = headerLength; at + 6 <= answer.length; at += (answer.readUInt16LE(at) + 3) & ~3) {
    if (answer.readUInt16LE(at + 2) === familyIdAttribute) return answer.readUInt16LE(at + 4);
  }
  throw new Error(`the kernel does not say which number the netlink family ${family} has`);
}

function acknowledgement(what: string, answer: Buffer): number {
  const type = answer.readUInt16LE(4);
  if (type !== messageTypes.error) throw new Error(`${what} was answered with message type ${type}`);
  const result = answer.readInt32LE(16);
  if (result < 0) throw new Error(`${what} was refused with errno ${-result}`);
  return result;
}
