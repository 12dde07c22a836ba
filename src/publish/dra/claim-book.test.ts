import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { type ClaimFile, openClaimFile } from "../../kubelet/claim-file.ts";
import { type PreparedClaim, openClaimBook } from "./claim-book.ts";

async function openFile(text?: string): Promise<ClaimFile> {
  const directory = await mkdtemp(join(tmpdir(), "aerial-claims-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "resource-claims.json");
  if (text !== undefined) await writeFile(path, text);
  return openClaimFile(path);
}

function open(file: ClaimFile) {
  const conditions = createConditions(createManualClock());
  return openClaimBook({ file, conditions, log: silentLog }).then((book) => ({ book, conditions }));
}

const claim = (uid: string, ...radios: readonly string[]): PreparedClaim => ({
  uid,
  namespace: "house",
  name: `claim-${uid}`,
  consumers: ["pod"],
  devices: radios.map((radioId, index) => ({
    radioId,
    group: "zigbee",
    ordinal: index + 1,
    device: radioId.toLowerCase(),
    request: "radio",
  })),
});

test("what was put is known to the next life, what was dropped is not", async () => {
  const file = await openFile();
  const { book } = await open(file);
  expect([...book.claimed.current]).toEqual([]);
  await book.put(claim("1", "A"));
  await book.put(claim("2", "B", "C"));
  await book.drop("1");
  await book.drop("unknown");
  expect([...book.claimed.current]).toEqual(["B", "C"]);
  const { book: next, conditions } = await open(file);
  expect([...next.claims.values()]).toEqual([claim("2", "B", "C")]);
  expect([...next.claimed.current]).toEqual(["B", "C"]);
  expect(next.holderOf("C")?.uid).toBe("2");
  expect([next.isLost, conditions.current.size]).toEqual([false, 0]);
});

test("a radio is taken before the disk knows, and free only after", async () => {
  const file = await openFile();
  const { book } = await open(file);
  const putting = book.put(claim("1", "A"));
  expect([...book.claimed.current]).toEqual(["A"]);
  await putting;
  const dropping = book.drop("1");
  expect(book.claims.has("1")).toBe(false);
  expect(book.holderOf("A")?.uid).toBe("1");
  await dropping;
  expect([book.holderOf("A"), book.claimed.current.size]).toEqual([undefined, 0]);
});

test("many at once are all there at the end", async () => {
  const file = await openFile();
  const { book } = await open(file);
  const uids = Array.from({ length: 20 }, (_, index) => String(index));
  await Promise.all(uids.map((uid) => book.put(claim(uid, uid))));
  await Promise.all(uids.filter((uid) => Number(uid) % 2 === 0).map((uid) => book.drop(uid)));
  const { book: next } = await open(file);
  expect([...next.claims.keys()].toSorted()).toEqual(uids.filter((uid) => Number(uid) % 2 === 1).toSorted());
});

test("a disk that does not take it leaves all as it was", async () => {
  const real = await openFile();
  let isFull = false;
  const full = (): Promise<void> => Promise.reject(new AerialError("inventory.unusable", "no space left"));
  const { book } = await open({ ...real, write: (text) => (isFull ? full() : real.write(text)) });
  await book.put(claim("1", "A"));
  isFull = true;
  await expect(book.put(claim("2", "B"))).rejects.toThrow("no space left");
  await expect(book.drop("1")).rejects.toThrow("no space left");
  expect([...book.claims.keys()]).toEqual(["1"]);
  expect([...book.claimed.current]).toEqual(["A"]);
  isFull = false;
  await book.drop("1");
  expect(book.claimed.current.size).toBe(0);
});

test.each([
  ["empty", ""],
  ["half", '{"version":1,"claims":[{"uid":'],
  ["of another version", '{"version":2,"claims":[]}'],
  ["with more than we know", '{"version":1,"claims":[],"shares":[]}'],
])("a file that is %s is set aside, and people are told", async (_what, text) => {
  const file = await openFile(text);
  const { book, conditions } = await open(file);
  expect([book.isLost, book.claims.size]).toEqual([true, 0]);
  expect(conditions.current.get("resource-claims.forgotten")?.text).toContain(`${file.path}.unreadable`);
  expect(await readFile(`${file.path}.unreadable`, "utf8")).toBe(text);
  await book.put(claim("1", "A"));
  expect((await open(file)).book.isLost).toBe(false);
});

test("no content of the file throws", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.record({ version: fc.constant(1), claims: fc.anything() }).map((value) => JSON.stringify(value)),
      ),
      async (text) => {
        const memory: ClaimFile = { path: "/x", read: async () => text, write: async () => {}, setAside: async () => "/x.unreadable" };
        const { book } = await open(memory);
        expect(book.claims).toBeInstanceOf(Map);
      },
    ),
  );
});
