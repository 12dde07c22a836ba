/** coordination.k8s.io/v1 Lease: what it says and what to write into it. */
import { AerialError } from "../core/errors.ts";
import type { KubeObject } from "./exchange.ts";

export interface LeaseView {
  /** As read: what we do not know of is written back. */
  readonly object: KubeObject;
  readonly spec: KubeObject;
  /** `metadata.resourceVersion`. */
  readonly version: string;
  /** Empty when it is free. */
  readonly holder: string;
  /** For how long a renewal holds. */
  readonly durationMs: number;
}

export interface Term {
  readonly holder: string;
  readonly durationSeconds: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** No holder is waited for any longer, whatever the object says. */
const longestMs = 60_000;

/** Throws `kube.protocol` when it is no Lease. */
export function toLeaseView(object: KubeObject): LeaseView {
  const { metadata, spec = {} } = object;
  if (!isObject(metadata) || typeof metadata["resourceVersion"] !== "string" || !isObject(spec)) {
    throw new AerialError("kube.protocol", "the API server answered with something that is no Lease");
  }
  const { holderIdentity, leaseDurationSeconds } = spec;
  return {
    object,
    spec,
    version: metadata["resourceVersion"],
    holder: typeof holderIdentity === "string" ? holderIdentity : "",
    durationMs: typeof leaseDurationSeconds === "number" ? Math.min(Math.max(leaseDurationSeconds * 1_000, 0), longestMs) : 0,
  };
}

/** A Lease that is not there yet. */
export function newLease({ name, namespace }: { readonly name: string; readonly namespace: string }, term: Term): KubeObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace, labels: { "app.kubernetes.io/name": "aerial" } },
    spec: { ...takenSpec({}, term), leaseTransitions: 0 },
  };
}

/** Taken over, or renewed by who has it. */
export function takenLease({ object, spec }: LeaseView, term: Term): KubeObject {
  return { ...object, spec: takenSpec(spec, term) };
}

/** Given up, so that others need not wait. As client-go's leader election does it, the shortest duration included. */
export function releasedLease({ object, spec }: LeaseView, at: number): KubeObject {
  return { ...object, spec: { ...spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(at) } };
}

function takenSpec(spec: KubeObject, { holder, durationSeconds, at }: Term): KubeObject {
  const renewed = { ...spec, holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: microTime(at) };
  if (spec["holderIdentity"] === holder) return renewed;
  const transitions = spec["leaseTransitions"];
  return { ...renewed, acquireTime: microTime(at), leaseTransitions: (typeof transitions === "number" ? transitions : 0) + 1 };
}

/** Kubernetes' MicroTime (apimachinery, meta/v1). */
function microTime(at: number): string {
  return new Date(at).toISOString().replace("Z", "000Z");
}

function isObject(value: unknown): value is KubeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
