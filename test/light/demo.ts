/**
 * `npm run demo`: aerial and a virtual Zigbee stick on this machine, in namespaces of its own: no root, no VM, no cluster.
 * `npm run demo -- --page` shows the page instead, until Ctrl-C.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { openLabPage } from "../page/lab-page.ts";
import { aerialOnLab } from "./aerial-on-lab.ts";
import { openNamespaceLab } from "./namespace-lab.ts";

const say = (line: string): void => console.log(line);

async function showCommands(): Promise<void> {
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
}

async function showPage(): Promise<void> {
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await using house = await openLabPage();
  const plug = () => house.lab.plug(sonoffDonglePlus, { port: 2 });
  let stick: Awaited<ReturnType<typeof plug>> | undefined = await plug();
  say(`plugged in a ${sonoffDonglePlus.name}; the page is at ${house.url}`);
  say("Enter takes the stick out and puts it in again; Ctrl-C ends it");
  const toggle = async (before: Promise<void>): Promise<void> => {
    await before;
    await stick?.unplug();
    stick = stick === undefined ? await plug() : undefined;
    say(stick === undefined ? "unplugged" : "plugged in");
  };
  let turn = Promise.resolve();
  using lines = createInterface({ input: process.stdin });
  lines.on("line", () => {
    turn = toggle(turn);
  });
  await stopped;
  await turn;
}

const { values } = parseArgs({ options: { page: { type: "boolean" } } });
await (values.page === true ? showPage() : showCommands());
