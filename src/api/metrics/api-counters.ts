/** What the API itself is asked, counted cheaply: an answer costs two additions. */
import { createDurations, type Durations } from "../../core/durations.ts";
import { counter, gauge, histogram, type MetricFamily } from "./metric-family.ts";

/** One operation's. */
export interface OperationCounts {
  /** By status. */
  readonly answers: Map<number, number>;
  readonly durations: Durations;
}

/** One kind of stream's. */
export interface StreamCounts {
  open: number;
  /** Readers that did not take what was sent to them in time. */
  cutOff: number;
}

export interface ApiCounters {
  /** The same object each time, made at the first. */
  operation(id: string): OperationCounts;
  stream(id: string): StreamCounts;
  metrics(): readonly MetricFamily[];
}

/** Most answers take tens of microseconds; a doctor's run or the API server takes seconds. */
const bounds = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export function createApiCounters(): ApiCounters {
  const operations = new Map<string, OperationCounts>();
  const streams = new Map<string, StreamCounts>();
  return {
    operation: (id) => getOrMake(operations, id, () => ({ answers: new Map(), durations: createDurations(bounds) })),
    stream: (id) => getOrMake(streams, id, () => ({ open: 0, cutOff: 0 })),
    metrics: () => [
      counter(
        {
          name: "api_requests_total",
          help: "Requests that were answered, by operation of the contract and HTTP status; operation none where no operation was meant.",
        },
        [...operations].flatMap(([operation, { answers }]) =>
          [...answers].map(([status, count]) => [{ operation, status: String(status) }, count] as const),
        ),
      ),
      histogram(
        {
          name: "api_request_duration_seconds",
          help: "From a request's headers to the last byte of its answer, by operation. Streams are not in it.",
        },
        [...operations].flatMap(([operation, { durations, answers }]) => (answers.size === 0 ? [] : [[{ operation }, durations] as const])),
      ),
      gauge(
        { name: "api_streams_open", help: "Live streams that are being read, by operation." },
        [...streams].map(([operation, { open }]) => [{ operation }, open] as const),
      ),
      counter(
        { name: "api_streams_cut_off_total", help: "Live streams that were ended because their reader was too slow." },
        [...streams].map(([operation, { cutOff }]) => [{ operation }, cutOff] as const),
      ),
    ],
  };
}

function getOrMake<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const held = map.get(key) ?? make();
  map.set(key, held);
  return held;
}
