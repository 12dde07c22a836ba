/**
 * DNS-SD instances out of the records of accepted responses (RFC 6763, RFC 6762 §10). Runs for each packet: what says nothing new
 * costs a look-up and a comparison a record. IPv4 and IPv6 share a table, since they tell of the same services.
 */
import { formatAddress } from "../../host/ip-address.ts";
import { recordType, type DnsMessage, type DnsName, type DnsRecord } from "../dns/dns-message.ts";
import {
  goodbyeMs,
  longestLifeMs,
  ownerOf,
  ownText,
  type Hearing,
  type SeenAddress,
  type SeenHost,
  type SeenInstance,
  type SeenLink,
  type SeenTable,
} from "./seen-entries.ts";

/** Called for each record that offers an instance, with its index: its PTR and its SRV. */
type OfferListener = (instance: SeenInstance, record: number) => void;

/** RFC 6763 §6.2 advises to stay below it; what comes after is not kept. */
const longestText = 1_300;
/** Nobody needs more addresses of one host. */
const mostAddresses = 16;
/** RFC 6762 §10.2: records that came together a moment ago belong together. */
const flushGraceMs = 1_000;

const internet = 1;

interface Context {
  readonly table: SeenTable;
  readonly link: SeenLink;
  readonly hearing: Hearing;
  readonly message: DnsMessage;
}

/** What a response is held against, and who wants to know. */
export interface DnsListener {
  readonly table: SeenTable;
  readonly offered: OfferListener;
}

export function hearDnsResponse({ table, offered }: DnsListener, message: DnsMessage, hearing: Hearing): void {
  const context: Context = { table, link: table.linkOf(hearing.link), hearing, message };
  const { records } = message;
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index];
    if (record === undefined || record.class !== internet) continue;
    let instance: SeenInstance | undefined;
    if (record.type === recordType.PTR) instance = hearPointer(context, record);
    else if (record.type === recordType.SRV) instance = hearSrv(context, record);
    else if (record.type === recordType.TXT) hearText(context, record);
    else if (record.type === recordType.A || record.type === recordType.AAAA) hearAddress(context, record);
    if (instance !== undefined) offered(instance, index);
  }
}

function lifeOf(record: DnsRecord): number {
  return Math.min(record.ttl * 1_000, longestLifeMs);
}

function hearPointer(context: Context, record: DnsRecord): SeenInstance | undefined {
  const { at } = context.hearing;
  const { target, name } = record;
  // From a service type to its instance: what comes from a subtype, or goes to a type, has another length (RFC 6763 §7.1, §9).
  if (target === undefined || target.labels.length !== name.labels.length + 1 || !target.key.endsWith(name.key)) return undefined;
  const known = context.link.instances.get(target.key);
  if (record.ttl === 0) {
    if (known === undefined) return undefined;
    known.pointerUntil = Math.min(known.pointerUntil, at + goodbyeMs);
    known.srvUntil = Math.min(known.srvUntil, at + goodbyeMs);
    known.textUntil = Math.min(known.textUntil, at + goodbyeMs);
    context.table.due(at + goodbyeMs);
    return known;
  }
  const instance = known ?? addInstance(context, target);
  if (instance === undefined) return undefined;
  touch(context, instance);
  list(context, instance);
  instance.pointerUntil = at + lifeOf(record);
  context.table.due(instance.pointerUntil);
  return instance;
}

function hearSrv(context: Context, record: DnsRecord): SeenInstance | undefined {
  const { link, hearing, table, message } = context;
  const { target, name, dataStart } = record;
  if (target === undefined) return undefined;
  // Priority, weight, port (RFC 2782).
  const port = ((message.bytes[dataStart + 4] ?? 0) << 8) | (message.bytes[dataStart + 5] ?? 0);
  const known = link.instances.get(name.key);
  const same = known?.srv !== undefined && known.srv.port === port && known.srv.targetKey === target.key;
  if (record.ttl === 0) {
    if (known?.srv === undefined || !same) return undefined;
    known.srv.goneAt = Math.min(known.srv.goneAt, hearing.at + goodbyeMs);
    known.srvUntil = Math.min(known.srvUntil, hearing.at + goodbyeMs);
    table.due(hearing.at + goodbyeMs);
    return known;
  }
  const instance = known ?? addInstance(context, name);
  if (instance === undefined) return undefined;
  touch(context, instance);
  list(context, instance);
  instance.srvUntil = hearing.at + lifeOf(record);
  table.due(instance.srvUntil);
  if (same && known.srv !== undefined) {
    known.srv.heardAt = hearing.at;
    known.srv.goneAt = Infinity;
    return instance;
  }
  forgetSrv(instance);
  const targetKey = ownText(target.key);
  instance.srv = { targetKey, host: hostText(target), port, heardAt: hearing.at, goneAt: Infinity };
  link.hostUsers.set(targetKey, (link.hostUsers.get(targetKey) ?? 0) + 1);
  table.changed();
  return instance;
}

function hearText(context: Context, record: DnsRecord): void {
  const { link, hearing, table, message } = context;
  const data = message.bytes.subarray(record.dataStart, Math.min(record.end, record.dataStart + longestText));
  const known = link.instances.get(record.name.key);
  const same = known?.text !== undefined && isSame(known.text.data, data);
  if (record.ttl === 0) {
    if (known?.text === undefined || !same) return;
    known.text.goneAt = Math.min(known.text.goneAt, hearing.at + goodbyeMs);
    known.textUntil = Math.min(known.textUntil, hearing.at + goodbyeMs);
    table.due(hearing.at + goodbyeMs);
    return;
  }
  const instance = known ?? addInstance(context, record.name);
  if (instance === undefined) return;
  touch(context, instance);
  instance.textUntil = hearing.at + lifeOf(record);
  table.due(instance.textUntil);
  if (same && known.text !== undefined) {
    known.text.heardAt = hearing.at;
    known.text.goneAt = Infinity;
    return;
  }
  instance.text = { data: new Uint8Array(data), heardAt: hearing.at, goneAt: Infinity };
  if (instance.listed) table.changed();
}

function hearAddress(context: Context, record: DnsRecord): void {
  const { link, hearing, table, message } = context;
  const { at } = hearing;
  const bytes = message.bytes.subarray(record.dataStart, record.end);
  if (bytes.length !== (record.type === recordType.A ? 4 : 16)) return;
  const host = link.hosts.get(record.name.key) ?? (record.ttl === 0 ? undefined : addHost(context, record.name));
  if (host === undefined) return;
  let known = host.addresses.find((address) => isSame(address.bytes, bytes));
  if (record.ttl === 0) {
    if (known === undefined) return;
    known.goneAt = Math.min(known.goneAt, at + goodbyeMs);
    table.due(known.goneAt);
    return;
  }
  table.hosts.touch(host, at);
  if (known === undefined || known.until <= at) {
    // What was shown for want of better goes.
    const others = host.addresses.filter((address) => address !== known && address.until > at);
    const same = known !== undefined && others.length === host.addresses.length - 1;
    known ??= { bytes: new Uint8Array(bytes), text: formatAddress(bytes), heardAt: at, goneAt: Infinity, until: 0 };
    host.addresses = [...(others.length < mostAddresses ? others : withoutOldest(others)), known];
    if (!same && link.hostUsers.has(host.key)) table.changed();
  }
  known.heardAt = at;
  known.goneAt = Infinity;
  known.until = at + lifeOf(record);
  table.due(known.until);
  if (record.flush) flushOthers(context, host, bytes.length);
}

/** RFC 6762 §10.2: of the same name and type, what was not heard within the last second goes within the next. */
function flushOthers({ table, hearing: { at } }: Context, host: SeenHost, length: number): void {
  for (const address of host.addresses) {
    if (address.bytes.length !== length || at - address.heardAt <= flushGraceMs || address.goneAt !== Infinity) continue;
    address.goneAt = at + goodbyeMs;
    table.due(address.goneAt);
  }
}

function withoutOldest(addresses: readonly SeenAddress[]): readonly SeenAddress[] {
  let oldest = addresses[0];
  for (const address of addresses) if (oldest === undefined || address.heardAt < oldest.heardAt) oldest = address;
  return addresses.filter((address) => address !== oldest);
}

function addInstance({ table, link, hearing }: Context, name: DnsName): SeenInstance | undefined {
  const service = serviceOf(name);
  const [label = ""] = name.labels;
  if (service === undefined) return undefined;
  const instance: SeenInstance = {
    kind: "instance",
    link,
    key: ownText(name.key),
    service,
    name: labelText(label),
    pointerUntil: -Infinity,
    srvUntil: -Infinity,
    textUntil: -Infinity,
    listed: false,
    heardAt: -Infinity,
    relayedTo: new Set(),
  };
  link.instances.set(instance.key, instance);
  table.entries.add(instance, { group: link.name, owner: ownerOf(hearing.source), at: hearing.at });
  // Being the newest of its owner it is there, unless it alone is all that may be.
  return link.instances.get(instance.key);
}

function addHost({ table, link, hearing }: Context, name: DnsName): SeenHost | undefined {
  if (name.labels.length < 2 || name.labels.at(-1)?.toLowerCase() !== "local") return undefined;
  const host: SeenHost = { link, key: ownText(name.key), addresses: [] };
  link.hosts.set(host.key, host);
  table.hosts.add(host, { group: link.name, owner: ownerOf(hearing.source), at: hearing.at });
  return link.hosts.get(host.key);
}

/** `_hap._tcp` of `instance._hap._tcp.local` (RFC 6763 §4.1); undefined for any other name. */
function serviceOf({ labels }: DnsName): string | undefined {
  if (labels.length !== 4) return undefined;
  const [, type = "", protocol = "", domain = ""] = labels;
  if (domain.toLowerCase() !== "local" || !type.startsWith("_") || !/^_(?:tcp|udp)$/i.test(protocol)) return undefined;
  return ownText(`${type}.${protocol}`.toLowerCase());
}

/** Labels are latin1; what they hold is UTF-8 (RFC 6762 §16). */
function labelText(label: string): string {
  return Buffer.from(label, "latin1").toString("utf8");
}

function hostText({ labels }: DnsName): string {
  return labels.map((label) => labelText(label)).join(".");
}

/** Once a message. */
function touch({ table, hearing }: Context, instance: SeenInstance): void {
  if (instance.heardAt === hearing.at) return;
  instance.heardAt = hearing.at;
  table.entries.touch(instance, hearing.at);
}

function list({ table }: Context, instance: SeenInstance): void {
  if (instance.listed) return;
  instance.listed = true;
  table.changed();
}

/** Takes the SRV out, and the note that its host is in use. */
export function forgetSrv(instance: SeenInstance): void {
  const { srv, link } = instance;
  if (srv === undefined) return;
  delete instance.srv;
  const users = (link.hostUsers.get(srv.targetKey) ?? 1) - 1;
  if (users > 0) link.hostUsers.set(srv.targetKey, users);
  else link.hostUsers.delete(srv.targetKey);
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}
