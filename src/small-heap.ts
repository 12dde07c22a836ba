/**
 * Asks V8 to favour a small heap over speed, before anything else is loaded: aerial shares a node with what people really
 * want to run, and does little work itself. BENCH.md has what it saves. Flags of V8 may change only before they are used,
 * so this is the program's first import.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--optimize-for-size");
setFlagsFromString("--max-semi-space-size=1");
// Without the optimizing compiler V8's quicker ones are still there; nothing aerial does runs hot for long enough to need more.
setFlagsFromString("--no-opt");
