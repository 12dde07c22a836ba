import fc from "fast-check";
import { expect, test } from "vitest";
import { submitReply, type UsbipCommand, unlinkReply, usbipCommands } from "./usbip-wire.ts";

/** As the kernel packs it: usbip_header_basic, then usbip_header_cmd_submit. */
function submitBytes({
  direction,
  endpoint,
  length,
  data,
}: {
  direction: "in" | "out";
  endpoint: number;
  length: number;
  data: Uint8Array;
}): Buffer {
  const header = Buffer.alloc(48);
  for (const [index, value] of [1, 7, 0x10001, direction === "in" ? 1 : 0, endpoint, 0, length, 0, 0xffffffff, 0].entries()) {
    header.writeUInt32BE(value, index * 4);
  }
  Buffer.from([0x80, 6, 0x00, 0x01, 0x09, 0x04, 0x40, 0x00]).copy(header, 40);
  return Buffer.concat([header, data]);
}

const payload = fc.uint8Array({ maxLength: 100 });
const submission = fc.oneof(
  fc.record({ direction: fc.constant("in" as const), endpoint: fc.nat(15), length: fc.nat(4096), data: fc.constant(new Uint8Array()) }),
  payload.map((data) => ({ direction: "out" as const, endpoint: 2, length: data.length, data })),
);

test("commands are the same however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(submission, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      (submissions, cuts) => {
        const stream = Buffer.concat(submissions.map(submitBytes));
        const seen: UsbipCommand[] = [];
        const feed = usbipCommands((command) => seen.push(command));
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          feed(stream.subarray(at, at + size));
          at += size;
        }
        expect(
          seen.map((command) => (command.command === "submit" ? [command.direction, command.endpoint, command.length, command.data] : [])),
        ).toEqual(submissions.map(({ direction, endpoint, length, data }) => [direction, endpoint, length, data]));
      },
    ),
  );
});

test("a setup packet is read in USB's byte order", () => {
  const seen: UsbipCommand[] = [];
  usbipCommands((command) => seen.push(command))(submitBytes({ direction: "in", endpoint: 0, length: 64, data: new Uint8Array() }));
  expect(seen).toEqual([
    {
      command: "submit",
      sequence: 7,
      direction: "in",
      endpoint: 0,
      length: 64,
      setup: { requestType: 0x80, request: 6, value: 0x0100, index: 0x0409, length: 64 },
      data: new Uint8Array(),
    },
  ]);
});

test("an unlink names the transfer it takes back", () => {
  const bytes = Buffer.alloc(48);
  bytes.writeUInt32BE(2, 0);
  bytes.writeUInt32BE(9, 4);
  bytes.writeUInt32BE(7, 20);
  const seen: UsbipCommand[] = [];
  usbipCommands((command) => seen.push(command))(bytes);
  expect(seen).toEqual([{ command: "unlink", sequence: 9, target: 7 }]);
});

test("an unknown command ends the stream", () => {
  expect(() => usbipCommands(() => {})(Buffer.alloc(48, 0x55))).toThrow("USB/IP command 1431655765 is unknown");
});

test("replies carry status, length and data", () => {
  const reply = Buffer.from(submitReply(7, { status: -32, length: 3, data: Uint8Array.of(1, 2, 3) }));
  expect([reply.readUInt32BE(0), reply.readUInt32BE(4), reply.readInt32BE(20), reply.readUInt32BE(24), reply.length]).toEqual([
    3, 7, -32, 3, 51,
  ]);
  expect([...reply.subarray(48)]).toEqual([1, 2, 3]);
  const unlinked = Buffer.from(unlinkReply(9, -104));
  expect([unlinked.readUInt32BE(0), unlinked.readUInt32BE(4), unlinked.readInt32BE(20), unlinked.length]).toEqual([4, 9, -104, 48]);
});
