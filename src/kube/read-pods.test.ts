import { expect, test } from "vitest";
import { readPodPage } from "./read-pods.ts";

const identityOf = (spec: object): object => {
  const [pod] = readPodPage({ items: [{ metadata: { uid: "u", namespace: "n", name: "p" }, spec }] })?.pods ?? [];
  return { user: pod?.user, groups: pod?.groups };
};

test.each<[string, object, object]>([
  ["nothing said", { containers: [{}] }, {}],
  ["said by the pod", { containers: [{}], securityContext: { runAsUser: 1000, fsGroup: 20 } }, { user: 1000, groups: [20] }],
  [
    "a container has the last word",
    {
      containers: [{ securityContext: { runAsUser: 0 } }],
      securityContext: { runAsUser: 1000, runAsGroup: 5, supplementalGroups: [5, 6] },
    },
    { user: 0, groups: [5, 6] },
  ],
  ["containers differ", { containers: [{ securityContext: { runAsUser: 1 } }, { securityContext: { runAsUser: 2 } }] }, {}],
  ["one container says nothing", { containers: [{ securityContext: { runAsUser: 1 } }, {}] }, {}],
])("whom a pod runs as: %s", (_, spec, expected) => {
  expect(identityOf(spec)).toEqual({ user: undefined, groups: undefined, ...expected });
});
