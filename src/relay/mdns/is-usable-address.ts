/** Which addresses mean anything on another link. */

/**
 * RFC 8766 §5.5.2 keeps 169.254/16 and fe80::/10 on their link. Loopback, multicast, reserved and unspecified addresses
 * are nobody's anywhere. Takes the data of an A or AAAA record.
 */
export function isUsableAddress(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) return first !== 0 && first !== 127 && first < 224 && !(first === 169 && second === 254);
  if (bytes.length !== 16 || first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80)) return false;
  return first !== 0 || bytes.some((byte, index) => byte > (index === 15 ? 1 : 0));
}
