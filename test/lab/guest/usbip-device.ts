/** A virtual stick at the far end of a USB/IP socket. */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { WireStick } from "../protocol.ts";
import { type StickModel, stickModel } from "./stick-model.ts";
import { endpointPairs, type StickDescriptors, stickDescriptors } from "./usb-descriptors.ts";
import { submitReply, type UsbipCommand, unlinkReply, usbipCommands } from "./usbip-wire.ts";

type Submit = Extract<UsbipCommand, { command: "submit" }>;

/** Negative errnos the kernel expects as the status of a transfer. */
const statuses = { stalled: -32, cancelled: -104, gone: -108 } as const;
/** Standard requests (USB 2.0 §9.4) that are answered with bytes. */
const requests = { getStatus: 0, getDescriptor: 6, getConfiguration: 8, setConfiguration: 9, getInterface: 10 } as const;
/** Who asks nothing for this long is done with what it was doing, such as a driver's probe; and how long we wait for that. */
const quiet = { forMs: 25, atMostMs: 500 } as const;
const pollMs = 5;
/**
 * The hub asks nothing for this long after an attach (its debounce). Later it will ask, at the latest when it is done with
 * other ports; once that has failed it sleeps for 100 ms and more, and pulling the stick then is safe.
 */
const enumeration = { startsAfterMs: 90, asksWithinMs: 2_000 } as const;
/** English (United States), the one language of every stick. */
const languages = Buffer.from([4, 3, 0x09, 0x04]);
/** A string descriptor's length is a byte, its header two. */
const longestString = 126;

export interface UsbipDevice {
  /**
   * From now on every transfer fails as it does when a stick is pulled. Resolves once the kernel has stopped asking: a
   * transfer it starts while the connection goes down is lost, and its hub thread then waits 5 s for it.
   */
  leave(): Promise<void>;
}

/** Answers on the socket until it closes. */
export function runUsbipDevice(socket: Socket, stick: WireStick): UsbipDevice {
  const descriptors = stickDescriptors(stick);
  const waiting = new Map<number, Submit>();
  const ready = new Map<number, Uint8Array[]>();
  const attachedMs = performance.now();
  let present = true;
  let configured = false;
  let lastAskedMs = -Infinity;

  const model = stickModel({
    stick,
    pairs: descriptors.configurations.flatMap((configuration) => endpointPairs(configuration)),
    send(address, data) {
      const endpoint = address & 0x7f;
      ready.set(endpoint, [...(ready.get(endpoint) ?? []), data]);
      for (const submit of waiting.values()) deliver(submit);
    },
  });

  /** Answers a waiting IN transfer if there is something for it. One `send` never shares a transfer with the next. */
  function deliver(submit: Submit): void {
    const [data, ...rest] = ready.get(submit.endpoint) ?? [];
    if (!data) return;
    waiting.delete(submit.sequence);
    const [now, later] = [data.subarray(0, submit.length), data.subarray(submit.length)];
    ready.set(submit.endpoint, later.length > 0 ? [later, ...rest] : rest);
    socket.write(submitReply(submit.sequence, { status: 0, length: now.length, data: now }));
  }

  function receive(command: UsbipCommand): void {
    lastAskedMs = performance.now();
    if (command.command === "unlink") {
      socket.write(unlinkReply(command.sequence, waiting.delete(command.target) ? statuses.cancelled : 0));
    } else if (!present) {
      socket.write(submitReply(command.sequence, { status: statuses.gone, length: 0 }));
    } else if (command.endpoint === 0) {
      configured ||= command.setup.requestType === 0 && command.setup.request === requests.setConfiguration;
      const data = control({ stick, descriptors, model }, command);
      if (!data) socket.write(submitReply(command.sequence, { status: statuses.stalled, length: 0 }));
      else if (command.direction === "out") socket.write(submitReply(command.sequence, { status: 0, length: command.data.length }));
      else socket.write(submitReply(command.sequence, { status: 0, length: data.length, data }));
    } else if (command.direction === "out") {
      socket.write(submitReply(command.sequence, { status: 0, length: command.data.length }));
      model.receive(command.endpoint, command.data);
    } else {
      waiting.set(command.sequence, command);
      deliver(command);
    }
  }

  socket.on("data", usbipCommands(receive));
  socket.on("error", () => socket.destroy());
  socket.resume();
  return {
    async leave() {
      present = false;
      for (const sequence of waiting.keys()) socket.write(submitReply(sequence, { status: statuses.gone, length: 0 }));
      waiting.clear();
      const leftMs = performance.now();
      const isEnumerating = !configured && leftMs - attachedMs > enumeration.startsAfterMs;
      if (isEnumerating) await until(() => lastAskedMs >= leftMs, enumeration.asksWithinMs);
      await until(() => performance.now() - lastAskedMs >= quiet.forMs, quiet.atMostMs);
    },
  };
}

async function until(isTrue: () => boolean, atMostMs: number): Promise<void> {
  for (const deadlineMs = performance.now() + atMostMs; !isTrue() && performance.now() < deadlineMs;) await sleep(pollMs);
}

interface Answerer {
  readonly stick: WireStick;
  readonly descriptors: StickDescriptors;
  readonly model: StickModel;
}

/** What a control transfer gives: bytes, nothing, or undefined to stall. */
function control({ stick, descriptors, model }: Answerer, { setup, data, length }: Submit): Uint8Array | undefined {
  const isStandard = (setup.requestType & 0x60) === 0;
  if (!isStandard) return model.control(setup, data)?.subarray(0, length);
  if (setup.request === requests.getDescriptor) return descriptor({ stick, descriptors }, setup.value)?.subarray(0, length);
  if (setup.request === requests.getStatus) return Buffer.alloc(2);
  if (setup.request === requests.getConfiguration) return Buffer.from([1]);
  if (setup.request === requests.getInterface) return Buffer.from([0]);
  return Buffer.alloc(0);
}

function descriptor({ stick, descriptors }: Omit<Answerer, "model">, value: number): Uint8Array | undefined {
  const [type, index] = [value >> 8, value & 0xff];
  if (type === 1) return descriptors.device;
  if (type === 2) return descriptors.configurations[index];
  if (type !== 3) return undefined;
  if (index === 0) return languages;
  const texts = [stick.manufacturer, stick.product, stick.serial];
  // iManufacturer, iProduct and iSerialNumber: a replayed stick has numbers of its own.
  const which = [14, 15, 16].findIndex((at) => descriptors.device.readUInt8(at) === index);
  const text = texts[which];
  return text === undefined ? undefined : stringDescriptor(text);
}

/** UTF-16 units exactly as given, halves of surrogate pairs and all. */
function stringDescriptor(text: string): Buffer {
  const units = Buffer.from(text.slice(0, longestString), "utf16le");
  return Buffer.concat([Buffer.from([units.length + 2, 3]), units]);
}
