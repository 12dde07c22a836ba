import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { createFactsWorld } from "../../../test/fixtures/facts-world.ts";
import { verdictsOf } from "../../../test/fixtures/outcomes.ts";
import type { ClusterFacts, Reading } from "../../core/check.ts";
import { kubeletChecks } from "./kubelet-checks.ts";

const check = checkNamed(kubeletChecks);
const directory = "/var/lib/kubelet/device-plugins";
const zigbee = "radio.mi.house/zigbee";
const absent = { state: "absent" } as const;

interface Known {
  readonly resources?: readonly string[] | undefined;
  readonly conditions?: readonly string[];
  readonly capacity?: Reading<Readonly<Record<string, string>>>;
}

/** A node whose kubelet knows of one resource. */
function createWorld(known: Known = {}) {
  const {
    resources,
    conditions = [],
    capacity = { state: "read", value: { cpu: "4", [zigbee]: "1" } },
  } = { resources: [zigbee], ...known };
  const cluster: ClusterFacts = {
    labelPrefix: "radio.mi.house",
    labelGraceMs: 5_000,
    pods: absent,
    nodeLabels: absent,
    namespaceLabels: absent,
    access: absent,
    osImage: absent,
    capacity,
  };
  const world = createFactsWorld({
    known: { resources: () => resources, conditions: () => new Set(conditions), cluster: () => Promise.resolve(cluster) },
  });
  onTestFinished(() => world[Symbol.dispose]());
  return world.files({ [`${directory}/kubelet.sock`]: "", [`${directory}/aerial-zigbee-0123abcd.sock`]: "" });
}

test.each(["K8S-01", "K8S-04"])("%s passes on a healthy node", async (id) => {
  expect(verdictsOf(await createWorld().judge(check(id)))).toEqual(["pass"]);
});

test.each(["K8S-01", "K8S-04"])("%s does not apply without a cluster, or where radios are not to be resources", async (id) => {
  const lonely = createFactsWorld();
  onTestFinished(() => lonely[Symbol.dispose]());
  expect(await lonely.judge(check(id))).toBe("no cluster is configured");
  expect(await createWorld({ resources: undefined }).judge(check(id))).toMatch(/^devicePlugin\.enabled/);
});

test.each(["K8S-01", "K8S-04"])("%s does not know where the directory cannot be listed", async (id) => {
  const world = createWorld();
  const facts = await world.gather([check(id)]);
  const hidden = { ...facts, paths: () => [], unlisted: () => "permission denied" };
  expect(check(id).judge(hidden)).toMatchObject([{ verdict: "unknown", text: expect.stringContaining("permission denied") as string }]);
});

describe("K8S-01", () => {
  test("fails where the kubelet's socket is not there, also where nothing is", async () => {
    const world = createWorld().remove(`${directory}/kubelet.sock`);
    expect(await world.judge(check("K8S-01"))).toMatchObject([
      { verdict: "fail", remedy: { text: expect.stringContaining(directory) as string } },
    ]);
    world.remove("/var/lib/kubelet");
    expect(verdictsOf(await world.judge(check("K8S-01")))).toEqual(["fail"]);
  });
});

describe("K8S-04", () => {
  const judge = async (known: Known, change: (world: ReturnType<typeof createWorld>) => unknown = () => {}) => {
    const world = createWorld(known);
    change(world);
    return world.judge(check("K8S-04"));
  };

  test("fails where a restart of the kubelet took aerial's sockets away", async () => {
    const said = await judge({}, (world) => world.remove(`${directory}/aerial-zigbee-0123abcd.sock`));
    expect(said).toMatchObject([{ verdict: "fail", subject: zigbee, evidence: [{ value: "no socket of aerial" }, { value: "1" }] }]);
  });

  test("fails for the resource that the kubelet refuses, and for no other", async () => {
    const lora = "radio.mi.house/lora";
    const capacity = { state: "read", value: { [zigbee]: "2", [lora]: "0" } } as const;
    const said = await judge({ resources: [lora, zigbee], conditions: ["device-plugin.refused.lora"], capacity });
    expect(said).toMatchObject([
      { verdict: "fail", subject: lora },
      { verdict: "pass", subject: zigbee, text: expect.stringContaining("2 on this node") as string },
    ]);
  });

  test("does not know while the Node does not say, and says why", async () => {
    expect(verdictsOf(await judge({ capacity: { state: "read", value: {} } }))).toEqual(["unknown"]);
    const said = await judge({ capacity: { state: "unreadable", why: "the API server is away" } });
    expect(said).toMatchObject([{ verdict: "unknown", text: expect.stringContaining("the API server is away") as string }]);
    expect(verdictsOf(await judge({ capacity: absent }))).toEqual(["unknown"]);
  });

  test("does not apply while there is no radio, and leaves the kubelet's absence to K8S-01", async () => {
    expect(await judge({ resources: [] })).toMatch(/^there is no radio/);
    expect(await judge({}, (world) => world.remove(`${directory}/kubelet.sock`))).toMatch(/K8S-01/);
  });
});
