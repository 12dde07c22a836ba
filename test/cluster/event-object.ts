/** An Event about a node as aerial writes it, to be changed where a test wants. */

export const eventsIn = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;

/** As aerial on node-a writes it. */
export const ownEvent = (changes: object = {}): object => ({
  metadata: { generateName: "aerial-" },
  eventTime: "2026-01-01T00:00:00.000000Z",
  type: "Normal",
  reason: "RadioAttached",
  action: "Attach",
  reportingController: "mi.house/aerial",
  reportingInstance: "node-a",
  regarding: { apiVersion: "v1", kind: "Node", name: "node-a" },
  ...changes,
});
