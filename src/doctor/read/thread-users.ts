/** What on this node speaks Thread or Matter: rules for border routers mean nothing where there is none. */
import type { Facts, FindingEvidence, PodFacts } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { isElsewhere, ownNetwork } from "./own-network.ts";
import { listeningPorts, tcpTables } from "./sockets.ts";

export interface ThreadUsers {
  /** Why an OpenThread border router is taken to run here; empty where none is seen. */
  readonly borderRouter: readonly FindingEvidence[];
  /** The same for a Matter server. */
  readonly matter: readonly FindingEvidence[];
  /** The same for a Thread radio that is plugged in. */
  readonly radio: readonly FindingEvidence[];
  /** Pods of border routers. */
  readonly borderRouterPods: readonly PodFacts[];
}

/** OpenThread's own image, its older name, Home Assistant's, and what people call their builds. */
const borderRouterImage =
  /(?:^|\/)(?:openthread\/border-router|openthread\/otbr|[\w.-]*(?:otbr|openthread-border-router)[\w.-]*)(?:[:@]|$)/;
const matterImage = /(?:^|\/)(?:[\w.-]*matter-?js-?server|[\w.-]*matter-server|[\w.-]*matter_server)(?:[:@]|$)/;
/** Of matter.js' server and of its predecessor alike. */
const matterPort = 5580;

/** What `threadUsers` reads. */
export const threadUserReads: readonly string[] = ["/sys/class/net/*/tun_flags", ownNetwork, ...tcpTables];

export function threadUsers(facts: Facts): ThreadUsers {
  const pods = facts.cluster === undefined ? [] : (valueOf(facts.cluster.pods) ?? []);
  const running = pods.filter(({ phase }) => phase === "Running" || phase === "Pending");
  const all = valueOf(facts.processes) ?? [];
  const isAway = isElsewhere(facts);
  const processes = all.filter((process) => !isAway(process));
  // A pod with a network of its own has parameters and interfaces of its own, too.
  const isHere = (pod: PodFacts): boolean => !all.some((process) => process.podUid === pod.uid && isAway(process));
  const borderRouterPods = running.filter((pod) => pod.images.some((image) => borderRouterImage.test(image)) && isHere(pod));
  const matterPods = running.filter((pod) => pod.images.some((image) => matterImage.test(image)) && isHere(pod));
  const tun = facts.paths("/sys/class/net/*/tun_flags").filter((path) => /\/wpan\d+\//.test(path));
  return {
    borderRouterPods,
    borderRouter: [
      ...borderRouterPods.map(ofPod),
      ...processes.filter(({ name }) => name === "otbr-agent").map(({ pid, name }) => ({ source: `/proc/${pid}/comm`, value: name })),
      ...tun.map((path) => ({ source: path, value: "a Thread interface" })),
    ],
    matter: [
      ...matterPods.map(ofPod),
      ...processes
        .filter(({ name }) => /^(?:python-)?matter-?s|^matterjs/i.test(name))
        .map(({ pid, name }) => ({ source: `/proc/${pid}/comm`, value: name })),
      ...listeningPorts(facts)
        .filter(({ port }) => port === matterPort)
        .map(({ source }) => ({ source, value: `something listens on TCP port ${matterPort}, as Matter servers do` })),
    ],
    radio: facts.radios
      .filter(({ presence, identity }) => presence === "present" && identity.state === "identified" && identity.kinds.includes("thread"))
      .map(({ id }) => ({ source: "radios", value: `${id} is a Thread radio` })),
  };
}

/** Why nothing is judged where nobody speaks Thread: a sentence. */
export function nobodySpeaks(facts: Facts, what: string): string {
  const hidden =
    facts.processes.state === "unreadable"
      ? `; processes cannot be seen (${facts.processes.why})`
      : facts.cluster?.pods.state === "unreadable"
        ? `; pods cannot be seen (${facts.cluster.pods.why})`
        : "";
  return `no ${what} is seen on this node${hidden}`;
}

function ofPod({ namespace, name, images }: PodFacts): FindingEvidence {
  return { source: `pod ${namespace}/${name}`, value: images.join(", ") };
}
