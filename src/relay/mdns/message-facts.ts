/** What each question and record of a message is about, worked out once for all the links it may cross to. */
import type { AddressFamily } from "../../core/relay.ts";
import { type DnsMessage, type DnsName, type DnsRecord, recordType } from "../dns/dns-message.ts";
import type { RelayDirection, RelaySubject } from "../rules/relay-rule.ts";
import { isUsableAddress } from "./is-usable-address.ts";
import { isLinkLocalReverse, type NameParts, toNameParts, toText } from "./name-parts.ts";

interface QuestionFacts {
  readonly subject: RelaySubject;
  /** The host asked for. */
  readonly host?: DnsName;
  /** A reverse name that means nothing on another link. */
  readonly unusable: boolean;
}

interface RecordFacts {
  readonly role: "pointer" | "server" | "instance" | "address" | "host" | "option" | "other";
  readonly subject: RelaySubject;
  /** The instance it describes or points at. */
  readonly instance?: DnsName;
  /** The host it belongs to, or that an SRV record targets. */
  readonly host?: DnsName;
  readonly address?: Uint8Array;
  /** It says something that does not hold on another link. */
  readonly unusable: boolean;
}

export interface MessageFacts {
  readonly questions: readonly QuestionFacts[];
  readonly records: readonly RecordFacts[];
}

export interface Sender {
  readonly family: AddressFamily;
  readonly source: Uint8Array;
}

/** Of the last message, which goes from link to link before the next one. A WeakMap would cost more than the facts. */
let last: { readonly message: DnsMessage; readonly facts: MessageFacts } | undefined;

/** The same message, asked about in a row, gives the same facts. */
export function messageFacts(message: DnsMessage, sender: Sender): MessageFacts {
  if (last?.message === message) return last.facts;
  const reader = new FactsReader(message, sender);
  const facts = {
    questions: message.questions.map(({ name }) => reader.question(name)),
    records: message.records.map((record) => reader.record(record)),
  };
  last = { message, facts };
  return facts;
}

/** Its names become text when a rule asks for them. */
class NamedSubject implements RelaySubject {
  readonly protocol = "mdns";
  readonly family: AddressFamily;
  readonly source: Uint8Array;
  readonly direction: RelayDirection;
  readonly services: readonly string[];
  readonly record: boolean;
  readonly #message: FactsReader;
  readonly #about: About;

  constructor(message: FactsReader, about: About, record: boolean) {
    this.family = message.sender.family;
    this.source = message.sender.source;
    this.direction = message.direction;
    this.services = about.services;
    this.record = record;
    this.#message = message;
    this.#about = about;
  }

  get instance(): string | undefined {
    const { instance } = this.#about;
    return instance === undefined ? undefined : toText(instance);
  }

  get host(): string | undefined {
    const { host, of } = this.#about;
    const own = host ?? (of === undefined ? undefined : this.#message.hostOf(of));
    return own === undefined ? undefined : toText(own);
  }
}

/** `instance` and `host` as in keys. */
interface About {
  readonly services: readonly string[];
  readonly instance?: string | undefined;
  readonly host?: string | undefined;
  /** The whole name of the instance, where only an SRV record beside it tells its host. */
  readonly of?: DnsName | undefined;
}

const nothing: About = { services: [] };

class FactsReader {
  readonly sender: Sender;
  readonly direction: RelayDirection;
  readonly #message: DnsMessage;
  readonly #names = new Map<DnsName, NameParts>();
  #hosts: ReadonlyMap<string, string> | undefined;

  constructor(message: DnsMessage, sender: Sender) {
    this.sender = sender;
    this.#message = message;
    // An answer to a one-shot query repeats its question (RFC 6762 §6.7), which asks nobody there.
    this.direction = message.response ? "offer" : "ask";
  }

  /** The host of an instance, as in keys, where an SRV record of the message has it. Worked out when a rule asks for hosts. */
  hostOf({ key }: DnsName): string | undefined {
    this.#hosts ??= this.#readHosts();
    return this.#hosts.get(key);
  }

  #readHosts(): ReadonlyMap<string, string> {
    const hosts = new Map<string, string>();
    for (const { name, type, target } of this.#message.records) {
      if (type !== recordType.SRV || target === undefined || hosts.has(name.key)) continue;
      const { kind, own } = this.#partsOf(target);
      if (kind === "host" && own !== undefined) hosts.set(name.key, own);
    }
    return hosts;
  }

  question(name: DnsName): QuestionFacts {
    const parts = this.#partsOf(name);
    const subject = new NamedSubject(this, toAbout(parts), false);
    if (parts.kind === "host") return { subject, host: name, unusable: false };
    return { subject, unusable: parts.kind === "reverse" && isLinkLocalReverse(name.key) };
  }

  record(record: DnsRecord): RecordFacts {
    const { name, type, target } = record;
    if (type === recordType.OPT) return { role: "option", subject: this.#subject(nothing), unusable: false };
    const parts = this.#partsOf(name);
    if (type === recordType.PTR && target !== undefined) return this.#pointer(record, parts, target);
    if (parts.kind === "instance" && type === recordType.SRV && target !== undefined) {
      const to = this.#partsOf(target);
      const subject = this.#subject({ services: parts.services, instance: parts.own, ...(to.kind === "host" && { host: to.own }) });
      return { role: "server", subject, instance: name, host: target, unusable: false };
    }
    if (parts.kind === "instance") {
      return {
        role: "instance",
        subject: this.#subject({ services: parts.services, instance: parts.own, of: name }),
        instance: name,
        unusable: false,
      };
    }
    const subject = this.#subject(toAbout(parts));
    if (parts.kind !== "host") return { role: "other", subject, unusable: parts.kind === "reverse" && isLinkLocalReverse(name.key) };
    if (type !== recordType.A && type !== recordType.AAAA) return { role: "host", subject, host: name, unusable: false };
    const address = this.#message.bytes.subarray(record.dataStart, record.end);
    return { role: "address", subject, host: name, address, unusable: !isUsableAddress(address) };
  }

  #pointer({ name }: DnsRecord, parts: NameParts, target: DnsName): RecordFacts {
    const to = this.#partsOf(target);
    if (parts.kind === "reverse") {
      const subject = this.#subject(to.kind === "host" ? { services: [], host: to.own } : nothing);
      return { role: "host", subject, host: target, unusable: isLinkLocalReverse(name.key) };
    }
    const own = parts.kind === "types" ? [] : parts.services;
    // A pointer from one type to an instance of another is about both.
    const services = own[0] === to.services[0] ? own : [...own, ...to.services];
    if (to.kind !== "instance") return { role: "pointer", subject: this.#subject({ services }), unusable: false };
    return { role: "pointer", subject: this.#subject({ services, instance: to.own, of: target }), instance: target, unusable: false };
  }

  #partsOf(name: DnsName): NameParts {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const parts = toNameParts(name.key);
    this.#names.set(name, parts);
    return parts;
  }

  #subject(about: About): RelaySubject {
    return new NamedSubject(this, about, true);
  }
}

function toAbout({ kind, services, own }: NameParts): About {
  if (kind === "host") return { services, host: own };
  return kind === "instance" ? { services, instance: own } : { services };
}
