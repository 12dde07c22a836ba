/** What keeps radios from pods although they are there: rights, admission, labels, and how pods ask for devices. */
import type { Check, ClusterFacts, Facts, FindingEvidence, Outcome, PodFacts, Reading } from "../../core/check.ts";
import { attachmentOf } from "../../core/device.ts";

const alone = "no cluster is configured";

/** Judges what the API server said, if there is one and it said it. */
function ofCluster<Value>(
  facts: Facts,
  pick: (cluster: ClusterFacts) => Reading<Value>,
  judge: (value: Value, cluster: ClusterFacts) => readonly Outcome[] | string,
): readonly Outcome[] | string {
  if (facts.cluster === undefined) return alone;
  const reading = pick(facts.cluster);
  if (reading.state === "read") return judge(reading.value, facts.cluster);
  const why = reading.state === "absent" ? "the API server has no such object" : reading.why;
  return [{ verdict: "unknown", text: `The API server did not say: ${why}.`, evidence: [] }];
}

const podName = ({ namespace, name }: PodFacts) => `${namespace}/${name}`;
const ofPod = (pod: PodFacts, value: string): FindingEvidence => ({ source: `pod ${podName(pod)}`, value });
const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;

/** Ports and buses that radios hang on; other devices of the host are none of our business. */
const radioNode = /^\/dev\/(serial\/|tty[A-Z]|hidraw|spidev|gpiochip|bus\/usb)/;

const access: Check = {
  id: "K8S-02",
  level: "fail",
  title: "aerial is allowed what it is configured to do",
  source: "kubernetes.io/docs/reference/access-authn-authz/authorization, SelfSubjectAccessReview",
  reads: [],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ access: said }) => said,
      (said) => {
        const denied = said.filter(({ allowed }) => !allowed);
        const evidence = said.map(({ what, allowed }) => ({ source: `may aerial ${what}?`, value: allowed ? "yes" : "no" }));
        if (denied.length === 0) return [{ verdict: "pass", text: "The API server allows aerial all it needs.", evidence }];
        return [
          {
            verdict: "fail",
            text: `The API server does not allow aerial to ${denied.map(({ what }) => what).join(", ")}.`,
            evidence,
            remedy: {
              text: "Apply aerial's roles again: they come with its DaemonSet.",
              linux: ["kubectl apply -k daemonset/base"],
            },
          },
        ];
      },
    ),
};

/** The label by which a namespace says how much its pods may do (Pod Security admission). */
const podSecurityLabel = "pod-security.kubernetes.io/enforce";

const podSecurity: Check = {
  id: "K8S-03",
  level: "fail",
  title: "The namespace lets privileged pods in",
  source: "kubernetes.io/docs/concepts/security/pod-security-admission; Talos enforces baseline by default",
  reads: [],
  judge(facts) {
    if (facts.cluster?.namespaceLabels.state === "absent") return "aerial does not run in a pod";
    return ofCluster(
      facts,
      ({ namespaceLabels }) => namespaceLabels,
      (labels) => {
        const value = labels[podSecurityLabel];
        const evidence = [{ source: `label ${podSecurityLabel}`, value: value ?? "not set" }];
        if (value === "privileged") return [{ verdict: "pass", text: "The namespace allows privileged pods.", evidence }];
        return [
          {
            verdict: "fail",
            text: "The namespace does not say that privileged pods are allowed: the next pod of aerial may be refused.",
            evidence,
            remedy: {
              text: `Set the label ${podSecurityLabel}=privileged on aerial's namespace; daemonset/base/namespace.yaml does.`,
              linux: ["kubectl apply -f daemonset/base/namespace.yaml"],
            },
          },
        ];
      },
    );
  },
};

const ghostPods: Check = {
  id: "K8S-05",
  level: "warning",
  title: "No pod was left behind by a reboot",
  source: "kubernetes/kubernetes#128043",
  reads: [],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ pods }) => pods,
      (pods) => {
        const ghosts = pods.filter(({ reason }) => reason === "UnexpectedAdmissionError");
        if (ghosts.length === 0) {
          return [{ verdict: "pass", text: "No pod of this node was refused its devices after a reboot.", evidence: [] }];
        }
        return ghosts.map((pod) => ({
          subject: podName(pod),
          verdict: "fail",
          text: `Pod ${podName(pod)} was started before its device was there, and Kubernetes will not try it again.`,
          evidence: [ofPod(pod, `${pod.phase}, reason ${pod.reason ?? ""}`)],
          remedy: {
            text: "Delete the pod; its Deployment or DaemonSet makes a new one.",
            linux: [`kubectl delete pod --namespace ${pod.namespace} ${pod.name}`],
          },
        }));
      },
    ),
};

const initName = "/proc/1/comm";

const isolation: Check = {
  id: "K8S-06",
  level: "info",
  title: "Processes of the host are visible",
  source: "siderolabs/talos#13615",
  reads: [initName],
  judge(facts) {
    if (facts.os.id !== "talos") return "only Talos isolates its workloads";
    const name = facts.file(initName);
    if (name.state !== "read") return [{ verdict: "unknown", text: `${initName} cannot be read.`, evidence: [] }];
    const evidence = [{ source: initName, value: name.value }];
    if (name.value !== "sandboxd") return [{ verdict: "pass", text: "Host services share aerial's view of processes.", evidence }];
    return [
      {
        verdict: "fail",
        text: "Workload isolation is on: aerial sees the processes of pods, but not those of Talos itself.",
        evidence,
        remedy: { text: "Nothing to do. A port that Talos itself holds, such as a console, shows no holder." },
      },
    ];
  },
};

const namespacesLimit = "/proc/sys/user/max_user_namespaces";

const userNamespaces: Check = {
  id: "K8S-07",
  level: "warning",
  title: "User namespaces are there for the pods that ask for them",
  source: "siderolabs/talos#8554; kernel Documentation/admin-guide/sysctl/user.rst",
  reads: [namespacesLimit],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ pods }) => pods,
      (pods) => {
        const asking = pods.filter(({ hostUsers }) => hostUsers === false);
        if (asking.length === 0) return "no pod of this node sets hostUsers: false";
        const limit = facts.file(namespacesLimit);
        if (limit.state === "unreadable") return [{ verdict: "unknown", text: `${namespacesLimit}: ${limit.why}.`, evidence: [] }];
        const value = limit.state === "read" ? limit.value : "not there";
        const evidence = [{ source: namespacesLimit, value }, ...asking.map((pod) => ofPod(pod, "hostUsers: false"))];
        if (Number(value) > 0) return [{ verdict: "pass", text: "The kernel allows user namespaces.", evidence }];
        return [
          {
            verdict: "fail",
            text: `${plural(asking.length, "pod")} with hostUsers: false cannot start: the kernel allows no user namespaces.`,
            evidence,
            remedy: {
              text: "Allow user namespaces, or leave out hostUsers.",
              talos: [{ change: "sysctl", name: "user.max_user_namespaces", value: "11255" }],
              linux: ["sysctl -w user.max_user_namespaces=11255"],
            },
          },
        ];
      },
    ),
};

const hostPathDevices: Check = {
  id: "K8S-08",
  level: "warning",
  title: "Pods that mount a port may also open it",
  source: "Koenkk/zigbee2mqtt#25853; kernel Documentation/admin-guide/cgroup-v2.rst, Device controller",
  reads: [],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ pods }) => pods,
      (pods) => {
        const mounting = pods.filter(({ hostDevices }) => hostDevices.some((path) => radioNode.test(path)));
        if (mounting.length === 0) return "no pod of this node mounts a port of the host";
        return mounting.map((pod) => {
          const evidence = [
            ofPod(pod, `mounts ${pod.hostDevices.join(", ")}`),
            ofPod(pod, `privileged: ${String(pod.privileged)}, resources: ${pod.resources.join(", ") || "none"}`),
          ];
          if (pod.privileged || pod.resources.length > 0) {
            return { subject: podName(pod), verdict: "pass", text: `Pod ${podName(pod)} may open what it mounts.`, evidence };
          }
          return {
            subject: podName(pod),
            verdict: "fail",
            text: `Pod ${podName(pod)} mounts a port but is not allowed to open it: every attempt ends with "Operation not permitted".`,
            evidence,
            remedy: { text: "Let the pod ask for the radio as a resource of a device plugin, or make its container privileged." },
          };
        });
      },
    ),
};

const staleLabels: Check = {
  id: "K8S-09",
  level: "warning",
  title: "The node's labels say what is plugged in",
  source: "aerial's own labels: a kind's label always comes with its count",
  reads: [],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ nodeLabels }) => nodeLabels,
      (labels, { labelPrefix, labelGraceMs }) => {
        const kinds = Object.keys(labels).flatMap((key) => {
          const kind = key.startsWith(`${labelPrefix}/`) ? key.slice(labelPrefix.length + 1) : "";
          return kind !== "" && labels[key] === "true" && `${key}.count` in labels ? [kind] : [];
        });
        const stale = kinds.filter((kind) => !isThere(facts, kind, labelGraceMs));
        const evidence = kinds.map((kind) => ({ source: `label ${labelPrefix}/${kind}`, value: "true" }));
        if (stale.length === 0) return [{ verdict: "pass", text: "No label names a radio that is gone.", evidence }];
        return stale.map((kind) => ({
          subject: `${labelPrefix}/${kind}`,
          verdict: "fail",
          text: `The node is labelled for ${kind}, but has no such radio: pods may be sent here in vain.`,
          evidence: evidence.filter(({ source }) => source.endsWith(`/${kind}`)),
          remedy: {
            text: "aerial removes the label as soon as it can write to the API server: see its conditions for what keeps it from that.",
          },
        }));
      },
    ),
};

/** Whether a radio of this kind is present, or was so short a time ago that its label may still stand. */
function isThere({ radios, at }: Facts, kind: string, graceMs: number): boolean {
  /** Writing a label takes a moment after the grace. */
  const leewayMs = 30_000;
  return radios.some(({ device, identity, presence, absentSince }) => {
    if (attachmentOf(device) === "network" || identity.state !== "identified" || !identity.kinds.includes(kind)) return false;
    return presence === "present" || absentSince === undefined || Date.parse(at) - Date.parse(absentSince) < graceMs + leewayMs;
  });
}

/** Runtimes that put a kernel of their own between the pod and the devices. */
const sandboxes = /gvisor|runsc|kata|firecracker/i;

const sandboxedPods: Check = {
  id: "K8S-10",
  level: "warning",
  title: "Pods with a radio run where devices reach them",
  source: "gvisor.dev/docs/user_guide/compatibility: devices of the host are not passed on",
  reads: [],
  judge: (facts) =>
    ofCluster(
      facts,
      ({ pods }) => pods,
      (pods, { labelPrefix }) => {
        const wanting = pods.filter(
          ({ hostDevices, resources }) =>
            hostDevices.some((path) => radioNode.test(path)) || resources.some((name) => name.startsWith(`${labelPrefix}/`)),
        );
        if (wanting.length === 0) return "no pod of this node asks for a radio";
        return wanting.map((pod) => {
          const evidence = [ofPod(pod, `runtimeClassName: ${pod.runtimeClass ?? "none"}`)];
          if (!sandboxes.test(pod.runtimeClass ?? "")) {
            return { subject: podName(pod), verdict: "pass", text: `Pod ${podName(pod)} runs on the node's own kernel.`, evidence };
          }
          return {
            subject: podName(pod),
            verdict: "fail",
            text: `Pod ${podName(pod)} runs in a sandbox that does not pass devices on: it will not find its radio.`,
            evidence,
            remedy: { text: "Leave out runtimeClassName for this pod." },
          };
        });
      },
    ),
};

/** Of the catalogue's K8S rows. */
export const kubernetesChecks: readonly Check[] = [
  access,
  podSecurity,
  ghostPods,
  isolation,
  userNamespaces,
  hostPathDevices,
  staleLabels,
  sandboxedPods,
];
