/** One resource's place at the kubelet: its server, and that the kubelet knows of it. */
import { basename, join } from "node:path";
import { createBackoff } from "../../core/backoff.ts";
import type { Cell } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import { AerialError } from "../../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../../core/first-of.ts";
import type { Log } from "../../core/log.ts";
import { devicePlugin, type PluginDevice, registration } from "../../kubelet/device-plugin-messages.ts";
import { openGrpcClient } from "../../kubelet/grpc-client.ts";
import { type GrpcHandler, type GrpcServer, openGrpcServer, serverStream, unary } from "../../kubelet/grpc-server.ts";
import { kubeletSocket, type PluginDirectory } from "../../kubelet/plugin-directory.ts";
import type { DevicePluginCounters } from "./device-plugin-counters.ts";
import type { PluginReport } from "./plugin-report.ts";
import { socketPathFor } from "./socket-name.ts";

export interface PluginResource {
  readonly group: string;
  /** `radio.mi.house/zigbee`. */
  readonly name: string;
  readonly devices: Cell<readonly PluginDevice[]>;
  /** What answers the kubelet's calls about containers. */
  readonly handlers: readonly GrpcHandler[];
}

interface ResourceDependencies {
  /** Of the sockets. */
  readonly path: string;
  readonly directory: PluginDirectory;
  readonly clock: Clock;
  readonly log: Log;
  readonly report: PluginReport;
  readonly counters: DevicePluginCounters;
  /** Is told of each registration. */
  readonly registered: () => void;
}

/** PreStartContainer comes before each start of a container, which is when a radio may have another node than before. */
const options = { preStartRequired: true, getPreferredAllocationAvailable: false };

/** The kubelet gives itself 10 s to connect back before it answers (plugin/v1beta1/client.go). */
const registerMs = 11_000;
/** It asks for the list at once after that. */
const listMs = 5_000;
/** A list that was read for so long ended for another reason than the one before. */
const steadyMs = 10_000;
/**
 * When a stream ends, the kubelet disconnects whichever plugin has that resource by then (runClient in
 * plugin/v1beta1/handler.go): who registers again in the same moment is thrown out by the end of what was before. Hence a
 * pause, and a longer one each time it was not enough.
 */
const pause = { firstMs: 100, limitMs: 10_000 } as const;

/** Offers the resource to every kubelet that comes up, until aborted; then takes the sockets away and withdraws nothing. */
export async function runResource(resource: PluginResource, dependencies: ResourceDependencies, signal: AbortSignal): Promise<void> {
  const endpoint = new Endpoint(resource, dependencies, signal);
  const { hints } = dependencies.directory;
  try {
    while (!signal.aborted) {
      const known = hints.current;
      const until = await endpoint.look();
      await firstOf(signal, (wait) => [sleepUntil(dependencies.clock, until ?? Infinity, wait), changeFrom(hints, known, wait)]);
    }
  } finally {
    await endpoint[Symbol.asyncDispose]();
  }
}

class Endpoint implements AsyncDisposable {
  readonly #resource: PluginResource;
  readonly #dependencies: ResourceDependencies;
  readonly #signal: AbortSignal;
  readonly #backoff = createBackoff(pause.firstMs, pause.limitMs);
  #server: GrpcServer | undefined;
  /** The kubelet that was there when we last looked. */
  #kubelet: string | undefined;
  /** Since when the kubelet is there and does not know us. */
  #unknownSince: number | undefined;
  #notBefore = 0;
  /** Rises with each registration: streams of another belong to the past. */
  #registration = 0;
  #registeredAt: number | undefined;
  #streams = 0;

  constructor(resource: PluginResource, dependencies: ResourceDependencies, signal: AbortSignal) {
    this.#resource = resource;
    this.#dependencies = dependencies;
    this.#signal = signal;
  }

  /** Does what is to be done, and says when to look again at the latest. Never rejects. */
  async look(): Promise<number | undefined> {
    const { clock, directory, report } = this.#dependencies;
    const { group } = this.#resource;
    const kubelet = directory.kubelet();
    if (kubelet !== this.#kubelet) {
      this.#kubelet = kubelet;
      this.#backoff.reset();
      this.#forget(0);
    }
    if (kubelet === undefined) {
      report.away(group);
      return undefined;
    }
    try {
      await this.#leaveLost();
      if (this.#registeredAt !== undefined) {
        if (this.#streams > 0) return undefined;
        if (clock.now() < this.#registeredAt + listMs) return this.#registeredAt + listMs;
        this.#forget(this.#backoff.next());
        throw new AerialError("kubelet.refused", `the kubelet took ${this.#resource.name} and did not ask for its devices`);
      }
      if (clock.now() < this.#notBefore) return this.#notBefore;
      await this.#register();
      return this.#registeredAt === undefined ? undefined : this.#registeredAt + listMs;
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      this.#dependencies.counters.registrationFailures += 1;
      this.#notBefore = Math.max(this.#notBefore, clock.now() + this.#backoff.next());
      report.failed(group, error);
      return this.#notBefore;
    }
  }

  /** Whoever cleaned up the directory took our name: a kubelet that starts does. */
  async #leaveLost(): Promise<void> {
    if (this.#server === undefined || this.#server.isInPlace()) return;
    const lost = this.#server;
    this.#server = undefined;
    const wasRead = this.#streams > 0;
    this.#forget(wasRead ? this.#backoff.next() : 0);
    await lost[Symbol.asyncDispose]();
  }

  /** Serves first: the kubelet connects before it answers. */
  async #register(): Promise<void> {
    const { path, clock, log, counters } = this.#dependencies;
    const { group, name } = this.#resource;
    this.#server ??= await openGrpcServer({ path: socketPathFor(path, group), handlers: this.#handlers(), log });
    this.#registration += 1;
    this.#streams = 0;
    // From here on the list may be asked for.
    this.#registeredAt = clock.now();
    try {
      using client = openGrpcClient({ path: join(path, kubeletSocket) });
      const request = { version: "v1beta1", endpoint: basename(this.#server.path), resourceName: name, options };
      await client.call(registration.register, request, { signal: this.#signal, deadlineMs: registerMs });
    } catch (error) {
      this.#registeredAt = undefined;
      throw error;
    }
    const waitedMs = clock.now() - (this.#unknownSince ?? clock.now());
    counters.registrations.add(waitedMs / 1_000);
    this.#unknownSince = undefined;
    log.info({ resource: name, socket: basename(this.#server.path), waitedMs }, "resource registered");
    this.#dependencies.registered();
  }

  #handlers(): readonly GrpcHandler[] {
    return [
      unary(devicePlugin.getOptions, () => options),
      serverStream(devicePlugin.listAndWatch, (_request, signal) => this.#list(signal)),
      ...this.#resource.handlers,
    ];
  }

  /** The complete list, now and after each change. */
  async *#list(signal: AbortSignal): AsyncGenerator<{ readonly devices: readonly PluginDevice[] }> {
    const { clock, directory, report } = this.#dependencies;
    const began = { registration: this.#registration, at: clock.now() };
    this.#streams += 1;
    report.registered(this.#resource.group);
    try {
      for await (const devices of this.#resource.devices.changes(signal)) yield { devices };
    } finally {
      if (began.registration === this.#registration) {
        this.#streams -= 1;
        if (clock.now() - began.at > steadyMs) this.#backoff.reset();
        if (this.#streams === 0) this.#forget(this.#backoff.next());
      }
      directory.hint();
    }
  }

  /** The kubelet knows us no longer, and is told again after `pauseMs`. */
  #forget(pauseMs: number): void {
    const now = this.#dependencies.clock.now();
    this.#registeredAt = undefined;
    this.#notBefore = now + pauseMs;
    this.#unknownSince = this.#kubelet === undefined ? undefined : (this.#unknownSince ?? now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
