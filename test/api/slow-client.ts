/**
 * Opens connections and keeps the server waiting on each: it says nothing, or its headers never end, or its body does not
 * come. Whatever is closed is opened again ten to twenty seconds later, from another address of 127.0.0.0/8 if told so. Arguments: port, connections,
 * `one` or `many` addresses. Writes a line of JSON every 500 ms: how many are open, and how many were opened so far.
 */
import { connect, type Socket } from "node:net";

const [port = "0", wanted = "0", addresses = "one"] = process.argv.slice(2);

/** Of 127.0.0.0/8, each of which reaches this machine from another client, as the server sees it. */
const anyAddress = (): string => `127.${1 + random(254)}.${random(255)}.${1 + random(254)}`;
const random = (below: number): number => Math.floor(Math.random() * below);

const ways: readonly ((socket: Socket) => void)[] = [
  () => {},
  (socket) => trickle(socket, "GET /api/v1/radios HTTP/1.1\r\nhost: 127.0.0.1\r\n"),
  (socket) =>
    trickle(socket, "POST /api/v1/rescan HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n"),
];

/** A header, or a byte of the body, every two seconds. */
function trickle(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write(`x-${random(1e6)}: 1\r\n`), 2_000);
  socket.once("close", () => clearInterval(timer));
}

let opened = 0;
const open = new Set<Socket>();
function add(): void {
  const socket = connect({ host: "127.0.0.1", port: Number(port), ...(addresses === "many" && { localAddress: anyAddress() }) });
  socket.on("error", () => {});
  socket.on("connect", () => {
    opened += 1;
    open.add(socket);
    ways[opened % ways.length]?.(socket);
  });
  socket.on("data", () => {});
  socket.on("close", () => {
    open.delete(socket);
    setTimeout(add, 10_000 + random(10_000));
  });
}

// Not all at once: they would only wait for each other, in the kernel.
let started = 0;
const starting = setInterval(() => {
  for (let index = 0; index < 100 && started < Number(wanted); index += 1, started += 1) add();
  if (started >= Number(wanted)) clearInterval(starting);
}, 100);
setInterval(() => process.stdout.write(`${JSON.stringify({ open: open.size, opened })}\n`), 500);
process.stdin.on("end", () => process.exit(0)).resume();
