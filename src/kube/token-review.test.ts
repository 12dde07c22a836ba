import fc from "fast-check";
import { expect, test } from "vitest";
import { AerialError, hasCode } from "../core/errors.ts";
import type { KubeObject } from "./exchange.ts";
import { createTokenReviewer } from "./token-review.ts";

const signal = new AbortController().signal;

/** An API server of two answers; test/cluster asks a real one. */
function reviewer(tokenReview: unknown, allowed: readonly string[] = [], audiences: readonly string[] = []) {
  const asked: KubeObject[] = [];
  const create = (path: string, object: KubeObject): Promise<KubeObject> => {
    asked.push(object);
    if (path.endsWith("tokenreviews")) return Promise.resolve({ status: tokenReview });
    const { verb } = (object["spec"] as { resourceAttributes: { verb: string } }).resourceAttributes;
    return Promise.resolve({ status: { allowed: allowed.includes(verb) } });
  };
  return { review: createTokenReviewer({ kube: { create }, audiences }), asked };
}

const user = { username: "system:serviceaccount:house:panel", uid: "1", groups: ["g"], extra: { a: ["b"] } };
const authenticated = { authenticated: true, user, audiences: ["aerial"] };

test.each([
  [["get", "update"], { state: "caller", caller: { name: user.username, role: "operator" } }],
  [["get"], { state: "caller", caller: { name: user.username, role: "viewer" } }],
  [["list", "watch"], { state: "powerless", name: user.username }],
])("who may %j", async (allowed, verdict) => {
  const { review, asked } = reviewer(authenticated, allowed);
  expect(await review("t", signal)).toEqual(verdict);
  expect(asked[0]?.["spec"]).toEqual({ token: "t" });
  const { resourceAttributes, ...subject } = (asked[1]?.["spec"] ?? {}) as Record<string, unknown>;
  expect(resourceAttributes).toEqual({ group: "radio.mi.house", resource: "radios", verb: "update" });
  expect(subject).toEqual({ user: user.username, uid: "1", groups: ["g"], extra: { a: ["b"] } });
});

test.each([
  ["not authenticated", { authenticated: false, user }],
  ["authenticated by a word", { authenticated: "true", user }],
  ["nobody", { authenticated: true, user: {} }],
  ["nothing", undefined],
])("%s is unknown, and no rights are asked about", async (_what, status) => {
  const { review, asked } = reviewer(status, ["get", "update"]);
  expect(await review("t", signal)).toEqual({ state: "unknown" });
  expect(asked).toHaveLength(1);
});

test.each([
  [["aerial"], "caller"],
  [["other", "aerial"], "caller"],
  [["other"], "unknown"],
])("meant for %j", async (audiences, state) => {
  expect(await reviewer(authenticated, ["get"], audiences).review("t", signal)).toMatchObject({ state });
});

test("an authenticator that says nothing of audiences does not vouch for any", async () => {
  expect(await reviewer({ authenticated: true, user }, ["get"], ["aerial"]).review("t", signal)).toEqual({ state: "unknown" });
});

test("a server that is away is no verdict", async () => {
  const create = () => Promise.reject(new AerialError("kube.unreachable", "away"));
  const review = createTokenReviewer({ kube: { create }, audiences: [] });
  await expect(review("t", signal)).rejects.toSatisfy((error) => hasCode(error, "kube.unreachable"));
});

test("whatever a server answers, nobody comes in unless it says true", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (status) => {
      fc.pre((status as { authenticated?: unknown } | null)?.authenticated !== true);
      expect(await reviewer(status, ["get", "update"]).review("t", signal)).toEqual({ state: "unknown" });
    }),
  );
});
