/** Where the API server is and how to speak to it as ourselves. */
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { AerialError } from "../core/errors.ts";

export interface Connection {
  /** `https://host:port`, perhaps with a path; no slash at the end. */
  readonly server: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: false;
  };
  /** Credentials; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectionSource {
  /** The connection as of now: files are read again, since the kubelet and others rotate them. Throws `kube.config`. */
  read(): Promise<Connection>;
  /** The server refused these credentials: cached ones are not to be given again. */
  forget(): void;
}

/** Where the kubelet mounts a pod's account (Kubernetes: "Accessing the Kubernetes API from a Pod"). */
export const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

interface InClusterOptions {
  readonly host: string;
  readonly port: string;
  /** Of the account's files. */
  readonly directory: string;
}

/** The pod's own account. */
export function inCluster({ host, port, directory }: InClusterOptions): ConnectionSource {
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    async read() {
      try {
        const [ca, token] = await Promise.all([readFile(join(directory, "ca.crt"), "utf8"), readFile(join(directory, "token"), "utf8")]);
        return { server, tls: { ca }, headers: { authorization: `Bearer ${token.trim()}` } };
      } catch (error) {
        throw new AerialError("kube.config", `cannot read the service account in ${directory}`, { cause: error });
      }
    },
    forget() {},
  };
}
