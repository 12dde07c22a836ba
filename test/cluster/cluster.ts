/** A real Kubernetes API for tests: etcd and kube-apiserver, on loopback, with RBAC, gone with the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createApiClient, type ApiClient, type ApiObject } from "./api-client.ts";
import { openApiServer } from "./api-server.ts";
import { readAudit, type AuditedRequest } from "./audit.ts";
import { findBinaries } from "./binaries.ts";
import type { CertificateAuthority } from "./certificates.ts";
import { openEtcd } from "./etcd.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /** The token is bound to a pod on this node, as a DaemonSet's is; the node must exist. Without it the token names no node. */
  readonly node?: string;
}

export interface ClusterOptions {
  /** Called with one line a step. */
  readonly report?: (line: string) => void;
}

export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:port`; a QEMU guest uses `https://10.0.2.2:port`, which the certificate covers too. */
  readonly serverUrl: string;
  readonly port: number;
  readonly caFile: string;
  /** What is in it, PEM. */
  readonly caCertificate: string;
  /** The admin's. */
  readonly kubeconfig: string;
  /** Logs are here: etcd.log, kube-apiserver.log. */
  readonly directory: string;
  /** A client with the admin's rights. */
  readonly api: ApiClient;
  readonly kubectl: Kubectl;
  /** Issues a certificate that the API server takes for `commonName` of the group `organization`; files in `directory`. */
  readonly issueCertificate: CertificateAuthority["issue"];
  /** Milliseconds from the call to ready. */
  readonly startedInMs: number;

  createNode(name: string, labels?: Readonly<Record<string, string>>): Promise<ApiObject>;
  getNode(name: string): Promise<ApiObject>;
  /** Resolves with the node as soon as `isRight` holds; rejects with what was there instead at the deadline. */
  waitForNode(name: string, isRight: (node: ApiObject) => boolean, timeoutMs: number): Promise<ApiObject>;
  /** events.k8s.io/v1, all namespaces. */
  listEvents(): Promise<readonly ApiObject[]>;
  /** A token as the kubelet would mount it (TokenRequest); the account must exist. */
  serviceAccountToken(account: ServiceAccount): Promise<string>;
  /** Path of a kubeconfig with such a token; `server` replaces the address, for a guest. */
  serviceAccountKubeconfig(account: ServiceAccount & { readonly server?: string }): Promise<string>;
  /** A client speaking by a token. */
  clientFor(token: string): ApiClient;
  /** Every request of a user so far, oldest first: `system:serviceaccount:<namespace>:<name>` or `admin`. */
  requestsBy(user: string): Promise<readonly AuditedRequest[]>;

  /** The server stops answering, connections stay: slow, or away behind a dead link. */
  pause(): void;
  resume(): void;
  /** The server is killed; its port refuses. */
  stop(): Promise<void>;
  /** Brings it back with the same data on the same port. */
  start(): Promise<void>;
  restart(): Promise<void>;
}

/** Starts a cluster; takes seconds. Nothing of it survives disposing, nor the death of this process, by whatever signal. */
export async function openCluster({ report = () => {} }: ClusterOptions = {}): Promise<Cluster> {
  const startedAt = performance.now();
  const binaries = await findBinaries();
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "aerial-cluster-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));

  report("starting etcd");
  const etcd = opening.use(await openEtcd(binaries.etcd, directory));
  report("starting kube-apiserver");
  const server = opening.use(await openApiServer({ binary: binaries.kubeApiServer, etcdUrl: etcd.url, directory }));
  const { api, url: serverUrl, port, authority } = server;
  const certificateAuthority = authority.certificate;
  const kubeconfig = await writeKubeconfig(join(directory, "admin.kubeconfig"), {
    server: serverUrl,
    certificateAuthority,
    client: server.admin,
  });

  let kubeconfigs = 0;
  let readings = 0;
  const serviceAccountToken = async ({ namespace, name, node }: ServiceAccount): Promise<string> => {
    const boundObjectRef = node === undefined ? undefined : await createPod(api, { namespace, name, node });
    const request = await api.fetch<{ status: { token: string } }>(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
      method: "POST",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 86_400, boundObjectRef } },
    });
    return request.status.token;
  };
  const getNode = (name: string) => api.fetch(`/api/v1/nodes/${name}`);

  const resources = opening.move();
  return {
    serverUrl,
    port,
    caFile: authority.certificateFile,
    caCertificate: certificateAuthority,
    kubeconfig,
    directory,
    api,
    kubectl: createKubectl(binaries.kubectl, kubeconfig, directory),
    issueCertificate: (name, request) => authority.issue(name, request),
    startedInMs: Math.round(performance.now() - startedAt),

    createNode: (name, labels = {}) =>
      api.fetch("/api/v1/nodes", { method: "POST", body: { apiVersion: "v1", kind: "Node", metadata: { name, labels } } }),
    getNode,
    async waitForNode(name, isRight, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        for await (const { type, object } of api.watch(`/api/v1/nodes?fieldSelector=metadata.name=${name}`, signal)) {
          if (type !== "DELETED" && isRight(object)) return object;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      const { labels, annotations } = (await getNode(name)).metadata;
      throw new Error(`node ${name} is not as awaited after ${timeoutMs} ms: ${JSON.stringify({ labels, annotations })}`);
    },
    listEvents: async () => (await api.fetch<{ items: ApiObject[] }>("/apis/events.k8s.io/v1/events")).items,
    serviceAccountToken,
    async serviceAccountKubeconfig({ server = serverUrl, ...account }) {
      const path = join(directory, `${account.namespace}-${account.name}-${++kubeconfigs}.kubeconfig`);
      return writeKubeconfig(path, { server, certificateAuthority, token: await serviceAccountToken(account) });
    },
    clientFor: (token) => createApiClient(serverUrl, certificateAuthority, { token }),
    async requestsBy(user) {
      // A request is noted a moment after it was answered. Once one made now is noted, those that were answered before are.
      const mark = `/version?reading=${++readings}`;
      await api.fetch(mark);
      for (;;) {
        const noted = await readAudit(server.auditFile);
        if (noted.some(({ uri }) => uri === mark)) return noted.filter((request) => request.user === user);
        await sleep(10);
      }
    },

    pause: () => server.pause(),
    resume: () => server.resume(),
    stop: () => server.stop(),
    start: () => server.start(),
    async restart() {
      await server.stop();
      await server.start();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A pod of the account on the node, as far as a token needs one, and the reference to bind the token to. */
async function createPod(api: ApiClient, { namespace, name, node }: Required<ServiceAccount>) {
  const pod = await api.fetch(`/api/v1/namespaces/${namespace}/pods`, {
    method: "POST",
    body: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { generateName: `${name}-` },
      spec: { serviceAccountName: name, nodeName: node, containers: [{ name: "none", image: "none", imagePullPolicy: "Never" }] },
    },
  });
  return { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid };
}
