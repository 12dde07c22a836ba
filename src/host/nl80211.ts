/** nl80211 in bytes: asking for all phys and reading which can be access points (include/uapi/linux/nl80211.h, genetlink.h). */
import { encodeAttribute, encodeMessage, type NetlinkMessage, parseAttributes, toU16, toU32 } from "./netlink.ts";

const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;

const NL80211_CMD_GET_WIPHY = 1;
const NL80211_CMD_NEW_WIPHY = 3;
const NL80211_ATTR_WIPHY = 1;
const NL80211_ATTR_SUPPORTED_IFTYPES = 32;
const NL80211_ATTR_SPLIT_WIPHY_DUMP = 174;
const NL80211_IFTYPE_AP = 3;

const NLM_F_REQUEST = 0x001;
const NLM_F_DUMP = 0x300;

/** struct genlmsghdr: command, version, two reserved bytes. */
const genericHeader = 4;

/** What one message says of one phy. */
export interface PhyModes {
  readonly index: number;
  readonly accessPoint: boolean;
}

/** Asks the controller which message type nl80211 has on this kernel. */
export function encodeFamilyRequest(sequence: number): Uint8Array {
  const name = encodeAttribute(CTRL_ATTR_FAMILY_NAME, new TextEncoder().encode("nl80211\0"));
  const payload = Uint8Array.of(CTRL_CMD_GETFAMILY, 1, 0, 0, ...name);
  return encodeMessage({ type: GENL_ID_CTRL, flags: NLM_F_REQUEST, sequence, payload });
}

/** Asks for all phys, each in as many messages as it takes: in one, the kernel leaves attributes out. */
export function encodeWiphyRequest(family: number, sequence: number): Uint8Array {
  const split = encodeAttribute(NL80211_ATTR_SPLIT_WIPHY_DUMP, new Uint8Array());
  const payload = Uint8Array.of(NL80211_CMD_GET_WIPHY, 0, 0, 0, ...split);
  return encodeMessage({ type: family, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence, payload });
}

/** nl80211's message type, if this is the controller's answer. */
export function toFamilyId(message: NetlinkMessage): number | undefined {
  if (message.type !== GENL_ID_CTRL) return undefined;
  return toU16(attributeOf(message, CTRL_ATTR_FAMILY_ID));
}

/** The phy and its modes, if this is the part of the answer that lists them. */
export function toPhyModes(message: NetlinkMessage, family: number): PhyModes | undefined {
  if (message.type !== family || message.payload[0] !== NL80211_CMD_NEW_WIPHY) return undefined;
  const index = toU32(attributeOf(message, NL80211_ATTR_WIPHY));
  const modes = attributeOf(message, NL80211_ATTR_SUPPORTED_IFTYPES);
  if (index === undefined || modes === undefined) return undefined;
  // Each supported mode is an empty attribute of that type.
  return { index, accessPoint: parseAttributes(modes).some(({ type }) => type === NL80211_IFTYPE_AP) };
}

function attributeOf(message: NetlinkMessage, type: number): Uint8Array | undefined {
  return parseAttributes(message.payload.subarray(genericHeader)).find((attribute) => attribute.type === type)?.value;
}
