#!/usr/bin/env node
/** The program's first file: V8 is set up before all else is even read. */
import "./small-heap.ts";

await import("./process-edge.ts");
