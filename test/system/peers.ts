/** Real mDNS and SSDP programs, as Debian has them, in a lab's hosts. */
import { join } from "node:path";
import type { LabHost, LabProcess } from "./lab-host.ts";

export interface AvahiOptions {
  /** Run its reflector between these interfaces. */
  readonly reflect?: readonly string[];
  readonly hostName?: string;
}

const daemonReadyMs = 10_000;

/** A system bus and an avahi-daemon on it. `avahi-publish`, `avahi-browse` and the like work on that host then. */
export async function openAvahi(host: LabHost, { reflect, hostName = `host${host.name}` }: AvahiOptions = {}): Promise<LabProcess> {
  const bus = [
    "<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>",
    '<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>',
    '<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>',
    '<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/></policy></busconfig>',
  ].join("");
  const configuration = [
    "[server]",
    `host-name=${hostName}`,
    "use-ipv4=yes",
    "use-ipv6=yes",
    ...(reflect === undefined ? [] : [`allow-interfaces=${reflect.join(",")}`]),
    "[wide-area]",
    "enable-wide-area=no",
    "[publish]",
    "publish-hinfo=no",
    "publish-workstation=no",
    // What phones ask for is IPv6 over IPv6 and IPv4 over IPv4; some ask for the other one.
    "publish-aaaa-on-ipv4=yes",
    "publish-a-on-ipv6=no",
    "[reflector]",
    `enable-reflector=${reflect === undefined ? "no" : "yes"}`,
  ].join("\n");
  const script = [
    "set -e",
    "mkdir -p /run/dbus /run/avahi-daemon",
    `printf '%s' '${bus}' > /run/bus.conf`,
    `printf '%s\\n' '${configuration}' > /run/avahi.conf`,
    "[ -S /run/dbus/system_bus_socket ] || dbus-daemon --config-file=/run/bus.conf --fork --nopidfile",
    "exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --no-proc-title -f /run/avahi.conf",
  ].join("\n");
  const daemon = await host.start(["sh", "-c", script]);
  try {
    await daemon.waitFor(/Server startup complete/, daemonReadyMs);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** A program of python-zeroconf; see zeroconf_peer.py. */
export function startZeroconf(host: LabHost, ...words: readonly string[]): Promise<LabProcess> {
  return host.start(["/usr/bin/python3", "-u", join(import.meta.dirname, "zeroconf_peer.py"), ...words]);
}

/** A UPnP root device announced by libgssdp, as GNOME's Rygel does; see gssdp_device.py. */
export function startUpnpDevice(host: LabHost, ...words: readonly string[]): Promise<LabProcess> {
  return host.start(["/usr/bin/python3", "-u", join(import.meta.dirname, "gssdp_device.py"), ...words]);
}

/** What libgssdp sees of a search target; see gssdp_browser.py. */
export function startUpnpBrowser(host: LabHost, ...words: readonly string[]): Promise<LabProcess> {
  return host.start(["/usr/bin/python3", "-u", join(import.meta.dirname, "gssdp_browser.py"), ...words]);
}
