/** Radios that pods ask for, and who was given them. */
import type { DurationCounts } from "../../core/durations.ts";
import { groupBy } from "../../core/group-by.ts";
import type { RadioHolder } from "../../core/handover.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { counter, gauge, histogram, type MetricFamily } from "./metric-family.ts";

/** As `src/publish` knows it. */
export interface HandoverFigures {
  readonly holders: readonly RadioHolder[];
  /** The extended resource by which pods ask for a radio. */
  readonly resourceOf: (radio: Radio) => string | undefined;
  /** How often a container was restarted for each radio; radios that are left out never were the reason. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Left out where no device plugin runs. */
  readonly devicePlugin?: DevicePluginFigures;
}

/** As the device plugin counts. */
interface DevicePluginFigures {
  readonly registrations: DurationCounts;
  readonly registrationFailures: number;
  readonly allocations: DurationCounts;
  readonly allocationsRefused: number;
  readonly preStarts: DurationCounts;
  readonly preStartsRefused: number;
}

/** Series of single radios; a node has a dozen. */
const mostRadios = 256;

export function handoverMetrics(
  { holders, resourceOf, restarts, devicePlugin }: HandoverFigures,
  { radios }: Snapshot,
): readonly MetricFamily[] {
  const offered = [...radios.values()].flatMap((radio) => {
    const resource = resourceOf(radio);
    return resource === undefined ? [] : [{ radio, resource }];
  });
  const holdersOf = groupBy(holders, ({ radioId }) => radioId);
  const isHealthy = ({ id, presence }: Radio): boolean =>
    presence === "present" && holdersOf.get(id)?.some(({ way }) => way === "resource-claim") !== true;
  const byResource = [...groupBy(offered, ({ resource }) => resource)];
  return [
    gauge(
      {
        name: "device_plugin_devices",
        help: "Radios of each extended resource, by health: one that is unplugged, or was given to a resource claim, is unhealthy.",
      },
      devicePlugin === undefined
        ? []
        : byResource.flatMap(([resource, members]) => {
            const healthy = members.filter(({ radio }) => isHealthy(radio)).length;
            return [
              [{ resource, health: "healthy" }, healthy] as const,
              [{ resource, health: "unhealthy" }, members.length - healthy] as const,
            ];
          }),
    ),
    gauge(
      { name: "radio_handed_out", help: "How many containers were given a radio: 0 while it is free. Pods are named by the API." },
      offered
        .slice(0, mostRadios)
        .map(({ radio: { id, name = "" }, resource }) => [{ radio: id, name, resource }, holdersOf.get(id)?.length ?? 0] as const),
    ),
    counter(
      { name: "replug_restarts_total", help: "Containers restarted because the radio that they hold came back as another device node." },
      offered.slice(0, mostRadios).map(({ radio: { id } }) => [{ radio: id }, restarts.get(id) ?? 0] as const),
    ),
    ...(devicePlugin === undefined ? [] : callMetrics(devicePlugin)),
  ];
}

function callMetrics(figures: DevicePluginFigures): readonly MetricFamily[] {
  const { registrations, registrationFailures, allocations, allocationsRefused, preStarts, preStartsRefused } = figures;
  return [
    histogram(
      {
        name: "device_plugin_registration_duration_seconds",
        help: "From the kubelet being there without knowing of a resource to its knowing of it.",
      },
      [[{}, registrations]],
    ),
    counter({ name: "device_plugin_registration_failures_total", help: "Attempts to tell the kubelet of a resource that failed." }, [
      [{}, registrationFailures],
    ]),
    histogram(
      {
        name: "device_plugin_allocation_duration_seconds",
        help: "How long it takes to give a container its radios, also where that is refused.",
      },
      [[{}, allocations]],
    ),
    counter({ name: "device_plugin_allocations_refused_total", help: "Containers that were refused their radios." }, [
      [{}, allocationsRefused],
    ]),
    histogram(
      {
        name: "device_plugin_pre_start_duration_seconds",
        help: "How long it takes to look whether a container's radios are there, before each of its starts.",
      },
      [[{}, preStarts]],
    ),
    counter({ name: "device_plugin_pre_starts_refused_total", help: "Starts of containers that were put off, their radio being away." }, [
      [{}, preStartsRefused],
    ]),
  ];
}
