/** Long work in small slices, so that the daemon goes on answering meanwhile. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Called between two pieces of work; what it returns, if anything, is to be awaited before going on. */
export type Breather = () => Promise<void> | undefined;

/** Asks for a turn of the event loop whenever `sliceMs` have passed without one. */
export function createBreather(sliceMs = 4): Breather {
  let since = performance.now();
  const rest = async (): Promise<void> => {
    await nextTurn(undefined);
    since = performance.now();
  };
  return () => (performance.now() - since < sliceMs ? undefined : rest());
}
