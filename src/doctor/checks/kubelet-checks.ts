/** What keeps the kubelet from giving radios to pods: its socket, and that it knows what is offered. */
import type { Check, Facts, FindingEvidence, Outcome } from "../../core/check.ts";

const alone = "no cluster is configured";
const notOffered = "devicePlugin.enabled in the configuration says that radios are no resources";

/** The path is part of the kubelet's API, whatever its --root-dir is (kubelet pkg/apis/deviceplugin/v1beta1/constants.go). */
const directory = "/var/lib/kubelet/device-plugins";
const everything = `${directory}/*`;
const kubeletSocket = `${directory}/kubelet.sock`;
const ownSocket = /\/aerial-[a-z0-9-]+\.sock$/;

const socket: Check = {
  id: "K8S-01",
  level: "fail",
  title: "The kubelet can be told of radios",
  source: "kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins: registration",
  reads: [everything],
  judge(facts) {
    if (facts.cluster === undefined) return alone;
    if (facts.resources === undefined) return notOffered;
    const unlisted = facts.unlisted(everything);
    if (unlisted !== undefined) {
      return [{ verdict: "unknown", text: `Whether the kubelet's socket is there cannot be seen: ${unlisted}.`, evidence: [] }];
    }
    const there = facts.paths(everything).includes(kubeletSocket);
    const evidence: readonly FindingEvidence[] = [{ source: kubeletSocket, value: there ? "there" : "not there" }];
    if (there) return [{ verdict: "pass", text: "The kubelet's socket for device plugins is there.", evidence }];
    return [
      {
        verdict: "fail",
        text: "The kubelet's socket for device plugins is not there: no pod can be given a radio of this node.",
        evidence,
        remedy: {
          text: `Mount ${directory} of the host into aerial's pod, under the same path; its DaemonSet does. If it is mounted, the kubelet does not run.`,
          linux: ["kubectl apply -k daemonset/base", "systemctl status kubelet"],
        },
      },
    ];
  },
};

const registration: Check = {
  id: "K8S-04",
  level: "warning",
  title: "The kubelet knows what aerial offers",
  source: "kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins: a restarted kubelet forgets its plugins",
  reads: [everything],
  judge(facts) {
    if (facts.cluster === undefined) return alone;
    if (facts.resources === undefined) return notOffered;
    if (facts.resources.length === 0) return "there is no radio that pods could ask for";
    const unlisted = facts.unlisted(everything);
    if (unlisted !== undefined) {
      return [{ verdict: "unknown", text: `Whether aerial's sockets are there cannot be seen: ${unlisted}.`, evidence: [] }];
    }
    const paths = facts.paths(everything);
    if (!paths.includes(kubeletSocket)) return "the kubelet's own socket is not there: K8S-01 tells of it";
    const sockets = paths.filter((path) => ownSocket.test(path));
    return facts.resources.map((resource) => judgeResource(resource, sockets, facts));
  },
};

function judgeResource(resource: string, sockets: readonly string[], { cluster, conditions }: Facts): Outcome {
  const group = resource.slice(resource.lastIndexOf("/") + 1);
  const refused = [...conditions].find((code) => code.startsWith("device-plugin.") && code.endsWith(`.${group}`));
  const capacity = cluster?.capacity ?? { state: "absent" };
  const number = capacity.state === "read" && Object.hasOwn(capacity.value, resource) ? capacity.value[resource] : undefined;
  const evidence: readonly FindingEvidence[] = [
    {
      source: everything,
      value: sockets.length === 0 ? "no socket of aerial" : sockets.map((path) => path.slice(directory.length + 1)).join(" "),
    },
    { source: `the Node's status.capacity["${resource}"]`, value: number ?? (capacity.state === "read" ? "not there" : "not known") },
    ...(refused === undefined ? [] : [{ source: "condition", value: refused }]),
  ];
  const about = { subject: resource, evidence };
  if (refused !== undefined || sockets.length === 0) {
    return {
      ...about,
      verdict: "fail",
      text: `The kubelet does not know of ${resource}: pods that ask for it are not started here.`,
      remedy: {
        text: "aerial tells the kubelet again by itself, within seconds of its restart. If this stays, `aerial health` says what is in the way.",
        linux: ["aerial health", "journalctl --unit kubelet --grep device-plugin"],
      },
    };
  }
  if (capacity.state !== "read") {
    const why = capacity.state === "unreadable" ? capacity.why : "the API server has no such Node";
    return { ...about, verdict: "unknown", text: `Whether the kubelet offers ${resource} cannot be told: ${why}.` };
  }
  if (number === undefined) {
    return {
      ...about,
      verdict: "unknown",
      text: `The kubelet was told of ${resource}, and has not yet told the API server: ask again in half a minute.`,
    };
  }
  return { ...about, verdict: "pass", text: `The kubelet offers ${resource}: ${number} on this node.` };
}

/** Of the catalogue's K8S rows, those about the kubelet. */
export const kubeletChecks: readonly Check[] = [socket, registration];
