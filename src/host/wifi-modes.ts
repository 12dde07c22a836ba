/** Which Wi-Fi phys can be access points, asked from nl80211 over generic netlink. Reading needs no privilege. */
import { closeSync } from "node:fs";
import { AerialError } from "../core/errors.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { parseMessages, toI32 } from "./netlink.ts";
import { encodeFamilyRequest, encodeWiphyRequest, toFamilyId, toPhyModes } from "./nl80211.ts";

export interface WifiModes {
  /**
   * By phy index: whether it supports access-point mode. Undefined where nl80211 cannot be asked. The kernel is
   * asked anew only when `phys` changes: a phy's modes do not change while it exists, and no index is given twice.
   */
  accessPoint(phys: readonly number[]): Promise<ReadonlyMap<number, boolean> | undefined>;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_GENERIC = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** include/uapi/asm-generic/socket.h; on 64-bit systems it takes two 64-bit numbers, seconds and microseconds. */
const SO_RCVTIMEO = 20;
const timeout = new Uint8Array(new BigInt64Array([2n, 0n]).buffer);
/** The largest datagram the kernel makes for a dump. */
const datagramLimit = 32_768;
/** More phys than any machine has, at a dozen messages each: an end to a dump that does not end. */
const datagramsAtMost = 1_000;

export function createWifiModes(): WifiModes {
  let known: { readonly phys: string; readonly modes: Promise<ReadonlyMap<number, boolean> | undefined> } | undefined;
  return {
    async accessPoint(phys) {
      if (phys.length === 0) return undefined;
      const key = phys.toSorted((a, b) => a - b).join();
      if (known?.phys !== key) {
        const asked = { phys: key, modes: askKernel() };
        known = asked;
        // A failure is not remembered: the next scan asks again.
        if ((await asked.modes) === undefined && known === asked) known = undefined;
        return asked.modes;
      }
      return known.modes;
    },
  };
}

async function askKernel(): Promise<ReadonlyMap<number, boolean> | undefined> {
  try {
    const libc = await loadLibc();
    const descriptor = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_GENERIC);
    if (descriptor < 0) return undefined;
    try {
      libc.setSocketOption(descriptor, SO_RCVTIMEO, timeout);
      const family = await askFamily(libc, descriptor);
      return family === undefined ? undefined : await askPhys({ libc, descriptor, family });
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

async function askFamily(libc: Libc, descriptor: number): Promise<number | undefined> {
  await send(libc, descriptor, encodeFamilyRequest(1));
  const buffer = new Uint8Array(datagramLimit);
  const length = await libc.recvAsync(descriptor, buffer);
  return length < 0
    ? undefined
    : parseMessages(buffer.subarray(0, length))
        .map(toFamilyId)
        .find((id) => id !== undefined);
}

interface Question {
  readonly libc: Libc;
  readonly descriptor: number;
  readonly family: number;
}

async function askPhys({ libc, descriptor, family }: Question): Promise<ReadonlyMap<number, boolean> | undefined> {
  await send(libc, descriptor, encodeWiphyRequest(family, 2));
  const modes = new Map<number, boolean>();
  const buffer = new Uint8Array(datagramLimit);
  for (let received = 0; received < datagramsAtMost; received += 1) {
    const length = await libc.recvAsync(descriptor, buffer);
    if (length < 0) return undefined;
    for (const message of parseMessages(buffer.subarray(0, length))) {
      if (message.type === NLMSG_DONE) return modes;
      if (message.type === NLMSG_ERROR && toI32(message.payload) !== 0) return undefined;
      const phy = toPhyModes(message, family);
      if (phy !== undefined) modes.set(phy.index, phy.accessPoint);
    }
  }
  return undefined;
}

async function send(libc: Libc, descriptor: number, message: Uint8Array): Promise<void> {
  const sent = await libc.sendAsync(descriptor, message);
  if (sent < 0) throw new AerialError("host.netlink", "cannot ask nl80211", { details: { errno: -sent } });
}
