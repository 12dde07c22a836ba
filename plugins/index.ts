/** What comes with aerial, each through the SDK only. */
import type { RadioPlugin } from "aerial/sdk";
import { bluetooth } from "./bluetooth/plugin.ts";
import { bootloaders } from "./bootloaders/plugin.ts";
import { bridges } from "./bridges/plugin.ts";
import { enocean } from "./enocean/plugin.ts";
import { ieee802154 } from "./ieee802154/plugin.ts";
import { lora } from "./lora/plugin.ts";
import { notRadios } from "./not-radios/plugin.ts";
import { sdr } from "./sdr/plugin.ts";
import { thread } from "./thread/plugin.ts";
import { wifi } from "./wifi/plugin.ts";
import { zigbee } from "./zigbee/plugin.ts";
import { zwave } from "./zwave/plugin.ts";

export const builtInPlugins: readonly RadioPlugin[] = [
  bluetooth,
  bootloaders,
  bridges,
  enocean,
  ieee802154,
  lora,
  notRadios,
  sdr,
  thread,
  wifi,
  zigbee,
  zwave,
];
