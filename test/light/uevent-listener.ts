/** Prints `listening`, then each uevent of its network namespace as a line of JSON, until it is killed. */
import { writeSync } from "node:fs";
import { hearUevents } from "./uevent-socket.ts";

const say = (line: string): void => void writeSync(1, `${line}\n`);

hearUevents(
  () => say("listening"),
  (uevent) => say(JSON.stringify(uevent)),
);
