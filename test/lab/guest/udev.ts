/** systemd-udevd as a node with systemd has it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Starts the daemon. What was there before is not replayed to it: nothing the lab plugs is, and it would take seconds. */
export async function startUdev(): Promise<void> {
  await execute("/lib/systemd/systemd-udevd", ["--daemon"]);
}
