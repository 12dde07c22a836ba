/** Asks the API for what has changed. */
import { nextFlows } from "./flows.ts";
import { keepSame } from "./keep-same.ts";
import type {
  ClusterRadioList,
  Condition,
  DoctorReport,
  EffectiveConfig,
  HistoryEvent,
  NodeView,
  PluginList,
  Radio,
  RadioDetail,
  RadioPodList,
  RelayStatus,
  Resource,
} from "./model.ts";
import type { SeenService, State } from "./model.ts";
import { type Problem, toProblem } from "./problem.ts";
import { askJson } from "./requests.ts";
import { currentState, setProblem, update } from "./store.ts";

type Change = Partial<State>;

const eventsAtOnce = 40;

const loaders: Readonly<Record<Resource, () => Promise<Change>>> = {
  node: async () => ({ node: await askJson<NodeView>("/node") }),
  async radios() {
    const { radios } = await askJson<{ readonly radios: readonly Radio[] }>("/radios");
    return { radios: keepSame(currentState().radios, radios, ({ id }) => id) };
  },
  async conditions() {
    const { conditions } = await askJson<{ readonly conditions: readonly Condition[] }>("/conditions");
    return { conditions: keepSame(currentState().conditions, conditions, ({ code }) => code) };
  },
  async doctor() {
    return takeReport(await askJson<DoctorReport>("/doctor"));
  },
  async events() {
    const { events } = await askJson<{ readonly events: readonly HistoryEvent[] }>(`/events?order=newest&limit=${eventsAtOnce}`);
    return { events: mergeEvents(events, currentState().events ?? []), olderEvents: events.length === eventsAtOnce };
  },
  async config() {
    const { config } = await askJson<EffectiveConfig>("/config");
    const asks = isRelayOn(config) && currentState().relay === undefined;
    if (asks) reload("relay", "services");
    return {
      config: keepSame([currentState().config ?? {}], [config], () => "")[0] ?? config,
      ...(!isRelayOn(config) && { relay: "off" as const }),
    };
  },
  async relay() {
    const relay = await unlessAbsent(askJson<RelayStatus>("/relay"), "off" as const);
    return { relay, ...(relay !== "off" && { flows: nextFlows(currentState().flows, relay, performance.now()) }) };
  },
  async services() {
    const services = await unlessAbsent(askJson<readonly SeenService[]>("/relay/services"), []);
    return { services: keepSame(currentState().services, services, serviceKey) };
  },
  plugins: async () => ({ plugins: (await askJson<PluginList>("/plugins")).plugins }),
  async cluster() {
    const cluster = await unlessAbsent(askJson<ClusterRadioList>("/cluster/radios"), undefined);
    return cluster === undefined ? {} : { cluster };
  },
  async pods() {
    const list = await unlessAbsent(askJson<RadioPodList>("/pods"), undefined);
    return list === undefined ? {} : { pods: keepSame(currentState().pods, list.pods, ({ namespace, name }) => `${namespace}/${name}`) };
  },
};

const running = new Map<Resource, { again: boolean }>();
const whenRefused: ((problem: Problem) => void)[] = [];

/** `onRefused` is called when a token is asked for, or the one given is not known. */
export function tellWhenRefused(onRefused: (problem: Problem) => void): void {
  whenRefused.push(onRefused);
}

/** Asks for these anew. What is on its way already is asked for once more after it. */
export function reload(...resources: readonly Resource[]): void {
  for (const resource of resources) {
    const run = running.get(resource);
    if (run === undefined) void load(resource);
    else run.again = true;
  }
}

async function load(resource: Resource): Promise<void> {
  const run = { again: false };
  running.set(resource, run);
  do {
    run.again = false;
    try {
      update(await loaders[resource]());
      setProblem(resource, undefined);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status === 401) for (const tell of whenRefused) tell(problem);
      setProblem(resource, problem);
    }
  } while (run.again);
  running.delete(resource);
}

/** Asks who holds a radio and what happened to it. A radio that is gone meanwhile is no problem. */
export async function reloadDetail(id: string): Promise<void> {
  try {
    const detail = await askJson<RadioDetail>(`/radios/${encodeURIComponent(id)}`);
    const { details } = currentState();
    if (JSON.stringify(details.get(id)) !== JSON.stringify(detail)) update({ details: new Map(details).set(id, detail) });
  } catch {
    // What is shown of it stays as it is; the list says whether it is still there.
  }
}

/** A report, with what belongs to the last one thrown away. */
export function takeReport(report: DoctorReport): Change {
  return { report, patches: new Map() };
}

/** Both in one list, each once, newest first. */
export function mergeEvents(some: readonly HistoryEvent[], others: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const byId = new Map(others.map((event) => [event.id, event]));
  for (const event of some) if (!byId.has(event.id)) byId.set(event.id, event);
  return byId.size === others.length ? others : [...byId.values()].sort((a, b) => b.sequence - a.sequence);
}

export function serviceKey({ protocol, link, service, instance }: SeenService): string {
  return `${protocol}\n${link}\n${service}\n${instance}`;
}

/** What is not configured is not asked for. */
function isRelayOn({ relay }: Readonly<Record<string, unknown>>): boolean {
  return typeof relay === "object" && relay !== null && (relay as Readonly<Record<string, unknown>>)["enabled"] === true;
}

async function unlessAbsent<Answer, Instead>(answer: Promise<Answer>, instead: Instead): Promise<Answer | Instead> {
  try {
    return await answer;
  } catch (error) {
    if (toProblem(error).status === 404) return instead;
    throw error;
  }
}
