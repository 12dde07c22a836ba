/** A ResourceClaim as the API server shows it. */
import { z } from "zod";
import { AerialError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/exchange.ts";

export interface ClaimView {
  readonly uid: string;
  /** Uids of the pods that it is reserved for, and of whatever else. */
  readonly consumers: readonly string[];
  /** Names of the pods among them. */
  readonly pods: readonly string[];
  /** Undefined while nothing is allocated to it. Devices of all drivers, in the order of the requests. */
  readonly allocated: readonly AllocatedDevice[] | undefined;
}

export interface AllocatedDevice {
  /** Name of the request, without that of a subrequest. */
  readonly request: string;
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly isAdmin: boolean;
  readonly shareId: string | undefined;
}

const claimShape = z.looseObject({
  metadata: z.looseObject({ uid: z.string().min(1) }),
  status: z
    .looseObject({
      allocation: z
        .looseObject({
          devices: z
            .looseObject({
              results: z
                .array(
                  z.looseObject({
                    request: z.string(),
                    driver: z.string(),
                    pool: z.string(),
                    device: z.string(),
                    adminAccess: z.boolean().optional(),
                    shareID: z.string().optional(),
                  }),
                )
                .default([]),
            })
            .default({ results: [] }),
        })
        .optional(),
      reservedFor: z
        .array(
          z.looseObject({
            uid: z.string(),
            apiGroup: z.string().default(""),
            resource: z.string().default(""),
            name: z.string().default(""),
          }),
        )
        .default([]),
    })
    .default({ reservedFor: [] }),
});

/** Throws `kube.protocol` when `object` is no ResourceClaim. */
export function toClaimView(object: KubeObject): ClaimView {
  const parsed = claimShape.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? "" : `: ${issue.path.join(".")}: ${issue.message}`;
    throw new AerialError("kube.protocol", `the API server sent something that is no ResourceClaim${where}`);
  }
  const { metadata, status } = parsed.data;
  return {
    uid: metadata.uid,
    consumers: status.reservedFor.map(({ uid }) => uid),
    pods: status.reservedFor.flatMap(({ apiGroup, resource, name }) => (apiGroup === "" && resource === "pods" ? [name] : [])),
    allocated: status.allocation?.devices.results.map(({ request, driver, pool, device, adminAccess, shareID }) => ({
      // `request/subrequest` where the request had alternatives; the kubelet knows the first part only.
      request: request.split("/", 1)[0] ?? request,
      driver,
      pool,
      device,
      isAdmin: adminAccess === true,
      shareId: shareID,
    })),
  };
}
