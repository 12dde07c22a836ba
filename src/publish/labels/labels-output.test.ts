/** What only a server that lies can show; all else is proven against a real one in test/cluster. */
import { expect, onTestFinished, test } from "vitest";
import { type Answer, type LyingServer, type SeenRequest, openLyingServer, refusal } from "../../../test/cluster/lying-server.ts";
import { type ManualClock, createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLog } from "../../core/log.ts";
import { openKube } from "../../kube/kube.ts";
import { type LabelsOutput, createLabelsOutput } from "./labels-output.ts";

const signal = new AbortController().signal;
const graceMs = 5_000;

interface Applied {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const nothing: Applied = { labels: {}, annotations: {} };

/** As the API server shows a Node to which only we have applied something. */
function nodeWith({ labels, annotations }: Applied): Answer {
  const fields = (entries: object): object => Object.fromEntries(Object.keys(entries).map((key) => [`f:${key}`, {}]));
  const managedFields = [
    {
      manager: "aerial",
      operation: "Apply",
      fieldsV1: { "f:metadata": { "f:labels": fields(labels), "f:annotations": fields(annotations) } },
    },
  ];
  return {
    type: "reply",
    status: 200,
    body: { kind: "Node", metadata: { name: "n1", uid: "u", resourceVersion: "1", labels, annotations, managedFields } },
  };
}

function appliedBy({ body }: SeenRequest): Applied {
  const { metadata } = JSON.parse(body) as { readonly metadata: Partial<Applied> };
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}

/** Accepts everything, unless `lie` has another answer. */
async function openWorld(lie: (request: SeenRequest) => Answer | undefined): Promise<{
  readonly output: LabelsOutput;
  readonly server: LyingServer;
  readonly clock: ManualClock;
  readonly writes: () => readonly Applied[];
}> {
  let stored = nothing;
  const server = await openLyingServer((request) => {
    const answer = lie(request);
    if (answer) return answer;
    if (request.method === "PATCH") stored = appliedBy(request);
    return nodeWith(stored);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const kube = await openKube({ kubeconfig: server.kubeconfig, clock: systemClock, log: silentLog }, signal);
  onTestFinished(() => kube[Symbol.asyncDispose]());
  const clock = createManualClock();
  const options = { prefix: "radio.mi.house", aliases: {}, graceMs };
  const writes = (): readonly Applied[] => server.requests.filter(({ method }) => method === "PATCH").map(appliedBy);
  return { output: createLabelsOutput({ kube, node: "n1", options, clock, log: silentLog }), server, clock, writes };
}

const lies: readonly (readonly [string, Answer, string])[] = [
  ["409", refusal(409, "Conflict", "uid mismatch"), "kube.conflict"],
  ["500", refusal(500, "InternalError", "etcd"), "kube.unreachable"],
  ["403", refusal(403, "Forbidden", "no"), "kube.forbidden"],
  ["half an answer", { type: "half", status: 200, body: { kind: "Node" } }, "kube.protocol"],
  ["garbage", { type: "reply", status: 200, body: "\u0000" }, "kube.protocol"],
  ["another object", { type: "reply", status: 200, body: { kind: "Pod" } }, "kube.protocol"],
  ["a reset", { type: "reset" }, "kube.unreachable"],
  ["a Node without our labels", nodeWith(nothing), "kube.conflict"],
];

test.for(lies)("a write answered by %s fails, and the next try gets there", async ([, answer, code]) => {
  let lying = true;
  const { output, writes } = await openWorld(({ method }) => (lying && method === "PATCH" ? answer : undefined));
  const snapshot = sampleSnapshot([sampleRadio("a")]);
  await expect(output.apply(snapshot, signal)).rejects.toMatchObject({ code });
  lying = false;
  await output.apply(snapshot, signal);
  expect(writes().at(-1)?.labels).toMatchObject({ "radio.mi.house/zigbee": "true" });
  const count = writes().length;
  await output.apply(snapshot, signal);
  expect(writes()).toHaveLength(count);
});

test("a snapshot that says nothing new asks nothing of the server", async () => {
  const { output, server } = await openWorld(() => undefined);
  await output.apply(sampleSnapshot([sampleRadio("a")]), signal);
  expect(server.requests.map(({ method }) => method)).toEqual(["GET", "PATCH"]);
  await output.apply(sampleSnapshot([sampleRadio("a")]), signal);
  expect(server.requests).toHaveLength(2);
});

test("nothing is withdrawn before the first whole scan, and what an earlier life left gets a grace after it", async () => {
  const { output, clock, writes } = await openWorld(({ method }) =>
    method === "GET" ? nodeWith({ labels: { old: "1", "radio.mi.house/zigbee": "true" }, annotations: { note: "n" } }) : undefined,
  );
  await output.apply(sampleSnapshot([], { complete: false }), signal);
  await clock.advance(3_600_000);
  await output.apply(sampleSnapshot([], { complete: false }), signal);
  expect(writes()).toEqual([]);

  const snapshot = sampleSnapshot([]);
  expect(await output.apply(snapshot, signal)).toBe(clock.now() + graceMs);
  expect(writes()).toEqual([]);
  await clock.advance(graceMs);
  expect(await output.apply(snapshot, signal)).toBeUndefined();
  expect(writes()).toMatchObject([nothing]);
});

test("before the first whole scan labels are added, never changed", async () => {
  const { output, writes } = await openWorld(({ method }) =>
    method === "GET"
      ? nodeWith({ labels: { "radio.mi.house/zigbee.count": "2" }, annotations: { "radio.mi.house/radios": "{}" } })
      : undefined,
  );
  await output.apply(sampleSnapshot([sampleRadio("a")], { complete: false }), signal);
  expect(writes()).toMatchObject([
    { labels: { "radio.mi.house/zigbee": "true", "radio.mi.house/zigbee.count": "2" }, annotations: { "radio.mi.house/radios": "{}" } },
  ]);
});

test("nudges only for what differs from what is wanted", async () => {
  const { output } = await openWorld(() => undefined);
  output.seen(undefined);
  expect(output.nudges.current).toBe(0);
  await output.apply(sampleSnapshot([]), signal);
  const view = { name: "n1", uid: "u", resourceVersion: "2" };
  output.seen({ ...view, own: nothing });
  expect(output.nudges.current).toBe(0);
  output.seen({ ...view, own: { ...nothing, labels: { "radio.mi.house/zigbee": "false" } } });
  output.seen(undefined);
  expect(output.nudges.current).toBe(2);
});
