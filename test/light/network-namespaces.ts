/** Several hosts in one process: network namespaces that this thread steps into and out of. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { call } from "./libc.ts";

const CLONE_NEWNET = 0x40000000;
const ownNamespace = "/proc/thread-self/ns/net";

export interface NetworkNamespace extends Disposable {
  /** For `ip link set … netns`. */
  readonly path: string;
  /** Does something there: sockets stay where they were opened. What is started there stays there too. */
  run<T>(action: () => T): T;
  ip(command: string): string;
}

/** Needs CAP_SYS_ADMIN over this thread's network namespace, such as behind `unshare --user --map-root-user --net`. */
export function openNetworkNamespace(): NetworkNamespace {
  const outside = openSync(ownNamespace, "r");
  call("unshare", CLONE_NEWNET);
  const inside = openSync(ownNamespace, "r");
  call("setns", outside, CLONE_NEWNET);
  closeSync(outside);
  const run = <T>(action: () => T): T => {
    const before = openSync(ownNamespace, "r");
    call("setns", inside, CLONE_NEWNET);
    try {
      return action();
    } finally {
      call("setns", before, CLONE_NEWNET);
      closeSync(before);
    }
  };
  run(prepare);
  return {
    path: `/proc/${process.pid}/fd/${inside}`,
    run,
    ip: (command) => run(() => ip(command)),
    [Symbol.dispose]: () => closeSync(inside),
  };
}

/** `ip` with these words, in the namespace of this thread; gives what it writes. `lines` are commands of its own for `-batch -`. */
export function ip(command: string, lines: readonly string[] = []): string {
  return execFileSync("ip", command.split(" "), { input: lines.join("\n"), stdio: ["pipe", "pipe", "inherit"], encoding: "utf8" });
}

/** Loopback up; IPv6 addresses of links that are yet to come are usable at once. */
export function prepare(): void {
  for (const scope of ["all", "default"]) setDuplicateDetection(scope, false);
  ip("link set lo up");
}

/** Whether new IPv6 addresses of a link are tentative at first: then for a minute. */
export function setDuplicateDetection(link: string, on: boolean): void {
  writeFileSync(`/proc/sys/net/ipv6/conf/${link}/accept_dad`, on ? "1" : "0");
  writeFileSync(`/proc/sys/net/ipv6/conf/${link}/dad_transmits`, on ? "60" : "0");
}
