/** Node labels as an output: writes only what differs, withdraws only what is known to be gone. */
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import { AerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Output } from "../../core/output.ts";
import type { Snapshot } from "../../core/radio.ts";
import { type LabelOptions, type Metadata, labelsFor } from "./labels-for.ts";
import { type NodeView, isSameMetadata } from "./node-view.ts";
import { type NodeAccess, applyToNode, readNode } from "./own-node.ts";

export interface LabelsOutputDependencies extends NodeAccess {
  readonly options: LabelOptions;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LabelsOutput extends Output {
  /** Takes note of the Node as it is on the server now, or of its absence. */
  readonly seen: (view: NodeView | undefined) => void;
  /** Changes whenever the Node was seen to differ from what was last wanted. */
  readonly nudges: Watch<number>;
}

export function createLabelsOutput(dependencies: LabelsOutputDependencies): LabelsOutput {
  const { options, clock, log } = dependencies;
  const nudges = new Cell(0);
  let view: NodeView | undefined;
  let wanted: Metadata | undefined;
  let lastSnapshot: Snapshot | undefined;
  /** When what an earlier life left on the Node may go: it gets the same grace as a radio that is unplugged. */
  let settledAt: number | undefined;

  return {
    name: "labels",
    nudges,
    seen(now) {
      view = now;
      if (wanted && !(now && isSameMetadata(now.own, wanted))) nudges.set(nudges.current + 1);
    },
    async apply(snapshot, signal) {
      // To be called twice with one snapshot means: look again.
      if (snapshot === lastSnapshot) view = undefined;
      lastSnapshot = snapshot;
      const current = (view ??= await readNode(dependencies, signal));

      const now = clock.now();
      if (snapshot.complete) settledAt ??= now + options.graceMs;
      const { wakeAt, ...desired } = labelsFor(snapshot, options, now);
      const settling = settledAt !== undefined && now < settledAt;
      if (!snapshot.complete) wanted = merge(desired, current.own);
      else wanted = settling ? merge(current.own, desired) : desired;

      if (!isSameMetadata(current.own, wanted)) {
        view = await applyToNode({ ...dependencies, uid: current.uid, metadata: wanted }, signal);
        log.info({ labels: wanted.labels }, "node labels written");
        if (!isSameMetadata(view.own, wanted)) {
          throw new AerialError("kube.conflict", "the API server took the labels but shows others: something in the cluster changes them");
        }
      }
      return settling ? Math.min(wakeAt ?? Infinity, settledAt ?? Infinity) : wakeAt;
    },
  };
}

/** All keys of both; where both have one, that of `over`. */
function merge(under: Metadata, over: Metadata): Metadata {
  return { labels: { ...under.labels, ...over.labels }, annotations: { ...under.annotations, ...over.annotations } };
}
