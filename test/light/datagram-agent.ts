/** Plays one scenario in the network namespace it is started in and prints what came of it as JSON. */
import { scenarios } from "./datagram-scenarios.ts";

const name = process.argv[2] ?? "";
const scenario = Object.entries(scenarios).find(([each]) => each === name)?.[1];
if (scenario === undefined) throw new TypeError(`no scenario ${name}`);
process.stdout.write(JSON.stringify(await scenario()));
