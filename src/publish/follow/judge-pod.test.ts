import { expect, test } from "vitest";
import { holderOf, podObject, type PodShape } from "../../../test/fixtures/follow-world.ts";
import { type FollowRules, judgePod } from "./judge-pod.ts";
import { parseFollowPod } from "./parse-pod.ts";

const rules = { node: "n1", prefix: "radio.mi.house" };

function judge(shape: PodShape, evict: FollowRules["evict"], holder = holderOf("a", "z2m")) {
  const pod = parseFollowPod(podObject("z2m", shape), rules.prefix);
  return pod === undefined ? expect.fail("no pod") : judgePod(pod, [holder], { ...rules, evict });
}

const daemonSet = { kind: "DaemonSet", name: "d", uid: "d" };

test.for<[string, PodShape, annotated: string, all: string]>([
  ["that says nothing", {}, "stay", "follow"],
  ["that asks for it", { follow: "true" }, "follow", "follow"],
  ["that declines", { follow: "false" }, "stay", "stay"],
  ["that says something else", { follow: "yes" }, "stay", "follow"],
  ["that is bare", { owner: undefined }, "stay", "lost"],
  ["that is bare and asks for it", { owner: undefined, follow: "true" }, "follow", "follow"],
  ["of a DaemonSet", { owner: daemonSet, follow: "true" }, "stay", "stay"],
  ["that is a mirror", { mirror: true, follow: "true" }, "stay", "stay"],
  ["of another node", { node: "n2", follow: "true" }, "stay", "stay"],
  ["that ends already", { deleting: true, follow: "true" }, "stay", "stay"],
  ["that has failed", { phase: "Failed", follow: "true" }, "stay", "stay"],
  ["that is done", { phase: "Succeeded", follow: "true" }, "stay", "stay"],
  ["that is about to start", { phase: "Pending", follow: "true" }, "follow", "follow"],
  ["whose spec asks for no radio", { limits: { cpu: "1" }, follow: "true" }, "stay", "stay"],
  ["whose spec asks for another resource", { limits: { "radio.mi.house/zwave": "1" }, follow: "true" }, "stay", "stay"],
])("a pod %s", ([, shape, annotated, all]) => {
  expect([judge(shape, "annotated"), judge(shape, "all")]).toEqual([annotated, all]);
});

test("a holder's word alone is not enough: the claim or the resource must be in the pod, and be ours", () => {
  const byClaim = holderOf("a", "z2m", { way: "resource-claim", request: "attic" });
  expect(judge({ follow: "true", limits: {}, claims: ["attic"] }, "all", byClaim)).toBe("follow");
  expect(judge({ follow: "true", limits: {}, claims: ["cellar"] }, "all", byClaim)).toBe("stay");
  const foreign = holderOf("a", "z2m", { request: "example.com/gpu" });
  expect(judge({ follow: "true", limits: { "example.com/gpu": "1" } }, "all", foreign)).toBe("stay");
});
