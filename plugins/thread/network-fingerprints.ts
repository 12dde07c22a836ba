/**
 * Thread border routers that take other software's devices and data sets: OpenThread's own and those built from it. Speakers
 * and televisions announce themselves alike, but nobody but their makers can use the radio in them.
 */
import type { NetworkFingerprint } from "aerial/sdk";

const borderRouter = {
  says: "is",
  kinds: ["thread"],
  certainty: "certain",
  service: "_meshcop._udp",
  source: "openthread/ot-br-posix; Home Assistant thread discovery",
  note: "a border router with its own radio, known by what its border agent announces",
} as const;

export const networkFingerprints: readonly NetworkFingerprint[] = [
  { ...borderRouter, id: "openthread-border-router", text: { vn: "OpenThread" }, model: "OpenThread border router" },
  { ...borderRouter, id: "home-assistant-border-router", text: { vn: "Home*Assistant" }, model: "OpenThread border router" },
];
