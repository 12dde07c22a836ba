import { once } from "node:events";
import { createServer, request } from "node:http";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ssdpJunk, ssdpSamples } from "../../../test/fuzz/ssdp-corpus.ts";
import { describeSsdp } from "./describe-ssdp.ts";
import { locationIsLinkLocal } from "./link-local-location.ts";
import { readSsdp, type SsdpMessage } from "./read-ssdp.ts";

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

function accept(packet: Uint8Array | string): SsdpMessage {
  const message = readSsdp(typeof packet === "string" ? bytesOf(packet) : packet);
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

const named = (name: string): string => ssdpSamples.find((sample) => sample.name === name)?.text ?? "";

test.each(ssdpJunk)("refused: $name", ({ text }) => {
  expect(readSsdp(bytesOf(text))).toHaveProperty("fault");
});

test.each(ssdpSamples)("taken: $name, and goes on as it came", ({ name, text }) => {
  const message = accept(text);
  const mended = { "search, LF only": text.replaceAll("\n", "\r\n"), "search without an empty line": `${text}\r\n` }[name];
  expect(Buffer.from(message.bytes).toString("latin1")).toBe(mended ?? text.replace("\0", ""));
});

test("an announcement says what it is about", () => {
  const { headers: _headers, bytes: _bytes, ...message } = accept(named("Sonos alive"));
  expect(message).toEqual({
    kind: "notify",
    direction: "offer",
    targets: ["urn:schemas-upnp-org:device:zoneplayer:1"],
    usn: "uuid:RINCON_000E58A0B1C201400::urn:schemas-upnp-org:device:ZonePlayer:1",
    uuid: "rincon_000e58a0b1c201400",
    nts: "alive",
    location: "http://192.168.40.7:1400/xml/device_description.xml",
    maxAgeSeconds: 1800,
  });
});

test.each([
  ["byebye", "byebye"],
  ["update", "update"],
  ["Hue bridge alive", "alive"],
] as const)("%s tells of %s", (name, nts) => {
  expect(accept(named(name))).toMatchObject({ kind: "notify", direction: "offer", nts });
});

test("an answer is an offer, with the target that was searched for", () => {
  expect(accept(named("DIAL answers"))).toMatchObject({
    kind: "response",
    direction: "offer",
    targets: ["urn:dial-multiscreen-org:service:dial:1"],
    uuid: "2f402f80-da50-11e1-9b23-001788255acc",
    maxAgeSeconds: 1800,
  });
});

test.each([
  ["search for all", 3],
  ["search, MX 0", 1],
  ["search, MX 120", 5],
  ["search without MX", 5],
  ["search, headers in lower case", 1],
] as const)("%s: answers may take %i s", (name, maxWaitSeconds) => {
  expect(accept(named(name))).toMatchObject({ kind: "search", direction: "ask", maxWaitSeconds });
});

test("a type that only the USN names is a target too, so that no rule is got round", () => {
  const text = named("Sonos alive").replace("NT: urn:schemas-upnp-org:device:ZonePlayer:1", "NT: upnp:rootdevice");
  expect(accept(text).targets).toEqual(["upnp:rootdevice", "urn:schemas-upnp-org:device:zoneplayer:1"]);
});

test.each([
  ["http://[fe80::1]/a", true],
  ["http://[FEBF::1%25eth0]:80/a", true],
  ["http://user@169.254.1.2:80/a", true],
  ["http://[::ffff:169.254.1.2]/a", true],
  ["http://[fec0::1]/a", false],
  ["http://[fd00::1]/a", false],
  ["http://169.253.1.2/a", false],
  ["http://fe80.example/a", false],
  ["fe80::1", false],
  ["", false],
])("LOCATION %s is link-local: %s", (location, expected) => {
  const text = named("byebye").replace("NTS: ssdp:byebye", `NTS: ssdp:alive\r\nLOCATION: ${location}`);
  expect(locationIsLinkLocal(accept(text))).toBe(expected);
});

test("one address that can be reached is enough", () => {
  const linkLocal = named("alive, only reachable on its link");
  expect(locationIsLinkLocal(accept(linkLocal))).toBe(true);
  const also = (header: string): SsdpMessage => accept(linkLocal.replace("NTS:", `${header}\r\nNTS:`));
  expect(locationIsLinkLocal(also("AL: <http://[fe80::2]/x><http://192.0.2.1/x>"))).toBe(false);
  expect(locationIsLinkLocal(also("SECURELOCATION.UPNP.ORG: https://[fe80::2]:1443/x"))).toBe(true);
  expect(locationIsLinkLocal(also("SECURELOCATION.UPNP.ORG: https://192.0.2.1:1443/x"))).toBe(false);
});

test("descriptions are one short printable line", () => {
  expect(describeSsdp(accept(named("search for all")))).toBe("M-SEARCH ssdp:all MX 3");
  expect(describeSsdp(accept(named("Hue bridge alive")))).toBe(
    "NOTIFY ssdp:alive upnp:rootdevice uuid:2f402f80-da50-11e1-9b23-001788255acc",
  );
  expect(describeSsdp(accept(named("search for all").replace("ssdp:all", "\u009b2Jx")))).toBe("M-SEARCH \\u{9b}2jx MX 3");
});

/** A connection on which the peer has said `bytes`, and hung up. */
function spoken(bytes: Uint8Array): Duplex {
  const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  connection.push(bytes);
  connection.push(null);
  return connection;
}

/** Whether Node's own strict parser takes the packet for a whole message, and with which headers. */
async function nodeTakes({ kind, bytes }: SsdpMessage): Promise<boolean> {
  if (kind === "response") {
    const asking = request({ createConnection: () => spoken(bytes), insecureHTTPParser: false });
    asking.end();
    return once(asking, "response").then(
      () => true,
      () => false,
    );
  }
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: false });
  const answer = new Promise<boolean>((resolve) => {
    server.once("request", () => resolve(true)).once("clientError", () => resolve(false));
    server.once("upgrade", () => resolve(true));
  });
  server.emit("connection", spoken(bytes));
  return answer;
}

test.each(ssdpSamples)("Node's strict parser takes it too: $name", async ({ text }) => {
  expect(await nodeTakes(accept(text))).toBe(true);
});

test("Node's strict parser is one that refuses", async () => {
  const message = accept(named("search for all"));
  expect(await nodeTakes({ ...message, bytes: bytesOf(named("search, LF only")) })).toBe(false);
  const answer = accept(named("Sonos answers"));
  expect(await nodeTakes({ ...answer, bytes: bytesOf(named("Sonos answers").replace("EXT:", "EXT :")) })).toBe(false);
});

/** A sample with a few bytes changed, put in or taken out, mostly into what matters to HTTP. */
const mutated = fc
  .tuple(
    fc.constantFrom(...ssdpSamples.map(({ text }) => text)),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.oneof(
          fc.constantFrom("\r", "\n", " ", "\t", ":", "\0", "\x7f", "\x85", "\xff", "\r\n"),
          fc.string({ unit: "binary", maxLength: 3 }),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [place, removed, added]) => {
      const at = place % (edited.length + 1);
      return edited.slice(0, at) + added + edited.slice(at + removed);
    }, text),
  )
  .map(bytesOf);

test("whatever is taken, Node's strict parser takes, and reading it again gives the same", async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (packet) => {
      const message = readSsdp(packet);
      if ("fault" in message) return;
      expect(await nodeTakes(message)).toBe(true);
      const again = accept(message.bytes);
      expect(Buffer.compare(again.bytes, message.bytes)).toBe(0);
      expect({ ...again, bytes: undefined }).toEqual({ ...message, bytes: undefined });
    }),
    { numRuns: 400 },
  );
});

test("no bytes make it throw, and what it says fits a line", () => {
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (packet) => {
      const message = readSsdp(packet);
      if ("fault" in message) return;
      locationIsLinkLocal(message);
      expect(describeSsdp(message)).toMatch(/^[^\p{Cc}]{1,200}$/u);
      expect(message.targets.length).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});
