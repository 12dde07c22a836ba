import { expect, test } from "vitest";
import { createDnsTarget } from "../../../test/fuzz/dns-target.ts";
import { createEngineTarget } from "../../../test/fuzz/engine-target.ts";
import { runCase } from "../../../test/fuzz/fuzz-packet.ts";
import { keptCases } from "../../../test/fuzz/kept-cases.ts";
import { ssdpTarget, wsdTarget } from "../../../test/fuzz/text-targets.ts";

const readers = [createDnsTarget(), ssdpTarget, wsdTarget];
const targets = [...readers, createEngineTarget(readers)];

test.each(keptCases())("$file holds", (kept) => {
  const target = targets.find(({ name }) => name === kept.target);
  expect(target).toBeDefined();
  if (target !== undefined) expect(() => runCase(target, kept)).not.toThrow();
});
