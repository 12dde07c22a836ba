/** Claims that are allocated a radio of this node which is not plugged in: their pods are here, and cannot start. */
import { isDeepStrictEqual } from "node:util";
import { Cell, type Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { RadioAssignment } from "../../core/handover.ts";
import type { AskedClaim } from "./plan-claim.ts";

export interface AwaitedClaims {
  readonly radios: Watch<readonly RadioAssignment[]>;
  /** The kubelet asked for the claim, and these pods wait for that radio. */
  put(claim: AskedClaim, awaited: { readonly radioId: string; readonly pods: readonly string[] }): void;
  /** It was prepared, or is wanted no more. */
  drop(uid: string): void;
  /** Drops what the kubelet has not asked for in a while: it does so every minute or two while the pod is there. */
  sweep(): void;
}

interface Awaited {
  readonly askedAt: number;
  readonly radios: readonly RadioAssignment[];
}

const keptMs = 600_000;
/** More pods than a node runs (`maxPods` of the kubelet is 110 by default). */
const mostClaims = 1_024;

export function createAwaitedClaims(clock: Clock): AwaitedClaims {
  const claims = new Map<string, Awaited>();
  const radios = new Cell<readonly RadioAssignment[]>([]);
  const publish = (): void => radios.set([...claims.values()].flatMap((claim) => claim.radios));
  return {
    radios,
    put({ uid, namespace, name: request }, { radioId, pods }) {
      const assignments = pods.map((pod): RadioAssignment => ({ radioId, namespace, pod, way: "resource-claim", request }));
      const known = claims.get(uid);
      claims.delete(uid);
      claims.set(uid, { askedAt: clock.now(), radios: assignments });
      for (const oldest of claims.keys()) if (claims.size > mostClaims) claims.delete(oldest);
      if (!isDeepStrictEqual(known?.radios, assignments)) publish();
    },
    drop(uid) {
      if (claims.delete(uid)) publish();
    },
    sweep() {
      const before = claims.size;
      for (const [uid, { askedAt }] of claims) if (clock.now() - askedAt > keptMs) claims.delete(uid);
      if (claims.size !== before) publish();
    },
  };
}
