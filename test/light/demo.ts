/** `npm run demo`: aerial and a virtual Zigbee stick on this machine, in namespaces of its own: no root, no VM, no cluster. */
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { aerialOnLab } from "./aerial-on-lab.ts";
import { openNamespaceLab } from "./namespace-lab.ts";

const say = (line: string): void => console.log(line);

await using lab = await openNamespaceLab();
const aerial = aerialOnLab(lab);
await using daemon = await aerial.start();
say("aerial is up, on a machine with an empty USB bus");
const pluggedMs = performance.now();
const plugged = await lab.plug(sonoffDonglePlus, { port: 2 });
const [radio] = await daemon.until("radio", (radios) => radios.some(({ state }) => state === "present"));
say(`plugged in a ${sonoffDonglePlus.name}; aerial knew it ${Math.round(performance.now() - pluggedMs)} ms later\n`);
say((await aerial.run("devices")).stdout);
say(`$ aerial explain ${radio?.devicePaths[0] ?? ""}`);
say((await aerial.run("explain", radio?.devicePaths[0] ?? "")).stdout);
await plugged.unplug();
await daemon.until("absence", (radios) => radios.every(({ state }) => state === "absent"));
say("unplugged; aerial remembers it:\n");
say((await aerial.run("devices")).stdout.trimEnd());
