import { expect, test } from "vitest";
import { createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { ambiguous, sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { silentLog } from "../../core/log.ts";
import type { Radio } from "../../core/radio.ts";
import { groupRadios } from "../handover/resource-groups.ts";
import { createAwaitedClaims } from "./awaited-claims.ts";
import { openClaimBook } from "./claim-book.ts";
import { createClaimService } from "./claim-service.ts";
import { toDeviceName } from "./device-name.ts";

const domain = "radio.mi.house";

interface Result {
  readonly device: string;
  readonly request?: string;
  readonly driver?: string;
  readonly pool?: string;
  readonly adminAccess?: boolean;
  readonly shareID?: string;
}

/** The API server has one claim for each entry, its uid `uid-<name>`. */
async function openWorld(radios: readonly Radio[], claims: Record<string, readonly Result[] | AerialError>, files?: { text?: string }) {
  const clock = createManualClock();
  const disk = files ?? {};
  const file = {
    path: "/claims.json",
    read: async () => disk.text,
    write: async (text: string) => void (disk.text = text),
    setAside: async () => "/claims.json.unreadable",
  };
  const book = await openClaimBook({ file, conditions: createConditions(clock), log: silentLog });
  const awaited = createAwaitedClaims(clock);
  const world = {
    awaited: awaited.radios,
    claims,
    radios,
    /** Uids of pods, by the claim's name. */
    pods: {} as Record<string, readonly string[]>,
    holders: [] as readonly RadioHolder[],
    given: new Set<string>(),
    disk,
    book,
    clock,
    refreshes: 0,
    refresh: async () => sampleSnapshot(world.radios),
  };
  const service = createClaimService({
    kube: {
      async get(path) {
        const name = path.split("/").at(-1) ?? "";
        const found = world.claims[name];
        if (found === undefined) throw new AerialError("kube.not-found", `GET ${path} was answered 404`);
        if (found instanceof AerialError) throw found;
        const results = found.map((result) => Object.assign({ request: "radio", driver: domain, pool: "n1" }, result));
        const status =
          results.length === 0
            ? {}
            : {
                allocation: { devices: { results } },
                reservedFor: (world.pods[name] ?? ["pod"]).map((uid) => ({ uid, resource: "pods", name: `${uid}-0` })),
              };
        return { metadata: { uid: `uid-${name}` }, status };
      },
    },
    book,
    awaited,
    node: "n1",
    domain,
    groups: (all) => groupRadios(all, { domain, groups: [] }),
    cdiName: (id, ordinal) => `${domain}/radio=${id}${ordinal > 1 ? `:${ordinal}` : ""}`,
    refresh: async () => {
      world.refreshes += 1;
      return world.refresh();
    },
    holders: () => world.holders,
    isGiven: (id) => world.given.has(id),
    handed: () => {},
    clock,
    log: silentLog,
  });
  const signal = new AbortController().signal;
  const asked = (name: string) => ({ namespace: "house", name, uid: `uid-${name}` });
  return Object.assign(world, {
    service,
    prepare: async (...names: readonly string[]) => {
      const preparing = service.prepare(names.map(asked), signal);
      // Longer than what is in use is waited for.
      await clock.advance(25_000);
      const outcomes = await preparing;
      return names
        .map((name) => outcomes.get(`uid-${name}`))
        .map((outcome) => outcome?.error || outcome?.devices.flatMap(({ cdiDeviceIds }) => cdiDeviceIds));
    },
    unprepare: async (...names: readonly string[]) => [...(await service.unprepare(names.map(asked))).values()],
    findGone: async () => [...(await service.findGone(signal))],
  });
}

const twins = [sampleRadio("A-1"), sampleRadio("b")];
const a = { device: toDeviceName("A-1") };
const b = { device: "b" };

test("a claim gets its radio, as often as it is asked for, and after a crash", async () => {
  const world = await openWorld(twins, { one: [{ ...b, request: "main/cheap", shareID: "share" }] });
  const expected = [
    "uid-one",
    {
      devices: [{ requestNames: ["main"], poolName: "n1", deviceName: "b", cdiDeviceIds: ["radio.mi.house/radio=b"], shareId: "share" }],
      error: "",
    },
  ];
  const asked = [{ namespace: "house", name: "one", uid: "uid-one" }];
  const signal = new AbortController().signal;
  for (let time = 0; time < 2; time += 1) expect([...(await world.service.prepare(asked, signal))]).toEqual([expected]);
  expect([...world.book.claimed.current]).toEqual(["b"]);
  const next = await openWorld(twins, world.claims, world.disk);
  expect([...next.book.claimed.current]).toEqual(["b"]);
  expect(await next.prepare("one")).toEqual([["radio.mi.house/radio=b"]]);
  expect([...world.book.claims.values()]).toEqual([...next.book.claims.values()]);
});

test("further radios of a group are numbered within the pod, over all of its claims, and keep their numbers", async () => {
  const world = await openWorld([...twins, sampleRadio("c")], {
    two: [
      { ...b, request: "second" },
      { ...a, request: "first" },
    ],
    one: [{ device: "c" }],
    other: [{ device: "c" }],
  });
  world.pods["other"] = ["another pod"];
  expect(await world.prepare("two", "one")).toEqual([
    ["radio.mi.house/radio=b", "radio.mi.house/radio=A-1:2"],
    ["radio.mi.house/radio=c:3"],
  ]);
  await world.unprepare("two");
  expect(await world.prepare("one")).toEqual([["radio.mi.house/radio=c:3"]]);
  await world.unprepare("one");
  expect(await world.prepare("two", "other")).toEqual([
    ["radio.mi.house/radio=b", "radio.mi.house/radio=A-1:2"],
    ["radio.mi.house/radio=c"],
  ]);
});

test("what a pod has of a claim that others share counts, though it came after that was prepared", async () => {
  const world = await openWorld(twins, { shared: [a], own: [b] });
  world.pods = { shared: ["first"] };
  expect(await world.prepare("shared")).toEqual([["radio.mi.house/radio=A-1"]]);
  // The kubelet prepares a claim once, however many pods come for it.
  world.pods = { shared: ["first", "second"], own: ["second"] };
  expect(await world.prepare("own")).toEqual([["radio.mi.house/radio=b:2"]]);
});

test("a claim is prepared by what is known of the others where they cannot be read", async () => {
  const world = await openWorld(twins, { shared: [a], own: [b] });
  await world.prepare("shared");
  world.claims = { ...world.claims, shared: new AerialError("kube.unreachable", "away") };
  expect(await world.prepare("own")).toEqual([["radio.mi.house/radio=b:2"]]);
});

test("what a claim asks of other drivers is not ours", async () => {
  const gpu = { device: "gpu-0", driver: "gpu.example.com", pool: "elsewhere" };
  const world = await openWorld(twins, { both: [gpu, b], gpu: [gpu] });
  expect(await world.prepare("both", "gpu")).toEqual([["radio.mi.house/radio=b"], "house/gpu has no radio allocated to it"]);
});

test.each<[string, readonly Result[], string]>([
  ["nothing", [], "house/one has nothing allocated to it"],
  ["a radio of another node", [{ ...b, pool: "n2" }], "b is a radio of n2, and this is n1"],
  ["an unknown radio", [{ device: "z" }], "n1 knows of no radio z"],
  ["admin access", [{ ...b, adminAccess: true }], "the radio b cannot be had by adminAccess: radios are not shared"],
])("%s is refused with a sentence", async (_what, results, sentence) => {
  const world = await openWorld(twins, { one: results });
  expect(await world.prepare("one")).toEqual([sentence]);
  expect(world.book.claimed.current.size).toBe(0);
});

test("one that was deleted, or made anew under its name, is refused", async () => {
  const world = await openWorld(twins, { one: [b] });
  const signal = new AbortController().signal;
  const outcomes = await world.service.prepare(
    [
      { namespace: "house", name: "one", uid: "old" },
      { namespace: "house", name: "gone", uid: "gone" },
      { namespace: "..", name: "one", uid: "odd" },
    ],
    signal,
  );
  expect([...outcomes].map(([uid, { error }]) => [uid, error.slice(0, 45)])).toEqual([
    ["old", "house/one is another claim by now, made after"],
    ["gone", "GET /apis/resource.k8s.io/v1/namespaces/house"],
    ["odd", "the kubelet named a claim that there cannot b"],
  ]);
});

test("an unplugged radio is waited for: refused until it is back", async () => {
  const world = await openWorld([sampleRadio("b", { name: "attic", presence: "absent" })], { one: [b] });
  expect(await world.prepare("one")).toEqual(["the radio attic (b) is not plugged into n1"]);
  world.radios = twins;
  expect(await world.prepare("one")).toEqual([["radio.mi.house/radio=b"]]);
});

test("what is in use or unplugged only for a moment is waited for, since the kubelet would come back a minute later", async () => {
  const world = await openWorld([sampleRadio("b", { presence: "absent" })], { one: [b], two: [b] });
  const asked = ["one", "two"].map((name) => ({ namespace: "house", name, uid: `uid-${name}` }));
  const preparing = world.service.prepare(asked, new AbortController().signal);
  await world.clock.advance(5_000);
  world.radios = twins;
  await world.clock.advance(5_000);
  expect([...world.book.claims.keys()]).toEqual(["uid-one"]);
  await world.unprepare("one");
  await world.clock.advance(1_500);
  expect([...(await preparing).values()].map(({ error }) => error)).toEqual(["", ""]);
  expect([...world.book.claims.keys()]).toEqual(["uid-two"]);
});

test("a radio that is no longer known for what it was is refused", async () => {
  const world = await openWorld([sampleRadio("b", { identity: ambiguous })], { one: [b] });
  expect(await world.prepare("one")).toEqual(["the radio b is none that can be given to pods: `aerial explain` says why"]);
});

test("no radio goes to two claims, at once or one after the other", async () => {
  const world = await openWorld(twins, { one: [b], two: [b] });
  const both = await world.prepare("one", "two");
  expect(both).toEqual([["radio.mi.house/radio=b"], "the radio b is still prepared for the claim house/one"]);
  expect(await world.unprepare("one")).toEqual([""]);
  expect(await world.prepare("two")).toEqual([["radio.mi.house/radio=b"]]);
});

test("a radio that the device plugin gave away is refused, whether the kubelet tells of it yet or not", async () => {
  const world = await openWorld(twins, { one: [b] });
  world.given.add("b");
  expect(await world.prepare("one")).toEqual(["the radio b was given to another pod, and the kubelet does not say yet who has it"]);
  const holder = {
    radioId: "b",
    namespace: "house",
    pod: "z2m",
    container: "z2m",
    since: "",
    way: "device-plugin",
    request: "radio.mi.house/zigbee",
  } as const;
  world.holders = [holder];
  expect(await world.prepare("one")).toEqual(["the radio b is held by the pod house/z2m, which was given it as radio.mi.house/zigbee"]);
  world.given.clear();
  // A pod of a claim: our own book knows better.
  world.holders = [{ ...holder, way: "resource-claim", request: "old" }];
  expect(await world.prepare("one")).toEqual([["radio.mi.house/radio=b"]]);
});

test("with the book lost, the kubelet's word on claims counts", async () => {
  const world = await openWorld(twins, { one: [b], other: [b] }, { text: "{" });
  world.holders = [{ radioId: "b", namespace: "house", pod: "z2m", container: "z2m", since: "", way: "resource-claim", request: "one" }];
  expect(await world.prepare("other")).toEqual(["the radio b is held by the pod house/z2m, which was given it as one"]);
  expect(await world.prepare("one")).toEqual([["radio.mi.house/radio=b"]]);
});

test("what is not known is given back without a word, though the claim is gone and the API server away", async () => {
  const world = await openWorld(twins, { one: [b] });
  await world.prepare("one");
  world.claims = { one: new AerialError("kube.unreachable", "away") };
  expect(await world.unprepare("one", "never")).toEqual(["", ""]);
  expect(world.book.claimed.current.size).toBe(0);
});

test("claims that are gone are told from those that cannot be asked for", async () => {
  const away = new AerialError("kube.unreachable", "away");
  const radios = ["a", "b", "c", "d", "e"].map((id) => sampleRadio(id));
  const world = await openWorld(radios, {
    gone: [{ device: "a" }],
    away: [{ device: "b" }],
    anew: [{ device: "c" }],
    stays: [{ device: "d" }],
    moved: [{ device: "e" }],
  });
  await world.prepare("gone", "away", "anew", "stays", "moved");
  expect(await world.findGone()).toEqual([]);
  world.claims = { away, anew: [{ device: "z" }], stays: [{ device: "d" }], moved: [{ device: "e", pool: "n2" }] };
  expect(await world.findGone()).toEqual(["uid-gone", "uid-anew", "uid-moved"]);
});

test("a scan that takes too long, or fails, ends in a sentence before the kubelet gives up", async () => {
  const world = await openWorld(twins, { one: [b] });
  world.refresh = () => new Promise(() => {});
  const preparing = world.prepare("one");
  await settle();
  await world.clock.advance(30_000);
  // A scan that hears of nothing cannot be waited for either.
  expect(await Promise.race([preparing, settle().then(() => "still waiting")])).toEqual([
    "looking for the radio and its claim took longer than 30 s",
  ]);
  world.refresh = () => Promise.reject(new AerialError("scan.late", "the scan hangs"));
  expect((await world.prepare("one"))[0]).toMatch(/^the scan hangs; /);
});

test("while its radio is away a claim's pods are known to wait for it, until it is prepared, given back or long silent", async () => {
  const world = await openWorld([sampleRadio("b", { presence: "absent" })], { one: [b] });
  const waiting = [{ radioId: "b", namespace: "house", pod: "pod-0", way: "resource-claim", request: "one" }];
  const ends = [
    () => world.unprepare("one"),
    async () => {
      world.radios = twins;
      await world.prepare("one");
      world.radios = [sampleRadio("b", { presence: "absent" })];
    },
  ];
  for (const end of ends) {
    await world.prepare("one");
    expect(world.awaited.current).toEqual(waiting);
    await end();
    expect(world.awaited.current).toEqual([]);
  }
});
