/** `aerial doctor`. */
import { loadConfig } from "../config/load-config.ts";
import type { DoctorReport } from "../core/check.ts";
import { AerialError, hasCode } from "../core/errors.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { formatReport } from "./format-doctor.ts";
import { toQuery } from "./query.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";
import { createTerminalLog } from "./terminal-log.ts";

/** As `talosVersions` of the doctor has them; the daemon's contract holds both to the same. */
const versions = ["1.12", "1.13", "1.14"] as const;

/** Reports what is wrong, or prints the patch for it. Exit code 1 when something does not work. */
export async function runDoctorCommand(invocation: Invocation): Promise<number> {
  const { terminal, options } = invocation;
  const format = options["json"] === true ? "json" : parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const version = parseVersion(textOption(invocation, "talos-version"));
  const doctor = options["local"] === true ? localDoctor(invocation) : daemonDoctor(invocation);
  if (options["patch"] === true) {
    terminal.write(await doctor.patch(version));
    return exitCodes.ok;
  }
  const report = await doctor.report();
  if (format === "table") for (const line of formatReport(report, terminal, { all: options["all"] === true })) terminal.line(line);
  else terminal.line(await formatStructured(report, format));
  return report.findings.some(({ verdict, level }) => verdict === "fail" && level === "fail") ? exitCodes.no : exitCodes.ok;
}

interface Doctor {
  report(): Promise<DoctorReport>;
  /** YAML with a line feed at its end. */
  patch(version: (typeof versions)[number] | undefined): Promise<string>;
}

function daemonDoctor(invocation: Invocation): Doctor {
  const client = createDaemonClient(invocation);
  const orLocally = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (hasCode(error, "api.unreachable"))
        throw new AerialError("api.unreachable", `${error.message}; \`aerial doctor --local\` examines this machine without one`);
      throw error;
    }
  };
  return {
    report: () => orLocally(async () => (await client.post("/api/v1/doctor")) as DoctorReport),
    patch: (version) => orLocally(() => client.text(`/api/v1/doctor/patch${toQuery({ version })}`)),
  };
}

function localDoctor({ machine, terminal, capabilities, options }: Invocation): Doctor {
  const file = options["config"];
  const examine = async () => {
    const { config } = loadConfig({ machine, ...(typeof file === "string" && { file }) });
    return capabilities.examine({ config, log: createTerminalLog(terminal) }, new AbortController().signal);
  };
  return {
    report: async () => (await examine()).report,
    patch: async (version) => (await examine()).patch(version),
  };
}

function parseVersion(text: string | undefined): (typeof versions)[number] | undefined {
  if (text === undefined) return undefined;
  const version = versions.find((candidate) => candidate === text.replace(/^v/, ""));
  if (version === undefined) throw new AerialError("cli.usage", `--talos-version takes ${versions.join(", ")}`);
  return version;
}
