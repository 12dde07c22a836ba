/** aerial's own process, under the names that every client library gives it; all of it is looked up, nothing is polled. */
import { counter, gauge, type MetricFamily } from "./metric-family.ts";

/** What only `/proc` and the disk know. A figure that cannot be read is left out. */
export interface OwnFiles {
  readonly openFiles: number | undefined;
  /** The database and its log together. */
  readonly databaseBytes: number | undefined;
}

export function processMetrics({ openFiles, databaseBytes }: OwnFiles): readonly MetricFamily[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const { utilization } = performance.eventLoopUtilization();
  const startedAt = Math.round(performance.timeOrigin) / 1_000;
  const one = (value: number | undefined) => (value === undefined ? [] : [[{}, value] as const]);
  return [
    counter(
      { name: "process_cpu_seconds_total", help: "CPU time spent by the process, in user space and in the kernel." },
      one((user + system) / 1e6),
    ),
    gauge({ name: "process_resident_memory_bytes", help: "Memory of the process that is resident." }, one(rss)),
    gauge({ name: "process_start_time_seconds", help: "When the process was started." }, one(startedAt)),
    gauge({ name: "process_open_fds", help: "File descriptors that the process has open." }, one(openFiles)),
    gauge({ name: "nodejs_heap_size_used_bytes", help: "V8's heap of the main thread that is in use." }, one(heapUsed)),
    gauge({ name: "nodejs_heap_size_total_bytes", help: "V8's heap of the main thread." }, one(heapTotal)),
    gauge({ name: "nodejs_external_memory_bytes", help: "Memory of C++ objects that JavaScript objects stand for." }, one(external)),
    gauge(
      {
        name: "nodejs_eventloop_utilization_ratio",
        help: "Share of the time since start in which the main thread's event loop was not waiting.",
      },
      one(utilization),
    ),
    gauge(
      { name: "inventory_database_bytes", help: "Size of the inventory's database on disk, its write-ahead log included." },
      one(databaseBytes),
    ),
  ];
}
