/** All commands. */
import type { CommandSpec } from "./command.ts";
import { configOption, daemonOptions, outputOption } from "./options.ts";

const environmentNote = `Every key of the configuration can be set from the environment: AERIAL__SCAN__INTERVAL=30 is scan.interval.
config/default.yaml explains every key.`;

export const commands: readonly CommandSpec[] = [
  {
    name: "run",
    summary: "run the daemon",
    positionals: [],
    options: { config: configOption },
    notes: `${environmentNote}
What the file says of \`relay\` is taken as soon as it changes, and at SIGHUP, without losing a packet; for the rest
aerial says that it must be restarted. A file that is wrong changes nothing.
The first SIGTERM or SIGINT stops it in good order, the second at once. Labels stay: \`aerial cleanup\` removes them.`,
    load: async () => (await import("./run-command.ts")).runDaemonCommand,
  },
  {
    name: "devices",
    summary: "list the radios the daemon knows",
    positionals: [],
    options: { ...daemonOptions, output: outputOption("table, wide, json or yaml") },
    load: async () => (await import("./devices-command.ts")).runDevicesCommand,
  },
  {
    name: "watch",
    summary: "show radios coming, going and changing, live",
    positionals: [],
    options: { ...daemonOptions, output: outputOption("table or json (a document a line)") },
    load: async () => (await import("./watch-command.ts")).runWatchCommand,
  },
  {
    name: "explain",
    summary: "why aerial believes what it believes of a radio, or why not",
    positionals: ["RADIO"],
    options: { ...daemonOptions, output: outputOption("table, json or yaml") },
    notes: "RADIO is an id, a name, a device node (/dev/ttyUSB0), a USB port (1-1.2), a by-id name, a serial number or a sysfs path.",
    load: async () => (await import("./explain-command.ts")).runExplainCommand,
  },
  {
    name: "explain pod",
    summary: "what a pod asks for, which radio it has, or why it waits for one",
    positionals: ["NAMESPACE/NAME"],
    options: { ...daemonOptions, output: outputOption("table, json or yaml") },
    notes: "A radio that is called pod is explained by its id.",
    load: async () => (await import("./explain-pod-command.ts")).runExplainPodCommand,
  },
  {
    name: "pods",
    summary: "list the cluster's pods that ask for radios",
    positionals: [],
    options: { ...daemonOptions, output: outputOption("table, json or yaml") },
    notes: "Needs the right to list pods: daemonset/components/see-pods.",
    load: async () => (await import("./pods-command.ts")).runPodsCommand,
  },
  {
    name: "scan",
    summary: "look once, without a daemon",
    positionals: [],
    options: {
      config: configOption,
      root: { type: "string", placeholder: "DIR", help: "look at the sys, dev, proc and run below DIR" },
      output: outputOption("table, json or yaml"),
    },
    load: async () => (await import("./scan-command.ts")).runScanCommand,
  },
  {
    name: "doctor",
    summary: "examine this machine: what keeps radios from working, and what mends it",
    positionals: [],
    options: {
      ...daemonOptions,
      output: outputOption("table, json or yaml"),
      json: { type: "boolean", help: "the same as -o json" },
      all: { type: "boolean", short: "a", help: "show what is well, too" },
      patch: { type: "boolean", help: "print a Talos machine-config patch for all that one can mend" },
      "talos-version": { type: "string", placeholder: "VERSION", help: "the patch's form: 1.12, 1.13 or 1.14 (else this machine's)" },
      local: { type: "boolean", help: "without a daemon: knows nothing of the relay and the cluster" },
    },
    notes: `Exit code 1 when something does not work. aerial changes nothing: to mend what it found on Talos,
aerial doctor --patch > patch.yaml, read it, and talosctl patch machineconfig --nodes NODE --patch @patch.yaml`,
    load: async () => (await import("./doctor-command.ts")).runDoctorCommand,
  },
  {
    name: "cleanup",
    summary: "take back everything aerial has written to the cluster for this node",
    positionals: [],
    options: { config: configOption },
    notes: `Stop the daemon on this node first, or it writes everything again.\nNeeds the daemon's own configuration of node.name and kubernetes.\n${environmentNote}`,
    load: async () => (await import("./cleanup-command.ts")).runCleanupCommand,
  },
  {
    name: "health",
    summary: "ask the daemon how it is; fails when none answers",
    positionals: [],
    options: {
      ...daemonOptions,
      ready: { type: "boolean", help: "fail, with exit code 1, until a whole scan has been published, and labelled if there is a cluster" },
    },
    load: async () => (await import("./health-command.ts")).runHealthCommand,
  },
  {
    name: "relay status",
    summary: "links, who relays between which, what was dropped and why, rules",
    positionals: [],
    options: { ...daemonOptions, output: outputOption("table, json or yaml") },
    load: async () => (await import("./relay-status-command.ts")).runRelayStatusCommand,
  },
  {
    name: "relay services",
    summary: "what offers itself on which link, and where it is relayed to",
    positionals: [],
    options: {
      ...daemonOptions,
      output: outputOption("table, wide, json or yaml"),
      service: { type: "string", placeholder: "TYPE", help: "only types with TYPE in their name, such as _hap" },
      link: { type: "string", placeholder: "LINK", help: "only what was heard on LINK" },
    },
    load: async () => (await import("./relay-services-command.ts")).runRelayServicesCommand,
  },
  {
    name: "relay trace",
    summary: "show packets and what becomes of each, live",
    positionals: [],
    options: {
      ...daemonOptions,
      output: outputOption("table or json (a document a line)"),
      service: { type: "string", placeholder: "TEXT", help: "only packets that say TEXT, such as _hap or ZonePlayer" },
      link: { type: "string", placeholder: "LINK", help: "only what comes from LINK or goes there" },
      verdict: { type: "string", placeholder: "WORD", help: "only what ended so: relayed, rule, echo, ..." },
    },
    notes: "A line for each packet and link it could have gone to; without a link, for what went nowhere. Ctrl-C ends it.",
    load: async () => (await import("./relay-trace-command.ts")).runRelayTraceCommand,
  },
  {
    name: "relay run",
    summary: "relay mDNS and SSDP between links, in the foreground and nothing else",
    positionals: [],
    options: {
      link: { type: "string", short: "l", multiple: true, placeholder: "NAME", help: "an interface, or several as in eth0.*" },
      protocols: { type: "string", short: "p", placeholder: "LIST", help: "of mdns, ssdp, wsd, sonos (else mdns,ssdp)" },
      rules: { type: "string", short: "r", placeholder: "FILE", help: "what may pass, as `relay.rules` in the configuration" },
      "no-limits": { type: "boolean", help: "hold back nobody, however much a host sends" },
    },
    notes: `Example: aerial relay run --link eth0.10 --link eth0.40
The rules are read again when FILE changes, and at SIGHUP, without losing a packet. Those that are wrong change nothing.
Reads no configuration and needs neither a daemon nor a cluster nor, from Linux 5.7 on, root.`,
    load: async () => (await import("./relay-run-command.ts")).runRelayRunCommand,
  },
  {
    name: "support-bundle",
    summary: "write an archive for a bug report, without serial numbers, addresses and secrets",
    positionals: [],
    options: {
      ...daemonOptions,
      output: {
        type: "string",
        short: "o",
        placeholder: "FILE",
        help: "where to (else aerial-NODE-TIME.tar.gz here); - for standard output",
      },
      "hide-names": { type: "boolean", help: "take out the names of nodes and radios too" },
    },
    notes: "In a cluster: kubectl exec -n aerial POD -- aerial support-bundle --output - > bundle.tar.gz",
    load: async () => (await import("./support-bundle-command.ts")).runSupportBundleCommand,
  },
  {
    name: "version",
    summary: "print the version",
    positionals: [],
    options: {},
    load: async () => (await import("./version-command.ts")).runVersionCommand,
  },
];
