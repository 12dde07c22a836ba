/** `aerial scan`. */
import { resolve } from "node:path";
import { type DeviceView, toDeviceView } from "../api/radio-view.ts";
import { loadConfig } from "../config/load-config.ts";
import { systemClock } from "../core/clock.ts";
import { createConditions } from "../core/condition.ts";
import { printable } from "../core/printable.ts";
import { hostPathsBelow } from "../host/host-paths.ts";
import { openHost } from "../host/host.ts";
import { openIdentifier } from "../plugins/identifier.ts";
import { scanDevices } from "../scan/scan-devices.ts";
import type { BlindSpot } from "../scan/scan.ts";
import { type Invocation, textOption } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { deviceColumns } from "./format-devices.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { createTerminalLog } from "./terminal-log.ts";

/** `aerial scan -o json`. */
export interface ScanView {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly devices: readonly DeviceView[];
  readonly blindSpots: readonly BlindSpot[];
}

/** One look at this machine, or at the trees below `--root`, with what each device is taken for. */
export async function runScanCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const view = await scan(invocation);
  if (format === "table") showScan(view, terminal);
  else terminal.line(await formatStructured(view, format));
  return exitCodes.ok;
}

async function scan(invocation: Invocation): Promise<ScanView> {
  const { machine, terminal, capabilities } = invocation;
  const file = textOption(invocation, "config");
  const root = textOption(invocation, "root");
  const { config } = loadConfig({ machine, ...(file === undefined ? {} : { file }) });
  const clock = systemClock;
  const conditions = createConditions(clock);
  const { signal } = new AbortController();
  const host = openHost({ paths: root === undefined ? config.host : hostPathsBelow(resolve(root)), clock });
  const builtIn = await capabilities.builtInPlugins();
  await using identifier = await openIdentifier(
    { builtIn, paths: config.plugins.paths, log: createTerminalLog(terminal), clock, conditions },
    signal,
  );
  const { at, devices, blindSpots } = await scanDevices(host, clock);
  const identified = await identifier.identify(devices, signal);
  return { at, devices: identified.map(({ device, identity }) => toDeviceView(device, identity)), blindSpots };
}

function showScan({ devices, blindSpots }: ScanView, terminal: Terminal): void {
  if (devices.length === 0) terminal.line("no devices that could be radios");
  else for (const line of formatTable(deviceColumns, devices, terminal)) terminal.line(line);
  for (const { what, why } of blindSpots) terminal.errorLine(printable(`cannot see ${what}: ${why}`));
}
