/** The scenarios in the namespace lab, where each takes little more than its processes take to start. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { aerialOnLab } from "./aerial-on-lab.ts";
import { openNamespaceLab, type NamespaceLab } from "./namespace-lab.ts";
import { scenarios } from "./scenarios.ts";

describe("aerial on a node in namespaces", () => {
  let lab: NamespaceLab;

  beforeAll(async () => {
    lab = await openNamespaceLab();
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  it("goes on without a cluster that cannot be used, and says what is wrong", async () => {
    const kubeconfig = "/nowhere/kubeconfig";
    const aerial = aerialOnLab(lab, { AERIAL__KUBERNETES__ENABLED: "true", AERIAL__KUBERNETES__KUBECONFIG: kubeconfig });
    await using daemon = await aerial.start();
    const plugged = await lab.plug(sonoffDonglePlus);
    await daemon.until("radio", (radios) => radios.length === 1);
    const { stdout } = await aerial.run("health");
    expect(stdout).toContain("kubernetes.unusable");
    expect(stdout).toContain(kubeconfig);
    await plugged.unplug();
  });

  it.each(scenarios.filter(({ only = "namespace" }) => only === "namespace"))("$name", (scenario) => scenario.run(lab, aerialOnLab(lab)));
});

describe("aerial on a node whose user and network namespaces are not the host's", () => {
  it("finds a stick without the kernel's own events", async () => {
    await using lab = await openNamespaceLab({ unprivileged: true });
    const [first] = scenarios;
    await first?.run(lab, aerialOnLab(lab));
  });
});
