/** What each question and record of a message is about, worked out once for all the links it may cross to. */
import { type DnsMessage, type DnsName, type DnsRecord, recordType } from "../dns/dns-message.ts";
import { isUsableAddress } from "./is-usable-address.ts";
import { type NameParts, toNameParts } from "./name-parts.ts";

/** What rules are asked about. */
export interface Named {
  readonly services: readonly string[];
  readonly instance?: string;
  readonly host?: string;
}

export interface QuestionFacts {
  readonly named: Named;
  /** The host asked for, as `DnsName.key`. */
  readonly hostKey?: string;
  /** A reverse name that means nothing on another link. */
  readonly unusable: boolean;
}

export interface RecordFacts {
  readonly role: "pointer" | "server" | "instance" | "address" | "host" | "option" | "other";
  readonly named: Named;
  /** The instance it describes or points at, as `DnsName.key`. */
  readonly instanceKey?: string;
  /** The host it belongs to, or that an SRV record targets. */
  readonly hostKey?: string;
  readonly address?: Uint8Array;
  /** It says something that does not hold on another link. */
  readonly unusable: boolean;
}

export interface MessageFacts {
  readonly questions: readonly QuestionFacts[];
  readonly records: readonly RecordFacts[];
}

const remembered = new WeakMap<DnsMessage, MessageFacts>();

/** The same message gives the same facts. */
export function messageFacts(message: DnsMessage): MessageFacts {
  const known = remembered.get(message);
  if (known !== undefined) return known;
  const names = new Map<DnsName, NameParts>();
  const partsOf = (name: DnsName): NameParts => {
    const found = names.get(name) ?? toNameParts(name);
    names.set(name, found);
    return found;
  };
  const facts = {
    questions: message.questions.map(({ name }) => questionFacts(name.key, partsOf(name))),
    records: message.records.map((record) => recordFacts(record, message.bytes, partsOf)),
  };
  remembered.set(message, facts);
  return facts;
}

function questionFacts(key: string, parts: NameParts): QuestionFacts {
  const unusable = parts.kind === "reverse" && parts.linkLocal;
  return parts.kind === "host" ? { named: toNamed(parts), hostKey: key, unusable } : { named: toNamed(parts), unusable };
}

function recordFacts(record: DnsRecord, bytes: Uint8Array, partsOf: (name: DnsName) => NameParts): RecordFacts {
  const { name, type, target } = record;
  if (type === recordType.OPT) return { role: "option", named: nothing, unusable: false };
  const parts = partsOf(name);
  if (type === recordType.PTR && target !== undefined) return pointerFacts(target, parts, partsOf(target));
  const named = toNamed(parts);
  if (parts.kind === "instance") {
    if (type !== recordType.SRV || target === undefined) return { role: "instance", named, instanceKey: name.key, unusable: false };
    const to = partsOf(target);
    const server = to.kind === "host" ? { ...named, host: to.host } : named;
    return { role: "server", named: server, instanceKey: name.key, hostKey: target.key, unusable: false };
  }
  if (parts.kind !== "host") return { role: "other", named, unusable: parts.kind === "reverse" && parts.linkLocal };
  if (type !== recordType.A && type !== recordType.AAAA) return { role: "host", named, hostKey: name.key, unusable: false };
  const address = bytes.subarray(record.dataStart, record.end);
  return { role: "address", named, hostKey: name.key, address, unusable: !isUsableAddress(address) };
}

function pointerFacts(target: DnsName, parts: NameParts, to: NameParts): RecordFacts {
  if (parts.kind === "reverse") {
    return {
      role: "host",
      named: { services: [], ...("host" in to && { host: to.host }) },
      hostKey: target.key,
      unusable: parts.linkLocal,
    };
  }
  const own = parts.kind === "type" || parts.kind === "instance" ? [parts.service] : [];
  const pointed = "service" in to ? [to.service] : [];
  // A pointer from one type to an instance of another is about both.
  const services = own[0] === pointed[0] ? own : [...own, ...pointed];
  if (to.kind !== "instance") return { role: "pointer", named: { services }, unusable: false };
  return { role: "pointer", named: { services, instance: to.instance }, instanceKey: target.key, unusable: false };
}

const nothing: Named = { services: [] };

function toNamed(parts: NameParts): Named {
  if (parts.kind === "host") return { services: [], host: parts.host };
  if (parts.kind === "instance") return { services: [parts.service], instance: parts.instance };
  return "service" in parts ? { services: [parts.service] } : nothing;
}
