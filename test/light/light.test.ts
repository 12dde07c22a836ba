/** The scenarios in the namespace lab, where each takes little more than its processes take to start. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { aerialOnLab } from "./aerial-on-lab.ts";
import { openNamespaceLab, type NamespaceLab } from "./namespace-lab.ts";
import { scenarios } from "./scenarios.ts";

describe("aerial on a node in namespaces", () => {
  let lab: NamespaceLab;

  beforeAll(async () => {
    lab = await openNamespaceLab();
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it.each(scenarios.filter(({ only = "namespace" }) => only === "namespace"))("$name", (scenario) => scenario.run(lab, aerialOnLab(lab)));
});

describe("aerial on a node whose user and network namespaces are not the host's", () => {
  it("finds a stick without the kernel's own events", async () => {
    await using lab = await openNamespaceLab({ unprivileged: true });
    const [first] = scenarios;
    await first?.run(lab, aerialOnLab(lab));
  });
});
