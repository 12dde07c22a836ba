/** What goes into a support bundle: one file for each part, each made when its turn comes. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describeError } from "../../core/errors.ts";
import { toHealthView, toNodeView } from "../node-view.ts";
import { toDeviceView } from "../radio-view.ts";
import { viewRadios } from "../radio-views.ts";
import type { ApiSources } from "../sources.ts";
import type { Redactor } from "./redactor.ts";

export interface BundleFile {
  readonly name: string;
  readonly about: string;
  /** Redacted text. Rejects when the part cannot tell. */
  readonly write: (redactor: Redactor) => Promise<string>;
}

/** Bytes of one file: more is cut at the end, or for a log at its beginning. */
const largestFile = 1024 * 1024;
const mostEntries = 5_000;
const entriesAtOnce = 500;

export function bundleFiles(sources: ApiSources): readonly BundleFile[] {
  const { snapshots, conditions, clock, relay, doctor, plugins, config, metrics, support } = sources;
  const json = (name: string, about: string, read: () => unknown): BundleFile => ({
    name,
    about,
    write: async (redactor) => `${JSON.stringify(redactor.value(await read()), undefined, 2)}\n`,
  });
  const text = (name: string, about: string, read: () => Promise<string>): BundleFile => ({
    name,
    about,
    write: async (redactor) => inParts(await read(), redactor),
  });
  return [
    json("node.json", "versions, what is there, and what aerial cannot see", () =>
      toNodeView({ snapshot: snapshots.current, facts: sources.node(), conditions: conditions.current, now: clock.now() }),
    ),
    json("health.json", "readiness and the conditions that hold", () => toHealthView(sources.readiness(), conditions.current)),
    json("radios.json", "radios, with what they were known by, and other devices", () => ({
      radios: [...snapshots.current.radios.values()].map(viewRadios(snapshots.current, sources.handover).view),
      others: snapshots.current.others.map(({ device, identity }) => toDeviceView(device, identity)),
    })),
    {
      name: "history.jsonl",
      about: `the newest ${mostEntries} changes of radios, newest first`,
      write: (redactor) => writeHistory(sources, redactor),
    },
    ...(doctor === undefined
      ? []
      : [
          json("doctor.json", "what every check of the doctor found", () => doctor.report(false)),
          text("doctor-patch.yaml", "a Talos patch for what one can mend", () => doctor.patch({})),
        ]),
    ...(config === undefined ? [] : [json("config.json", "the configuration in force", config)]),
    ...(plugins === undefined ? [] : [json("plugins.json", "the radio plugins", plugins)]),
    ...(relay === undefined ? [] : [json("relay.json", "links, roles, rules and counters of the relay", () => relay.status())]),
    ...(metrics === undefined
      ? []
      : [text("metrics.txt", "what is measured, as Prometheus reads it", async () => (await metrics(undefined)).text)]),
    ...(support === undefined
      ? []
      : [
          json("kernel.json", "the kernel, its modules and what it has said of late", () => support.kernel()),
          {
            name: "log.jsonl",
            about: "the newest lines of aerial's log",
            write: (redactor: Redactor) => writeLines(support.log(), redactor),
          },
        ]),
  ];
}

/** Redacting takes time by length; the probes are answered in between. */
async function inParts(whole: string, redactor: Redactor): Promise<string> {
  return writeLines(whole.split("\n"), redactor);
}

async function writeLines(lines: readonly string[], redactor: Redactor): Promise<string> {
  const safe: string[] = [];
  for (const [index, line] of lines.entries()) {
    safe.push(redactLine(line, redactor));
    if (index % 50 === 49) await nextTurn();
  }
  return safe.join("\n");
}

/** A line of JSON keeps its shape, and what its fields say of it counts. */
function redactLine(line: string, redactor: Redactor): string {
  if (!line.startsWith("{")) return redactor.text(line);
  try {
    return JSON.stringify(redactor.value(JSON.parse(line)));
  } catch {
    return redactor.text(line);
  }
}

async function writeHistory(sources: ApiSources, redactor: Redactor): Promise<string> {
  const lines: string[] = [];
  const { newest, oldest } = sources.stored.current;
  const first = Math.max(oldest, newest - mostEntries + 1);
  for (let after = first - 1; after < newest;) {
    const entries = sources.history({ after, limit: entriesAtOnce });
    const last = entries.at(-1);
    if (last === undefined) break;
    for (const entry of entries) lines.push(JSON.stringify(redactor.value(entry)));
    after = last.sequence;
    await nextTurn();
  }
  return lines
    .toReversed()
    .map((line) => `${line}\n`)
    .join("");
}

/** The file, or in its place one that says why it is not there. */
export async function makeFile(file: BundleFile, redactor: Redactor): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  try {
    const bytes = Buffer.from(await file.write(redactor));
    if (bytes.length <= largestFile) return { name: file.name, bytes };
    return { name: `${file.name}.cut`, bytes: bytes.subarray(0, largestFile) };
  } catch (error) {
    return { name: `${file.name}.missing`, bytes: Buffer.from(`${redactor.text(describeError(error))}\n`) };
  }
}
