/** Sticks of a node: sysfs objects in a tree of their own, and device nodes that work in the node's `/dev`. */
import { chmodSync, chownSync, unlinkSync } from "node:fs";
import type { VirtualStick } from "../../lab/lab.ts";
import { createHostTree, type HostTree } from "../../light/host-tree.ts";
import { createKernelObjects, type KernelDevice, type KernelHooks } from "../../light/kernel-objects.ts";
import { makeCharacterDevice } from "../../light/libc.ts";
import { openVirtualTerminal, type VirtualTerminal } from "./virtual-terminals.ts";

/** Debian's and Talos' `dialout`. */
const dialout = 20;

interface NodeStick {
  readonly stick: VirtualStick;
  readonly port: number;
  /** Its ttys as the node names them: `/dev/ttyUSB0`. */
  readonly nodes: readonly string[];
  /** What is behind them, in the same order; behind a stick without a driver, what is behind its `/dev/bus/usb/001/002`. */
  readonly lines: readonly VirtualTerminal[];
  /** The first line, for the many sticks that have one. */
  readonly line: VirtualTerminal;
  unplug(): Promise<void>;
  /** Below `/sys`. */
  readonly path: string;
}

interface PlugOptions {
  /** Default: the lowest that is free. */
  readonly port?: number;
  /** Names that the kernel does not give, as while somebody still holds them: `/dev/ttyUSB0`. */
  readonly without?: readonly string[];
}

export interface NodeRadios {
  /** Plugs a stick; it is whole when this resolves. Numbers are those of the virtual terminal behind it, other ones each time. */
  plug(stick: VirtualStick, options?: PlugOptions): Promise<NodeStick>;
  /** Unplugs a stick and plugs it into the same port, where it gets another number and another name. */
  replug(plugged: NodeStick): Promise<NodeStick>;
  unplugAll(): Promise<void>;
  /** Adds something else, such as an SPI port: what is behind its device node, of which it has one. It stays. */
  insert(device: KernelDevice): Promise<VirtualTerminal>;
  /** The made-up sysfs, for what has no device node. */
  readonly tree: HostTree;
}

/** Over `<root>/sys` and `<root>/dev`. */
export function openNodeRadios(root: string): NodeRadios & AsyncDisposable {
  const waiting: VirtualTerminal[] = [];
  const plugged = new Set<NodeStick>();
  const inserted = new Set<VirtualTerminal>();
  let without: readonly string[] = [];
  let hasLine = isTty;

  const hooks: KernelHooks = {
    numberNode(path, node) {
      if (!hasLine(path)) return node;
      const { major, minor } = waiting.shift() ?? fail(path);
      return { ...node, major, minor };
    },
    makeNode(path, { major, minor }) {
      makeCharacterDevice(path, major, minor);
      chmodSync(path, isTty(path) ? 0o660 : isUsb(path) ? 0o664 : 0o600);
      chownSync(path, 0, isTty(path) ? dialout : 0);
    },
    removeNode: (path) => unlinkSync(path),
    announce: () => {},
  };
  const tree = createHostTree(root, { hooks, isHeld: (node) => without.includes(node) });
  const kernel = createKernelObjects(root, hooks);
  const withLines = <T>(lines: readonly VirtualTerminal[], which: (path: string) => boolean, make: () => T): T => {
    waiting.push(...lines);
    hasLine = which;
    try {
      return make();
    } finally {
      hasLine = isTty;
    }
  };

  const plug = async (stick: VirtualStick, { port, without: names = [] }: PlugOptions = {}): Promise<NodeStick> => {
    const lines = await openLines(stick);
    without = names;
    const device = withLines(lines, stick.driver === "none" ? isUsb : isTty, () => tree.plug(stick, port === undefined ? {} : { port }));
    without = [];
    const [line] = lines;
    const here: NodeStick = {
      stick,
      port: device.port,
      path: device.path,
      nodes: device.nodes,
      lines,
      get line() {
        return line ?? fail(stick.name);
      },
      async unplug() {
        if (!plugged.delete(here)) return;
        // As the kernel does it: the line is gone before its node is.
        for (const each of lines) await each.hangUp();
        device.remove();
      },
    };
    plugged.add(here);
    return here;
  };

  const unplugAll = async (): Promise<void> => {
    for (const each of plugged) await each.unplug();
  };

  return {
    tree,
    plug,
    async replug(old) {
      await old.unplug();
      return plug(old.stick, { port: old.port, without: old.nodes });
    },
    unplugAll,
    async insert(device) {
      const line = await openVirtualTerminal();
      inserted.add(line);
      withLines(
        [line],
        () => true,
        () => kernel.add(device),
      );
      return line;
    },
    async [Symbol.asyncDispose]() {
      await unplugAll();
      for (const line of inserted) await line.hangUp();
    },
  };
}

async function openLines({ driver, ports = 1 }: VirtualStick): Promise<VirtualTerminal[]> {
  if (driver === "btusb") return [];
  const lines: VirtualTerminal[] = [];
  while (lines.length < ports) lines.push(await openVirtualTerminal());
  return lines;
}

function isTty(path: string): boolean {
  return /\/tty(?:USB|ACM)\d+$/u.test(path);
}

function isUsb(path: string): boolean {
  return /\/bus\/usb\/\d+\/\d+$/u.test(path);
}

function fail(what: string): never {
  throw new Error(`${what} has no line behind it`);
}
