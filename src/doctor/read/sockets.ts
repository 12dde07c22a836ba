/** Listening sockets, out of `/proc/net/tcp` and `/proc/net/tcp6` (proc_pid_net(5)). */
import type { Facts } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";

export const tcpTables: readonly string[] = ["/proc/net/tcp", "/proc/net/tcp6"];

export interface ListeningPort {
  readonly source: string;
  readonly port: number;
  readonly loopback: boolean;
  readonly line: string;
}

/** TCP_LISTEN, include/net/tcp_states.h. */
const listening = "0A";
/** 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104 as the kernel writes them on little-endian machines: four bytes at a time, turned round. */
const loopbackAddress = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** Lines that are none are skipped. */
export function listeningPorts(facts: Facts): readonly ListeningPort[] {
  return tcpTables.flatMap((source) =>
    (valueOf(facts.file(source)) ?? "").split("\n").flatMap((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
      if (address === undefined || port === undefined || state !== listening) return [];
      return [{ source, port: Number.parseInt(port, 16), loopback: loopbackAddress.test(address), line: line.trim() }];
    }),
  );
}
