/** Pods as far as the doctor asks: who they are, and what they want of the host's devices. */
import { z } from "zod";
import type { PodFacts } from "../core/check.ts";

/** By these, programs that use radios are told of a port or an interface. The values of others may be secrets and are not kept. */
const knownVariables: ReadonlySet<string> = new Set([
  "OT_INFRA_IF",
  "OT_RCP_DEVICE",
  "OT_REST_LISTEN_ADDR",
  "OT_THREAD_IF",
  "PRIMARY_INTERFACE",
  "ZIGBEE2MQTT_CONFIG_SERIAL_ADAPTER",
  "ZIGBEE2MQTT_CONFIG_SERIAL_PORT",
  "ZWAVE_PORT",
]);

const container = z.object({
  image: z.string().optional(),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
  resources: z.object({ limits: z.record(z.string(), z.unknown()).optional() }).optional(),
  securityContext: z
    .object({ privileged: z.boolean().optional(), runAsUser: z.number().optional(), runAsGroup: z.number().optional() })
    .nullish(),
});

const podSecurity = z.object({
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  fsGroup: z.number().optional(),
  supplementalGroups: z.array(z.number()).optional(),
});

const pod = z.object({
  metadata: z.object({ uid: z.string(), namespace: z.string(), name: z.string() }),
  spec: z.object({
    containers: z.array(container),
    securityContext: podSecurity.nullish(),
    volumes: z.array(z.object({ hostPath: z.object({ path: z.string() }).optional() })).optional(),
    hostUsers: z.boolean().optional(),
    runtimeClassName: z.string().optional(),
  }),
  status: z.object({ phase: z.string().optional(), reason: z.string().optional() }).optional(),
});

const page = z.object({ items: z.array(z.unknown()), metadata: z.object({ continue: z.string().optional() }).optional() });

/** A page of `GET /api/v1/pods`. An item that is no pod is left out. Undefined when it is no list at all. */
export function readPodPage(value: unknown): { readonly pods: readonly PodFacts[]; readonly next: string | undefined } | undefined {
  const list = page.safeParse(value);
  if (!list.success) return undefined;
  const pods = list.data.items.flatMap((item) => {
    const parsed = pod.safeParse(item);
    return parsed.success ? [toFacts(parsed.data)] : [];
  });
  return { pods, next: list.data.metadata?.continue };
}

function toFacts({ metadata, spec, status }: z.infer<typeof pod>): PodFacts {
  const { containers } = spec;
  const variables = containers.flatMap(({ env = [] }) => env).filter(({ name }) => knownVariables.has(name));
  const hostPaths = (spec.volumes ?? []).flatMap(({ hostPath }) => (hostPath === undefined ? [] : [hostPath.path]));
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    phase: status?.phase ?? "Unknown",
    ...(status?.reason !== undefined && { reason: status.reason }),
    images: containers.flatMap(({ image }) => image ?? []),
    environment: Object.fromEntries(variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    hostDevices: hostPaths.filter((path) => path.startsWith("/dev/")),
    ...toIdentity(spec),
    privileged: containers.some(({ securityContext }) => securityContext?.privileged === true),
    ...(spec.hostUsers !== undefined && { hostUsers: spec.hostUsers }),
    ...(spec.runtimeClassName !== undefined && { runtimeClass: spec.runtimeClassName }),
    // Kubernetes' own resources have no domain; extended ones always do.
    resources: containers.flatMap(({ resources }) => Object.keys(resources?.limits ?? {}).filter((name) => name.includes("/"))),
  };
}

/** Whom the kernel sees, as far as all containers are the same; what a container says goes before what the pod says (PodSpec). */
function toIdentity({ containers, securityContext }: z.infer<typeof pod>["spec"]): Pick<PodFacts, "user" | "groups"> {
  const user = same(containers.map((each) => each.securityContext?.runAsUser ?? securityContext?.runAsUser));
  const group = same(containers.map((each) => each.securityContext?.runAsGroup ?? securityContext?.runAsGroup));
  const groups = [group, securityContext?.fsGroup, ...(securityContext?.supplementalGroups ?? [])].filter((each) => each !== undefined);
  return { ...(user !== undefined && { user }), ...(groups.length > 0 && { groups: [...new Set(groups)] }) };
}

function same(values: readonly (number | undefined)[]): number | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}
