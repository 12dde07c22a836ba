#!/usr/bin/env node
/** The program's first file: it looks whether this Node will do, and sets V8 up before all else is even read. */
import "./small-heap.ts";
import { tooOld } from "./node-version.ts";

const complaint = tooOld(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  // EX_UNAVAILABLE (sysexits.h).
  process.exit(69);
}

await import("./process-edge.ts");
