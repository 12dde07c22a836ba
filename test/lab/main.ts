/** `npm run lab`: the guest by hand, or a scenario in it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type GuestLabOptions, openGuestLab } from "./guest-lab.ts";
import { LabError } from "./lab-error.ts";
import type { Scenario } from "./scenario.ts";
import { runShell } from "./shell.ts";

const folder = join(import.meta.dirname, "scenarios");
const exitCodes = { failed: 1, usage: 64 } as const;
const say = (line: string): void => console.log(line);
const report = (line: string): void => console.error(line);

async function readScenarios(): Promise<readonly Scenario[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  return Promise.all(
    files.map(async (file) => {
      const { scenario } = (await import(join(folder, file))) as { scenario?: Scenario };
      if (!scenario) throw new LabError(`${join(folder, file)} exports no scenario`);
      return scenario;
    }),
  );
}

function usage(scenarios: readonly Scenario[]): string {
  const list = scenarios.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`).join("\n");
  return `npm run lab -- [--udev|--no-udev] COMMAND

Boots a Linux guest with virtual radio sticks (see test/lab) and then:

  shell          lets you plug and unplug by hand
${list}

  --udev         with systemd-udevd in the guest; --no-udev without (what each command prefers otherwise)

Environment: AERIAL_LAB_ACCEL=auto|kvm|tcg; AERIAL_LAB_KERNEL=a Debian kernel package, or a .deb file.`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { udev: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
    allowNegative: true,
  });
  const scenarios = await readScenarios();
  const [command, ...others] = positionals;
  if (values.help === true || command === undefined || others.length > 0) {
    (values.help === true ? say : report)(usage(scenarios));
    return values.help === true ? 0 : exitCodes.usage;
  }
  const wanted = scenarios.find(({ name }) => name === command);
  if (!wanted && command !== "shell") throw new LabError(`there is no scenario ${command}; --help lists them`);
  const options: GuestLabOptions = { ...wanted?.options, log: report, ...(values.udev !== undefined && { udev: values.udev }) };
  report("lab: booting the guest");
  await using lab = await openGuestLab(options);
  await (wanted ? wanted.run(lab, say) : runShell(lab, say));
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!isUsage && !(error instanceof LabError)) throw error;
  report(`lab: ${error.message}`);
  process.exitCode = isUsage ? exitCodes.usage : exitCodes.failed;
}
