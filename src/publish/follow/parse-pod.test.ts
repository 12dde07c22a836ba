import fc from "fast-check";
import { expect, test } from "vitest";
import { podObject, replicaSet } from "../../../test/fixtures/follow-world.ts";
import { parseFollowPod, parseFollowPodPage } from "./parse-pod.ts";

const prefix = "radio.mi.house";

test("a pod is read as far as following asks", () => {
  expect(parseFollowPod(podObject("z2m", { follow: "true", hash: "5d4f", claims: ["attic"] }), prefix)).toEqual({
    namespace: "house",
    name: "z2m",
    uid: "uid-z2m",
    node: "n1",
    phase: "Running",
    createdAt: Date.parse("2026-01-01T00:00:00Z"),
    isDeleting: false,
    follow: "true",
    isMirror: false,
    controller: replicaSet,
    templateHash: "5d4f",
    resources: ["radio.mi.house/zigbee"],
    claims: ["attic"],
  });
});

test("claims are found wherever the API server writes their names, resources in init containers too", () => {
  const pod = {
    metadata: { namespace: "house", name: "p", uid: "u", ownerReferences: [{ kind: "Node", name: "n1", uid: "n" }] },
    spec: {
      containers: null,
      initContainers: [{ resources: { limits: { "radio.mi.house/zwave": 1 } } }],
      resourceClaims: [
        { name: "a", resourceClaimTemplateName: "t" },
        { name: "b", resourceClaimName: "given" },
      ],
    },
    status: {
      resourceClaimStatuses: [{ name: "a", resourceClaimName: "made" }],
      extendedResourceClaimStatus: { resourceClaimName: "extended" },
    },
  };
  expect(parseFollowPod(pod, prefix)).toMatchObject({
    phase: "Unknown",
    createdAt: 0,
    resources: ["radio.mi.house/zwave"],
    claims: ["given", "made", "extended"],
  });
  expect(parseFollowPod(pod, prefix)).not.toHaveProperty("controller");
  expect(parseFollowPod(pod, prefix)).not.toHaveProperty("node");
});

test("names from Object.prototype are no annotations", () => {
  const pod = podObject("z2m");
  expect(parseFollowPod({ ...pod, metadata: { ...pod.metadata, labels: null } }, "__proto__")).not.toHaveProperty("follow");
});

test("a page leaves out what is no pod, and says where the next begins", () => {
  const page = { metadata: { continue: "more" }, items: [null, 7, {}, podObject("z2m")] };
  expect(parseFollowPodPage(page, prefix)).toMatchObject({ pods: [{ name: "z2m" }], next: "more" });
  expect(parseFollowPodPage({ metadata: { continue: "" }, items: [] }, prefix)).toEqual({ pods: [] });
  for (const none of [undefined, null, 7, "", [], {}, { items: 7 }]) expect(parseFollowPodPage(none, prefix)).toBeUndefined();
});

test("nothing that comes in throws", () => {
  const broken = fc.object({
    key: fc.constantFrom("metadata", "spec", "status", "items", "namespace", "name", "uid", "annotations", "containers", "limits", "phase"),
    maxDepth: 5,
  });
  fc.assert(
    fc.property(fc.oneof(fc.anything(), broken), (value) => {
      parseFollowPod(value, prefix);
      parseFollowPodPage(value, prefix);
    }),
  );
});
