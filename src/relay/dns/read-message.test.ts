import { decode } from "dns-packet";
import { expect, test } from "vitest";
import { chromecast, packets } from "../../../test/fixtures/mdns-packets.ts";
import type { DnsMessage } from "./dns-message.ts";
import { readMessage } from "./read-message.ts";

function read(bytes: Uint8Array): DnsMessage {
  const message = readMessage(bytes);
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

test.each(Object.keys(packets))("%s is read as dns-packet reads it", (name) => {
  const bytes = packets[name]!;
  const message = read(bytes);
  const other = decode(Buffer.from(bytes));
  expect(message.questions.map((question) => question.name.labels.join(".") || ".").map(fromLatin1)).toEqual(
    (other.questions ?? []).map((question) => question.name),
  );
  const others = [...(other.answers ?? []), ...(other.authorities ?? []), ...(other.additionals ?? [])];
  expect(message.records.map((record) => fromLatin1(record.name.labels.join(".") || "."))).toEqual(others.map((record) => record.name));
  expect(message.response).toBe(other.type === "response");
  expect(message.bytes).toBe(bytes);
});

test("a record's fields are read", () => {
  const message = read(chromecast);
  expect(message).toMatchObject({ id: 0, response: true, truncated: false, trailing: false, emptyTexts: [], unchecked: [] });
  expect(message.records.map(({ section, type, flush, ttl, target }) => ({ section, type, flush, ttl, target: target?.key }))).toEqual([
    { section: "answer", type: 12, flush: false, ttl: 120, target: "chromecast-0123._googlecast._tcp.local" },
    { section: "additional", type: 16, flush: true, ttl: 4500, target: undefined },
    { section: "additional", type: 33, flush: true, ttl: 120, target: "fuchsia-0123.local" },
    { section: "additional", type: 1, flush: true, ttl: 120, target: undefined },
  ]);
});

const fromLatin1 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");
