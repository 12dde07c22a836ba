/** A daemon that has something to tell of every part: a stick, a relay, publishers (whose API server is away), readers of its API. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type NamespaceLab, openNamespaceLab } from "../light/namespace-lab.ts";
import { aerialOnLab } from "../light/aerial-on-lab.ts";
import { KubeletDouble } from "../fixtures/kubelet-double.ts";
import type { CommandResult } from "../lab/lab.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";

interface Answer<Body = string> {
  readonly status: number;
  readonly type: string;
  readonly body: Body;
}

interface Question {
  readonly method?: string;
  readonly accept?: string;
}

export interface MeasuredDaemon extends AsyncDisposable {
  readonly lab: NamespaceLab;
  readonly directory: string;
  /** `127.0.0.1:1234`: the same API over TCP of this machine, for programs that know no unix sockets. */
  readonly address: string;
  /** Runs a command of aerial on the node. */
  run(...parameters: readonly string[]): Promise<CommandResult>;
  ask(path: string, question?: Question): Promise<Answer>;
  /** What a POST answers, byte for byte. */
  download(path: string): Promise<Answer<Buffer>>;
}

export const plantedToken = "planted-token-of-the-cluster";

const noServer = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "away",
  // The discard port, on which nobody listens.
  clusters: [{ name: "away", cluster: { server: "http://127.0.0.1:9" } }],
  users: [{ name: "nobody", user: { token: plantedToken } }],
  contexts: [{ name: "away", context: { cluster: "away", user: "nobody" } }],
};

export async function openMeasuredDaemon(): Promise<MeasuredDaemon> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-measured-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = stack.use(await openNamespaceLab());
  for (const [name, address] of Object.entries({ home: "192.0.2.1/25", iot: "192.0.2.129/25" })) {
    for (const change of [`link add ${name} type veth peer name ${name}-far`, `address add ${address} dev ${name}`]) await ip(lab, change);
    for (const end of [name, `${name}-far`]) await ip(lab, `link set ${end} up`);
  }
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(noServer));
  const kubelet = stack.use(new KubeletDouble(join(directory, "kubelet/device-plugins")));
  await kubelet.start();
  const socket = join(directory, "aerial.sock");
  const aerial = aerialOnLab(lab, {
    AERIAL__API__SOCKET: socket,
    AERIAL__KUBERNETES__ENABLED: "true",
    AERIAL__KUBERNETES__KUBECONFIG: kubeconfig,
    AERIAL__HOST__KUBELET: join(directory, "kubelet"),
    AERIAL__HOST__CDI: join(directory, "cdi"),
    AERIAL__DEVICEPLUGIN__ENABLED: "true",
    AERIAL__RADIOS: `[{match: {vendorId: "${sonoffDonglePlus.vendorId}"}, name: attic}]`,
    AERIAL__RELAY__ENABLED: "true",
    AERIAL__RELAY__LINKS: "[{interface: home}, {interface: iot}]",
  });
  // It also follows the live stream until it is closed.
  const daemon = stack.use(await aerial.start());
  await lab.plug(sonoffDonglePlus, { port: 1 });
  await daemon.until("radio", (radios) => radios.some(({ state }) => state === "present"));
  const gateway = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = request({ socketPath: socket, method, path: url, headers: { ...headers, host: "localhost" } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => void gateway.listen(0, "127.0.0.1", resolve));
  stack.defer(() => {
    gateway.closeAllConnections();
    return new Promise<void>((resolve) => gateway.close(() => resolve()));
  });
  const lifetime = stack.move();
  return {
    lab,
    directory,
    address: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    run: (...parameters) => aerial.run(...parameters),
    async ask(path, question = {}) {
      const { body, ...rest } = await send(socket, path, question);
      return { ...rest, body: body.toString() };
    },
    download: (path) => send(socket, path, { method: "POST" }),
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

async function ip(lab: NamespaceLab, change: string): Promise<void> {
  const { exitCode, stderr } = await lab.run(["ip", ...change.split(" ")]);
  if (exitCode !== 0) throw new Error(`ip ${change}: ${stderr}`);
}

function send(socketPath: string, path: string, { method = "GET", accept }: Question): Promise<Answer<Buffer>> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, method, headers: { host: "localhost", ...(accept && { accept }) } }, (answer) => {
      const { statusCode = 0, headers } = answer;
      buffer(answer).then((body) => resolve({ status: statusCode, type: headers["content-type"] ?? "", body }), reject);
    })
      .on("error", reject)
      .end();
  });
}
