/** Whether sticks can be told apart, by their names in /dev and by their serial numbers, and are meant for one program each. */
import type { Check, Facts, Outcome, PodFacts } from "../../core/check.ts";
import type { Device } from "../../core/device.ts";
import type { Radio } from "../../core/radio.ts";
import { fail, pass, unknown, whyNot } from "../judge.ts";
import { nodeBehind } from "../read/device-paths.ts";
import { radioLabel } from "../read/evidence.ts";

const byIdDirectory = "/dev/serial/by-id";
const noSerialRadio = "no USB radio with a serial port is plugged in";

interface SerialRadio extends Radio {
  readonly device: Device & { readonly usb: NonNullable<Device["usb"]> };
}

function serialRadios({ radios }: Facts): readonly SerialRadio[] {
  return radios.flatMap((radio) => {
    const { usb } = radio.device;
    if (radio.presence !== "present" || radio.device.function !== "serial" || usb === undefined) return [];
    return [{ ...radio, device: { ...radio.device, usb } }];
  });
}

const about = ({ id }: Radio): Pick<Outcome, "subject" | "radioId"> => ({ subject: id, radioId: id });

const udevSocket = "/run/udev/control";

const stableName: Check = {
  id: "USB-05",
  level: "warning",
  title: "Each stick has a name that stays",
  source: "systemd rules.d/60-serial.rules.in; Talos runs systemd-udevd",
  reads: [udevSocket],
  judge(facts) {
    const radios = serialRadios(facts).filter(({ device }) => device.byId !== undefined);
    if (radios.length === 0) return noSerialRadio;
    const hasUdev = facts.paths(udevSocket).length > 0;
    return radios.map((radio) => {
      const path = `${byIdDirectory}/${radio.device.byId ?? ""}`;
      const link = facts.deviceNode(path);
      const label = radioLabel(radio);
      if (link.state === "unreadable")
        return unknown(`Whether ${label} has a name that stays cannot be told: ${link.why}.`, [], about(radio));
      if (link.state === "read" && link.value.type === "link") {
        // That it leads to another stick of the same name is USB-13's to say.
        return pass(
          `${label} has a name that stays: ${path}.`,
          [{ source: path, value: `leads to ${link.value.target ?? "nothing"}` }],
          about(radio),
        );
      }
      return fail({
        ...about(radio),
        text: hasUdev
          ? `${label} has no name below ${byIdDirectory}, and ${radio.device.nodes[0]?.path ?? "its node"} may be another stick after the next plug.`
          : `${label} has no name below ${byIdDirectory}, because no udev is running here, and ${radio.device.nodes[0]?.path ?? "its node"} may be another stick after the next plug.`,
        evidence: [
          { source: path, value: link.state === "read" ? `is no link (${link.value.type})` : "not there" },
          { source: udevSocket, value: hasUdev ? "there" : "not there" },
        ],
        remedy: {
          text: "Unplug it and plug it in again; if that does not help, start the machine again. Until then use aerial's name of the radio, which does not depend on udev.",
          linux: ["udevadm trigger --subsystem-match=tty --action=add"],
        },
      });
    });
  },
};

const twins: Check = {
  id: "USB-13",
  level: "warning",
  title: "No two sticks have the same name",
  source: "systemd rules.d/60-serial.rules.in: the last one plugged in gets the link",
  reads: [],
  judge(facts) {
    const radios = serialRadios(facts).filter(({ device }) => device.byId !== undefined);
    if (radios.length === 0) return noSerialRadio;
    // One that is no radio may take the name of one that is.
    const all: readonly Device[] = [...radios.map(({ device }) => device), ...facts.others.map(({ device }) => device)];
    return radios.map((radio) => {
      const { byId, usb, sysPath } = radio.device;
      const others = all.filter((device) => device.byId === byId && device.sysPath !== sysPath && device.usb?.port !== usb.port);
      if (others.length === 0) return pass(`${radioLabel(radio)} shares its name with no other stick.`, [], about(radio));
      const ports = [usb.port, ...others.map((device) => device.usb?.port ?? "")].toSorted();
      return fail({
        ...about(radio),
        text: `${radioLabel(radio)} in USB port ${usb.port} has the same name and serial number as another stick, so ${byIdDirectory} leads to only one of them.`,
        evidence: ports.map((port) => ({ source: `/sys/bus/usb/devices/${port}/serial`, value: usb.serial ?? "not there" })),
        remedy: {
          text: `Use the ports they are in: aerial's names of the radios, or the links below /dev/serial/by-path. Then keep each stick in its port.`,
        },
      });
    });
  },
};

const ownSerial: Check = {
  id: "USB-14",
  level: "info",
  title: "Each stick has a serial number of its own",
  source: "USB 2.0 §9.6.1, iSerialNumber; makers of cheap bridges leave it out or give all the same",
  reads: [],
  judge(facts) {
    const radios = serialRadios(facts);
    if (radios.length === 0) return noSerialRadio;
    return radios.map((radio) => {
      const { usb } = radio.device;
      const evidence = [{ source: `/sys/bus/usb/devices/${usb.port}/serial`, value: usb.serial ?? "not there" }];
      if (radio.idBasis !== "port") return pass(`${radioLabel(radio)} is known by its serial number.`, evidence, about(radio));
      return fail({
        ...about(radio),
        text: `${radioLabel(radio)} has no serial number of its own, so aerial knows it by the USB port ${usb.port} it sits in.`,
        evidence,
        remedy: { text: "Keep it in this port. In another one it is taken for a new radio." },
      });
    });
  },
};

/** A path in a variable: `spinel+hdlc+uart:///dev/ttyACM0?uart-baudrate=1000000`. */
const pathInText = /\/dev\/[\w./:+@=#-]+/g;

const oneWorkload: Check = {
  id: "USB-27",
  level: "warning",
  title: "Each stick is meant for one workload",
  source: "home-assistant/addons, silabs-multiprotocol: deprecated; a stick runs one protocol at a time",
  reads: [],
  judge(facts) {
    const radios = serialRadios(facts);
    if (facts.cluster === undefined) return "no cluster is configured, so nobody says which workload is meant to use which stick";
    if (radios.length === 0) return noSerialRadio;
    const { pods } = facts.cluster;
    if (pods.state !== "read") return [unknown(`Which workloads are meant to use which stick cannot be told: ${whyNot(pods)}.`)];
    const active = pods.value.filter(({ phase }) => phase === "Running" || phase === "Pending");
    return radios.map((radio) => {
      const users = active.filter((pod) =>
        pathsOf(pod).some((path) => radio.device.nodes.some((node) => node.path === nodeBehind(facts, path)?.path)),
      );
      const evidence = users.map((pod) => ({ source: `pod ${pod.namespace}/${pod.name}`, value: pathsOf(pod).join(", ") }));
      const names = users.map(({ namespace, name }) => `${namespace}/${name}`);
      if (users.length < 2) {
        return pass(
          users.length === 0 ? `No pod names ${radioLabel(radio)} by its path.` : `Only pod ${names.join()} names ${radioLabel(radio)}.`,
          evidence,
          about(radio),
        );
      }
      return fail({
        ...about(radio),
        text: `${radioLabel(radio)} is meant for ${users.length} pods at once: ${names.join(" and ")}. A stick speaks one protocol, to one program.`,
        evidence,
        remedy: { text: "Give each its own stick: one for Zigbee, another for Thread. Firmware that does both is no longer kept up." },
      });
    });
  },
};

function pathsOf({ hostDevices, environment }: PodFacts): readonly string[] {
  return [...new Set([...hostDevices, ...Object.values(environment).flatMap((value) => value.match(pathInText) ?? [])])];
}

export const usbIdentityChecks: readonly Check[] = [stableName, twins, ownSerial, oneWorkload];
