/** `npm run -s identify:report -- [--json] FILE`: identifies every sighting of a file and says how often it was right. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { builtInPlugins } from "../plugins/index.ts";
import { systemClock } from "../src/core/clock.ts";
import { createConditions } from "../src/core/condition.ts";
import { describeError } from "../src/core/errors.ts";
import { silentLog } from "../src/core/log.ts";
import { openIdentifier } from "../src/plugins/identifier.ts";
import { scoreIdentification, type IdentificationScore } from "./identification-score.ts";
import { parseSightings, toDevice, type Sighting } from "./sightings.ts";

/** As in sysexits.h. */
const exitCodes = { usage: 64, data: 65, noInput: 66, software: 70 } as const;

const help = `usage: npm run -s identify:report -- [--json] FILE

Identifies every sighting of FILE (a YAML list) with the built-in plugins, by its USB identity alone.

traps       rows marked trap; calledRadio: identified, certainly or likely, as one of the file's radio classes
            (zigbee, thread, zwave, lora, meshtastic, bluetooth, wifi, enocean). Other kinds, such as sdr, and
            ambiguous do not count as called.
ambiguous   rows marked ambiguous, traps among them; calledCertain: identified as certain, as whatever
decidable   rows that are neither trap nor ambiguous nor generic. right: certain and exactly the truth, or likely
            and the truth is among the kinds and alternatives named; unknown: unknown or ambiguous; wrong: the rest.
            exact: right, and the first choice is the truth.
generic     rows marked generic only: the identity is a bridge chip's own and names no product
byKind      the decidable rows by their truth
mistakes    traps called, ambiguous called certain, decidable not right, generic wrong

exit codes: 64 usage, 65 FILE is not a list of sightings, 66 FILE cannot be read, 70 a built-in plugin is broken
`;

function fail(code: number, message: string): never {
  process.stderr.write(`identify-report: ${message}\n`);
  process.exit(code);
}

function readArguments(): { readonly file: string; readonly json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
      allowPositionals: true,
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) return fail(exitCodes.usage, `give one FILE\n${help}`);
    return { file, json: values.json };
  } catch (error) {
    return fail(exitCodes.usage, `${describeError(error)}\n${help}`);
  }
}

function readSightings(file: string): readonly Sighting[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return fail(exitCodes.noInput, describeError(error));
  }
  const parsed = parseSightings(text);
  if ("problems" in parsed) return fail(exitCodes.data, `${file} is not a list of sightings:\n  ${parsed.problems.join("\n  ")}`);
  return parsed.sightings;
}

function toTable(score: IdentificationScore): string {
  const { decidable, generic } = score;
  const row = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(16) : String(cell).padStart(9))).join("");
  const percent = decidable.total === 0 ? "-" : `${((100 * decidable.right) / decidable.total).toFixed(1)} %`;
  return [
    `${score.total} sightings`,
    `traps           ${score.traps.calledRadio} of ${score.traps.total} called a radio`,
    `ambiguous       ${score.ambiguous.calledCertain} of ${score.ambiguous.total} called certain`,
    `decidable       ${percent} right (${decidable.right} of ${decidable.total}; first choice right: ${decidable.exact})`,
    "",
    row(["truth", "total", "right", "unknown", "wrong"]),
    ...Object.entries(score.byKind)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([kind, tally]) => row([kind, tally.total, tally.right, tally.unknown, tally.wrong])),
    row(["(generic)", generic.total, generic.right, generic.unknown, generic.wrong]),
    ...(score.mistakes.length === 0 ? [] : ["", "mistakes"]),
    ...score.mistakes.map((mistake) => `  ${mistake.id}: truth ${mistake.truth}, said ${mistake.said}\n      ${mistake.why}`),
    "",
  ].join("\n");
}

const { file, json } = readArguments();
const sightings = readSightings(file);
const { signal } = new AbortController();
const conditions = createConditions(systemClock);
await using identifier = await openIdentifier(
  { builtIn: builtInPlugins, paths: [], log: silentLog, clock: systemClock, conditions },
  signal,
);
for (const condition of conditions.current.values()) fail(exitCodes.software, condition.text);
const identified = await identifier.identify(sightings.map(toDevice), signal);
const score = scoreIdentification(
  sightings,
  identified.map(({ identity }) => identity),
);
process.stdout.write(json ? `${JSON.stringify(score, undefined, 2)}\n` : toTable(score));
