/** What becomes of each packet, as lines of JSON. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Clock } from "../core/clock.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { RelayTrace } from "../core/relay.ts";
import type { TraceLine } from "./contract/types.ts";
import type { StreamCounts } from "./metrics/api-counters.ts";
import { heartbeatMs, readerDeadlineMs, within } from "./stream-reply.ts";

/** Lines that were not kept. */
export interface LostLines {
  readonly lost: number;
}

export interface TraceDependencies {
  readonly clock: Clock;
  readonly trace: (signal: AbortSignal) => AsyncIterable<RelayTrace | LostLines>;
  readonly wanted: (line: RelayTrace) => boolean;
  readonly counts: StreamCounts;
}

/** What a reader may be behind; at 250 bytes a line, half a megabyte. */
const longestQueue = 2_000;

/**
 * Writes a line for each wanted packet until the reader leaves, the signal aborts or the relay ends; then ends the response. A
 * reader that is slower than the packets loses lines and is told how many; one that takes nothing at all is cut off.
 */
export async function streamTrace(deps: TraceDependencies, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { clock, trace, wanted, counts } = deps;
  using reader = linkSignal(signal);
  response.once("close", () => reader.abort(undefined));
  let queue: TraceLine[] = [];
  let lost = 0;
  let ended = false;
  let wake = (): void => {};

  const fill = async (): Promise<void> => {
    for await (const line of trace(reader.signal)) {
      if ("lost" in line) lost += line.lost;
      else if (!wanted(line)) continue;
      else if (queue.length < longestQueue) queue.push({ type: "packet", ...line });
      else lost += 1;
      wake();
    }
  };
  // However it ends, there is nothing more to come; the relay says itself what is wrong with it.
  const filled = fill()
    .catch(() => {})
    .finally(() => {
      ended = true;
      wake();
    });

  // The head goes out at once, so that the reader knows that it is heard.
  response.flushHeaders();
  while (!reader.signal.aborted) {
    if (queue.length === 0 && lost === 0) {
      if (ended) break;
      const filling = new Promise<true>((resolve) => {
        wake = () => resolve(true);
      });
      const woken = await within(clock, heartbeatMs, { wait: filling, signal: reader.signal });
      if (reader.signal.aborted) break;
      if (woken === undefined) queue.push({ type: "heartbeat" });
      continue;
    }
    const lines: readonly TraceLine[] = lost === 0 ? queue : [...queue, { type: "lost", lines: lost }];
    queue = [];
    lost = 0;
    if (response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))) continue;
    const drained = once(response, "drain", { signal: reader.signal }).catch(() => []);
    if ((await within(clock, readerDeadlineMs, { wait: drained, signal: reader.signal })) !== undefined) continue;
    if (!reader.signal.aborted) counts.cutOff += 1;
    response.destroy();
  }
  reader.abort(undefined);
  response.end();
  await filled;
}
