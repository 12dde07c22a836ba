/** A house as the API would tell of it, for how the page looks: radios of every sort, findings of every level, a relay. */
import type {
  ClusterRadioList,
  Condition,
  DoctorReport,
  Event,
  Finding,
  Node,
  PluginList,
  Radio,
  RadioPod,
  RelayStatus,
  SeenService,
} from "../../src/api/contract/types.ts";

/** All that the staged API answers with. */
export interface House {
  node: Node;
  radios: Radio[];
  conditions: Condition[];
  report: DoctorReport;
  /** Newest first. */
  events: Event[];
  relay: RelayStatus | undefined;
  services: SeenService[];
  plugins: PluginList;
  cluster: ClusterRadioList | undefined;
  /** `forbidden`: aerial may not list them. */
  pods: RadioPod[] | "forbidden" | undefined;
  /** Names of the processes that hold a radio, by its id. */
  holders: Record<string, { readonly name: string; readonly pid: number; readonly pod?: string }>;
  patch: string;
}

export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}

export function stagedRadio(id: string, changes: Partial<Radio> = {}): Radio {
  return {
    id,
    idBasis: "serial",
    state: "present",
    kinds: ["zigbee"],
    certainty: "certain",
    alternatives: [],
    candidates: [],
    vendor: "SONOFF",
    model: "Dongle Plus (P)",
    adapter: "zstack",
    line: { baudRate: 115_200, rtscts: false },
    mode: "application",
    function: "serial",
    attachment: "local",
    driver: "cp210x",
    devicePaths: ["/dev/ttyUSB0"],
    byId: "usb-Silicon_Labs_Sonoff_Zigbee_3.0_USB_Dongle_Plus_62a88fbb4d19ec11-if00-port0",
    port: "1-1.2",
    serial: "62a88fbb4d19ec1182f53bcc47486eb0",
    usb: {
      vendorId: "10c4",
      productId: "ea60",
      release: "0100",
      manufacturer: "Silicon Labs",
      product: "Sonoff Zigbee 3.0 USB Dongle Plus",
      interfaceNumber: 0,
    },
    sysPath: "devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0",
    evidence: [
      {
        source: "fingerprint",
        plugin: "zigbee",
        rule: "sonoff-dongle-plus-p",
        score: 92,
        detail: "product is “Sonoff Zigbee 3.0 USB Dongle Plus” on 10c4:ea60",
      },
      {
        source: "fingerprint",
        plugin: "bridges",
        rule: "cp210x",
        score: 20,
        detail: "10c4:ea60 is a CP210x serial bridge, which is in many products",
      },
    ],
    handedTo: [],
    firstSeen: ago(86_400 * 41),
    lastSeen: ago(3_600 * 5),
    ...changes,
  };
}

const radios: readonly Radio[] = [
  stagedRadio("zigbee-62a88fbb4d19", {
    name: "Zigbee in the hall",
    resource: "radio.mi.house/zigbee",
    handedTo: [
      {
        namespace: "home",
        pod: "zigbee2mqtt-0",
        container: "zigbee2mqtt",
        way: "device-plugin",
        request: "radio.mi.house/zigbee",
        since: ago(3_600 * 5),
      },
    ],
  }),
  stagedRadio("thread-082a732ea338", {
    kinds: ["thread"],
    certainty: "likely",
    alternatives: ["zigbee"],
    vendor: "Nabu Casa",
    model: "Home Assistant Connect ZBT-1",
    adapter: "ember",
    devicePaths: ["/dev/ttyUSB1"],
    byId: "usb-Nabu_Casa_Home_Assistant_Connect_ZBT-1_082a732ea338ef11-if00-port0",
    port: "1-1.3",
    serial: "082a732ea338ef11bf43317af3d9b1e5",
    lastSeen: ago(95),
  }),
  stagedRadio("zwave-1-1.4", {
    idBasis: "port",
    kinds: ["zwave"],
    certainty: "likely",
    vendor: "Aeotec",
    model: "Z-Stick Gen5",
    driver: "cdc_acm",
    devicePaths: ["/dev/ttyACM0"],
    byId: "usb-0658_0200-if00",
    port: "1-1.4",
    lastSeen: ago(3_600 * 30),
  }),
  stagedRadio("usb-1a86-7523-2-1", {
    idBasis: "port",
    kinds: [],
    certainty: "ambiguous",
    candidates: ["zigbee", "zwave", "enocean"],
    devicePaths: ["/dev/ttyUSB2"],
    byId: "usb-1a86_USB_Serial-if00-port0",
    port: "2-1",
    usb: { vendorId: "1a86", productId: "7523", product: "USB Serial" },
    model: "CH340 serial bridge",
    state: "present",
  }),
  stagedRadio("bluetooth-001a7dda7113", {
    kinds: ["bluetooth"],
    vendor: "Cambridge Silicon Radio",
    model: "CSR8510 A10",
    function: "bluetooth",
    driver: "btusb",
    devicePaths: [],
    port: "1-2",
    bluetooth: { controller: "hci0", address: "00:1A:7D:DA:71:13" },
  }),
  stagedRadio("slzb-06.local-6638", {
    idBasis: "name",
    vendor: "SMLIGHT",
    model: "SLZB-06",
    function: "network",
    attachment: "network",
    devicePaths: [],
    network: {
      service: "_slzb-06._tcp",
      instance: "SLZB-06",
      text: {},
      host: "slzb-06.local",
      port: 6638,
      addresses: ["192.168.20.14"],
      others: [],
      links: ["iot"],
      mac: "0c:b8:15:aa:01:02",
    },
  }),
  stagedRadio("nrf-ea27a5fc585e", {
    state: "bootloader",
    mode: "bootloader",
    kinds: ["thread"],
    vendor: "Nordic Semiconductor",
    model: "nRF52840 dongle",
    devicePaths: ["/dev/ttyACM1"],
    byId: "usb-Nordic_Semiconductor_Open_DFU_Bootloader_EA27A5FC585E-if00",
    port: "3-1",
    lastSeen: ago(40),
  }),
  stagedRadio("zigbee-de2436973", {
    name: "Old ConBee",
    state: "absent",
    vendor: "dresden elektronik",
    model: "ConBee II",
    absentSince: ago(86_400 * 3),
    byId: "usb-dresden_elektronik_ingenieurtechnik_GmbH_ConBee_II_DE2436973-if00",
    port: "1-1.1",
  }),
].map((radio) => withoutAbsent(radio));

/** Properties that some of them do not have. */
function withoutAbsent(radio: Radio): Radio {
  const { byId, port, usb, line, adapter, serial, driver, ...rest } = radio;
  if (radio.attachment === "network") return rest;
  if (radio.function === "bluetooth") return { ...rest, ...(port !== undefined && { port }), ...(driver !== undefined && { driver }) };
  const { vendor, ...nobody } = rest;
  const bare =
    radio.certainty === "ambiguous"
      ? nobody
      : {
          ...rest,
          ...(adapter !== undefined && { adapter }),
          ...(serial !== undefined && { serial }),
          ...(vendor !== undefined && { vendor }),
        };
  return {
    ...bare,
    ...(byId !== undefined && { byId }),
    ...(port !== undefined && { port }),
    ...(usb !== undefined && { usb }),
    ...(line !== undefined && { line }),
    ...(driver !== undefined && { driver }),
  };
}

const findings: readonly Finding[] = [
  {
    id: "THR-05",
    level: "fail",
    title: "Thread routes are accepted",
    source: "RFC 4191 §3.1; kernel Documentation/networking/ip-sysctl",
    verdict: "fail",
    subject: "eth0",
    text: "eth0 takes no routes from border routers, so Thread devices cannot be reached from this node",
    evidence: [
      { source: "/proc/sys/net/ipv6/conf/eth0/accept_ra_rt_info_max_plen", value: "0" },
      { source: "/proc/sys/net/ipv6/conf/eth0/accept_ra", value: "1" },
      { source: "/proc/sys/net/ipv6/conf/eth0/forwarding", value: "1" },
    ],
    remedy: {
      text: "Let the kernel accept route information of up to 64 bits, also where it forwards",
      talos: [
        { change: "sysctl", name: "net.ipv6.conf.eth0.accept_ra", value: "2" },
        { change: "sysctl", name: "net.ipv6.conf.eth0.accept_ra_rt_info_max_plen", value: "64" },
      ],
      linux: ["sysctl -w net.ipv6.conf.eth0.accept_ra=2", "sysctl -w net.ipv6.conf.eth0.accept_ra_rt_info_max_plen=64"],
    },
  },
  {
    id: "TTY-03",
    level: "warning",
    title: "A radio has one holder",
    source: "tty_ioctl(2), TIOCEXCL",
    verdict: "fail",
    subject: "/dev/ttyUSB0",
    text: "two processes have Zigbee in the hall open; each takes bytes that the other waits for",
    evidence: [
      { source: "/proc/4312/fd/9", value: "/dev/ttyUSB0" },
      { source: "/proc/7001/fd/4", value: "/dev/ttyUSB0" },
    ],
    remedy: { text: "Stop one of zigbee2mqtt (4312) and zha (7001)" },
    radioId: "zigbee-62a88fbb4d19",
  },
  {
    id: "USB-07",
    level: "info",
    title: "Radios keep away from USB 3",
    source: "USB 3.0 Radio Frequency Interference Impact on 2.4 GHz Wireless Devices, Intel 2012",
    verdict: "fail",
    subject: "2-1",
    text: "a radio sits beside a USB 3 drive, which is noisy at 2.4 GHz",
    evidence: [{ source: "/sys/bus/usb/devices/2-2/speed", value: "5000" }],
    remedy: { text: "Put a USB 2 extension cable between the radio and the machine" },
    radioId: "usb-1a86-7523-2-1",
  },
  {
    id: "BLE-04",
    level: "fail",
    title: "Bluetooth is not blocked",
    source: "rfkill",
    verdict: "unknown",
    text: "/sys/class/rfkill cannot be read here: permission denied",
    evidence: [],
  },
  ...[
    "cdc_acm is loaded",
    "cp210x is loaded",
    "Device nodes are character devices",
    "5353 is free",
    "One mDNS reflector",
    "IPv6 is on",
  ].map((title, index): Finding => ({
    id: `USB-${10 + index}`,
    level: "fail",
    title,
    source: "kernel documentation",
    verdict: "pass",
    text: `${title}, as it should be`,
    evidence: [{ source: "/proc/modules", value: "cdc_acm 45056 2" }],
  })),
];

function staged(sequence: number, seconds: number, event: Pick<Event, "type" | "radioId" | "text">): Event {
  return { id: `abc.${sequence}`, sequence, at: ago(seconds), details: {}, ...event };
}

const services: readonly SeenService[] = [
  ["_hap._tcp", "Hue Bridge 7A01", "hue.local", 443, "iot", "192.168.20.8"],
  ["_matter._tcp", "2906C908D115D362-8FC7772401CD0696", "4a61b2.local", 5540, "iot", "fd00:20::4a61"],
  ["_meshcop._udp", "Apple TV wohnzimmer", "tv.local", 49_154, "home", "192.168.10.31"],
  ["_googlecast._tcp", "Kitchen speaker", "kitchen.local", 8009, "home", "192.168.10.40"],
  ["_esphomelib._tcp", "garden-pump", "garden-pump.local", 6053, "iot", "192.168.20.61"],
  ["_ipp._tcp", "Brother HL-L2350DW", "brother.local", 631, "home", "192.168.10.5"],
  ["_slzb-06._tcp", "SLZB-06", "slzb-06.local", 6638, "iot", "192.168.20.14"],
  ["urn:schemas-upnp-org:device:ZonePlayer:1", "uuid:RINCON_000E58A1", "192.168.30.9", 1400, "guests", "192.168.30.9"],
].map(([service, instance, host, port, link, address]) => ({
  protocol: String(service).startsWith("urn") ? ("ssdp" as const) : ("mdns" as const),
  service: String(service),
  instance: String(instance),
  host: String(host),
  port: Number(port),
  addresses: [String(address)],
  text: {},
  link: String(link),
  lastSeen: ago(20),
  expires: ago(-4_000),
  relayedTo: link === "iot" ? ["home"] : link === "home" ? ["iot"] : [],
}));

const relay: RelayStatus = {
  id: "a1b2c3",
  protocols: ["mdns", "ssdp"],
  links: [
    {
      name: "home",
      interface: "eth0",
      mtu: 1500,
      addresses: ["192.168.10.2", "fe80::1"],
      state: "up",
      heard: { relayed: 812, trimmed: 12, rule: 40, own: 3 },
      sent: 640,
      overrun: 0,
    },
    {
      name: "iot",
      interface: "eth0.20",
      vlan: 20,
      mtu: 1500,
      addresses: ["192.168.20.2"],
      state: "up",
      heard: { relayed: 1_204, rule: 7 },
      sent: 903,
      overrun: 0,
    },
    {
      name: "guests",
      interface: "eth0.30",
      vlan: 30,
      mtu: 1500,
      addresses: ["192.168.30.2"],
      state: "up",
      heard: { relayed: 80, standby: 300 },
      sent: 22,
      overrun: 0,
    },
  ],
  pairs: [
    { links: ["home", "iot"], role: "active", why: "no other aerial is heard", since: ago(86_400) },
    { links: ["home", "guests"], role: "standby", why: "node-b relays between these", since: ago(7_200) },
    { links: ["iot", "guests"], family: 4, role: "active", why: "no other aerial is heard", since: ago(86_400) },
    { links: ["iot", "guests"], family: 6, role: "standby", why: "an unknown reflector carries IPv6", since: ago(3_000) },
  ],
  rules: [
    { text: "deny ask,offer _matterc._udp from any to guests", hits: 12 },
    { text: "allow ask,offer any from home to iot", hits: 2_016 },
  ],
  searches: 2,
  services: services.length,
};

/** A house in which a few things are wrong. */
export function stagedHouse(): House {
  return {
    node: {
      name: "talos-kitchen",
      version: "0.1.0",
      startedAt: ago(86_400 * 4),
      uptimeSeconds: 86_400 * 4 + 3_600 * 3,
      kernel: "6.18.45-talos",
      revision: 12,
      complete: true,
      counts: { present: 6, absent: 1, others: 2, network: 1, kinds: { zigbee: 1 } },
      blindSpots: [{ what: "Bluetooth addresses", why: "bluetoothd does not run here" }],
      cluster: { state: "connected", server: "https://10.96.0.1" },
      conditions: [],
    },
    radios: [...radios],
    conditions: [
      {
        code: "relay.second-reflector",
        severity: "warning",
        text: "Another reflector carries mDNS between iot and guests for IPv6; aerial stands by for it.",
        since: ago(3_000),
      },
    ],
    report: {
      at: ago(30),
      durationMs: 84,
      os: { id: "talos", version: "v1.13.2", name: "Talos (v1.13.2)" },
      findings: [...findings],
      notApplicable: [{ id: "LORA-02", title: "SPI is enabled", why: "no LoRa concentrator is here" }],
    },
    events: [
      staged(10, 40, { type: "bootloader", radioId: "nrf-ea27a5fc585e", text: "nRF52840 dongle is in its bootloader" }),
      staged(9, 93, {
        type: "container-restarted",
        radioId: "thread-082a732ea338",
        text: "Home Assistant Connect ZBT-1 on USB port 1-1.3 is device 188:1 now, and was 188:0: container otbr of pod home/otbr-0 was restarted",
      }),
      staged(8, 95, { type: "reattached", radioId: "thread-082a732ea338", text: "Home Assistant Connect ZBT-1 is back in port 1-1.3" }),
      staged(7, 130, {
        type: "detached",
        radioId: "thread-082a732ea338",
        text: "Home Assistant Connect ZBT-1 was unplugged from port 1-1.3",
      }),
      staged(6, 3_900, { type: "named", radioId: "zigbee-62a88fbb4d19", text: "Dongle Plus (P) is called Zigbee in the hall" }),
      staged(5, 86_400 * 1.2, { type: "moved", radioId: "zwave-1-1.4", text: "Z-Stick Gen5 moved from port 1-4 to 1-1.4" }),
      staged(4, 86_400 * 3, { type: "detached", radioId: "zigbee-de2436973", text: "ConBee II was unplugged from port 1-1.1" }),
      staged(3, 86_400 * 3.1, {
        type: "attached",
        radioId: "zigbee-62a88fbb4d19",
        text: "SONOFF Dongle Plus (P) was plugged into port 1-1.2",
      }),
    ],
    relay,
    services: [...services],
    plugins: {
      plugins: ["zigbee", "zwave", "thread", "lora", "bluetooth"].map((name) => ({
        name,
        origin: "built-in",
        state: "running",
        fingerprints: 12,
        conditions: [],
      })),
    },
    pods: [
      {
        namespace: "home",
        name: "zigbee2mqtt-0",
        node: "talos-kitchen",
        phase: "running",
        wants: [{ way: "device-plugin", request: "radio.mi.house/zigbee", count: 1 }],
        holds: ["zigbee-62a88fbb4d19"],
      },
      {
        namespace: "home",
        name: "zha-7d9c6b5f4-x2x9k",
        phase: "pending",
        wants: [{ way: "device-plugin", request: "radio.mi.house/zigbee", count: 1 }],
        holds: [],
        waiting:
          "Every radio that is radio.mi.house/zigbee is taken: Zigbee in the hall on talos-kitchen is held by home/zigbee2mqtt-0. It waits for that pod to end, or for another radio.",
      },
      {
        namespace: "lab",
        name: "sniffer",
        node: "talos-attic",
        phase: "failed",
        wants: [{ way: "resource-claim", request: "sniffer-stick", count: 1 }],
        holds: [],
        waiting:
          "talos-attic had no radio for it when it came, and Kubernetes does not try it again: delete the pod, and its owner makes another.",
      },
    ],
    cluster: {
      at: ago(3),
      complete: true,
      nodes: [
        { name: "talos-kitchen", ready: true, list: "published", radios: 2, omitted: 0 },
        { name: "talos-attic", ready: true, list: "published", radios: 1, omitted: 0 },
        { name: "talos-cellar", ready: false, list: "none", radios: 0, omitted: 0 },
      ],
      radios: [
        {
          node: "talos-kitchen",
          id: "zigbee-62a88fbb4d19",
          name: "Zigbee in the hall",
          kinds: ["zigbee"],
          vendor: "SONOFF",
          model: "Dongle Plus (P)",
          state: "present",
          certainty: "certain",
          devicePaths: ["/dev/ttyUSB0"],
        },
        {
          node: "talos-kitchen",
          id: "zwave-1-1.4",
          kinds: ["zwave"],
          vendor: "Aeotec",
          model: "Z-Stick Gen5",
          state: "present",
          certainty: "certain",
          devicePaths: ["/dev/ttyUSB0"],
        },
        {
          node: "talos-attic",
          id: "lora-1",
          kinds: ["lora"],
          vendor: "RAK",
          model: "RAK5146",
          state: "present",
          certainty: "certain",
          devicePaths: ["/dev/ttyUSB0"],
        },
      ],
    },
    holders: {
      "zigbee-62a88fbb4d19": { name: "node", pid: 4312, pod: "home/zigbee2mqtt-0" },
      "thread-082a732ea338": { name: "otbr-agent", pid: 991 },
    },
    patch: `machine:
  sysctls:
    net.ipv6.conf.eth0.accept_ra: "2"
    net.ipv6.conf.eth0.accept_ra_rt_info_max_plen: "64"
`,
  };
}

/** The same house with nothing in it, and nothing wrong. */
export function emptyHouse(): House {
  const house = stagedHouse();
  return {
    ...house,
    node: {
      ...house.node,
      counts: { present: 0, absent: 0, others: 0, network: 0, kinds: {} },
      blindSpots: [],
      cluster: { state: "none" },
    },
    radios: [],
    conditions: [],
    report: { ...house.report, findings: house.report.findings.filter(({ verdict }) => verdict === "pass") },
    events: [],
    relay: undefined,
    services: [],
    cluster: undefined,
    pods: undefined,
  };
}

/** The same house with all of it well. */
export function healthyHouse(): House {
  const house = stagedHouse();
  return {
    ...house,
    radios: house.radios.filter(({ state, certainty }) => state === "present" && certainty !== "ambiguous").slice(0, 4),
    conditions: [],
    report: { ...house.report, findings: house.report.findings.filter(({ verdict }) => verdict === "pass") },
  };
}

/** The same house with many radios and services. */
export function crowdedHouse(radioCount: number, serviceCount: number): House {
  const house = stagedHouse();
  const [first] = house.radios;
  const [service] = house.services;
  if (first === undefined || service === undefined) return house;
  return {
    ...house,
    radios: Array.from({ length: radioCount }, (_, index) => ({
      ...first,
      id: `zigbee-${index}`,
      name: `Radio ${index}`,
      port: `1-${index}`,
    })),
    services: Array.from({ length: serviceCount }, (_, index) => ({
      ...service,
      instance: `Lamp ${index}`,
      host: `lamp-${index}.local`,
      link: index % 2 === 0 ? "iot" : "home",
    })),
  };
}
