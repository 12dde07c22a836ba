/** What the API server was asked, by whom: its own audit log. */
import { readFile } from "node:fs/promises";

/** Notes everybody's requests, without bodies, except the server's own. audit.k8s.io/v1 Policy. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  // A request is noted when it is answered; a watch also when it begins.
  omitStages: ["RequestReceived"],
  rules: [{ level: "None", users: ["system:apiserver"] }, { level: "Metadata" }],
};

export interface AuditedRequest {
  /** ISO 8601, when it was received. */
  readonly at: string;
  readonly user: string;
  readonly userAgent: string;
  /** Kubernetes' verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, … */
  readonly verb: string;
  readonly uri: string;
  /** Such as `nodes` or `events`; absent for non-resource paths. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Absent while a watch goes on. */
  readonly status?: number;
}

interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly requestReceivedTimestamp: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

const readingVerbs = new Set(["get", "list", "watch", "head"]);

/** Whether it was meant to change something, accepted or not. */
export function isWrite(request: AuditedRequest): boolean {
  return !readingVerbs.has(request.verb);
}

/** The requests in an audit log, in the order they were received. A last line still being written is left out. */
export async function readAudit(path: string): Promise<readonly AuditedRequest[]> {
  return parseAudit(await readFile(path, "utf8"));
}

/** Like `readAudit`, from the log's text. */
export function parseAudit(text: string): readonly AuditedRequest[] {
  const requests = new Map<string, AuditedRequest>();
  for (const line of text.split("\n").slice(0, -1)) {
    const event = JSON.parse(line) as AuditEvent;
    requests.set(event.auditID, toRequest(event));
  }
  return [...requests.values()].toSorted((a, b) => a.at.localeCompare(b.at));
}

function toRequest(event: AuditEvent): AuditedRequest {
  const { resource, namespace, name } = event.objectRef ?? {};
  const status = event.stage === "ResponseStarted" ? undefined : event.responseStatus?.code;
  return {
    at: event.requestReceivedTimestamp,
    user: event.user.username,
    userAgent: event.userAgent ?? "",
    verb: event.verb,
    uri: event.requestURI,
    ...(resource === undefined ? {} : { resource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status }),
  };
}
