/** The contract's types. Made by `npm run generate:api` from the contract; not to be edited. */

/** aerial is alive. */
export interface Alive {
  readonly status: "ok";
}

/** `local`: of this machine. `network`: it belongs to no node more than to another. */
export type Attachment = "local" | "network";

/** Where to begin: after an event that the caller has, with what comes next, or with all that is kept. */
export type Beginning = Cursor | "now" | "oldest";

/** Something aerial cannot see on this machine, and why. */
export interface BlindSpot {
  readonly what: string;
  readonly why: string;
}

/** A Bluetooth controller. */
export interface BluetoothController {
  readonly controller: string;

  /** From BlueZ, where it runs. */
  readonly address?: string;
}

/** How sure it is: `certain` and `likely` name kinds, `ambiguous` names candidates, `unknown` neither. */
export type Certainty = "certain" | "likely" | "ambiguous" | "unknown";

/** A node, as the API server knows it. */
export interface ClusterNode {
  readonly name: string;

  /** Whether the kubelet says that it is ready. What a node that is not ready tells may be old. */
  readonly ready: boolean;

  /** `none`: it has no radio, or no aerial. `unreadable`: somebody has changed its list so that it is none. */
  readonly list: "published" | "none" | "unreadable";

  /** Since when its list is as it is. */
  readonly listedAt?: string;

  /** How many radios of it are listed here. */
  readonly radios: Count;

  /** How many more it has that did not fit. */
  readonly omitted: Count;
}

/** A radio of some node, as the API server knows it. */
export interface ClusterRadio {
  /** The node's name. */
  readonly node: string;
  readonly id: string;
  readonly name?: string;
  readonly kinds: readonly RadioKind[];
  readonly certainty: Certainty;
  readonly vendor?: string;
  readonly model?: string;
  readonly state: "present" | "absent" | "bootloader";

  /** As that node names them. */
  readonly devicePaths: readonly string[];

  /** The USB port path, such as `1-1.2`. */
  readonly port?: string;
}

/** The radios of all nodes. Those on the network belong to none and are not here. */
export interface ClusterRadioList {
  /** When the API server was asked: not more often than every few seconds. */
  readonly at: string;

  /** False where there are more nodes than are read. */
  readonly complete: boolean;
  readonly nodes: readonly ClusterNode[];
  readonly radios: readonly ClusterRadio[];
}

/** How things stand with the cluster. */
export interface ClusterState {
  readonly state: "none" | "connecting" | "connected" | "failing";

  /** The API server's address, where one is configured. */
  readonly server?: string;
}

/** Something that is not as it should be. */
export interface Condition {
  /** Dotted and stable, such as `kubernetes.labels.forbidden`. */
  readonly code: string;
  readonly severity: Severity;

  /** What is wrong, and what a person can do. */
  readonly text: string;
  readonly since: string;
}

/** The conditions that hold. */
export interface ConditionList {
  readonly conditions: readonly Condition[];
}

/** A whole number, zero or more. */
export type Count = number;

/** A place in the history, as it came: the history's own id, a dot and a sequence number. */
export type Cursor = string;

/** A device and what identification makes of it. */
export interface Device {
  readonly kinds: readonly RadioKind[];
  readonly certainty: Certainty;

  /** What the same hardware becomes with other firmware. */
  readonly alternatives: readonly RadioKind[];

  /** What an ambiguous device may be; it may also be no radio at all. */
  readonly candidates: readonly RadioKind[];
  readonly vendor?: string;
  readonly model?: string;

  /** The name its usual software has for its driver: `ember`, `zstack`, `deconz`. */
  readonly adapter?: string;
  readonly firmware?: string;
  readonly line?: SerialLine;
  readonly mode: Mode;
  readonly function: DeviceFunction;
  readonly attachment: Attachment;

  /** The kernel's driver. */
  readonly driver?: string;

  /** Device nodes, as the host names them. */
  readonly devicePaths: readonly string[];

  /** The name in `/dev/serial/by-id`. */
  readonly byId?: string;

  /** The USB port path, such as `1-1.2`. */
  readonly port?: string;
  readonly serial?: string;
  readonly usb?: UsbIdentity;
  readonly wifi?: WifiAdapter;
  readonly bluetooth?: BluetoothController;
  readonly ieee802154?: Ieee802154Adapter;
  readonly platform?: PlatformDevice;
  readonly network?: NetworkDevice;

  /** The canonical path below `/sys`; `network/` and host and port for what is on the network. */
  readonly sysPath: string;

  /** Why it is believed to be that. */
  readonly evidence: readonly Evidence[];
}

/** How it is spoken to. */
export type DeviceFunction = "serial" | "spi" | "bluetooth" | "wifi" | "ieee802154" | "usb" | "network";

/** All that one examination said. */
export interface DoctorReport {
  readonly at: string;
  readonly durationMs: number;
  readonly os: OperatingSystem;
  readonly findings: readonly Finding[];

  /** Checks that had nothing to judge, and why. */
  readonly notApplicable: readonly NotApplicable[];
}

/** The configuration aerial runs with. */
export interface EffectiveConfig {
  /** Every key with its value; `config/default.yaml` explains each. Secrets are `***`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Something that has happened to a radio. */
export interface Event {
  /** Its place in the history. */
  readonly id: Cursor;

  /** Rises by one with each. */
  readonly sequence: Count;
  readonly at: string;
  readonly type:
    | "attached"
    | "detached"
    | "reattached"
    | "moved"
    | "identified"
    | "bootloader"
    | "named"
    | "overridden"
    | "leased"
    | "released"
    | "forgotten"
    | "container-restarted"
    | "pod-evicted";
  readonly radioId: string;

  /** One sentence for people. */
  readonly text: string;

  /** Facts for programs. */
  readonly details: Readonly<Record<string, string>>;
}

/** A part of the history. */
export interface EventPage {
  readonly events: readonly Event[];

  /** What to pass as `after` for what comes next, here and to the stream. */
  readonly next: Cursor;
}

/** Why it is believed to be what it is said to be. */
export interface Evidence {
  readonly source: "fingerprint" | "kernel" | "probe" | "override";
  readonly plugin: string;

  /** The row or rule that spoke. */
  readonly rule: string;

  /** 0 to 100: how much of the device's identity the rule matched. */
  readonly score: number;
  readonly detail: string;
}

/** Everything that a key stands for. */
export interface Explanation {
  readonly radios: readonly Radio[];

  /** What is no known radio. */
  readonly others: readonly Device[];
}

/** What a check says of one subject. */
export interface Finding {
  /** The check, such as `THR-05`. */
  readonly id: string;
  readonly level: FindingLevel;

  /** What was asked. */
  readonly title: string;

  /** Where the rule comes from. */
  readonly source: string;
  readonly verdict: Verdict;

  /** What it is about: an interface, a radio's id, a port. Absent: the node. */
  readonly subject?: string;

  /** One sentence. */
  readonly text: string;
  readonly evidence: readonly FindingEvidence[];
  readonly remedy?: Remedy;

  /** The radio it is about. */
  readonly radioId?: string;
}

/** A piece of what a finding rests on. */
export interface FindingEvidence {
  /** Where it was read, such as `/proc/sys/net/ipv6/conf/eth0/accept_ra`. */
  readonly source: string;

  /** What it said. */
  readonly value: string;
}

/** `fail`: something does not work. `warning`: it will not, or may not. `info`: good to know. */
export type FindingLevel = "fail" | "warning" | "info";

/** Findings of the last examination. */
export interface FindingList {
  /** When the machine was examined. */
  readonly at: string;
  readonly findings: readonly Finding[];
}

/** A rule of the ingress firewall. */
export interface FirewallRuleChange {
  readonly change: "firewall-rule";
  readonly name: string;
  readonly port: Count;
  readonly protocol: "udp" | "tcp";
  readonly subnets: readonly string[];
}

/** Which of Kubernetes' two ways a radio goes to a container by. */
export type HandoverWay = "device-plugin" | "resource-claim";

/** Whether aerial is well. */
export interface Health {
  /** `failing`: a condition of severity error holds. `degraded`: one of severity warning. */
  readonly status: "ok" | "degraded" | "failing";
  readonly ready: boolean;

  /** What readiness still waits for; empty when ready. */
  readonly waitingFor: readonly string[];
  readonly conditions: readonly Condition[];
}

/** Something has changed, and may be asked for anew. It has no place in the history and is not told again. */
export interface Hint {
  /** Of radios it is the inventory's; the others begin anew with the daemon. */
  readonly revision: Count;
}

/** Something has changed. */
export interface HintMessage {
  readonly event: "radios" | "conditions" | "findings" | "relay" | "node" | "pods";
  readonly data: Hint;
}

/** Something has happened. */
export interface HistoryMessage {
  readonly event: "history";
  readonly id: Cursor;
  readonly data: Event;
}

/** A process that holds a device node of a radio open. */
export interface Holder {
  readonly pid: Count;

  /** The process's name. */
  readonly name: string;

  /** The device node, as this process sees it. */
  readonly path: string;

  /** The node is gone: unplugged since it was opened. */
  readonly deleted: boolean;

  /** `namespace/name`, where the pod is known. */
  readonly pod?: string;
  readonly podUid?: string;
  readonly containerId?: string;
}

/** An IEEE 802.15.4 adapter that the kernel drives. */
export interface Ieee802154Adapter {
  readonly phy: string;
  readonly interfaces: readonly string[];
}

/** Who may open the radio now. */
export interface Lease {
  readonly holder: "probe" | "bridge" | "pod" | "flash";
  readonly owner: string;
  readonly since: string;
}

/** Whether it runs its radio firmware or waits in its bootloader. */
export type Mode = "application" | "bootloader";

/** A kernel module. */
export interface ModuleChange {
  readonly change: "module";
  readonly name: string;
  readonly parameters?: readonly string[];
}

/** Where something on the network is reached. */
export interface NetworkDevice {
  /** `_slzb-06._tcp`, lower case. */
  readonly service: string;
  readonly instance: string;

  /** TXT, keys in lower case. */
  readonly text: Readonly<Record<string, string>>;

  /** With `.local`. */
  readonly host: string;
  readonly port: Count;
  readonly addresses: readonly string[];

  /** Other services under which the same thing offers itself. */
  readonly others: readonly NetworkOffer[];

  /** Names of the links it was heard on. */
  readonly links: readonly string[];

  /** Of the radio itself, such as its IEEE address. */
  readonly serial?: string;

  /** Of the box it sits in. */
  readonly mac?: string;
}

/** A DNS-SD service under which something offers itself. */
export interface NetworkOffer {
  /** `_slzb-06._tcp`, lower case. */
  readonly service: string;
  readonly instance: string;

  /** TXT, keys in lower case. */
  readonly text: Readonly<Record<string, string>>;
}

/** The node. */
export interface Node {
  readonly name: string;

  /** aerial's version. */
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeSeconds: Count;

  /** The kernel's release, such as `6.18.45-talos`. */
  readonly kernel: string;

  /** Rises with every change of the inventory. */
  readonly revision: Count;

  /** False until the first whole scan since start. */
  readonly complete: boolean;
  readonly counts: NodeCounts;
  readonly blindSpots: readonly BlindSpot[];
  readonly cluster: ClusterState;
  readonly conditions: readonly Condition[];
}

/** How many there are. */
export interface NodeCounts {
  readonly present: Count;
  readonly absent: Count;

  /** Present devices that are no known radio. */
  readonly others: Count;

  /** Present radios that are not the node's own, but on the network; the other numbers leave them out. */
  readonly network: Count;

  /** Present radios by kind; a radio of two kinds counts in both. */
  readonly kinds: Readonly<Record<string, Count>>;
}

/** A check that had nothing to judge. */
export interface NotApplicable {
  readonly id: string;
  readonly title: string;
  readonly why: string;
}

/** The machine's operating system, as os-release has it. */
export interface OperatingSystem {
  readonly id: string;
  readonly version?: string;
  readonly name: string;
}

/** What the device tree says. */
export interface PlatformDevice {
  /** Most specific first. */
  readonly compatible: readonly string[];

  /** The board, such as `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly board?: string;
}

/** A plugin, which knows radios. */
export interface Plugin {
  readonly name: string;

  /** `built-in`: it comes with aerial. */
  readonly origin: "built-in" | "file";

  /** The file it comes from. */
  readonly path?: string;

  /** `failed`: it could not be loaded, or was cut off; a condition says why. */
  readonly state: "running" | "failed";

  /** Rows by which it recognizes radios. */
  readonly fingerprints: Count;

  /** What is wrong with it. */
  readonly conditions: readonly Condition[];
}

/** The plugins. */
export interface PluginList {
  readonly plugins: readonly Plugin[];
}

/** What went wrong (RFC 9457). */
export interface Problem {
  /** `about:blank`: `status` and `code` say what kind it is. */
  readonly type: string;

  /** The status in words. */
  readonly title: string;

  /** The HTTP status. */
  readonly status: Count;

  /** What was tried, and what came of it. */
  readonly detail: string;

  /** aerial's own stable code, such as `inventory.unknown-radio`. */
  readonly code?: string;

  /** What a person can do. */
  readonly hint?: string;
}

/** A radio, remembered across replug, reboot and restart. */
export interface Radio {
  /** Stable; letters, digits, `-`, `.` and `_`, at most 63 characters. */
  readonly id: string;

  /** What the id was made from. `port` and `name`: it stands for whatever is in that port, or answers by that name. */
  readonly idBasis: "serial" | "port" | "path" | "name";

  /** Given by people. */
  readonly name?: string;
  readonly state: RadioState;

  /** Set while absent: when it was first missed. */
  readonly absentSince?: string;
  readonly lease?: Lease;

  /** The extended resource by which pods ask for it, such as `radio.mi.house/zigbee`; left out where it can't be handed to one. */
  readonly resource?: string;

  /** Containers that were given it. */
  readonly handedTo: readonly RadioHolding[];
  readonly firstSeen: string;

  /** While present: when something about it last changed. While absent: the last scan that had it. */
  readonly lastSeen: string;
  readonly kinds: readonly RadioKind[];
  readonly certainty: Certainty;

  /** What the same hardware becomes with other firmware. */
  readonly alternatives: readonly RadioKind[];

  /** What an ambiguous device may be; it may also be no radio at all. */
  readonly candidates: readonly RadioKind[];
  readonly vendor?: string;
  readonly model?: string;

  /** The name its usual software has for its driver: `ember`, `zstack`, `deconz`. */
  readonly adapter?: string;
  readonly firmware?: string;
  readonly line?: SerialLine;
  readonly mode: Mode;
  readonly function: DeviceFunction;
  readonly attachment: Attachment;

  /** The kernel's driver. */
  readonly driver?: string;

  /** Device nodes, as the host names them. */
  readonly devicePaths: readonly string[];

  /** The name in `/dev/serial/by-id`. */
  readonly byId?: string;

  /** The USB port path, such as `1-1.2`. */
  readonly port?: string;
  readonly serial?: string;
  readonly usb?: UsbIdentity;
  readonly wifi?: WifiAdapter;
  readonly bluetooth?: BluetoothController;
  readonly ieee802154?: Ieee802154Adapter;
  readonly platform?: PlatformDevice;
  readonly network?: NetworkDevice;

  /** The canonical path below `/sys`; `network/` and host and port for what is on the network. */
  readonly sysPath: string;

  /** Why it is believed to be that. */
  readonly evidence: readonly Evidence[];
}

/** What is to be different. What is left out stays as it is; `null` takes back what was set. */
export interface RadioChange {
  /** What people call it: at most 63 printable characters, unlike any other radio's name or id. */
  readonly name?: string | null;

  /** What it is, known better than aerial does. */
  readonly kind?: string | null;
}

/** A radio, who holds it, and what has happened to it. */
export interface RadioDetail {
  /** Stable; letters, digits, `-`, `.` and `_`, at most 63 characters. */
  readonly id: string;

  /** What the id was made from. `port` and `name`: it stands for whatever is in that port, or answers by that name. */
  readonly idBasis: "serial" | "port" | "path" | "name";

  /** Given by people. */
  readonly name?: string;
  readonly state: RadioState;

  /** Set while absent: when it was first missed. */
  readonly absentSince?: string;
  readonly lease?: Lease;

  /** The extended resource by which pods ask for it, such as `radio.mi.house/zigbee`; left out where it can't be handed to one. */
  readonly resource?: string;

  /** Containers that were given it. */
  readonly handedTo: readonly RadioHolding[];
  readonly firstSeen: string;

  /** While present: when something about it last changed. While absent: the last scan that had it. */
  readonly lastSeen: string;
  readonly kinds: readonly RadioKind[];
  readonly certainty: Certainty;

  /** What the same hardware becomes with other firmware. */
  readonly alternatives: readonly RadioKind[];

  /** What an ambiguous device may be; it may also be no radio at all. */
  readonly candidates: readonly RadioKind[];
  readonly vendor?: string;
  readonly model?: string;

  /** The name its usual software has for its driver: `ember`, `zstack`, `deconz`. */
  readonly adapter?: string;
  readonly firmware?: string;
  readonly line?: SerialLine;
  readonly mode: Mode;
  readonly function: DeviceFunction;
  readonly attachment: Attachment;

  /** The kernel's driver. */
  readonly driver?: string;

  /** Device nodes, as the host names them. */
  readonly devicePaths: readonly string[];

  /** The name in `/dev/serial/by-id`. */
  readonly byId?: string;

  /** The USB port path, such as `1-1.2`. */
  readonly port?: string;
  readonly serial?: string;
  readonly usb?: UsbIdentity;
  readonly wifi?: WifiAdapter;
  readonly bluetooth?: BluetoothController;
  readonly ieee802154?: Ieee802154Adapter;
  readonly platform?: PlatformDevice;
  readonly network?: NetworkDevice;

  /** The canonical path below `/sys`; `network/` and host and port for what is on the network. */
  readonly sysPath: string;

  /** Why it is believed to be that. */
  readonly evidence: readonly Evidence[];

  /** Processes that hold its device nodes open. */
  readonly holders: readonly Holder[];

  /** Set where nobody can tell who holds it: why. */
  readonly holdersUnknown?: string;

  /** What last happened to it, newest first. */
  readonly recent: readonly Event[];
}

/** A container that was given a radio. */
export interface RadioHolding {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly way: HandoverWay;

  /** What was asked for: the extended resource, such as `radio.mi.house/zigbee`, or the name of the claim. */
  readonly request: string;

  /** When aerial first saw it. */
  readonly since: string;
}

/** A kind of radio: `zigbee`, `thread`, `zwave`, `lora`, `bluetooth`, `wifi`; plugins add their own. */
export type RadioKind = string;

/** Radios at a revision. */
export interface RadioList {
  /** Rises with every change of the inventory. */
  readonly revision: Count;

  /** False until the first whole scan since start. */
  readonly complete: boolean;
  readonly radios: readonly Radio[];
}

/** A pod of the cluster that asks for radios. */
export interface RadioPod {
  readonly namespace: string;
  readonly name: string;

  /** Where it was scheduled. */
  readonly node?: string;
  readonly phase: "pending" | "running" | "succeeded" | "failed" | "unknown";
  readonly wants: readonly RadioRequest[];

  /** Ids of the radios it was given, as far as this node's kubelet and the claims tell. */
  readonly holds: readonly string[];

  /** One sentence for people: why it does not run, and what would help. */
  readonly waiting?: string;
}

/** The pods of the cluster that ask for radios. */
export interface RadioPodList {
  /** When the API server was asked: not more often than every few seconds. */
  readonly at: string;

  /** False where there are more pods than are read, or where claims could not be. */
  readonly complete: boolean;
  readonly pods: readonly RadioPod[];
}

/** What a pod asks for. */
export interface RadioRequest {
  readonly way: HandoverWay;

  /** The extended resource, such as `radio.mi.house/zigbee`, or the name of the claim. */
  readonly request: string;

  /** How many radios. 0: as many as there are. */
  readonly count: Count;
}

/** Whether it is there. */
export type RadioState = "present" | "absent" | "bootloader";

/** The stream begins. */
export interface ReadyMessage {
  readonly event: "ready";
  readonly id: Cursor;
  readonly data: StreamReady;
}

/** A link that is listened on and sent to. */
export interface RelayLink {
  /** As configured: what rules call it. */
  readonly name: string;

  /** The kernel's name of the interface; absent while there is none. */
  readonly interface?: string;
  readonly vlan?: Count;
  readonly mtu?: Count;
  readonly addresses: readonly string[];
  readonly state: "up" | "down" | "absent" | "failed";

  /** What is missing: everything where it is not up, else what is not relayed of some protocols or families. */
  readonly why?: string;

  /** Packets heard, by what became of them. */
  readonly heard: Readonly<Record<string, Count>>;
  readonly sent: Count;

  /** Lost in the kernel because nobody read fast enough. */
  readonly overrun: Count;
}

/** Two links, and who carries between them. */
export interface RelayPair {
  readonly links: readonly string[];

  /** Absent when it is so for both. */
  readonly family?: 4 | 6;
  readonly role: "active" | "standby";

  /** Who relays instead, or by what right we do. */
  readonly why: string;
  readonly since: string;
}

/** What is carried. */
export type RelayProtocol = "mdns" | "ssdp" | "wsd" | "sonos";

/** A rule, and how often it held. */
export interface RelayRule {
  /** One line, as it was expanded. */
  readonly text: string;
  readonly hits: Count;
}

/** How the relay stands. */
export interface RelayStatus {
  readonly id: string;
  readonly protocols: readonly RelayProtocol[];
  readonly links: readonly RelayLink[];
  readonly pairs: readonly RelayPair[];
  readonly rules: readonly RelayRule[];

  /** Searches whose answers are awaited. */
  readonly searches: Count;
  readonly services: Count;
}

/** Why a packet, or a part of one, went no further; `relayed` when it did. */
export type RelayVerdict =
  | "relayed"
  | "trimmed"
  | "own"
  | "off-link"
  | "wrong-port"
  | "malformed"
  | "too-large"
  | "echo"
  | "rate"
  | "rule"
  | "scope"
  | "multi-homed"
  | "standby"
  | "nobody"
  | "send-failed";

/** How it is mended. */
export interface Remedy {
  /** What to do. */
  readonly text: string;

  /** What a machine-config patch can do about it; the patch itself is at `/api/v1/doctor/patch`. */
  readonly talos?: readonly TalosChange[];

  /** Shell commands for a Linux that is not Talos. */
  readonly linux?: readonly string[];
}

/** What a scan came to. */
export interface RescanResult {
  /** The inventory's, once the scan was published. */
  readonly revision: Count;

  /** How long it took, waiting included. */
  readonly durationMs: number;
}

/** The stream goes on elsewhere. */
export interface ResetMessage {
  readonly event: "reset";
  readonly id: Cursor;
  readonly data: StreamReset;
}

/** A word somebody types to find something by. */
export type Searched = string;

/** Something that offers itself on a link: a DNS-SD instance or a UPnP device. */
export interface SeenService {
  readonly protocol: RelayProtocol;

  /** `_hap._tcp`, or a UPnP type. */
  readonly service: string;

  /** The instance's name in plain text, or the UPnP device's uuid. */
  readonly instance: string;
  readonly host?: string;
  readonly port?: Count;
  readonly addresses: readonly string[];

  /** DNS-SD TXT, keys in lower case, or UPnP headers such as `location`. */
  readonly text: Readonly<Record<string, string>>;

  /** Set while a part of it has not been heard yet. */
  readonly unresolved?: boolean;

  /** The link it was heard on. */
  readonly link: string;
  readonly lastSeen: string;

  /** When it is forgotten if not heard again. */
  readonly expires: string;
  readonly relayedTo: readonly string[];
}

/** Serial line settings; 8 data bits, no parity, 1 stop bit everywhere. */
export interface SerialLine {
  readonly baudRate: Count;
  readonly rtscts: boolean;
}

/** How much it matters. */
export type Severity = "info" | "warning" | "error";

/** A message of the WebSocket, and what the stream has in `event`, `id` and `data`. */
export type StreamMessage = HistoryMessage | HintMessage | ReadyMessage | ResetMessage;

/** The first message of a stream. */
export interface StreamReady {
  /** The stream goes on after this. */
  readonly from: Cursor;

  /** The last event there is now. */
  readonly newest: Cursor;

  /** By what has one: `radios`, `conditions`, `findings`, `relay`, `node`, `pods`. */
  readonly revisions: Readonly<Record<string, Count>>;
}

/** The stream can't go on where its reader left off. */
export interface StreamReset {
  readonly reason: "other-history" | "ahead" | "expired" | "unreadable";

  /** The stream goes on after this. */
  readonly from: Cursor;

  /** Events that are no longer kept, where that can be told. */
  readonly missed?: Count;

  /** What to do. */
  readonly text: string;
}

/** A kernel parameter. */
export interface SysctlChange {
  readonly change: "sysctl";
  readonly name: string;
  readonly value: string;
}

/** A file below `/sys`. */
export interface SysfsChange {
  readonly change: "sysfs";
  readonly name: string;
  readonly value: string;
}

/** A change of Talos' machine configuration. */
export type TalosChange = SysctlChange | ModuleChange | UdevRuleChange | SysfsChange | VlanChange | FirewallRuleChange;

/** The forms of Talos' machine configuration. */
export type TalosVersion = "1.12" | "1.13" | "1.14";

/** Nothing was heard. */
export interface TraceHeartbeat {
  readonly type: "heartbeat";
}

/** A line of the trace. `lost`: so many would have come here, but the reader was too slow. */
export type TraceLine = TracedPacket | TraceLost | TraceHeartbeat;

/** Lines that the reader was too slow for. */
export interface TraceLost {
  readonly type: "lost";
  readonly lines: Count;
}

/** One packet and what became of it. */
export interface TracedPacket {
  readonly type: "packet";
  readonly at: string;
  readonly protocol: RelayProtocol;
  readonly family: 4 | 6;
  readonly from: string;
  readonly source: string;
  readonly bytes: Count;

  /** What it says, such as `query _hap._tcp.local PTR`. */
  readonly what: string;
  readonly to?: string;
  readonly verdict: RelayVerdict;
  readonly why?: string;
}

/** A rule of udev. */
export interface UdevRuleChange {
  readonly change: "udev-rule";
  readonly rule: string;
}

/** Identity of a USB device, as it gives it. */
export interface UsbIdentity {
  /** Four lower-case hex digits. */
  readonly vendorId: string;

  /** Four lower-case hex digits. */
  readonly productId: string;

  /** bcdDevice, four hex digits. */
  readonly release?: string;
  readonly manufacturer?: string;
  readonly product?: string;

  /** The interface this function hangs on; absent when the whole device is meant. */
  readonly interfaceNumber?: Count;
}

/** `unknown`: nobody can tell, and the finding says why. */
export type Verdict = "pass" | "fail" | "unknown";

/** A VLAN interface. */
export interface VlanChange {
  readonly change: "vlan";
  readonly name: string;
  readonly id: Count;
  readonly parent: string;
  readonly mtu?: Count;
}

/** A radio that came, changed, or was forgotten. */
export interface WatchChange {
  readonly type: "added" | "changed" | "removed";
  readonly revision: Count;
  readonly radio: Radio;
}

/** Nothing has changed. */
export interface WatchHeartbeat {
  readonly type: "heartbeat";
  readonly revision: Count;
}

/** A line of the watch: everything there is; then what changes. `heartbeat` only shows that the connection lives. */
export type WatchLine = WatchSnapshot | WatchChange | WatchHeartbeat;

/** The first line, and whenever everything must be told anew. */
export interface WatchSnapshot {
  readonly type: "snapshot";

  /** Rises with every change of the inventory. */
  readonly revision: Count;

  /** False until the first whole scan since start. */
  readonly complete: boolean;
  readonly radios: readonly Radio[];
}

/** A Wi-Fi adapter. */
export interface WifiAdapter {
  readonly phy: string;
  readonly interfaces: readonly string[];

  /** Whether it can be an access point; absent where that could not be asked. */
  readonly accessPoint?: boolean;
}

type NoFields = Readonly<Record<string, never>>;

/** What each operation takes, and what it gives when all is well. */
export interface Operations {
  /** List the radios of all nodes. */
  readonly listClusterRadios: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: ClusterRadioList;
  };

  /** List what is not as it should be with aerial itself. */
  readonly listConditions: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: ConditionList;
  };

  /** Show the configuration aerial runs with: file, environment and defaults taken together. */
  readonly getConfig: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: EffectiveConfig;
  };

  /** Show the last examination of this machine. One that is older than a minute is repeated first. */
  readonly getDoctorReport: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: DoctorReport;
  };

  /** Examine this machine now. */
  readonly runDoctor: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: DoctorReport;
  };

  /** Write one Talos machine-config patch for everything that a patch can mend, or for what one check found. */
  readonly getDoctorPatch: {
    readonly path: NoFields;
    readonly query: {
      /** The form of the machine configuration; left out, that of this machine or else the newest. */
      readonly version?: TalosVersion;

      /** Only for what this check found, such as `THR-05`. */
      readonly check?: string;
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: string;
  };

  /** List what has happened, a page at a time. */
  readonly listEvents: {
    readonly path: NoFields;
    readonly query: {
      /** Only what came after this. */
      readonly after?: Cursor;

      /** At most this many. */
      readonly limit?: number;

      /** Only what happened to the radio with this id. */
      readonly radio?: string;

      /** `oldest` first, or the newest ones there are, newest first. */
      readonly order?: "oldest" | "newest";
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: EventPage;
  };

  /**
   * Follow what happens, over a WebSocket (RFC 6455). Each message is a `StreamMessage`; all else is as with server-sent events.
   *
   * Without `after` the client's first message says where to begin: `{"after": "oldest"}`, or `now`, or the id of an event. It
   * has nothing else to say. After 15 seconds of silence there is a ping; who has not answered it by the next is gone.
   *
   * Close codes: 1001 aerial stops; 1003 the message was not text; 1009 it was longer than 1 KiB; 4400 it was not understood,
   * or not the first; 4408 none came within 10 seconds. Who is cut off for taking nothing gets none.
   */
  readonly followEvents: {
    readonly path: NoFields;
    readonly query: {
      /** Where to begin; left out, the first message of the client says it. */
      readonly after?: Beginning;
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: undefined;
  };

  /**
   * Follow what happens, as server-sent events (WHATWG HTML §9.2).
   *
   * It begins with `ready`. `history` carries an `Event`, with its cursor as `id`: a reader that comes again with
   * `Last-Event-ID` is told all that it has missed, each once; where that can't be, `reset` says why. `radios`, `conditions`,
   * `findings`, `relay`, `node` and `pods` carry a `Hint`: who shows them asks for them anew. `pods`: other containers have
   * radios than before.
   *
   * Only what is safely stored is told as `history`. While the disk cannot be written (the condition `inventory.not-stored`)
   * there are hints, and the events follow once they are stored.
   *
   * After 15 seconds of silence there is a comment; `retry` says how long to wait before coming again. A reader that takes
   * nothing for 10 seconds is cut off, and comes again with the last id it has. With 256 readers of this and the WebSocket
   * there is 503 for the next.
   */
  readonly streamEvents: {
    readonly path: NoFields;
    readonly query: {
      /** Where to begin; `now` unless said. */
      readonly after?: Beginning;
    };
    readonly header: {
      /** The id of the last event that was read: what came after it is told first. It goes before `after`. */
      readonly "last-event-id"?: string;
    };
    readonly body: undefined;
    readonly result: undefined;
  };

  /** List findings of the last examination, which is repeated first where it is older than a minute. */
  readonly listFindings: {
    readonly path: NoFields;
    readonly query: {
      /** Only those with this verdict. */
      readonly verdict?: Verdict;

      /** Only those of this level. */
      readonly level?: FindingLevel;

      /** Only those about the radio with this id. */
      readonly radio?: string;
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: FindingList;
  };

  /** Show the node: what runs here, how many radios there are, what cannot be seen. */
  readonly getNode: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Node;
  };

  /** List the plugins. */
  readonly listPlugins: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: PluginList;
  };

  /** List the pods of the cluster that ask for radios, those that wait with the reason. */
  readonly listRadioPods: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: RadioPodList;
  };

  /**
   * List radios: all that are known, absent ones too. The answer has an `ETag`: asked again with `If-None-Match`, it is told in
   * a few bytes that nothing has changed.
   */
  readonly listRadios: {
    readonly path: NoFields;
    readonly query: {
      /** Only those of this kind. */
      readonly kind?: string;

      /** Only those in this state. */
      readonly state?: RadioState;

      /** Only those in which this text is found: in id, name, vendor, model, serial number, paths or host. Case does not matter. */
      readonly text?: string;
    };
    readonly header: {
      /** The `ETag` of the answer that the caller has. */
      readonly "if-none-match"?: string;
    };
    readonly body: undefined;
    readonly result: RadioList;
  };

  /** Show a radio: all about it, who holds it open, and what has happened to it. */
  readonly getRadio: {
    readonly path: {
      /** The radio's id or name. */
      readonly key: string;
    };
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: RadioDetail;
  };

  /** Name a radio, or say what kind it is (RFC 7396, JSON Merge Patch). */
  readonly updateRadio: {
    readonly path: {
      /** The radio's id or name. */
      readonly key: string;
    };
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: RadioChange;
    readonly result: Radio;
  };

  /**
   * Explain what something is, and why: everything, radio or not, that goes by an id, a name, a device node, a by-id name, a
   * USB port, a serial number, a sysfs path, a controller, an interface, a host or an address.
   */
  readonly explainRadio: {
    readonly path: {
      /** The radio's id or name. */
      readonly key: string;
    };
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Explanation;
  };

  /** Show the relay: links, who carries between them, rules and counters. */
  readonly getRelay: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: RelayStatus;
  };

  /** List the services heard lately. */
  readonly listRelayServices: {
    readonly path: NoFields;
    readonly query: {
      /** Only those whose type contains this. Case does not matter. */
      readonly service?: Searched;

      /** Only those heard on this link. */
      readonly link?: Searched;
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: readonly SeenService[];
  };

  /** Follow the packets: lines of JSON, each with what became of one. */
  readonly traceRelay: {
    readonly path: NoFields;
    readonly query: {
      /** Only those that came from or went to this link. */
      readonly link?: Searched;

      /** Only those that say this. Case does not matter. */
      readonly service?: Searched;

      /** Only those of which this became. */
      readonly verdict?: RelayVerdict;
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: undefined;
  };

  /** Look for devices now. Answers when a whole scan that began after the request has been published. */
  readonly rescan: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: RescanResult;
  };

  /**
   * Put together all that a bug report needs, in one archive: state, history, conditions, the doctor's report, measurements,
   * the log and facts of the kernel. Serial numbers and addresses are replaced by tokens that are the same throughout the
   * archive; secrets are left out. A file in it says what was taken out.
   */
  readonly createSupportBundle: {
    readonly path: NoFields;
    readonly query: {
      /** `hide`: names that people have given to nodes and radios are taken out too. */
      readonly names?: "keep" | "hide";
    };
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Uint8Array;
  };

  /** Follow the radios: lines of JSON, the first with everything there is, the others with what changes. */
  readonly watchRadios: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: undefined;
  };

  /** This description, to read in a browser. */
  readonly getDocs: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: string;
  };

  /** What is wrong, if anything. Answers 200 whatever it is. */
  readonly getHealth: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Health;
  };

  /** Whether aerial is alive: for a liveness probe. What is wrong outside of aerial does not matter to it, since a restart would not mend it. */
  readonly getLiveness: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Alive;
  };

  /** Measurements, asked for anew with each scrape: in the text format of Prometheus, or in OpenMetrics where that is preferred. */
  readonly getMetrics: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: string;
  };

  /** This description, as OpenAPI 3.1. */
  readonly getOpenApi: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Readonly<Record<string, unknown>>;
  };

  /**
   * Whether aerial has done what others wait for: one whole scan, and the labels of it where there is a cluster. For a
   * readiness probe, and so for whoever waits for the DaemonSet. The answer always says for what it waits.
   */
  readonly getReadiness: {
    readonly path: NoFields;
    readonly query: NoFields;
    readonly header: NoFields;
    readonly body: undefined;
    readonly result: Health;
  };
}
