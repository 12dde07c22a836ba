import fc from "fast-check";
import { expect, test } from "vitest";
import { isAerialError } from "../../core/errors.ts";
import { toNodeView } from "./node-view.ts";

const ours = {
  "f:metadata": { "f:labels": { ".": {}, "f:zigbee": {}, "f:radio.mi.house/zigbee": {}, "f:gone": {} }, "f:annotations": { "f:note": {} } },
};

function nodeWith(managedFields: readonly unknown[]): Readonly<Record<string, unknown>> {
  return {
    kind: "Node",
    metadata: {
      name: "n1",
      uid: "u",
      resourceVersion: "7",
      labels: { "radio.mi.house/zigbee": "true", zigbee: "true", other: "1" },
      annotations: { note: "n", foreign: "f" },
      managedFields,
    },
  };
}

test("our own are those the server says we applied", () => {
  const view = toNodeView(
    nodeWith([
      { manager: "kubectl", operation: "Apply", fieldsV1: { "f:metadata": { "f:labels": { "f:other": {} } } } },
      { manager: "aerial", operation: "Apply", fieldsV1: ours },
      { manager: "aerial", operation: "Update", fieldsV1: { "f:metadata": { "f:labels": { "f:other": {} } } } },
      { manager: "aerial", operation: "Apply", subresource: "status", fieldsV1: { "f:metadata": { "f:labels": { "f:other": {} } } } },
    ]),
    "n1",
  );
  expect(view).toEqual({
    name: "n1",
    uid: "u",
    resourceVersion: "7",
    own: { labels: { "radio.mi.house/zigbee": "true", zigbee: "true" }, annotations: { note: "n" } },
  });
});

test("a Node without labels or managed fields has nothing of ours", () => {
  expect(toNodeView({ kind: "Node", metadata: { name: "n1", uid: "u", resourceVersion: "7" } }, "n1").own).toEqual({
    labels: {},
    annotations: {},
  });
});

test.for([
  [{}, /n1: node.kind/],
  [{ kind: "Pod", metadata: {} }, /n1: node.kind/],
  [{ kind: "Node", metadata: { name: "n2", uid: "u", resourceVersion: "7" } }, /another Node in place of n1/],
  [{ kind: "Node", metadata: { name: "n1", uid: "", resourceVersion: "7" } }, /node.metadata.uid/],
] as const)("%j is refused", ([object, message]) => {
  expect(() => toNodeView(object, "n1")).toThrow(message);
});

function nameOrCode(object: Readonly<Record<string, unknown>>): string {
  try {
    return toNodeView(object, "n1").name;
  } catch (error) {
    if (isAerialError(error)) return error.code;
    throw error;
  }
}

test("anything else is a protocol error, never a crash", () => {
  const entry = fc.record(
    { manager: fc.constant("aerial"), operation: fc.constant("Apply"), fieldsV1: fc.anything() },
    { requiredKeys: [] },
  );
  const metadata = fc.record(
    {
      name: fc.constant("n1"),
      uid: fc.constant("u"),
      resourceVersion: fc.constant("7"),
      labels: fc.anything(),
      managedFields: fc.array(entry),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.record({ kind: fc.constant("Node"), metadata: fc.oneof(metadata, fc.anything()) }), (object) => {
      expect(["kube.protocol", "n1"]).toContain(nameOrCode(object));
    }),
  );
});
