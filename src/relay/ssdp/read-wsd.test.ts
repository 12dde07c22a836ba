import fc from "fast-check";
import { expect, test } from "vitest";
import { wsdJunk, wsdSamples } from "../../../test/fuzz/ssdp-corpus.ts";
import { describeWsd } from "./describe-wsd.ts";
import { urlsAreLinkLocal } from "./link-local-location.ts";
import { readWsd, type WsdMessage } from "./read-wsd.ts";
import { readXml } from "./read-xml.ts";

function accept(text: string): WsdMessage {
  const message = readWsd(Buffer.from(text));
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

const named = (name: string): string => wsdSamples.find((sample) => sample.name === name)?.text ?? "";

test.each(wsdJunk)("refused: $name", ({ text }) => {
  expect(readWsd(Buffer.from(text))).toHaveProperty("fault");
});

test.each([
  ["probe", "ask", ["device"]],
  ["probe for anything", "ask", []],
  ["resolve", "ask", []],
  ["hello", "offer", ["device", "computer"]],
  ["hello, 2009", "offer", ["device", "computer"]],
  ["bye", "offer", ["device", "computer"]],
  ["probe match", "offer", ["device", "computer"]],
  ["resolve match", "offer", ["device", "computer"]],
] as const)("%s is to %s, about %j", (name, direction, types) => {
  const message = accept(named(name));
  expect(message).toMatchObject({ kind: name.replace(/ for.*|,.*/, "").replace(" ", "-"), direction, types });
  expect(Buffer.from(message.bytes).toString()).toBe(named(name));
});

test("who offers, and where", () => {
  const message = accept(named("hello"));
  expect(message.endpoint).toBe("urn:uuid:2f402f80-da50-11e1-9b23-001788255acc");
  expect(message.addresses).toEqual(["http://192.168.40.3:5357/2f402f80-da50-11e1-9b23-001788255acc"]);
  expect(describeWsd(message)).toBe("hello device computer urn:uuid:2f402f80-da50-11e1-9b23-001788255acc");
});

test("an offer whose addresses all are link-local is told from others", () => {
  const reached = accept(named("hello"));
  const alone = accept(named("hello").replace("http://192.168.40.3:5357/", "http://[fe80::3%25eth0]:5357/"));
  const both = accept(named("hello").replace("http://192.168.40.3:5357/", "http://[fe80::3]:5357/x http://[fd00::3]:5357/"));
  expect([reached, alone, both].map(({ addresses }) => urlsAreLinkLocal(addresses))).toEqual([false, true, false]);
  expect(urlsAreLinkLocal([])).toBe(false);
});

test.each([
  ["<a b='1' c=\"2\"><!-- x --><![CDATA[<&]]>&lt;&#65;&#x42;</a>", "<&<AB"],
  ["\uFEFF<?xml version='1.0' standalone='yes' ?>\n<a>é</a>\n<!-- end -->", "é"],
  ['<a xmlns="u:x" xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>', ""],
])("XML: %s", (text, expected) => {
  expect(readXml(Buffer.from(text))).toMatchObject({ local: "a", text: expected });
});

test.each([
  "<a>]]></a>",
  "<a><!-- -- --></a>",
  "<a><!-- </a>",
  "<a><![CDATA[x</a>",
  "<a b='<'/>",
  "<a b='1'c='2'/>",
  "<a:b:c xmlns:a='u'/>",
  "<a xmlns:b=''/>",
  "<a xmlns:xmlns='u'/>",
  "<a xmlns:xml='u'/>",
  "<a xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
  "<a xmlns:b='u' xmlns:c='u' b:x='1' c:x='2'/>",
  "<a>&#0;</a>",
  "<a>&#xD800;</a>",
  "<a>&#x110000;</a>",
  "<a>& b</a>",
  "<a>\uFFFE</a>",
  " <?xml version='1.0'?><a/>",
  "<?xml version='1.1'?><a/>",
  "<?xml version='1.0' ENCODING='utf-8'?><a/>",
  "x<a/>",
  "<![CDATA[x]]><a/>",
  "<a></a >x",
])("no XML: %s", (text) => {
  expect(readXml(Buffer.from(text))).toHaveProperty("fault");
});

test("bytes that are not UTF-8 are no XML", () => {
  expect(readXml(Buffer.from("<a>\xe9</a>", "latin1"))).toEqual({ fault: "not UTF-8" });
});

test("64 KiB of anything are read in a moment", () => {
  for (const text of ["<a ", "<a b='c' ", "<a>", "<a/>", "&amp;", "<!--", "<a><![CDATA[", "<a b='", "-", "&#"]) {
    const packet = Buffer.from(`<a>${text.repeat(65_000 / text.length)}`);
    const before = performance.now();
    expect(readXml(packet)).toHaveProperty("fault");
    expect(performance.now() - before).toBeLessThan(1_000);
  }
});

test("however much is declared, it is read in a moment", () => {
  const declare = (count: number, prefix: string): string =>
    Array.from({ length: count }, (_, index) => ` xmlns:${prefix}${index.toString(36)}="b"`).join("");
  const flat = `<a${declare(3_900, "n")}/>`;
  const nested = `${Array.from({ length: 31 }, (_, level) => `<a${declare(60, `n${level}`)}>`).join("")}${'<a xmlns:b="b"/>'.repeat(1_000)}${"</a>".repeat(31)}`;
  const before = performance.now();
  for (const text of [flat, nested]) {
    expect(text.length).toBeLessThan(65_000);
    for (let turn = 0; turn < 20; turn += 1) expect(readXml(Buffer.from(text))).toHaveProperty("local", "a");
  }
  expect(performance.now() - before).toBeLessThan(5_000);
});

test("a prefix means what the nearest element says", () => {
  const root = readXml(Buffer.from('<a xmlns="one" xmlns:p="two"><b xmlns="" xmlns:p="three"><p:c/></b><p:d/></a>'));
  if ("fault" in root) throw new TypeError(root.fault);
  const [b, d] = root.children;
  expect([root, b, b?.children[0], d].map((element) => element?.namespace)).toEqual(["one", "", "three", "two"]);
});

test("no bytes make it throw", () => {
  const samples = fc.constantFrom(...wsdSamples.map(({ text }) => text));
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 4 });
  const mutated = fc.tuple(samples, edits).map(([text, changes]) => {
    let edited = text;
    for (const [place, removed, added] of changes) {
      const at = place % (edited.length + 1);
      edited = edited.slice(0, at) + added + edited.slice(at + removed);
    }
    return Buffer.from(edited);
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (packet) => {
      const message = readWsd(packet);
      if (!("fault" in message)) expect(describeWsd(message)).toMatch(/^[^\p{Cc}]{1,200}$/u);
    }),
    { numRuns: 2_000 },
  );
});
