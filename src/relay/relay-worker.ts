/**
 * The relay's thread. It sleeps in epoll_wait(2) until a packet, a change of the interfaces or word from the daemon comes, and
 * does nothing but relay: neither the daemon's work nor its garbage collection can delay a packet.
 */
import { performance } from "node:perf_hooks";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AerialError } from "../core/errors.ts";
import { createDatagramPoller } from "../host/datagram-poller.ts";
import { openDatagrams } from "../host/datagram.ts";
import { openNetworkLinks } from "../host/network-links.ts";
import { takeWakes } from "../host/wake.ts";
import { createArrivalClock } from "./arrival-clock.ts";
import { createLinkSockets } from "./link-sockets.ts";
import { createRelayEngine } from "./relay-engine.ts";
import type { FromRelay, ToRelay } from "./relay-messages.ts";
import type { RelayOptions } from "./relay-options.ts";
import { createRelayReport } from "./relay-report.ts";
import { createRelayLinks } from "./relay-links.ts";

interface RelayWorkerData {
  readonly options: RelayOptions;
  /** An eventfd of the daemon's: there is word from it. */
  readonly wake: number;
  readonly notesServices: boolean;
}

/** Whatever may have been missed is then looked at. */
const longestSleepMs = 10_000;
/** While packets come, how often to see what is due besides. */
const busyMs = 20;
/** Sockets that could not be opened are tried again. */
const retryMs = 1_000;

await relay(workerData as RelayWorkerData);

async function relay({ options, wake, notesServices }: RelayWorkerData): Promise<void> {
  const port = parentPort;
  if (port === null) throw new AerialError("relay.away", "the relay's file was run outside of a thread");
  const tell = (message: FromRelay): void => port.postMessage(message, []);
  const datagrams = await openDatagrams();
  using network = await openNetworkLinks();
  using poller = createDatagramPoller(datagrams);
  const arrivals = createArrivalClock({ wall: () => Date.now(), monotonic: () => performance.now() });
  const told = { stop: false };

  using sockets = createLinkSockets({
    datagrams,
    poller,
    toMonotonic: (arrivedAt) => arrivals.toMonotonic(arrivedAt),
    heard: (datagram, now) => engine.receive(datagram, now),
  });
  const engine = createRelayEngine({
    options,
    notesServices,
    wire: sockets.wire,
    carries: sockets.carries,
    trace: () => report.trace(),
  });
  const links = createRelayLinks({ network, sockets, engine });
  const report = createRelayReport({ engine, sockets, links, notes: datagrams.notes, tell });

  const hear = (message: ToRelay, now: number): void => {
    switch (message.type) {
      case "options":
        engine.configure(message.options);
        return links.select(message.options.links, now);
      case "lease":
        return engine.roles.setLease(message.links, message.state, now);
      case "want":
        return engine.want(message.services, now);
      case "trace":
        return report.follow(message.on);
      case "status":
        return tell({ type: "status", request: message.request, status: report.status(now) });
      case "stop":
        told.stop = true;
    }
  };

  let dueAt = 0;
  using _changes = poller.addReadable(network.descriptor, () => {
    if (!network.drain()) return;
    links.refresh(performance.now());
    dueAt = 0;
  });
  let word = true;
  using _word = poller.addReadable(wake, () => {
    takeWakes(wake);
    word = true;
  });

  // A function of its own: one loop that never ends would be compiled while it runs, and again each time that a guess was wrong.
  const turn = (): void => {
    let now = performance.now();
    if (word) {
      word = false;
      for (let each = receiveMessageOnPort(port); each !== undefined; each = receiveMessageOnPort(port)) hear(each.message as ToRelay, now);
      if (told.stop) return;
      dueAt = 0;
    }
    if (now >= dueAt) {
      arrivals.compare();
      if (links.retryAt(retryMs) <= now) links.refresh(now);
      engine.tick(now);
      report.tick(now);
      now = performance.now();
      dueAt = Math.min(engine.nextTick(), links.retryAt(retryMs), report.nextTick(now), now + longestSleepMs);
    }
    // What a packet brought about may be due soon; while they come, that is looked at now and then.
    if (poller.poll(Math.max(dueAt - now, 0)) > 0) dueAt = Math.min(dueAt, now + busyMs);
  };

  links.select(options.links, performance.now());
  while (!told.stop) turn();
  engine.leave();
  report.close(performance.now());
  tell({ type: "stopped" });
  port.close();
}
