/** A daemon with a handful of radios and a relay, whose API can be asked over TCP, byte for byte. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aerialOnLab, type Radios } from "../light/aerial-on-lab.ts";
import { type NamespaceLab, openNamespaceLab } from "../light/namespace-lab.ts";
import { conbee2, enoceanUsb300, sonoffDonglePlus, zbt1, zstickGen5 } from "../lab/sticks.ts";

export interface ContractDaemon extends AsyncDisposable {
  readonly lab: NamespaceLab;
  readonly socket: string;
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  readonly radios: Radios;
  readonly until: (what: string, isRight: (radios: Radios) => boolean) => Promise<Radios>;
  /** What the daemon wrote. */
  readonly output: () => string;
}

const sticks = [sonoffDonglePlus, conbee2, zbt1, zstickGen5, enoceanUsb300];
const links = { home: "192.0.2.1/25", iot: "192.0.2.129/25" };

export async function openContractDaemon(environment: Readonly<Record<string, string>> = {}): Promise<ContractDaemon> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-contract-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = stack.use(await openNamespaceLab());
  for (const [name, address] of Object.entries(links)) {
    for (const change of [`link add ${name} type veth peer name ${name}-far`, `address add ${address} dev ${name}`]) await ip(lab, change);
    for (const end of [name, `${name}-far`]) await ip(lab, `link set ${end} up`);
  }
  const socket = join(directory, "aerial.sock");
  const aerial = aerialOnLab(lab, {
    AERIAL__API__SOCKET: socket,
    AERIAL__RELAY__ENABLED: "true",
    AERIAL__RELAY__LINKS: "[{interface: home}, {interface: iot}]",
    ...environment,
  });
  const daemon = stack.use(await aerial.start());
  for (const [index, stick] of sticks.entries()) await lab.plug(stick, { port: index + 1 });
  await daemon.until("radios", (radios) => radios.filter(({ state }) => state === "present").length >= sticks.length);

  const open = new Set<Socket>();
  const door = createServer((from) => {
    const to = connect(socket);
    for (const end of [from, to]) {
      open.add(end);
      end.on("error", () => {}).on("close", () => open.delete(end));
    }
    from.pipe(to).pipe(from);
    from.on("close", () => to.destroy());
    to.on("close", () => from.destroySoon());
  });
  await new Promise<void>((resolve) => void door.listen(0, "127.0.0.1", resolve));
  stack.defer(async () => {
    for (const end of open) end.destroy();
    await new Promise<void>((resolve) => void door.close(() => resolve()));
  });
  const lifetime = stack.move();
  return {
    lab,
    socket,
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    get radios() {
      return daemon.radios;
    },
    until: (what, isRight) => daemon.until(what, isRight),
    output: () => daemon.process.output,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

async function ip(lab: NamespaceLab, change: string): Promise<void> {
  const { exitCode, stderr } = await lab.run(["ip", ...change.split(" ")]);
  if (exitCode !== 0) throw new Error(`ip ${change}: ${stderr}`);
}
