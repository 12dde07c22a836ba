import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor, type KnownSecret } from "./redactor.ts";

function redact(text: string, known: readonly KnownSecret[] = [], plainIds: readonly string[] = []): string {
  return createRedactor({ known, plainIds: new Set(plainIds) }).text(text);
}

describe("what is private by its shape", () => {
  it.each([
    ["a MAC address", "seen aa:bb:cc:dd:ee:ff twice", /^seen mac-[0-9a-f]{10} twice$/],
    ["an EUI-64", "eui 00:12:4b:00:25:9a:bc:de.", /^eui mac-[0-9a-f]{10}\.$/],
    ["a MAC address in a name", "SLZB-06M-aabbccddeeff.local", /^SLZB-06M-mac-[0-9a-f]{10}\.local$/],
    ["a MAC address in an object's path", "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF", /^\/org\/bluez\/hci0\/dev_mac-[0-9a-f]{10}$/],
    ["a private address", "from 192.168.1.17/24 to 10.0.0.1-10.0.0.9", /^from ipv4-private-\w+\/24 to ipv4-private-\w+-ipv4-private-\w+$/],
    ["a global address", "http://203.0.113.9:8080/", /^http:\/\/ipv4-global-\w+:8080\/$/],
    ["IPv6", "addr:fe80::1%eth0, [2001:db8::1]:80, fd00:1::2.", /^addr:ipv6-link-local-\w+%eth0, \[ipv6-global-\w+\]:80, ipv6-ula-\w+\.$/],
    ["a by-id name", "/dev/serial/by-id/usb-ITead_Sonoff_0001-if00-port0", /^\/dev\/serial\/by-id\/usb-serial-[0-9a-f]{10}-if00-port0$/],
    ["a radio's id", "10c4-ea60-0001 gone", /^10c4-ea60-radio-[0-9a-f]{10} gone$/],
    ["a bearer token", "authorization: Bearer abc.def-1~2=", /^authorization: Bearer \[removed\]$/],
    ["a service account's token", "x eyJhbGciOi.eyJzdWIi.c2ln y", /^x \[removed\] y$/],
    ["a password", "mqtt://me:hunter2@broker password=hunter3;x", /^mqtt:\/\/\[removed\]@broker password=\[removed\];x$/],
    ["a key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", /^\[removed\]$/],
  ])("%s", (_what, text, expected) => {
    expect(redact(text)).toMatch(expected);
  });

  it.each([
    "at 2026-01-02T03:04:05.678Z, 12:27:46",
    "USB port 1-1.2.3.4, 1-1.2:1.0, 0000:00:14.0",
    "127.0.0.1:18088 ::1 224.0.0.251 ff02::fb 255.255.255.0 0.0.0.0",
    "aerial_scan_duration_seconds_sum 0.006516485000000217 1795349749785",
    "/dev/ttyUSB0 10c4:ea60 std::string 6.18.45-talos v24.21.0",
    "",
  ])("leaves the rest: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("an id that stands for a port stays", () => {
    expect(redact("1a86-7523-nuc-1-1.2 and 1a86-7523-nuc-1-1.3", [], ["1a86-7523-nuc-1-1.2"])).toMatch(
      /^1a86-7523-nuc-1-1\.2 and 1a86-7523-radio-/,
    );
  });
});

describe("what is known to be private", () => {
  it("goes wherever it turns up, in any case and as text of JSON", () => {
    const redactor = createRedactor({
      known: [
        { kind: "serial", text: 'Ab"9\\x' },
        { kind: "serial", text: "0001" },
        { kind: "name", text: "Anna's phone" },
      ],
    });
    const text = redactor.text(JSON.stringify({ serial: 'ab"9\\X', other: "stick_0001-x of ANNA'S PHONE, not 10001" }));
    expect(text).not.toMatch(/9\\\\x|anna/i);
    expect(text).toContain("not 10001");
    expect(text).toMatch(/stick_serial-[0-9a-f]{10}-x of name-[0-9a-f]{10}/);
  });

  it("is told by its field where it is too short to be looked for", () => {
    const redactor = createRedactor({ known: [{ kind: "serial", text: "1" }] });
    expect(redactor.value({ usb: { serial: "1", port: "1-1" }, token: "abc", tokens: ["x"], apiToken: "y" })).toEqual({
      usb: { serial: expect.stringMatching(/^serial-/) as string, port: "1-1" },
      token: "[removed]",
      tokens: ["x"],
      apiToken: "[removed]",
    });
  });

  it("has the same token each time within a redactor, however it is spelled, and another in the next", () => {
    const one = createRedactor({ known: [{ kind: "serial", text: "AB12CD34" }] });
    const tokens = ["aa:bb:cc:dd:ee:ff", "AABBCCDDEEFF", "aa-bb-cc-dd-ee-ff"].map((text) => one.text(text));
    expect(new Set(tokens).size).toBe(1);
    expect(one.text("fe80:0:0:0:0:0:0:1")).toBe(one.text("fe80::1"));
    expect(one.value({ serial: "AB12CD34" })).toEqual({ serial: one.text("ab12cd34") });
    expect(one.text("10.0.0.1")).not.toBe(one.text("10.0.0.2"));
    expect(createRedactor({ known: [] }).text("10.0.0.1")).not.toBe(one.text("10.0.0.1"));
  });
});

describe("whatever is planted", () => {
  const serial = fc.stringMatching(/^[A-Za-z0-9]{8,20}$/);
  const mac = fc
    .array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
    .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":"));
  const ipv4 = fc
    .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
    .filter(([first]) => first !== 127)
    .map((parts) => parts.join("."));

  it("is nowhere in what comes out: in keys, values, or joined to other text", () => {
    fc.assert(
      fc.property(
        fc.record({ planted: serial, address: mac, host: ipv4, around: fc.object(), joint: fc.string() }),
        ({ planted, address, host, around, joint }) => {
          const redactor = createRedactor({ known: [{ kind: "serial", text: planted }] });
          const document = {
            around,
            [planted]: address,
            list: [`${joint} ${planted}${joint}`, { [address]: [host] }],
            line: `${planted}|${address}|${host}`,
          };
          for (const text of [JSON.stringify(redactor.value(document)), redactor.text(JSON.stringify(document))]) {
            expect(text.toLowerCase()).not.toContain(planted.toLowerCase());
            expect(text).not.toContain(address);
            expect(text.match(/[\d.]+/g) ?? []).not.toContain(host);
          }
        },
      ),
    );
  });

  it("anything is taken, and takes time by its length", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void redact(text, [{ kind: "name", text: text.slice(0, 6) }])));
    fc.assert(fc.property(fc.anything(), (value) => void createRedactor({ known: [] }).value(value)));
    // What takes longer than in proportion ends in the test's own deadline.
    for (const unit of ["1", "a", ":", ".", "-", "1.", "a:", "aa-", "0000-0000-", "eyJ.", "usb-", "://", "token "])
      redact(unit.repeat(100_000 / unit.length));
  });
});
