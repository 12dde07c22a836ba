/** The radios that come with aerial, each through the SDK only. */
import type { RadioPlugin } from "aerial/sdk";
import { thread } from "./thread/plugin.ts";
import { zigbee } from "./zigbee/plugin.ts";
import { zwave } from "./zwave/plugin.ts";

export const builtInPlugins: readonly RadioPlugin[] = [thread, zigbee, zwave];
