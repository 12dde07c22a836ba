/** What needs a cluster: the part of the composition that is loaded only where there is one. */
import type { Config } from "./config/schema.ts";
import type { ClusterFacts } from "./core/check.ts";
import type { TokenReviewer } from "./core/access.ts";
import { Cell, type Watch } from "./core/cell.ts";
import { systemClock as clock } from "./core/clock.ts";
import type { ClusterRadios } from "./core/cluster-radio.ts";
import type { Conditions } from "./core/condition.ts";
import { AerialError, describeError, hasCode } from "./core/errors.ts";
import type { Log } from "./core/log.ts";
import type { Scope } from "./core/scope.ts";
import type { Inventory } from "./inventory/inventory.ts";
import { type Kube, openKube } from "./kube/kube.ts";
import { readPodNamespace } from "./kube/pod-namespace.ts";
import { type AccessQuestion, readClusterFacts } from "./kube/read-cluster-facts.ts";
import { createTokenReviewer } from "./kube/token-review.ts";
import { openCdiDirectory } from "./kubelet/cdi-directory.ts";
import type { Identifier } from "./plugins/identifier.ts";
import { cdiNames } from "./publish/cdi/cdi-files.ts";
import { removeCdiFiles } from "./publish/cdi/cdi-output.ts";
import { createClusterRadios } from "./publish/cluster/cluster-radios.ts";
import { runEvents } from "./publish/events/run-events.ts";
import { describeRadios } from "./publish/labels/describe-radios.ts";
import { withdrawLabels } from "./publish/labels/own-node.ts";
import { runLabels } from "./publish/labels/run-labels.ts";
import { runRelayLeases } from "./publish/lease/run-relay-leases.ts";
import { noOutputCounters, type OutputCounters } from "./publish/run-output.ts";
import type { LeaseState } from "./relay/relay-messages.ts";
import type { Relay } from "./relay/run-relay.ts";

interface ClusterDependencies {
  readonly config: Config;
  readonly log: Log;
}

interface PublishDependencies extends ClusterDependencies {
  readonly conditions: Conditions;
  readonly inventory: Inventory;
  /** Asked for what plugins add to labels. */
  readonly identifier: Pick<Identifier, "describe">;
  /** The publishers live in it. */
  readonly scope: Scope;
  /** Where there is one: who relays is then agreed on by Leases. */
  readonly relay?: Pick<Relay, "linkPairs" | "setLease"> | undefined;
}

/** What the rest of aerial has of the cluster. */
export interface ClusterAccess {
  /** Whether labels are published. */
  readonly labels: boolean;
  /** Absent where the cluster cannot be used. */
  readonly kube?: Kube;
  /** The radios of all nodes; absent where the cluster cannot be used. Rejects with `kube.*`. */
  readonly radios?: (signal: AbortSignal) => Promise<ClusterRadios>;
  /** What each publisher has done, by its name. */
  readonly outputs: ReadonlyMap<string, Watch<OutputCounters>>;
  /** What the API server says of this node, for the doctor; absent where the cluster cannot be used. Rejects only with the signal's reason. */
  facts?(signal: AbortSignal): Promise<ClusterFacts>;
  /** Asks the API server about a token; absent where the cluster cannot be used. */
  readonly reviewToken?: TokenReviewer;
}

/** Where Leases go if the pod does not say where it is. */
const defaultNamespace = "aerial";

/**
 * Starts the publishers. A cluster that cannot be used at all is a condition: without it aerial still finds, names and shows
 * radios, and says there what is wrong.
 */
export async function publishToCluster(dependencies: PublishDependencies, signal: AbortSignal): Promise<ClusterAccess> {
  const { config, log, conditions, inventory, identifier, scope } = dependencies;
  let kube: Kube;
  try {
    kube = scope.use("kubernetes", await open(dependencies, signal));
  } catch (error) {
    if (!hasCode(error, "kube.config")) throw error;
    conditions.raise(
      "kubernetes.unusable",
      "error",
      `No labels and no Events: ${describeError(error)}; ${error.hint}, then restart aerial.`,
    );
    log.error({ err: describeError(error) }, "the cluster cannot be used");
    return { labels: false, outputs: new Map() };
  }
  const common = { kube, node: config.node.name, snapshots: inventory, clock, log, conditions };
  const outputs = new Map<string, Cell<OutputCounters>>();
  const countersOf = (output: string): Cell<OutputCounters> => {
    const counters = new Cell(noOutputCounters);
    outputs.set(output, counters);
    return counters;
  };
  if (config.labels.enabled) {
    const { prefix, aliases, graceSeconds } = config.labels;
    const described = describeRadios(inventory, async (radio, stop) => (await identifier.describe(radio, stop)).labels ?? {});
    const options = { prefix, aliases, graceMs: graceSeconds * 1_000, describe: described.labelsOf };
    scope.spawn("descriptions", (stop) => described.run(stop));
    const counters = countersOf("labels");
    scope.spawn("labels", (stop) => runLabels({ ...common, snapshots: described.snapshots, options, counters }, stop));
  }
  if (config.events.enabled) {
    const counters = countersOf("events");
    scope.spawn("events", (stop) => runEvents({ ...common, inventory, counters }, stop));
  }
  const { relay } = dependencies;
  const podNamespace = await readPodNamespace();
  const namespace = config.relay.lease.namespace ?? podNamespace ?? defaultNamespace;
  const leases = relay !== undefined && config.relay.lease.enabled !== false;
  if (leases) {
    const onHolder = (pair: readonly [string, string], state: LeaseState): void => relay.setLease(pair, state);
    const options = { kube, clock, log, conditions, namespace, holder: config.node.name, pairs: relay.linkPairs, onHolder };
    scope.spawn("relay leases", (stop) => runRelayLeases(options, stop));
  }
  const facts = {
    kube,
    node: config.node.name,
    namespace: podNamespace,
    labelPrefix: config.labels.prefix,
    labelGraceMs: config.labels.graceSeconds * 1_000,
    needs: toNeeds(config, leases ? namespace : undefined),
  };
  const reviewToken = createTokenReviewer({ kube, audiences: config.api.kubernetesTokens.audiences });
  const radios = createClusterRadios({ kube, clock, prefix: config.labels.prefix });
  return { kube, outputs, radios, labels: config.labels.enabled, reviewToken, facts: (stop) => readClusterFacts(facts, stop) };
}

/** What the configuration makes aerial ask the API server for. */
function toNeeds({ labels, events }: Config, leaseNamespace: string | undefined): readonly AccessQuestion[] {
  return [
    { verb: "list", resource: "nodes" },
    ...(labels.enabled ? ["get", "watch", "patch"].map((verb) => ({ verb, resource: "nodes" })) : []),
    ...(events.enabled ? [{ verb: "create", resource: "events", group: "events.k8s.io", namespace: "default" }] : []),
    ...(leaseNamespace === undefined
      ? []
      : ["create", "get", "update", "watch"].map((verb) => ({
          verb,
          resource: "leases",
          group: "coordination.k8s.io",
          namespace: leaseNamespace,
        }))),
  ];
}

/**
 * Takes back what aerial has written for this node: into the cluster, and for the container runtime. A sentence for each thing
 * removed. Throws `kube.*`.
 */
export async function withdrawFromCluster({ config, log }: ClusterDependencies, signal: AbortSignal): Promise<readonly string[]> {
  if (!config.kubernetes.enabled) throw new AerialError("kube.config", "no cluster is configured");
  await using kube = await open({ config, log }, signal);
  const keys = await withdrawLabels({ kube, node: config.node.name }, signal);
  return [...keys.map((key) => `removed ${key} from node ${config.node.name}`), ...(await withdrawFiles(config))];
}

async function withdrawFiles({ host, labels }: Config): Promise<readonly string[]> {
  try {
    const count = await removeCdiFiles(openCdiDirectory({ path: host.cdi, ...cdiNames(labels.prefix), clock }));
    return count === 0 ? [] : [`removed ${count} CDI file${count === 1 ? "" : "s"} from ${host.cdi}`];
  } catch (error) {
    return [`left the CDI files where they are: ${describeError(error)}`];
  }
}

function open({ config, log }: ClusterDependencies, signal: AbortSignal): Promise<Kube> {
  const { kubeconfig, context } = config.kubernetes;
  return openKube({ kubeconfig, context, clock, log }, signal);
}
