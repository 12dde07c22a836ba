/** Prints `listening`, then `hint` for each hint from the kernel's events; on SIGTERM it calls process.exit with the source still open. */
import { createUeventSource } from "../../src/host/uevent-socket.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const lifetime = new AbortController();
const keepAlive = setInterval(() => {}, 60_000);

process.once("SIGTERM", () => {
  say("exiting");
  process.exit(0);
});

await createUeventSource().run({ listening: (deaf) => say(`listening ${deaf ?? ""}`), hint: () => say("hint") }, lifetime.signal);
clearInterval(keepAlive);
