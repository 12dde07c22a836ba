/** The network lab of test/system inside a guest, whose kernel has what this machine's may lack. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { agentCommand, type NetworkAgent, type NetworkLab, type NetworkLabOptions, openNetworkLab } from "../system/network-lab.ts";
import type { GuestLab } from "./guest-lab.ts";
import { LabError } from "./lab-error.ts";

/** Two streams of the agent's become one connection; when that is closed, its input ends and so does all that it started. */
const dial = `exec 3<>/dev/tcp/$1/$2; shift 2; cat <&3 | "$@" "$(mktemp -d)" 3>&- | cat >&3`;

/** Python starts slowly on an emulated processor. */
const startMs = 60_000;

/** Links, hosts and a router in namespaces of the guest. Times are the guest's. */
export function openGuestNetwork(guest: GuestLab, options: Omit<NetworkLabOptions, "startAgent">): Promise<NetworkLab> {
  return openNetworkLab({ ...options, startAgent: () => startAgent(guest) });
}

async function startAgent(guest: GuestLab): Promise<NetworkAgent> {
  await using stack = new AsyncDisposableStack();
  const server = createServer({ noDelay: true });
  await once(server.listen(0, "127.0.0.1"), "listening");
  stack.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const program = stack.use(await guest.start(["bash", "-c", dial, "bash", await guest.reach(port), String(port), ...agentCommand]));
  const signal = AbortSignal.timeout(startMs);
  const [socket] = (await once(server, "connection", { signal }).catch(() => {
    throw new LabError(`the network's agent in the guest does not call back; it wrote:\n${program.output}`);
  })) as [Socket];
  stack.defer(async () => {
    socket.destroy();
    await program.exited;
  });
  const ended = program.exited.then((exitCode) => `exit code ${exitCode} ${program.output}`);
  const lifetime = stack.move();
  return { stdin: socket, stdout: socket, ended, [Symbol.asyncDispose]: () => lifetime.disposeAsync() };
}
